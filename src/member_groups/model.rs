//! A group of members as it is managed.

use crate::{error::FieldError, grants::model::GrantState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Length in characters.
pub const NAME_MAX: usize = 64;
/// Groups of one workspace.
pub const GROUPS_MAX: i64 = 500;
/// Members of one group.
pub const MEMBERS_MAX: usize = 1_000;
/// Members that a form offers; those who are in the group already are offered besides.
pub const OFFERED_MAX: i64 = 2_000;
/// Rows on a page of the list.
pub const GROUPS_PAGE: i64 = 50;

/// What the form holds; checked by [`GroupInput::check`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupInput {
    pub name: String,
    /// Their ids.
    #[serde(default)]
    pub members: Vec<String>,
}

impl GroupInput {
    pub fn tidy(mut self) -> Self {
        self.name = self.name.trim().into();
        let mut seen = BTreeSet::new();
        self.members.retain(|id| seen.insert(id.clone()));
        self
    }

    /// What is wrong with what was typed, by the inputs' names.
    pub fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        match self.name.chars().count() {
            0 => errors.push(FieldError::new("name", "Enter a name.")),
            length if length > NAME_MAX => {
                errors.push(FieldError::new("name", format!("At most {NAME_MAX} characters; this has {length}.")));
            }
            _ => {}
        }
        if self.members.len() > MEMBERS_MAX {
            let text = format!("At most {MEMBERS_MAX} members; these are {}.", self.members.len());
            errors.push(FieldError::new("members", text));
        }
        errors
    }
}

/// A webhook that is granted to a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupUse {
    pub webhook_id: String,
    pub webhook: String,
    /// Of the grant that says most: a current one, then a future one.
    pub state: GrantState,
}

impl GroupUse {
    pub fn href(&self) -> String {
        format!("/webhooks/{}/grants", self.webhook_id)
    }

    /// `“Coupons”`, `“Coupons” (expired)`
    pub fn text(&self) -> String {
        match self.state {
            GrantState::Current => format!("“{}”", self.webhook),
            other => format!("“{}” ({})", self.webhook, other.label().to_lowercase()),
        }
    }
}

/// A group as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub id: String,
    pub name: String,
    pub members: i64,
    pub used_by: Vec<GroupUse>,
    /// Grows with each change, so that it also tells whether one was made meanwhile.
    pub updated_at: i64,
}

/// What the list is asked for: search, filter, order, page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupQuery {
    /// In the name.
    pub search: String,
    /// Those in use, or those that are not.
    pub used: Option<bool>,
    pub order: GroupOrder,
    pub descending: bool,
    pub offset: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupOrder {
    #[default]
    Name,
    Members,
    Updated,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupPage {
    pub rows: Vec<Group>,
    /// How many match, on all pages.
    pub total: i64,
    /// The server's time, for "5 min ago".
    pub now: i64,
}

impl GroupQuery {
    /// The page of `all`.
    pub fn page(&self, mut all: Vec<Group>, now: i64) -> GroupPage {
        let wanted = self.search.to_lowercase();
        all.retain(|group| {
            self.used.is_none_or(|used| used != group.used_by.is_empty()) && group.name.to_lowercase().contains(&wanted)
        });
        match self.order {
            GroupOrder::Name => all.sort_by_cached_key(|group| (group.name.to_lowercase(), group.id.clone())),
            GroupOrder::Members => all.sort_by_key(|group| group.members),
            GroupOrder::Updated => all.sort_by_key(|group| group.updated_at),
        }
        if self.descending {
            all.reverse();
        }
        let total = all.len() as i64;
        let first = usize::try_from(self.offset).unwrap_or_default();
        let rows = all.into_iter().skip(first).take(GROUPS_PAGE as usize).collect();
        GroupPage { rows, total, now }
    }
}

/// A member who is, or may be put, in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub email: String,
    pub disabled: bool,
}

impl Person {
    /// What stands beside the name.
    pub fn note(&self) -> String {
        if self.disabled { format!("{}, disabled", self.email) } else { self.email.clone() }
    }
}

/// A group's own page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupDetail {
    pub group: Group,
    pub members: Vec<Person>,
}

/// What the form starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupForm {
    /// `None` for a new one.
    pub group: Option<Group>,
    /// Those to choose from by name, and whether each is in the group.
    pub people: Vec<(Person, bool)>,
    /// Whether the workspace has more than are offered.
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_there_and_members_are_bounded_and_once() {
        let fields = |name: &str, members: usize| {
            let members = (0..members).map(|id| id.to_string()).collect();
            let input = GroupInput { name: name.into(), members }.tidy();
            input.check().into_iter().map(|error| error.field).collect::<Vec<_>>()
        };
        assert_eq!(fields("East", 0), [""; 0]);
        assert_eq!(fields(&"店".repeat(NAME_MAX), MEMBERS_MAX), [""; 0]);
        assert_eq!(fields(" ", MEMBERS_MAX + 1), ["name", "members"]);
        assert_eq!(fields(&"x".repeat(NAME_MAX + 1), 1), ["name"]);
        let twice = GroupInput { name: "East".into(), members: vec!["a".into(), "b".into(), "a".into()] };
        assert_eq!(twice.tidy().members, ["a", "b"]);
    }
}
