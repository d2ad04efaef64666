//! Permissions, the roles that the program brings, and what a page knows about its reader.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An entry of the navigation, which roles open for viewing or for managing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Area {
    Overview,
    Customers,
    Audiences,
    Campaigns,
    ReachWebhook,
    WebhookManagement,
    ParameterManagement,
    IdTypes,
    Members,
    MemberGroups,
    Roles,
    ApiKeys,
    AuditLog,
}

impl Area {
    /// In the order of the navigation.
    pub const ALL: [Self; 13] = [
        Self::Overview,
        Self::Customers,
        Self::Audiences,
        Self::Campaigns,
        Self::ReachWebhook,
        Self::WebhookManagement,
        Self::ParameterManagement,
        Self::IdTypes,
        Self::Members,
        Self::MemberGroups,
        Self::Roles,
        Self::ApiKeys,
        Self::AuditLog,
    ];

    /// Under which it is kept.
    pub fn code(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Customers => "customers",
            Self::Audiences => "audiences",
            Self::Campaigns => "campaigns",
            Self::ReachWebhook => "reach_webhook",
            Self::WebhookManagement => "webhook_management",
            Self::ParameterManagement => "parameter_management",
            Self::IdTypes => "id_types",
            Self::Members => "members",
            Self::MemberGroups => "member_groups",
            Self::Roles => "roles",
            Self::ApiKeys => "api_keys",
            Self::AuditLog => "audit_log",
        }
    }

    /// Where it stands in the navigation: the headings above it, and its own name.
    pub fn path(self) -> &'static [&'static str] {
        const CONFIGURATION: &str = "Configuration Management";
        const WORKSPACE: &str = "Workspace Management";
        match self {
            Self::Overview => &["Overview"],
            Self::Customers => &["Customers", "Customers"],
            Self::Audiences => &["Customers", "Audiences"],
            Self::Campaigns => &["User Marketing", "Marketing Campaigns"],
            Self::ReachWebhook => &["User Marketing", "Reach Marketing", "Webhook"],
            Self::WebhookManagement => &[CONFIGURATION, "Marketing Configuration", "Webhook Management"],
            Self::ParameterManagement => &[CONFIGURATION, "Marketing Configuration", "Webhook Parameter Management"],
            Self::IdTypes => &[CONFIGURATION, "ID Type Management"],
            Self::Members => &[WORKSPACE, "Members"],
            Self::MemberGroups => &[WORKSPACE, "Member Groups"],
            Self::Roles => &[WORKSPACE, "Roles"],
            Self::ApiKeys => &[WORKSPACE, "API Keys"],
            Self::AuditLog => &[WORKSPACE, "Audit Log"],
        }
    }

    /// Whether there is anything to change.
    pub fn has_manage(self) -> bool {
        !matches!(self, Self::Overview | Self::AuditLog)
    }

    fn bit(self) -> u32 {
        1 << (2 * self as u32)
    }
}

/// What a server function, a download or a page asks for. Each begins with one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// One's own account, and what every member may do.
    SignedIn,
    View(Area),
    /// Implies [`Permission::View`]. Of [`Area::ReachWebhook`] it is the seeds' "User Marketing-Reach
    /// Marketing-Webhook", and to use one webhook non-administrators need a grant besides.
    Manage(Area),
    /// Of the organization administrators alone.
    Organization,
}

/// One permission or the other, for what both open. Pages and the server ask for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Either(pub Permission, pub Permission);

impl Either {
    /// The one to ask for: the first when it is held, or else the second.
    pub fn of(self, may: impl Fn(Permission) -> bool) -> Permission {
        if may(self.0) { self.0 } else { self.1 }
    }
}

/// Several permissions: those of a role, or what several roles add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permissions(u32);

impl Permissions {
    pub const NONE: Self = Self(0);

    pub fn all() -> Self {
        Area::ALL.into_iter().fold(Self::NONE, |sum, area| sum.with(Permission::Manage(area)))
    }

    #[must_use]
    pub fn with(self, permission: Permission) -> Self {
        match permission {
            Permission::SignedIn | Permission::Organization => self,
            Permission::View(area) => Self(self.0 | area.bit()),
            Permission::Manage(area) if area.has_manage() => Self(self.0 | area.bit() | (area.bit() << 1)),
            Permission::Manage(area) => self.with(Permission::View(area)),
        }
    }

    pub fn has(self, permission: Permission) -> bool {
        match permission {
            Permission::SignedIn => true,
            Permission::View(area) => self.0 & area.bit() != 0,
            Permission::Manage(area) => self.0 & (area.bit() << 1) != 0,
            Permission::Organization => false,
        }
    }

    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it holds everything that `other` holds.
    pub fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// As they are kept: `audiences.view`, `audiences.manage`. The stronger one stands alone.
    pub fn codes(self) -> Vec<String> {
        let code = |area: Area| {
            let level = match () {
                () if self.has(Permission::Manage(area)) => "manage",
                () if self.has(Permission::View(area)) => "view",
                () => return None,
            };
            Some(format!("{}.{level}", area.code()))
        };
        Area::ALL.into_iter().filter_map(code).collect()
    }

    /// Codes of a later version mean nothing here.
    pub fn from_codes<'a>(codes: impl IntoIterator<Item = &'a str>) -> Self {
        codes.into_iter().filter_map(permission_of).fold(Self::NONE, Self::with)
    }
}

fn permission_of(code: &str) -> Option<Permission> {
    let (area, level) = code.split_once('.')?;
    let area = Area::ALL.into_iter().find(|known| known.code() == area)?;
    match level {
        "view" => Some(Permission::View(area)),
        "manage" => Some(Permission::Manage(area)),
        _ => None,
    }
}

/// The roles that each workspace has from the start and that can't be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Preset {
    /// Everything in the workspace, and every webhook without a grant.
    Administrator,
    /// Imports customers, makes audiences, campaigns and tasks; uses the webhooks that are granted.
    #[default]
    Marketer,
    /// Sees what marketers see and changes nothing.
    Analyst,
}

impl Preset {
    pub const ALL: [Self; 3] = [Self::Administrator, Self::Marketer, Self::Analyst];

    /// The role's id in every workspace.
    pub fn id(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Marketer => "marketer",
            Self::Analyst => "analyst",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::Marketer => "Marketer",
            Self::Analyst => "Analyst",
        }
    }

    pub fn description(self) -> &'static str {
        match self {
            Self::Administrator => "Everything in this workspace, and every webhook without a grant.",
            Self::Marketer => "Customers, audiences, campaigns and tasks. Uses the webhooks that are granted.",
            Self::Analyst => "Sees what marketers see, and changes nothing.",
        }
    }

    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.id() == id)
    }

    pub fn permissions(self) -> Permissions {
        const SEEN: [Area; 3] = [Area::WebhookManagement, Area::ParameterManagement, Area::IdTypes];
        const DONE: [Area; 4] = [Area::Customers, Area::Audiences, Area::Campaigns, Area::ReachWebhook];
        let seen = Permissions::NONE.with(Permission::View(Area::Overview));
        let seen = SEEN.into_iter().chain(DONE).fold(seen, |sum, area| sum.with(Permission::View(area)));
        match self {
            Self::Administrator => Permissions::all(),
            Self::Marketer => DONE.into_iter().fold(seen, |sum, area| sum.with(Permission::Manage(area))),
            Self::Analyst => seen,
        }
    }
}

/// A member's row-level permissions in a workspace: name to values, such as `region` to `East`, `North`. What they mean
/// is agreed with those who are told them.
pub type Attributes = BTreeMap<String, Vec<String>>;

/// What every page knows about the person in front of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    pub user_id: String,
    pub user_name: String,
    pub email: String,
    pub workspace_id: String,
    pub workspace_name: String,
    /// The names of this person's roles in the workspace.
    pub roles: Vec<String>,
    /// What the roles add up to.
    pub permissions: Permissions,
    /// Holds the role Administrator here, or administers the organization: needs no grants.
    pub administrator: bool,
    pub organization_administrator: bool,
    /// The workspaces that this person may be in, the current one included: id and name.
    pub workspaces: Vec<(String, String)>,
    /// IANA name of the zone that times are shown and typed in.
    pub time_zone: String,
    /// "light" or "dark"; "" as the system has it.
    pub theme: String,
    /// Of the pages, as HTML names it: "en".
    pub language: String,
    /// Shows the page of components, `/ui`.
    pub development: bool,
}

impl SessionInfo {
    pub fn may(&self, permission: Permission) -> bool {
        match permission {
            Permission::Organization => self.organization_administrator,
            other => self.permissions.has(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_back_as_what_they_were() {
        for preset in Preset::ALL {
            let codes = preset.permissions().codes();
            assert_eq!(Permissions::from_codes(codes.iter().map(String::as_str)), preset.permissions());
        }
        assert_eq!(Permissions::all().codes().len(), Area::ALL.len());
        let odd = ["audiences.own", "moon.view", "", "audiences"];
        assert!(Permissions::from_codes(odd).is_empty());
    }

    #[test]
    fn managing_implies_viewing_and_roles_add_up() {
        let customers = Permissions::NONE.with(Permission::Manage(Area::Customers));
        let log = Permissions::NONE.with(Permission::Manage(Area::AuditLog));
        assert!(customers.has(Permission::View(Area::Customers)) && !customers.has(Permission::View(Area::Audiences)));
        assert!(log.has(Permission::View(Area::AuditLog)) && !log.has(Permission::Manage(Area::AuditLog)));
        let both = customers.and(log);
        assert!(both.covers(customers) && both.covers(log) && !log.covers(both));
        assert!(!Permissions::all().has(Permission::Organization));
    }

    #[test]
    fn either_asks_for_the_one_that_is_held() {
        let (first, second) = (Permission::Manage(Area::Roles), Permission::View(Area::Members));
        let asked = |own: Permissions| Either(first, second).of(|permission| own.has(permission));
        assert_eq!(asked(Permissions::NONE.with(first)), first);
        assert_eq!(asked(Permissions::NONE.with(first).with(second)), first);
        assert_eq!(asked(Permissions::NONE.with(second)), second);
        assert_eq!(asked(Permissions::NONE), second);
    }

    #[test]
    fn an_analyst_changes_nothing() {
        let analyst = Preset::Analyst.permissions();
        assert!(Area::ALL.into_iter().all(|area| !analyst.has(Permission::Manage(area))));
        assert!(Preset::Marketer.permissions().covers(analyst));
    }
}
