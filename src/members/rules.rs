//! Who may touch whom, and who may give what: the one place that says so.

use super::model::{May, RoleChoice};
use crate::access::model::{Permissions, Preset, SessionInfo};

/// What somebody wants to do to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Roles, groups, attributes in this workspace.
    Change,
    /// Disable, enable, remove from this workspace.
    Remove,
    /// The account, which all workspaces share: links, second factor.
    Account,
}

/// The member that is touched.
#[derive(Clone, Debug, Default)]
pub struct Target {
    pub id: String,
    pub permissions: Permissions,
    /// Holds the role Administrator here.
    pub administrator: bool,
    pub organization_administrator: bool,
    /// Is a member of other workspaces too.
    pub elsewhere: bool,
}

/// Why not; `None` when `actor`, who may manage members, may.
pub fn refusal(actor: &SessionInfo, target: &Target, touch: Touch) -> Option<&'static str> {
    let myself = actor.user_id == target.id;
    match touch {
        Touch::Remove if myself => {
            return Some("You can't disable or remove yourself. Another administrator can.");
        }
        Touch::Account if myself => return Some("Your own password and second factor are changed under “My account”."),
        _ => {}
    }
    if actor.organization_administrator {
        return None;
    }
    if target.organization_administrator {
        return Some("This person administers the organization: only organization administrators can change that.");
    }
    if target.administrator && !actor.administrator {
        return Some("This person is an administrator of the workspace: only administrators can change that.");
    }
    if touch != Touch::Account {
        return None;
    }
    if target.elsewhere {
        return Some(
            "This account belongs to other workspaces too: ask an organization administrator to change its password \
             or second factor.",
        );
    }
    // Roles are not all that an account brings: there are grants, groups and attributes.
    if !actor.administrator {
        return Some("Only administrators of the workspace make links and turn second factors off.");
    }
    None
}

/// What pages offer.
pub fn may(actor: &SessionInfo, target: &Target) -> May {
    let allowed = |touch| refusal(actor, target, touch).is_none();
    May { change: allowed(Touch::Change), remove: allowed(Touch::Remove), account: allowed(Touch::Account) }
}

/// Whether `actor` may give a role: nobody gives more than they have.
pub fn may_give(actor: &SessionInfo, role: &RoleChoice) -> bool {
    if role.id == Preset::Administrator.id() {
        return actor.administrator;
    }
    actor.permissions.covers(role.permissions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::model::{Area, Permission};

    fn actor(permissions: Permissions, administrator: bool, organization_administrator: bool) -> SessionInfo {
        SessionInfo {
            user_id: "me".into(),
            permissions,
            administrator,
            organization_administrator,
            ..Default::default()
        }
    }

    fn manager() -> Permissions {
        Preset::Analyst.permissions().with(Permission::Manage(Area::Members))
    }

    #[test]
    fn who_may_touch_whom() {
        let organization = actor(Permissions::all(), true, true);
        let administrator = actor(Permissions::all(), true, false);
        // All permissions, but by a role of the workspace's own.
        let nearly = actor(Permissions::all(), false, false);
        let manager = actor(manager(), false, false);
        let target = |permissions, administrator, organization_administrator, elsewhere| Target {
            id: "you".into(),
            permissions,
            administrator,
            organization_administrator,
            elsewhere,
        };
        let all = Permissions::all();
        let (marketer, analyst) = (Preset::Marketer.permissions(), Preset::Analyst.permissions());
        // Whom; then for each actor what they may do: c(hange), r(emove), a(ccount).
        let table = [
            ("organization administrator", target(all, true, true, false), ["cra", "", "", ""]),
            ("one without a role here", target(all, false, true, false), ["cra", "", "", ""]),
            ("administrator", target(all, true, false, false), ["cra", "cra", "", ""]),
            ("administrator elsewhere too", target(all, true, false, true), ["cra", "cr", "", ""]),
            ("marketer", target(marketer, false, false, false), ["cra", "cra", "cr", "cr"]),
            ("analyst", target(analyst, false, false, false), ["cra", "cra", "cr", "cr"]),
            ("analyst elsewhere too", target(analyst, false, false, true), ["cra", "cr", "cr", "cr"]),
            ("without roles", target(Permissions::NONE, false, false, false), ["cra", "cra", "cr", "cr"]),
        ];
        for (whom, target, wanted) in table {
            let actors = [&organization, &administrator, &nearly, &manager];
            let got = actors.map(|actor| {
                let may = may(actor, &target);
                let letters = [(may.change, 'c'), (may.remove, 'r'), (may.account, 'a')];
                letters.into_iter().filter(|(may, _)| *may).map(|(_, letter)| letter).collect::<String>()
            });
            assert_eq!(got, wanted, "{whom}");
        }
        for actor in [&organization, &administrator, &manager] {
            let own = Target {
                id: "me".into(),
                permissions: actor.permissions,
                administrator: actor.administrator,
                organization_administrator: actor.organization_administrator,
                elsewhere: false,
            };
            assert_eq!(may(actor, &own), May { change: true, remove: false, account: false });
        }
    }

    #[test]
    fn nobody_gives_more_than_they_have() {
        let role = |preset: Preset| RoleChoice {
            id: preset.id().into(),
            name: preset.name().into(),
            permissions: preset.permissions(),
        };
        let own = RoleChoice { id: "1".into(), name: "Everything".into(), permissions: Permissions::all() };
        let given = |actor: &SessionInfo| {
            let presets = Preset::ALL.map(role);
            presets.iter().chain([&own]).filter(|role| may_give(actor, role)).count()
        };
        assert_eq!(given(&actor(Permissions::all(), true, false)), 4);
        assert_eq!(given(&actor(Permissions::all(), false, false)), 3, "not Administrator");
        assert_eq!(given(&actor(manager(), false, false)), 1, "Analyst");
        assert_eq!(given(&actor(Permissions::NONE.with(Permission::Manage(Area::Members)), false, false)), 0);
    }
}
