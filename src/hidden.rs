//! A text that `Debug` does not show: a key or a password on its way, so that no log and no failed test tells it.

use serde::{Deserialize, Serialize};
use std::{fmt, ops::Deref};

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "[]" } else { "[…]" })
    }
}

impl Deref for Hidden {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Hidden {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<Hidden> for String {
    fn from(hidden: Hidden) -> Self {
        hidden.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{parameters::model::ParameterInput, webhooks::model::WebhookInput};

    #[test]
    fn debug_tells_only_whether_there_is_something() {
        let webhook = WebhookInput { key: "s3cret".into(), client_key: "s3cret".into(), ..WebhookInput::default() };
        let parameter = ParameterInput { key: "s3cret".into(), ..ParameterInput::default() };
        let told = format!("{webhook:?} {parameter:?}");
        assert!(told.contains("key: […]") && !told.contains("s3cret"), "{told}");
        assert_eq!(format!("{:?}", Hidden::default()), "[]");
    }

    #[test]
    fn it_travels_as_its_text() {
        let json = serde_json::to_string(&Hidden::from("s3cret")).unwrap();
        assert_eq!(json, "\"s3cret\"");
        assert_eq!(serde_json::from_str::<Hidden>(&json).unwrap(), Hidden::from("s3cret"));
    }
}
