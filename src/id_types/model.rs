//! An ID type as it is managed.

use crate::error::FieldError;
use serde::{Deserialize, Serialize};

/// Lengths in characters.
pub const CODE_MAX: usize = 32;
pub const NAME_MAX: usize = 32;
/// Types in one workspace, the preset ones included.
pub const ID_TYPES_MAX: i64 = 100;

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedIdType {
    pub code: String,
    pub name: String,
    /// Whether a customer may have several of it.
    pub multi_value: bool,
    pub enabled: bool,
    /// How many webhooks allow it.
    pub webhooks: usize,
}

/// What the form of a custom type holds; checked by [`IdTypeInput::check`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdTypeInput {
    pub code: String,
    pub name: String,
    #[serde(default)]
    pub multi_value: bool,
}

impl IdTypeInput {
    pub fn tidy(mut self) -> Self {
        self.code = self.code.trim().into();
        self.name = self.name.trim().into();
        self
    }

    /// What is wrong with what was typed, by the inputs' names.
    pub fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        if self.code.is_empty() || self.code.len() > CODE_MAX || !self.code.chars().all(fits) {
            let text = format!("1 to {CODE_MAX} upper-case English letters, digits and underscores.");
            errors.push(FieldError::new("code", text));
        }
        match self.name.chars().count() {
            0 => errors.push(FieldError::new("name", "Enter the name that people see.")),
            length if length > NAME_MAX => {
                errors.push(FieldError::new("name", format!("At most {NAME_MAX} characters; this has {length}.")));
            }
            _ => {}
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_upper_case_letters_digits_and_underscores() {
        let fields = |code: &str, name: &str| {
            let input = IdTypeInput { code: code.into(), name: name.into(), multi_value: false }.tidy();
            input.check().into_iter().map(|error| error.field).collect::<Vec<_>>()
        };
        for code in ["A", " LINE_ID ", "_9", &"A".repeat(32)] {
            assert_eq!(fields(code, "Line"), [""; 0], "{code}");
        }
        for code in ["", "line", "LINE ID", "LINE-ID", "ÉTÉ", "文", &"A".repeat(33)] {
            assert_eq!(fields(code, "Line"), ["code"], "{code}");
        }
        assert_eq!(fields("A", " "), ["name"]);
        assert_eq!(fields("A", &"🎁".repeat(32)), [""; 0]);
        assert_eq!(fields("A", &"🎁".repeat(33)), ["name"]);
    }
}
