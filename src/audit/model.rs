//! What an entry says, in words.

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
        Stranger = "stranger", "Stranger";
    }
}
