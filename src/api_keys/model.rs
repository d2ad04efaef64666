//! Keys for programs, and what they may do.

use crate::{
    access::model::{Area, Permission, Permissions},
    error::FieldError,
    hidden::Hidden,
};
use serde::{Deserialize, Serialize};

/// Characters of a name.
pub const NAME_MAX: usize = 64;
/// Keys of one workspace, revoked ones included.
pub const KEYS_MAX: i64 = 1_000;
/// Rows of the list's page.
pub const ROWS: i64 = 20;
/// What every key begins with.
pub const PREFIX: &str = "rw_";

/// What a key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    ImportCustomers,
    ReadTasks,
}

impl Scope {
    pub const ALL: [Self; 2] = [Self::ImportCustomers, Self::ReadTasks];

    /// As it is kept and as forms have it.
    pub fn code(self) -> &'static str {
        match self {
            Self::ImportCustomers => "customers.import",
            Self::ReadTasks => "tasks.read",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::ImportCustomers => "Import customers",
            Self::ReadTasks => "Read tasks and their users",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.code() == code)
    }

    /// The same permissions that a person's roles would need for it.
    pub fn permissions(self) -> Permissions {
        Permissions::NONE.with(match self {
            Self::ImportCustomers => Permission::Manage(Area::Customers),
            Self::ReadTasks => Permission::View(Area::ReachWebhook),
        })
    }

    /// Those that somebody with these permissions gives to a key: nobody gives more than they have.
    pub fn given_by(own: Permissions) -> Vec<Self> {
        Self::ALL.into_iter().filter(|scope| own.covers(scope.permissions())).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyState {
    Active,
    Expired,
    Revoked,
}

impl KeyState {
    pub const ALL: [Self; 3] = [Self::Active, Self::Expired, Self::Revoked];

    /// As the list's filter has it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Expired => "Expired",
            Self::Revoked => "Revoked",
        }
    }
}

/// A key as the list shows it: all but the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    /// The last four characters.
    pub hint: String,
    pub scopes: Vec<Scope>,
    /// The name of whoever made it.
    pub created_by: String,
    /// Unix milliseconds, as all times.
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub last_used_at: Option<i64>,
    pub last_used_from: String,
    pub revoked_at: Option<i64>,
}

impl ApiKey {
    pub fn state(&self, now: i64) -> KeyState {
        match (self.revoked_at, self.expires_at) {
            (Some(_), _) => KeyState::Revoked,
            (None, Some(until)) if until <= now => KeyState::Expired,
            _ => KeyState::Active,
        }
    }
}

/// What the list is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyQuery {
    /// In the name or the hint.
    pub search: String,
    /// A [`KeyState`]'s code; "" for all.
    pub state: String,
    pub offset: i64,
}

/// A page of the list, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPage {
    pub rows: Vec<ApiKey>,
    /// How many match, on all pages.
    pub total: i64,
    pub now: i64,
    /// Where programs ask.
    pub address: String,
}

/// What the form holds; checked by [`KeyInput::check`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyInput {
    pub name: String,
    /// Codes.
    pub scopes: Vec<String>,
    /// `YYYY-MM-DDTHH:MM` in the zone of whoever makes it; "" for never.
    pub expires: String,
}

impl KeyInput {
    pub fn tidy(mut self) -> Self {
        self.name = self.name.trim().into();
        self.expires = self.expires.trim().into();
        self
    }

    pub fn scopes(&self) -> Vec<Scope> {
        Scope::ALL.into_iter().filter(|scope| self.scopes.iter().any(|code| code == scope.code())).collect()
    }

    /// What is wrong with what was typed, by the inputs' names; the moment is the server's to read. `own` is what
    /// whoever makes the key may do.
    pub fn check(&self, own: Permissions) -> Vec<FieldError> {
        let mut errors = Vec::new();
        match self.name.chars().count() {
            0 => errors.push(FieldError::new("name", "Enter a name that tells what the key is for.")),
            1..=NAME_MAX => {}
            long => errors.push(FieldError::new("name", format!("At most {NAME_MAX} characters; this has {long}."))),
        }
        if self.name.chars().any(char::is_control) {
            errors.push(FieldError::new("name", "Leave out control characters."));
        }
        if self.scopes().is_empty() {
            errors.push(FieldError::new("scopes", "Choose what the key may do."));
        }
        let given = Scope::given_by(own);
        for scope in self.scopes().into_iter().filter(|scope| !given.contains(scope)) {
            let message = format!("You can't give “{}”: your own roles don't allow it.", scope.label());
            errors.push(FieldError::new("scopes", message));
        }
        errors
    }
}

/// A key that has just been made; nobody is told it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedKey {
    pub name: String,
    pub key: Hidden,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_needs_a_name_and_a_scope() {
        let fields = |name: &str, scopes: &[&str]| {
            let scopes = scopes.iter().map(|code| (*code).to_string()).collect();
            let input = KeyInput { name: name.into(), scopes, expires: String::new() }.tidy();
            input.check(Permissions::all()).into_iter().map(|error| error.field).collect::<Vec<_>>()
        };
        assert_eq!(fields(" CRM ", &["customers.import"]), [""; 0]);
        assert_eq!(fields(" ", &["everything"]), ["name", "scopes"]);
        assert_eq!(fields(&"x".repeat(65), &["tasks.read"]), ["name"]);
        assert_eq!(fields("a\u{7}b", &["tasks.read"]), ["name"]);
    }

    #[test]
    fn nobody_gives_a_key_more_than_they_have() {
        let scopes = Scope::ALL.map(|scope| scope.code().to_string()).to_vec();
        let input = KeyInput { name: "CRM".into(), scopes, expires: String::new() };
        assert_eq!(input.check(Permissions::all()), []);
        let reads = Permissions::NONE.with(Permission::View(Area::ReachWebhook));
        assert_eq!(Scope::given_by(reads), [Scope::ReadTasks]);
        let [error] = &input.check(reads)[..] else { panic!("one is refused") };
        assert!(error.field == "scopes" && error.message.contains("Import customers"), "{error:?}");
        assert_eq!(input.check(Permissions::NONE).len(), 2);
    }

    #[test]
    fn scopes_open_what_they_say_and_no_more() {
        let import = Scope::ImportCustomers.permissions();
        assert!(import.has(Permission::Manage(Area::Customers)) && !import.has(Permission::View(Area::ReachWebhook)));
        let read = Scope::ReadTasks.permissions();
        assert!(read.has(Permission::View(Area::ReachWebhook)) && !read.has(Permission::Manage(Area::ReachWebhook)));
        for scope in Scope::ALL {
            assert_eq!(Scope::from_code(scope.code()), Some(scope));
        }
    }
}
