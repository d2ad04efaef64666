//! Audiences as pages and senders see them.

use super::rules::Rules;
use serde::{Deserialize, Serialize};

/// In characters.
pub const NAME_MAX: usize = 64;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Every customer of the workspace.
    #[default]
    All,
    /// An uploaded list of IDs.
    List,
    /// The customers that rules hold for, now.
    Rules,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::All, Self::List, Self::Rules];

    pub fn code(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::List => "list",
            Self::Rules => "rules",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::All => "All customers",
            Self::List => "Uploaded ID list",
            Self::Rules => "Conditions",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// An audience in a list or a select.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudienceSummary {
    pub id: String,
    pub name: String,
    pub kind: Kind,
    /// As last counted.
    pub size: i64,
    /// When it was last changed or counted.
    pub updated_at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audience {
    pub id: String,
    pub name: String,
    pub kind: Kind,
    /// Of kind [`Kind::Rules`]; empty otherwise.
    pub rules: Rules,
    pub size: i64,
    /// IDs of an uploaded list that no customer has.
    pub unmatched: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

impl Audience {
    /// One that is not stored: for counting and previewing what is being edited.
    pub fn unsaved(kind: Kind, rules: Rules) -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            kind,
            rules,
            size: 0,
            unmatched: 0,
            created_at: 0,
            updated_at: 0,
        }
    }
}

/// What is wrong with a name, if anything; it is compared and kept without white space around it.
pub fn name_problem(name: &str) -> Option<String> {
    let length = name.trim().chars().count();
    match length {
        0 => Some("Enter a name for the audience.".into()),
        1..=NAME_MAX => None,
        _ => Some(format!("At most {NAME_MAX} characters; this has {length}.")),
    }
    .or_else(|| name.contains(char::is_control).then(|| "Leave out control characters.".into()))
}
