//! A marketing campaign and its place among the others.

use crate::{error::FieldError, webhooks::model::is_date};
use serde::{Deserialize, Serialize};

/// Characters.
pub const NAME_MAX: usize = 64;
/// In one workspace, so that the tree stays bounded.
pub const CAMPAIGNS_MAX: i64 = 1_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CampaignKind {
    Main,
    /// Under a main campaign, or standalone. Only these have tasks.
    #[default]
    Sub,
}

impl CampaignKind {
    pub fn code(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Sub => "sub",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Main => "Main campaign",
            Self::Sub => "Sub-campaign",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Main, Self::Sub].into_iter().find(|kind| kind.code() == code)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    pub id: String,
    pub kind: CampaignKind,
    /// The main campaign that it is under.
    pub parent_id: Option<String>,
    pub name: String,
    /// `YYYY-MM-DD`, both days included.
    pub starts_on: Option<String>,
    pub ends_on: Option<String>,
    /// How many tasks are associated with it.
    pub tasks: i64,
}

/// A main campaign with its sub-campaigns by name. The node without one, "-", is the last and holds the standalone
/// sub-campaigns; it is there only when there are some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignNode {
    pub campaign: Option<Campaign>,
    pub subs: Vec<Campaign>,
}

/// What the form holds; checked by [`CampaignInput::check`]. Kind and parent are chosen once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignInput {
    pub name: String,
    #[serde(default)]
    pub kind: CampaignKind,
    /// Of a sub-campaign: its main campaign; "" for a standalone one.
    #[serde(default)]
    pub parent_id: String,
    /// `YYYY-MM-DD`, or "" when it is open.
    #[serde(default)]
    pub starts_on: String,
    #[serde(default)]
    pub ends_on: String,
}

/// A task that is associated with a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignTask {
    pub id: String,
    pub name: String,
    /// The state's code (`delivery::model::SendState`); `None` for a task that was never submitted.
    pub state: Option<String>,
    pub due_at: Option<i64>,
    pub accepted: i64,
    /// Of a main campaign: the sub-campaign that has it.
    pub campaign: String,
}

/// A campaign's own page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignDetail {
    pub campaign: Campaign,
    pub parent: Option<Campaign>,
    pub subs: Vec<Campaign>,
    /// Its own, or its sub-campaigns'; the latest first, at most [`TASKS_SHOWN`].
    pub tasks: Vec<CampaignTask>,
}

pub const TASKS_SHOWN: i64 = 200;

impl CampaignInput {
    /// Without the white space around what was typed, and without the parent that a main campaign can't have.
    pub fn tidy(self) -> Self {
        // PostgreSQL keeps no NUL.
        let name = self.name.replace('\0', "").trim().to_string();
        let parent_id = if self.kind == CampaignKind::Main { String::new() } else { self.parent_id };
        Self { name, parent_id, starts_on: self.starts_on.trim().into(), ends_on: self.ends_on.trim().into(), ..self }
    }

    /// Everything that is wrong, by the inputs' names.
    pub fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        match self.name.chars().count() {
            0 => errors.push(FieldError::new("name", "Enter a name for the campaign.")),
            1..=NAME_MAX => {}
            long => errors.push(FieldError::new("name", format!("At most {NAME_MAX} characters; this has {long}."))),
        }
        for (field, day) in [("starts_on", &self.starts_on), ("ends_on", &self.ends_on)] {
            if !day.is_empty() && !is_date(day) {
                errors.push(FieldError::new(field, "Enter a date: 2026-01-31."));
            }
        }
        let ordered = self.ends_on.is_empty() || self.starts_on <= self.ends_on;
        if errors.is_empty() && !ordered {
            errors.push(FieldError::new("ends_on", "It ends before it starts."));
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_told_at_its_field() {
        let faults = |name: &str, starts_on: &str, ends_on: &str| {
            let input = CampaignInput {
                name: name.into(),
                starts_on: starts_on.into(),
                ends_on: ends_on.into(),
                ..Default::default()
            };
            input.tidy().check().into_iter().map(|error| error.field).collect::<Vec<_>>()
        };
        assert_eq!(faults(" Spring ", "", ""), [""; 0]);
        assert_eq!(faults("春", "2026-03-01", "2026-03-01"), [""; 0]);
        assert_eq!(faults("Spring", "", "2026-03-01"), [""; 0]);
        assert_eq!(faults(" ", "", ""), ["name"]);
        assert_eq!(faults(&"文".repeat(65), "", ""), ["name"]);
        assert_eq!(faults("Spring", "2026-02-30", "soon"), ["starts_on", "ends_on"]);
        assert_eq!(faults("Spring", "2026-03-02", "2026-03-01"), ["ends_on"]);
    }
}
