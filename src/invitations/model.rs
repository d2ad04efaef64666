//! A link, what its page shows, and what is shown once after links were made.

use serde::{Deserialize, Serialize};

/// Characters of a person's name.
pub const NAME_MAX: usize = 100;
/// Where the pages of links are; what stands behind it is secret.
pub const PATH: &str = "/invitation/";
/// In place of a token: the password is set, and signing in is the next step.
pub const DONE: &str = "done";

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// The first password of a new account.
    Invitation,
    /// A new password of an account that has one, which works until then.
    Password,
}

impl Purpose {
    pub fn code(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Password => "password",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Invitation => "Invitation",
            Self::Password => "Password reset",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Invitation, Self::Password].into_iter().find(|purpose| purpose.code() == code)
    }
}

/// What the page of a valid link says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub purpose: Purpose,
    pub email: String,
    pub name: String,
    /// Names of the workspaces that the person is in.
    pub workspaces: Vec<String>,
}

/// A link that stands, as pages of members see it: without its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenLink {
    pub purpose: Purpose,
    /// The name of who made it.
    pub by: String,
    /// Unix milliseconds.
    pub created_at: i64,
    pub expires_at: i64,
}

/// How a mail went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mailing {
    /// Mail is not configured, or there was nothing to send.
    None,
    Sent,
    /// Why not.
    Failed(String),
}

/// What became of one person: a new link, or a member without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    pub user_id: String,
    pub email: String,
    pub name: String,
    /// `None`: the account has a password already and just became a member.
    pub link: Option<MadeLink>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeLink {
    pub purpose: Purpose,
    pub url: String,
    pub expires_at: i64,
    pub mailing: Mailing,
}

/// What is shown once after links were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeLinks {
    pub rows: Vec<Made>,
    /// E-mail and link of those who have one, as CSV.
    pub csv: String,
}

/// Why a name can't be taken.
pub fn check_name(name: &str) -> Option<String> {
    match name.chars().count() {
        0 => Some("Enter a name.".into()),
        length if length > NAME_MAX => Some(format!("At most {NAME_MAX} characters; this has {length}.")),
        _ if name.chars().any(char::is_control) => Some("Remove line breaks and other control characters.".into()),
        _ => None,
    }
}
