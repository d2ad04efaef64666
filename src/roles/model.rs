//! A role as it is managed.

use crate::{
    access::model::{Area, Permission, Permissions, Preset},
    error::FieldError,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Lengths in characters.
pub const NAME_MAX: usize = 64;
pub const DESCRIPTION_MAX: usize = 300;
/// Of one workspace, the presets not counted.
pub const ROLES_MAX: i64 = 200;
/// Rows on a page of the list.
pub const ROLES_PAGE: i64 = 50;
/// Members that a page names of those who hold a role.
pub const HOLDERS_SHOWN: i64 = 100;

/// What a role allows of one entry of the navigation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    #[default]
    None,
    View,
    Manage,
}

impl Level {
    pub const ALL: [Self; 3] = [Self::None, Self::View, Self::Manage];

    /// As forms have it.
    pub fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::View => "view",
            Self::Manage => "manage",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::View => "View",
            Self::Manage => "Manage",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.code() == code)
    }

    /// Of what `permissions` hold.
    pub fn of(permissions: Permissions, area: Area) -> Self {
        match () {
            () if permissions.has(Permission::Manage(area)) => Self::Manage,
            () if permissions.has(Permission::View(area)) => Self::View,
            () => Self::None,
        }
    }

    /// The levels that an entry has.
    pub fn of_area(area: Area) -> Vec<Self> {
        Self::ALL.into_iter().filter(|level| *level != Self::Manage || area.has_manage()).collect()
    }

    fn permission(self, area: Area) -> Option<Permission> {
        match self {
            Self::None => None,
            Self::View => Some(Permission::View(area)),
            Self::Manage => Some(Permission::Manage(area)),
        }
    }
}

/// An entry by its whole path: "User Marketing-Reach Marketing-Webhook".
pub fn area_label(area: Area) -> String {
    let mut path = area.path().to_vec();
    path.dedup();
    path.join("-")
}

/// What comes and what goes when permissions change: "Audiences: Manage".
pub fn gains_and_losses(before: Permissions, after: Permissions) -> (Vec<String>, Vec<String>) {
    let (mut gains, mut losses) = (Vec::new(), Vec::new());
    for area in Area::ALL {
        let (was, is) = (Level::of(before, area), Level::of(after, area));
        match is.cmp(&was) {
            std::cmp::Ordering::Greater => gains.push(format!("{}: {}", area_label(area), is.label())),
            std::cmp::Ordering::Less => losses.push(format!("{}: {}", area_label(area), was.label())),
            std::cmp::Ordering::Equal => {}
        }
    }
    (gains, losses)
}

/// What the form holds; checked by [`RoleInput::check`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleInput {
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// By the codes of the areas; what is missing is none.
    #[serde(default)]
    pub levels: BTreeMap<String, Level>,
}

impl RoleInput {
    pub fn tidy(mut self) -> Self {
        self.name = self.name.trim().into();
        self.description = self.description.trim().into();
        self
    }

    /// Codes of other versions mean nothing here.
    pub fn permissions(&self) -> Permissions {
        let wanted = Area::ALL.into_iter().filter_map(|area| self.levels.get(area.code())?.permission(area));
        wanted.fold(Permissions::NONE, Permissions::with)
    }

    /// What is wrong with what was typed by somebody who holds `own`, by the inputs' names.
    pub fn check(&self, own: Permissions) -> Vec<FieldError> {
        let mut errors = Vec::new();
        match self.name.chars().count() {
            0 => errors.push(FieldError::new("name", "Enter a name.")),
            length if length > NAME_MAX => {
                errors.push(FieldError::new("name", format!("At most {NAME_MAX} characters; this has {length}.")));
            }
            _ if Preset::ALL.iter().any(|preset| preset.name().to_lowercase() == self.name.to_lowercase()) => {
                errors.push(FieldError::new("name", "This is the name of a preset. Choose another."));
            }
            _ => {}
        }
        let length = self.description.chars().count();
        if length > DESCRIPTION_MAX {
            let text = format!("At most {DESCRIPTION_MAX} characters; this has {length}.");
            errors.push(FieldError::new("description", text));
        }
        let wanted = self.permissions();
        if wanted.is_empty() {
            errors.push(FieldError::new("levels", "Choose View or Manage for at least one entry."));
        }
        for area in Area::ALL.into_iter().filter(|area| Level::of(wanted, *area) > Level::of(own, *area)) {
            let text = "You don't have this permission yourself, so you can't give it.";
            errors.push(FieldError::new(format!("levels[{}]", area.code()), text));
        }
        errors
    }
}

/// A role as pages see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    pub id: String,
    pub name: String,
    pub description: String,
    pub permissions: Permissions,
    /// One of the program's own.
    pub preset: bool,
    /// 0 for a preset.
    pub version: i64,
    /// How many members hold it.
    pub members: i64,
    /// 0 for a preset.
    pub updated_at: i64,
}

impl Role {
    pub fn of_preset(preset: Preset, members: i64) -> Self {
        Self {
            id: preset.id().into(),
            name: preset.name().into(),
            description: preset.description().into(),
            permissions: preset.permissions(),
            preset: true,
            version: 0,
            members,
            updated_at: 0,
        }
    }
}

/// What the list is asked for: search, filter, order, page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoleQuery {
    /// In name or description.
    pub search: String,
    /// Presets or the workspace's own only.
    pub preset: Option<bool>,
    pub order: RoleOrder,
    pub descending: bool,
    pub offset: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoleOrder {
    #[default]
    Name,
    Members,
    Updated,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolePage {
    /// The presets stand first, in whatever order.
    pub rows: Vec<Role>,
    /// How many match, on all pages.
    pub total: i64,
    /// The server's time, for "5 min ago".
    pub now: i64,
}

impl RoleQuery {
    /// The page of `all`.
    pub fn page(&self, mut all: Vec<Role>, now: i64) -> RolePage {
        let wanted = self.search.to_lowercase();
        let found = |text: &str| text.to_lowercase().contains(&wanted);
        all.retain(|role| {
            self.preset.is_none_or(|preset| role.preset == preset) && (found(&role.name) || found(&role.description))
        });
        let (mut presets, mut own): (Vec<Role>, Vec<Role>) = all.into_iter().partition(|role| role.preset);
        match self.order {
            RoleOrder::Name => own.sort_by_cached_key(|role| (role.name.to_lowercase(), role.id.clone())),
            RoleOrder::Members => own.sort_by_key(|role| role.members),
            RoleOrder::Updated => own.sort_by_key(|role| role.updated_at),
        }
        if self.descending {
            own.reverse();
        }
        presets.append(&mut own);
        let total = presets.len() as i64;
        let first = usize::try_from(self.offset).unwrap_or_default();
        let rows = presets.into_iter().skip(first).take(ROLES_PAGE as usize).collect();
        RolePage { rows, total, now }
    }
}

/// Somebody who holds a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub id: String,
    pub name: String,
    pub email: String,
    pub disabled: bool,
}

/// The first of those who hold a role, by name, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holders {
    pub first: Vec<Holder>,
    pub total: i64,
}

/// A role's own page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleDetail {
    pub role: Role,
    pub holders: Holders,
}

/// What the form starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleForm {
    /// `None` for a new one; the original for a copy.
    pub role: Option<Role>,
    /// Those whom a change is about; of a new role nobody.
    pub holders: Holders,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(levels: &[(Area, Level)]) -> RoleInput {
        let levels = levels.iter().map(|(area, level)| (area.code().to_string(), *level)).collect();
        RoleInput { name: "Shop".into(), levels, ..Default::default() }
    }

    #[test]
    fn levels_are_permissions_and_back() {
        for preset in Preset::ALL {
            let all = Area::ALL.map(|area| (area, Level::of(preset.permissions(), area)));
            assert_eq!(input(&all).permissions(), preset.permissions());
        }
        assert_eq!(Level::of_area(Area::AuditLog), [Level::None, Level::View]);
        let foreign = RoleInput { levels: [("moon".into(), Level::Manage)].into(), ..input(&[]) };
        assert!(foreign.permissions().is_empty());
    }

    #[test]
    fn nobody_gives_more_than_they_have() {
        let own = Permissions::NONE.with(Permission::Manage(Area::Roles)).with(Permission::View(Area::Customers));
        let fields = |input: RoleInput| input.check(own).into_iter().map(|error| error.field).collect::<Vec<_>>();
        assert_eq!(fields(input(&[(Area::Customers, Level::View), (Area::Roles, Level::View)])), [""; 0]);
        assert_eq!(
            fields(input(&[(Area::Customers, Level::Manage), (Area::AuditLog, Level::View)])),
            ["levels[customers]", "levels[audit_log]"]
        );
        assert_eq!(fields(input(&[(Area::Customers, Level::None)])), ["levels"]);
    }

    #[test]
    fn names_are_there_short_and_no_presets() {
        let fields = |name: &str| {
            let input = RoleInput { name: name.into(), ..input(&[(Area::Roles, Level::View)]) }.tidy();
            input.check(Permissions::all()).into_iter().map(|error| error.field).collect::<Vec<_>>()
        };
        for name in ["Shop", " 店 ", &"x".repeat(NAME_MAX), "Administrators"] {
            assert_eq!(fields(name), [""; 0], "{name}");
        }
        for name in ["", "  ", &"x".repeat(NAME_MAX + 1), "administrator", " Analyst"] {
            assert_eq!(fields(name), ["name"], "{name}");
        }
    }

    #[test]
    fn a_change_says_what_comes_and_what_goes() {
        let (analyst, marketer) = (Preset::Analyst.permissions(), Preset::Marketer.permissions());
        let (gains, losses) = gains_and_losses(analyst, marketer);
        assert!(gains.contains(&"User Marketing-Reach Marketing-Webhook: Manage".to_string()), "{gains:?}");
        assert!(gains.contains(&"Customers: Manage".to_string()) && losses.is_empty());
        assert_eq!(gains_and_losses(marketer, analyst), (losses, gains));
    }
}
