//! A webhook and its parameters (seed 002, "Create a webhook").

mod certificate;
mod check;
mod pages;
mod version;

pub use certificate::{PEM_MAX, summary as certificate_summary};
pub use check::{check_statuses, check_url, is_date, is_parameter_name, join_time};
pub use pages::{
    KeyOverlap, TestInput, TestOutcome, TestSend, TestSends, TestValue, WebhookDetail, WebhookForm, WebhookOrder,
    WebhookPage, WebhookQuery,
};
#[cfg(feature = "ssr")]
pub use version::told as settings_told;
pub use version::{Change, Version, Versions, changes};

use crate::access::model::{Area, Either, Permission};
use crate::delivery::health::{Health, Standing};
use crate::delivery::model::AfterCrash;
use crate::hidden::Hidden;
use serde::{Deserialize, Deserializer, Serialize, de};
use std::fmt;

/// Whoever configures webhooks tries them; others need a grant, as for a task.
pub const TESTING: Either = Either(Permission::Manage(Area::WebhookManagement), Permission::Manage(Area::ReachWebhook));
/// Tests are made, and their logs seen, on the webhook's page and from a task's form.
pub const TESTS_SEEN: Either = Either(Permission::View(Area::WebhookManagement), Permission::View(Area::ReachWebhook));

/// Lengths in characters.
pub const NAME_MAX: usize = 64;
pub const PARAMETER_NAME_MAX: usize = 32;
pub const URL_MAX: usize = 2_000;
pub const KEY_MAX: usize = 128;
pub const PARAMETERS_MAX: usize = 50;
/// A parameter's value: one line, and a text.
pub const VALUE_MAX: usize = 2_000;
pub const TEXT_MAX: usize = 10_000;
pub const STATUSES_MAX: usize = 50;
pub const BATCH_MAX: i64 = 100;
/// Webhooks in one workspace, so that lists of all of them stay bounded.
pub const WEBHOOKS_MAX: i64 = 1_000;
/// Rows on a page of the list.
pub const PAGE_SIZE: i64 = 50;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Authentication {
    #[default]
    None,
    Key,
}

impl Authentication {
    pub const ALL: [Self; 2] = [Self::None, Self::Key];

    pub fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Key => "key",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Key => "Key",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|authentication| authentication.code() == code)
    }

    pub fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|authentication| authentication.label() == label)
    }
}

/// Seed 002's types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterType {
    #[default]
    String,
    Numeric,
    /// May hold variables.
    Text,
    Date,
    /// A value of a constant or an interface of Webhook Parameter Management.
    Call,
}

impl ParameterType {
    pub const ALL: [Self; 5] = [Self::String, Self::Numeric, Self::Text, Self::Date, Self::Call];

    /// As forms and the database have it.
    pub fn code(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::Numeric => "Numeric",
            Self::Text => "Text",
            Self::Date => "Date",
            Self::Call => "Call",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::Numeric => "Numeric",
            Self::Text => "Text",
            Self::Date => "Date",
            Self::Call => "String (parameter call)",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A value that the marketer supplies for each task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    pub display_name: String,
    #[serde(default)]
    pub kind: ParameterType,
    #[serde(default)]
    pub required: bool,
    /// The id of the parameter that gives the values, for [`ParameterType::Call`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub call: String,
    /// What pages know of the called parameter; never kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<Called>,
}

/// A parameter that is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    pub name: String,
    /// The ids of the parameters whose values must be chosen before.
    pub depends_on: Vec<String>,
}

/// A receipt's status code and what it means.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptStatus {
    pub code: String,
    pub value: String,
}

/// What the form holds; checked by [`WebhookInput::check`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookInput {
    pub name: String,
    pub authentication: Authentication,
    /// Empty keeps the key that is there.
    #[serde(default)]
    pub key: Hidden,
    pub url: String,
    #[serde(default)]
    pub id_types: Vec<String>,
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// Users per POST, 1 to 100.
    #[serde(deserialize_with = "number")]
    pub batch_size: i64,
    /// POSTs at once.
    #[serde(deserialize_with = "number")]
    pub concurrency: i64,
    /// 0: no limit.
    #[serde(default, deserialize_with = "number")]
    pub users_per_second: i64,
    /// "Enable Environment Parameter Passing".
    #[serde(default)]
    pub pass_environment: bool,
    /// An [`AfterCrash`]'s code. Versions from before there was a choice have none, and mean the first.
    #[serde(default = "again")]
    pub after_crash: String,
    #[serde(default)]
    pub receipts_enabled: bool,
    #[serde(deserialize_with = "number")]
    pub retention_days: i64,
    #[serde(default)]
    pub statuses: Vec<ReceiptStatus>,
    /// The authorities that the receiver's certificate must be signed by, as PEM; empty: those of the system.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ca_certificate: String,
    /// Shown to a receiver that asks for a certificate, as PEM.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_certificate: String,
    /// Of the client certificate, as PEM; empty keeps the one that is there.
    #[serde(default, skip_serializing_if = "Hidden::is_empty")]
    pub client_key: Hidden,
}

impl WebhookInput {
    pub fn after_crash(&self) -> AfterCrash {
        AfterCrash::from_code(&self.after_crash).unwrap_or_default()
    }
}

fn again() -> String {
    AfterCrash::default().code().into()
}

impl Default for WebhookInput {
    fn default() -> Self {
        Self {
            name: String::new(),
            authentication: Authentication::Key,
            key: Hidden::default(),
            url: String::new(),
            id_types: Vec::new(),
            parameters: vec![Parameter::default()],
            batch_size: BATCH_MAX,
            concurrency: 4,
            users_per_second: 0,
            pass_environment: false,
            after_crash: again(),
            receipts_enabled: false,
            retention_days: 7,
            statuses: vec![ReceiptStatus { code: "200".into(), value: "Success".into() }],
            ca_certificate: String::new(),
            client_certificate: String::new(),
            client_key: Hidden::default(),
        }
    }
}

/// A webhook as pages see it: everything but the keys. Lists leave out its certificates too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    pub id: String,
    pub enabled: bool,
    pub version: i64,
    pub has_key: bool,
    pub has_client_key: bool,
    /// Until when the key before this one still verifies receipts, while it does.
    pub old_key_until: Option<i64>,
    /// `key` and `client_key` are always empty here.
    pub input: WebhookInput,
    pub test: Option<TestResult>,
    /// How many tasks use it.
    pub tasks: i64,
    pub updated_at: i64,
    /// Why the engine disabled it; "" when it did not.
    pub disabled_because: String,
    pub health: Health,
}

impl Webhook {
    /// What pages say of its endpoint at the server's time.
    pub fn standing(&self, now: i64) -> Standing {
        Standing::of(&self.health, &self.disabled_because, now)
    }
}

/// The latest test send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestResult {
    pub ok: bool,
    pub reason: String,
    pub at: i64,
}

/// A whole number as a form has it. Text that is none reads as a number that [`WebhookInput::check`] refuses, so that
/// the complaint stands at the field and not over the form.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    struct Number;

    impl de::Visitor<'_> for Number {
        type Value = i64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number")
        }

        fn visit_i64<E>(self, number: i64) -> Result<i64, E> {
            Ok(number)
        }

        fn visit_u64<E>(self, number: u64) -> Result<i64, E> {
            Ok(i64::try_from(number).unwrap_or(i64::MAX))
        }

        fn visit_str<E>(self, text: &str) -> Result<i64, E> {
            Ok(text.trim().parse().unwrap_or(-1))
        }
    }

    deserializer.deserialize_any(Number)
}
