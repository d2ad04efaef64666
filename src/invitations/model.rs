//! A link, what its page shows, and what is shown once after links were made.

use crate::{
    access::{person::NameProblem, weakness::Weakness},
    hidden::Hidden,
};
use serde::{Deserialize, Serialize};

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

/// Why the form of a link was refused. The page's address holds its code: a text there could be anybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Too many tries.
    Wait,
    /// Too many people at once.
    Busy,
    Name(NameProblem),
    Password(Weakness),
}

impl Problem {
    pub fn code(self) -> String {
        match self {
            Self::Wait => "wait".into(),
            Self::Busy => "busy".into(),
            Self::Name(problem) => format!("name.{}", problem.code()),
            Self::Password(weakness) => format!("password.{}", weakness.code()),
        }
    }

    pub fn text(self) -> String {
        match self {
            Self::Wait => "Too many tries. Wait 15 minutes and try again.".into(),
            Self::Busy => "Many people are signing in right now. Wait a moment and try again.".into(),
            Self::Name(problem) => problem.text(),
            Self::Password(weakness) => weakness.text().into(),
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        match code.split_once('.') {
            None if code == "wait" => Some(Self::Wait),
            None if code == "busy" => Some(Self::Busy),
            Some(("name", why)) => NameProblem::from_code(why).map(Self::Name),
            Some(("password", why)) => Weakness::from_code(why).map(Self::Password),
            _ => None,
        }
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
    pub url: Hidden,
    pub expires_at: i64,
    pub mailing: Mailing,
}

/// What is shown once after links were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeLinks {
    pub rows: Vec<Made>,
    /// E-mail and link of those who have one, as CSV.
    pub csv: Hidden,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_known_by_their_codes_alone() {
        let names = [NameProblem::Empty, NameProblem::Long, NameProblem::Control].map(Problem::Name);
        let passwords = Weakness::ALL.iter().copied().map(Problem::Password);
        for problem in [Problem::Wait, Problem::Busy].into_iter().chain(names).chain(passwords) {
            assert_eq!(Problem::from_code(&problem.code()), Some(problem));
            assert!(!problem.text().is_empty());
        }
        for stranger in ["", "Call 555 0100", "name", "name.", "password.<b>", "wait.", "busy.empty"] {
            assert_eq!(Problem::from_code(stranger), None, "{stranger}");
        }
    }
}
