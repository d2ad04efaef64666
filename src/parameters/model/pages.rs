//! What pages ask for and what they get.

use super::{Kind, Parameter};
use serde::{Deserialize, Serialize};

/// Rows on a page of the list.
pub const PARAMETERS_PAGE: i64 = 50;

/// What the list is asked for: search, filter, order, page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ParameterQuery {
    /// In name, description or URL.
    pub search: String,
    /// `None`: both kinds.
    pub kind: Option<Kind>,
    pub order: ParameterOrder,
    pub descending: bool,
    pub offset: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterOrder {
    #[default]
    Name,
    Updated,
}

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterRow {
    pub id: String,
    pub name: String,
    pub kind: Kind,
    pub description: String,
    /// "" for a constant-based one.
    pub url: String,
    /// How many values a constant-based one has.
    pub constants: i64,
    /// How many webhooks and parameters use it.
    pub users: i64,
    pub updated_at: i64,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterPage {
    pub rows: Vec<ParameterRow>,
    /// How many match, on all pages.
    pub total: i64,
    /// The server's time, for "5 min ago".
    pub now: i64,
}

/// Who uses a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub kind: UserKind,
    pub id: String,
    pub name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserKind {
    /// One of its parameters is of the type String (parameter call) and calls it.
    Webhook,
    /// It is associated with it.
    Parameter,
}

impl User {
    pub fn href(&self) -> String {
        match self.kind {
            UserKind::Webhook => format!("/webhooks/{}", self.id),
            UserKind::Parameter => format!("/webhook-parameters/{}", self.id),
        }
    }

    /// `webhook “Coupons”`
    pub fn text(&self) -> String {
        let word = match self.kind {
            UserKind::Webhook => "webhook",
            UserKind::Parameter => "parameter",
        };
        format!("{word} “{}”", self.name)
    }
}

/// A parameter that others may be associated with or call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterChoice {
    pub id: String,
    pub name: String,
    pub kind: Kind,
}

/// A parameter's own page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterDetail {
    pub parameter: Parameter,
    /// Those that it is associated with.
    pub associated: Vec<ParameterChoice>,
    pub users: Vec<User>,
    pub now: i64,
}

/// What the form starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterForm {
    /// `None` for a new one.
    pub parameter: Option<Parameter>,
    /// The parameters that it may be associated with: all others of the workspace, by name.
    pub others: Vec<ParameterChoice>,
}
