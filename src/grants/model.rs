//! Grants of a webhook, and what somebody's add up to.

use crate::{
    error::FieldError,
    member_groups::model::Person,
    ui::{
        Tone,
        time::{Form, text},
    },
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Grants of one webhook, whatever their state.
pub const GRANTS_MAX: i64 = 1_000;
/// Members or groups that are granted a webhook at once.
pub const PICKED_MAX: usize = 200;
/// Rows on a page of the list.
pub const GRANTS_PAGE: i64 = 50;

/// The Grant Method: whom all of a webhook's grants name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    #[default]
    Member,
    Group,
}

impl Method {
    pub const ALL: [Self; 2] = [Self::Member, Self::Group];

    /// As it is kept and as forms have it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Group => "group",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Member => "By Member",
            Self::Group => "By Member Group",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.code() == code)
    }

    pub fn other(self) -> Self {
        match self {
            Self::Member => Self::Group,
            Self::Group => Self::Member,
        }
    }
}

/// What a grant is at a moment. What says more is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum GrantState {
    Current,
    Future,
    Expired,
}

impl GrantState {
    pub const ALL: [Self; 3] = [Self::Current, Self::Future, Self::Expired];

    /// Of a grant from `from` on and before `until` (`None`: permanent), at `now`; all in unix ms.
    pub fn at(from: i64, until: Option<i64>, now: i64) -> Self {
        match () {
            () if until.is_some_and(|until| until <= now) => Self::Expired,
            () if from > now => Self::Future,
            () => Self::Current,
        }
    }

    pub fn code(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Future => "future",
            Self::Expired => "expired",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Current => "Current",
            Self::Future => "Future",
            Self::Expired => "Expired",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    pub fn tone(self) -> Tone {
        match self {
            Self::Current => Tone::Ok,
            Self::Future => Tone::Run,
            Self::Expired => Tone::Neutral,
        }
    }
}

/// What somebody who needs grants has of a webhook at a moment; times in unix ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Standing {
    #[default]
    Never,
    /// Until when without a gap; `None`: permanently.
    Granted(Option<i64>),
    Begins(i64),
    Expired(i64),
}

impl Standing {
    /// What the periods add up to at `now`.
    pub fn of(periods: &[(i64, Option<i64>)], now: i64) -> Self {
        let mut periods: Vec<(i64, i64)> =
            periods.iter().map(|(from, until)| (*from, until.unwrap_or(i64::MAX))).collect();
        periods.retain(|(from, until)| until > from);
        periods.sort_unstable();
        let mut end = now;
        for (from, until) in periods.iter().filter(|(_, until)| *until > now) {
            if *from > end {
                break;
            }
            end = end.max(*until);
        }
        match () {
            () if end == i64::MAX => Self::Granted(None),
            () if end > now => Self::Granted(Some(end)),
            () => match periods.iter().find(|(from, _)| *from > now) {
                Some((from, _)) => Self::Begins(*from),
                None => periods.iter().map(|(_, until)| *until).max().map_or(Self::Never, Self::Expired),
            },
        }
    }

    pub fn is_granted(self) -> bool {
        matches!(self, Self::Granted(_))
    }

    /// Why a webhook can't be used, for a list that says it behind the webhook's name; `None` when it can.
    pub fn refusal(self, zone: &str) -> Option<String> {
        let time = |ms| text(ms, Some(zone), Form::Minute);
        match self {
            Self::Granted(_) => None,
            Self::Never => Some("not granted to you".into()),
            Self::Begins(at) => Some(format!("your grant begins on {}", time(at))),
            Self::Expired(at) => Some(format!("your grant expired on {}", time(at))),
        }
    }
}

/// A grant as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub id: String,
    pub method: Method,
    /// Of the member or the group.
    pub name: String,
    /// A member's e-mail address; how many a group has.
    pub note: String,
    pub from_at: i64,
    /// `None`: permanent.
    pub until_at: Option<i64>,
    /// "" from before there were grants.
    pub granted_by: String,
    pub granted_at: i64,
    pub state: GrantState,
}

/// What the list is asked for: search, filter, order, page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GrantQuery {
    /// In name or e-mail.
    pub search: String,
    pub state: Option<GrantState>,
    pub order: GrantOrder,
    pub descending: bool,
    pub offset: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum GrantOrder {
    /// Current, future, expired; each by name.
    #[default]
    State,
    Name,
    From,
    Until,
    Granted,
}

impl GrantQuery {
    /// The page of `all`, and how many match.
    pub fn page(&self, mut all: Vec<Grant>) -> (Vec<Grant>, i64) {
        let wanted = self.search.to_lowercase();
        let found = |text: &str| text.to_lowercase().contains(&wanted);
        all.retain(|grant| {
            self.state.is_none_or(|state| grant.state == state) && (found(&grant.name) || found(&grant.note))
        });
        all.sort_by_cached_key(|grant| (grant.name.to_lowercase(), grant.from_at, grant.id.clone()));
        match self.order {
            GrantOrder::Name => {}
            GrantOrder::State => all.sort_by_key(|grant| grant.state),
            GrantOrder::From => all.sort_by_key(|grant| grant.from_at),
            GrantOrder::Until => all.sort_by_key(|grant| grant.until_at.unwrap_or(i64::MAX)),
            GrantOrder::Granted => all.sort_by_key(|grant| grant.granted_at),
        }
        if self.descending {
            all.reverse();
        }
        let total = all.len() as i64;
        let first = usize::try_from(self.offset).unwrap_or_default();
        (all.into_iter().skip(first).take(GRANTS_PAGE as usize).collect(), total)
    }
}

/// A page of a webhook's grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantsPage {
    pub webhook: String,
    pub rows: Vec<Grant>,
    /// How many match, on all pages.
    pub total: i64,
    /// The server's time, for "5 min ago".
    pub now: i64,
}

/// The head of the page: the webhook's name, and the form for whoever may grant it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantHead {
    pub webhook: String,
    pub form: Option<GrantForm>,
}

/// What the form starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantForm {
    pub people: Vec<Person>,
    /// Whether the workspace has more members than are offered.
    pub more: bool,
    /// Id, name, and how many are in it.
    pub groups: Vec<(String, String, i64)>,
    /// By which method grants stand, and how many.
    pub standing: Option<(Method, i64)>,
}

/// What the form holds; checked by [`GrantInput::check`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantInput {
    pub method: Method,
    /// Ids; those of the method that was not chosen are not looked at.
    #[serde(default)]
    pub members: Vec<String>,
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    pub validity: Validity,
    /// As typed, in `time_zone`: `2026-11-22T10:00`; "" is at once.
    #[serde(default)]
    pub from: String,
    /// "" is permanently.
    #[serde(default)]
    pub until: String,
    /// IANA name.
    #[serde(default)]
    pub time_zone: String,
    /// How many grants by the other method may be revoked: those that the page has shown.
    #[serde(default)]
    pub revokes: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validity {
    #[default]
    Permanent,
    Period,
}

impl GrantInput {
    /// With each who was picked once.
    pub fn tidy(mut self) -> Self {
        for picked in [&mut self.members, &mut self.groups] {
            let mut seen = BTreeSet::new();
            picked.retain(|id| seen.insert(id.clone()));
        }
        self
    }

    /// Who was picked, by the method that was chosen.
    pub fn picked(&self) -> &[String] {
        match self.method {
            Method::Member => &self.members,
            Method::Group => &self.groups,
        }
    }

    /// The input of [`Self::picked`].
    pub fn picked_field(&self) -> &'static str {
        match self.method {
            Method::Member => "members",
            Method::Group => "groups",
        }
    }

    /// What is wrong with who was picked, by the inputs' names; the period is for the server to read.
    pub fn check(&self) -> Vec<FieldError> {
        let what = self.picked_field();
        let error = |text: String| vec![FieldError::new(what, text)];
        match self.picked().len() {
            0 => error(format!("Choose one or more {what}.")),
            picked if picked > PICKED_MAX => error(format!("At most {PICKED_MAX} {what} at once; these are {picked}.")),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn who_is_picked_is_of_the_method() {
        let ids = |count: usize| (0..count).map(|id| id.to_string()).collect::<Vec<_>>();
        let input = |method, members, groups| {
            GrantInput { method, members: ids(members), groups: ids(groups), ..Default::default() }.tidy()
        };
        assert_eq!(input(Method::Member, PICKED_MAX, 0).check(), []);
        assert_eq!(input(Method::Group, PICKED_MAX + 1, 1).check(), []);
        assert_eq!(input(Method::Group, 1, 0).check()[0].field, "groups");
        assert_eq!(input(Method::Member, PICKED_MAX + 1, 1).check()[0].field, "members");
        let twice = GrantInput { members: vec!["a".into(), "a".into()], ..Default::default() };
        assert_eq!(twice.tidy().picked(), ["a"]);
    }

    #[test]
    fn periods_that_touch_are_one() {
        let of = |periods: &[(i64, Option<i64>)]| Standing::of(periods, 10);
        assert_eq!(of(&[]), Standing::Never);
        assert_eq!(of(&[(0, Some(20)), (20, Some(30)), (31, None)]), Standing::Granted(Some(30)));
        assert_eq!(of(&[(0, Some(20)), (15, None)]), Standing::Granted(None));
        assert_eq!(of(&[(0, Some(10)), (11, Some(12))]), Standing::Begins(11));
        assert_eq!(of(&[(0, Some(5)), (1, Some(10))]), Standing::Expired(10));
        assert_eq!(of(&[(0, Some(10)), (10, Some(11))]), Standing::Granted(Some(11)));
        assert_eq!(Standing::Expired(0).refusal("UTC").unwrap(), "your grant expired on 1970-01-01 00:00");
    }

    proptest! {
        #[test]
        fn a_standing_agrees_with_the_states_of_its_grants(
            periods in prop::collection::vec((0_i64..20, prop::option::of(1_i64..8)), 0..6),
            now in 0_i64..25,
        ) {
            let periods: Vec<_> =
                periods.into_iter().map(|(from, length)| (from, length.map(|length| from + length))).collect();
            let states: Vec<GrantState> =
                periods.iter().map(|(from, until)| GrantState::at(*from, *until, now)).collect();
            let valid = |at: i64| {
                periods.iter().any(|(from, until)| GrantState::at(*from, *until, at) == GrantState::Current)
            };
            match Standing::of(&periods, now) {
                Standing::Granted(None) => prop_assert!((now..60).all(valid)),
                Standing::Granted(Some(until)) => prop_assert!((now..until).all(valid) && !valid(until)),
                Standing::Begins(from) => prop_assert!(!(now..from).any(valid) && valid(from)),
                Standing::Expired(until) => {
                    prop_assert!(states.iter().all(|state| *state == GrantState::Expired));
                    prop_assert!(valid(until - 1) && !(until..60).any(valid));
                }
                Standing::Never => prop_assert!(periods.is_empty()),
            }
        }
    }
}
