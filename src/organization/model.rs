//! Workspaces and accounts as organization administrators see them.

use crate::{access::person::EMAIL_MAX, error::FieldError, members::model::State};
use serde::{Deserialize, Serialize};

/// Rows of a page.
pub const PAGE_SIZE: i64 = 50;
/// Characters of a workspace's name.
pub const NAME_MAX: usize = 64;
/// Workspaces of an organization.
pub const WORKSPACES_MAX: usize = 500;
/// Memberships of one account that a list shows.
pub const MEMBERSHIPS_SHOWN: usize = 10;

/// For how many days a workspace may keep the messages of its tasks; 0: for ever.
pub const KEEP_DAYS: [(i64, &str); 7] = [
    (0, "For ever"),
    (30, "30 days"),
    (90, "90 days"),
    (180, "180 days"),
    (365, "1 year"),
    (730, "2 years"),
    (1_825, "5 years"),
];

/// What the forms of a workspace hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceInput {
    pub name: String,
    /// IANA name.
    pub time_zone: String,
    /// One of [`KEEP_DAYS`].
    #[serde(default)]
    pub keep_days: i64,
    /// E-mail of an account, of a new workspace; "" for none.
    #[serde(default)]
    pub administrator: String,
}

impl WorkspaceInput {
    pub fn tidy(mut self) -> Self {
        self.name = self.name.split_whitespace().collect::<Vec<_>>().join(" ");
        self.administrator = self.administrator.trim().to_lowercase();
        self
    }

    /// What is wrong with what was typed, but for the zone, which the server knows.
    pub fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        match self.name.chars().count() {
            0 => errors.push(FieldError::new("name", "Enter a name.")),
            length if length > NAME_MAX => {
                errors.push(FieldError::new("name", format!("At most {NAME_MAX} characters; this has {length}.")));
            }
            _ => {}
        }
        if !KEEP_DAYS.iter().any(|(days, _)| *days == self.keep_days) {
            errors.push(FieldError::new("keep_days", "Choose a time of the list."));
        }
        if self.administrator.len() > EMAIL_MAX {
            errors.push(FieldError::new("administrator", format!("At most {EMAIL_MAX} characters.")));
        }
        errors
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceRow {
    pub id: String,
    pub name: String,
    pub time_zone: String,
    pub keep_days: i64,
    /// The enabled ones.
    pub members: i64,
    /// Unix milliseconds.
    pub created_at: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkspaceOrder {
    #[default]
    Name,
    Members,
    Created,
}

/// Which workspaces a page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceQuery {
    #[serde(default)]
    pub search: String,
    #[serde(default)]
    pub order: WorkspaceOrder,
    #[serde(default)]
    pub descending: bool,
    #[serde(default)]
    pub offset: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspacePage {
    pub rows: Vec<WorkspaceRow>,
    pub total: i64,
}

/// What somebody is in a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    pub workspace: String,
    /// The names of the roles.
    pub roles: Vec<String>,
    pub disabled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    pub id: String,
    pub name: String,
    pub email: String,
    pub state: State,
    pub second_factor: bool,
    pub organization_administrator: bool,
    /// Unix milliseconds.
    pub last_sign_in_at: Option<i64>,
    /// The first by name, at most [`MEMBERSHIPS_SHOWN`].
    pub memberships: Vec<Membership>,
    /// How many there are besides.
    pub more: usize,
    /// Whether it is the reader's.
    pub own: bool,
}

/// Which accounts a page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountQuery {
    #[serde(default)]
    pub search: String,
    #[serde(default)]
    pub state: Option<State>,
    /// Organization administrators alone.
    #[serde(default)]
    pub administrators: bool,
    /// By the last sign-in, not by name.
    #[serde(default)]
    pub by_sign_in: bool,
    #[serde(default)]
    pub descending: bool,
    #[serde(default)]
    pub offset: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountPage {
    pub rows: Vec<AccountRow>,
    pub total: i64,
    pub now: i64,
}

/// What is done to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountChange {
    MakeAdministrator,
    UnmakeAdministrator,
    Disable,
    Enable,
    TurnOffSecondFactor,
}

impl AccountChange {
    /// What can be done to an account.
    pub fn of(row: &AccountRow) -> Vec<Self> {
        let administrator = match (row.organization_administrator, row.state) {
            (true, _) => Some(Self::UnmakeAdministrator),
            (false, State::Active) => Some(Self::MakeAdministrator),
            (false, _) => None,
        };
        let disabled = row.state == State::Disabled;
        let able = (!row.own).then_some(if disabled { Self::Enable } else { Self::Disable });
        let factor = (row.second_factor && !row.own).then_some(Self::TurnOffSecondFactor);
        administrator.into_iter().chain(factor).chain(able).collect()
    }

    /// As forms send it.
    pub fn code(self) -> &'static str {
        match self {
            Self::MakeAdministrator => "MakeAdministrator",
            Self::UnmakeAdministrator => "UnmakeAdministrator",
            Self::Disable => "Disable",
            Self::Enable => "Enable",
            Self::TurnOffSecondFactor => "TurnOffSecondFactor",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::MakeAdministrator => "Make organization administrator",
            Self::UnmakeAdministrator => "Remove as organization administrator",
            Self::Disable => "Disable account",
            Self::Enable => "Enable account",
            Self::TurnOffSecondFactor => "Turn off second factor",
        }
    }

    pub fn is_danger(self) -> bool {
        !matches!(self, Self::Enable)
    }

    /// What follows, for the question before it.
    pub fn question(self, name: &str) -> String {
        match self {
            Self::MakeAdministrator => {
                format!(
                    "{name} may then see and change everything in every workspace, and all accounts. Links that were made for the account work no more."
                )
            }
            Self::UnmakeAdministrator => {
                format!("{name} keeps the workspaces that they are a member of, and loses all others at once.")
            }
            Self::Disable => format!("{name} can't sign in any more, in any workspace. Their sessions end at once."),
            Self::Enable => format!("{name} can sign in again."),
            Self::TurnOffSecondFactor => {
                format!("The password alone signs {name} in until they turn the second factor on again.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_has_a_name() {
        let fields = |name: &str| {
            let input = WorkspaceInput { name: name.into(), ..Default::default() }.tidy();
            input.check().into_iter().map(|error| error.field).collect::<Vec<_>>()
        };
        assert_eq!(fields("  "), ["name"]);
        assert_eq!(fields(&"文".repeat(NAME_MAX + 1)), ["name"]);
        assert_eq!(fields(&"文".repeat(NAME_MAX)), [""; 0]);
        let input = WorkspaceInput {
            name: " A \u{a0} B ".into(),
            administrator: " Ada@Example.COM ".into(),
            ..Default::default()
        };
        let kept = WorkspaceInput { name: "A".into(), keep_days: 31, ..Default::default() };
        assert_eq!(kept.check()[0].field, "keep_days");
        let tidy = input.tidy();
        assert_eq!((tidy.name.as_str(), tidy.administrator.as_str()), ("A B", "ada@example.com"));
    }

    #[test]
    fn nobody_disables_themselves() {
        let row = |state, organization_administrator, own| AccountRow {
            id: String::new(),
            name: String::new(),
            email: String::new(),
            state,
            second_factor: true,
            organization_administrator,
            last_sign_in_at: None,
            memberships: vec![],
            more: 0,
            own,
        };
        use AccountChange as To;
        let of = |state, administrator, own| To::of(&row(state, administrator, own));
        assert_eq!(of(State::Active, true, true), [To::UnmakeAdministrator]);
        assert_eq!(of(State::Active, false, false), [To::MakeAdministrator, To::TurnOffSecondFactor, To::Disable]);
        assert_eq!(of(State::Disabled, false, false), [To::TurnOffSecondFactor, To::Enable]);
    }
}
