//! What an entry says, in words, and what the page asks for and gets.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $code:literal, $label:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            $($variant),+
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As it is kept.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code),+
                }
            }

            pub fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label),+
                }
            }

            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.code() == code)
            }
        }
    };
}

words! {
    /// What was done.
    Action {
        Created = "created", "Created";
        Changed = "changed", "Changed";
        Deleted = "deleted", "Deleted";
        Enabled = "enabled", "Enabled";
        Disabled = "disabled", "Disabled";
        Imported = "imported", "Imported";
        Submitted = "submitted", "Submitted";
        Paused = "paused", "Paused";
        Resumed = "resumed", "Resumed";
        Stopped = "stopped", "Stopped";
        SentAgain = "sent_again", "Sent again";
        Missed = "missed", "Missed";
        SentNow = "sent_now", "Sent now";
        Decided = "decided", "Decided";
        Tested = "tested", "Test sent";
        Granted = "granted", "Granted";
        Revoked = "revoked", "Revoked";
        Invited = "invited", "Invited";
        LinkMade = "link_made", "Link made";
        Joined = "joined", "Joined";
        Removed = "removed", "Removed";
        SignedIn = "signed_in", "Signed in";
        SignInFailed = "sign_in_failed", "Sign-in failed";
        SignInThrottled = "sign_in_throttled", "Sign-in throttled";
        CheckFailed = "check_failed", "Wrong password or code";
        SignedOut = "signed_out", "Signed out";
        PasswordSet = "password_set", "Password set";
        SecondFactorOn = "second_factor_on", "Second factor turned on";
        SecondFactorOff = "second_factor_off", "Second factor turned off";
    }
}

words! {
    /// What it was done to.
    ObjectKind {
        Webhook = "webhook", "Webhook";
        Parameter = "parameter", "Webhook parameter";
        IdType = "id_type", "ID type";
        Customers = "customers", "Customers";
        Audience = "audience", "Audience";
        Campaign = "campaign", "Campaign";
        Task = "task", "Webhook task";
        Member = "member", "Member";
        MemberGroup = "member_group", "Member group";
        Role = "role", "Role";
        ApiKey = "api_key", "API key";
        Account = "account", "Account";
        Workspace = "workspace", "Workspace";
    }
}

words! {
    /// Who did it.
    ActorKind {
        Person = "person", "Member";
        ApiKey = "api_key", "API key";
        CommandLine = "command_line", "Command line";
        Engine = "engine", "Engine";
        Stranger = "stranger", "Stranger";
    }
}

/// Entries on a page.
pub const ROWS: i64 = 50;

/// What the list is asked for. What is "" filters nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogQuery {
    /// In the names of the person and the object, and in the labels.
    pub search: String,
    /// An [`Action`]'s code.
    pub action: String,
    /// An [`ObjectKind`]'s code.
    pub kind: String,
    /// The id of who did it, or an [`ActorKind`]'s code.
    pub person: String,
    /// The first and the last day, `YYYY-MM-DD`, in the reader's zone.
    pub from: String,
    pub until: String,
    /// The number of the last entry that was seen: older ones follow.
    pub after: String,
}

/// A page of the log, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPage {
    pub rows: Vec<LogEntry>,
    /// The mark of the next page.
    pub next: Option<String>,
    /// The newest entry of the whole log as `SEQ:HASH`; "" when there is none.
    pub head: String,
}

/// An entry as it is shown; texts are bounded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    pub seq: i64,
    /// Unix milliseconds.
    pub at: i64,
    pub who: String,
    /// What it is when it is no member.
    pub who_kind: String,
    pub action: String,
    pub kind: String,
    pub object: String,
    /// The object's page; "" when it is gone, has none, or the reader may not see it.
    pub href: String,
    pub address: String,
    pub changes: Vec<FieldChange>,
}

/// A field before and after, as text; "" where there was none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    pub field: String,
    pub before: String,
    pub after: String,
}
