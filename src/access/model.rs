//! Members, roles and what a role permits.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a member is in one workspace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Configures webhooks, ID types and members; may do everything a marketer may.
    Administrator,
    /// Imports customers, makes audiences, campaigns and tasks.
    #[default]
    Marketer,
}

impl Role {
    pub fn code(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Marketer => "marketer",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::Marketer => "Marketer",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Administrator, Self::Marketer].into_iter().find(|role| role.code() == code)
    }

    pub fn permits(self, permission: Permission) -> bool {
        match self {
            Self::Administrator => true,
            Self::Marketer => permission != Permission::ManageWebhooks,
        }
    }
}

/// A member's row-level permissions in a workspace: name to values, such as `region` to `East`, `North`. What they mean
/// is agreed with those who are told them.
pub type Attributes = BTreeMap<String, Vec<String>>;

/// What a server function, a download or a page asks for. Each starts with one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// See everything in the workspace except secrets.
    View,
    /// Import customers and change audiences.
    ManageCustomers,
    /// Create, edit, enable, disable and test webhooks.
    ManageWebhooks,
    /// "User Marketing-Reach Marketing-Webhook": campaigns and tasks, test sends included.
    ReachMarketing,
}

/// What every page knows about the person in front of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    pub user_name: String,
    pub email: String,
    pub workspace_id: String,
    pub workspace_name: String,
    pub role: Role,
    /// The workspaces this person is a member of, the current one included: id and name.
    pub workspaces: Vec<(String, String)>,
    /// IANA name of the zone that times are shown and typed in.
    pub time_zone: String,
    /// Shows the page of components, `/ui`.
    pub development: bool,
}

impl SessionInfo {
    pub fn may(&self, permission: Permission) -> bool {
        self.role.permits(permission)
    }
}
