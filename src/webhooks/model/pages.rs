//! What pages ask for and what they get.

use super::{TestResult, Webhook, join_time};
use crate::{customers::model::IdType, error::FieldError, grants::model::Standing, wire::message::Encryption};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What the list is asked for: search, filters, order, page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebhookQuery {
    /// In name or URL.
    pub search: String,
    /// An ID type's code; "" for all.
    pub id_type: String,
    /// Enabled or disabled ones only.
    pub enabled: Option<bool>,
    pub order: WebhookOrder,
    pub descending: bool,
    pub offset: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WebhookOrder {
    #[default]
    Name,
    LatestTest,
    Tasks,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookPage {
    pub rows: Vec<Webhook>,
    /// How many match, on all pages.
    pub total: i64,
    /// What the reader has of each by grants, by the webhook's id; `None` for administrators, who need none.
    pub standings: Option<HashMap<String, Standing>>,
    /// The server's time, for "5 min ago".
    pub now: i64,
}

/// A value for one parameter of a test send.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestValue {
    pub name: String,
    #[serde(default)]
    pub value: String,
    /// Of a date, when one was typed beside it: `HH:MM`.
    #[serde(default)]
    pub time: String,
    /// What people saw of a value that was chosen, when it is known.
    #[serde(default)]
    pub shown: String,
}

impl TestValue {
    pub fn label(&self) -> &str {
        if self.shown.is_empty() { &self.value } else { &self.shown }
    }
}

/// "Test Send": one message to one ID (seed 002, "Test sending").
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestInput {
    pub webhook_id: String,
    #[serde(default)]
    pub id_type: String,
    #[serde(default)]
    pub test_id: String,
    #[serde(default)]
    pub encryption: Encryption,
    #[serde(default)]
    pub values: Vec<TestValue>,
}

/// The latest test sends of a webhook, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestSends {
    pub rows: Vec<TestSend>,
    /// The server's time, for "5 min ago".
    pub now: i64,
}

/// A test send that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestSend {
    pub id: String,
    pub result: TestResult,
    /// Who made it.
    pub by: String,
}

/// The answer to [`TestInput`]: what happened, and the log that [Download Logs] gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestOutcome {
    pub id: String,
    pub result: TestResult,
    pub log: String,
}

/// How long a key that is replaced still verifies receipts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyOverlap {
    #[default]
    None,
    Hour,
    Day,
    Week,
}

impl KeyOverlap {
    /// As forms have it and as it is shown; the code is the variant's name.
    pub const ALL: [(Self, &str, &str); 4] = [
        (Self::None, "None", "Not at all"),
        (Self::Hour, "Hour", "1 hour"),
        (Self::Day, "Day", "24 hours"),
        (Self::Week, "Week", "7 days"),
    ];

    pub fn hours(self) -> i64 {
        match self {
            Self::None => 0,
            Self::Hour => 1,
            Self::Day => 24,
            Self::Week => 7 * 24,
        }
    }
}

/// A webhook's own page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookDetail {
    pub webhook: Webhook,
    /// Where receipts are posted to.
    pub receipt_url: String,
    /// The server's time, for what depends on it.
    pub now: i64,
}

/// What the form starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookForm {
    /// `None` for a new one; the original for a copy.
    pub webhook: Option<Webhook>,
    /// The parameters that can be called: id and name.
    pub callable: Vec<(String, String)>,
    /// The types that may be chosen: the enabled ones, and those that the webhook has already.
    pub id_types: Vec<IdType>,
}

impl TestInput {
    /// With dates and their times in one.
    pub fn tidy(mut self) -> Self {
        self.values.iter_mut().for_each(|value| join_time(&mut value.value, &mut value.time));
        self
    }

    /// What is wrong with a test of `webhook`, by the inputs' names.
    pub fn check(&self, webhook: &Webhook) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if !webhook.input.id_types.contains(&self.id_type) {
            errors.push(FieldError::new("id_type", "Choose one of the webhook's ID types."));
        }
        match self.test_id.trim().chars().count() {
            0 => errors.push(FieldError::new("test_id", "Enter the ID that gets the test message.")),
            1..=TEST_ID_MAX => {}
            _ => errors.push(FieldError::new("test_id", format!("At most {TEST_ID_MAX} characters."))),
        }
        for parameter in &webhook.input.parameters {
            if let Err(message) = parameter.check_value(self.value(&parameter.name)) {
                let place = self.values.iter().position(|value| value.name == parameter.name).unwrap_or_default();
                errors.push(FieldError::new(format!("values[{place}][value]"), message));
            }
        }
        errors
    }

    /// The value of a parameter; "" when there is none.
    pub fn value(&self, parameter: &str) -> &str {
        self.values.iter().find(|value| value.name == parameter).map_or("", |value| &value.value)
    }
}

/// Characters.
const TEST_ID_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhooks::model::{Parameter, ParameterType, WebhookInput};

    #[test]
    fn a_test_needs_an_id_and_fitting_values() {
        let parameter = |name: &str, kind, required| Parameter {
            name: name.into(),
            display_name: name.into(),
            kind,
            required,
            ..Default::default()
        };
        let parameters =
            vec![parameter("coupon", ParameterType::String, true), parameter("points", ParameterType::Numeric, false)];
        let webhook = Webhook {
            id: "w".into(),
            enabled: false,
            version: 1,
            has_key: false,
            has_client_key: false,
            old_key_until: None,
            input: WebhookInput { id_types: vec!["MOBILE".into()], parameters, ..Default::default() },
            test: None,
            tasks: 0,
            updated_at: 0,
            disabled_because: String::new(),
            health: Default::default(),
        };
        let value =
            |name: &str, value: &str| TestValue { name: name.into(), value: value.into(), ..Default::default() };
        let right = TestInput {
            id_type: "MOBILE".into(),
            test_id: "13800000000".into(),
            values: vec![value("coupon", "C-1"), value("points", "")],
            ..Default::default()
        };
        let fields = |input: &TestInput| input.check(&webhook).into_iter().map(|e| e.field).collect::<Vec<_>>();
        assert_eq!(fields(&right), [""; 0]);
        let wrong =
            TestInput { id_type: "EMAIL".into(), test_id: " ".into(), values: vec![value("points", "many")], ..right };
        assert_eq!(fields(&wrong), ["id_type", "test_id", "values[0][value]", "values[0][value]"]);
    }
}
