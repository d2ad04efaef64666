//! What the guide shows besides its text.

use crate::webhooks::model::{Parameter, ReceiptStatus};
use serde::{Deserialize, Serialize};

/// The languages of the receivers, in the page's order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    #[default]
    Java,
    Python,
    Node,
    Go,
    Php,
}

impl Language {
    pub const ALL: [Self; 5] = [Self::Java, Self::Python, Self::Node, Self::Go, Self::Php];

    pub fn code(self) -> &'static str {
        match self {
            Self::Java => "java",
            Self::Python => "python",
            Self::Node => "node",
            Self::Go => "go",
            Self::Php => "php",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Java => "Java",
            Self::Python => "Python",
            Self::Node => "Node.js",
            Self::Go => "Go",
            Self::Php => "PHP",
        }
    }

    /// Its name in `docs/samples`.
    pub fn file(self) -> &'static str {
        match self {
            Self::Java => "Receiver.java",
            Self::Python => "receiver.py",
            Self::Node => "receiver.mjs",
            Self::Go => "receiver.go",
            Self::Php => "receiver.php",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    pub fn from_file(file: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.file() == file)
    }
}

/// Whose values the examples show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// Nobody's: made-up ones.
    General,
    /// A webhook's; its name.
    Webhook(String),
    /// A webhook was asked for that the workspace has not: made-up ones.
    Unknown,
    /// A stranger asked for a webhook's: made-up ones, whether or not there is such a webhook.
    Stranger,
}

/// The examples, as they are shown, and the numbers that settings decide. No key is ever part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guide {
    pub subject: Subject,
    /// Request line and headers, and the body for one user.
    pub head: String,
    pub body: String,
    /// The webhook's own; empty in the general guide.
    pub id_types: Vec<String>,
    pub parameters: Vec<Parameter>,
    /// Whether the webhook has a key; the general guide speaks of one that has.
    pub keyed: bool,
    pub receipt_url: String,
    pub receipt_head: String,
    pub receipt: String,
    /// Empty in the general guide, and when the webhook takes no receipts.
    pub statuses: Vec<ReceiptStatus>,
    /// A value of `webhook-signature` to try one's own code against.
    pub body_vector: BodyVector,
    pub tolerance_seconds: i64,
    /// How many times a batch is tried in all, and the waits between, in ms.
    pub tries: i64,
    pub retry_first_ms: i64,
    pub retry_longest_ms: i64,
}

/// What is signed, and the signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyVector {
    pub key: String,
    pub id: String,
    pub timestamp: String,
    pub body: String,
    pub signature: String,
}

/// The seed's vector, which the calculator starts with.
pub const KEY: &str = "123456789";
pub const TIMESTAMP: i64 = 1_631_865_523;
pub const NONCE: &str = "2e6eceb5737b473284c930c8ef79090e";
