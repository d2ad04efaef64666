//! The stages of a batch, and what leads from one to another: [`BatchState::next`] is the one place that says so. What
//! changes many batches at once is SQL that is made of it ([`from`], [`to`]), so that the two cannot disagree.

/// Where a batch is; `code` is what its row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BatchState {
    /// The planner still puts users into it.
    Open,
    /// It has never been POSTed.
    Pending,
    /// It has been, and waits for another try.
    Retry,
    /// It may or may not have been received.
    Unknown,
    /// Somebody has it in hand.
    Leased,
    Accepted,
    Failed,
    Skipped,
}

/// What happens to a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The planner puts nobody else into it.
    Filled,
    Claimed,
    /// Results. They come from whoever has it in hand, or had it until its lease ended.
    Accepted,
    Failed,
    ToRetry,
    /// No POST was made: it is again what it was when it was claimed.
    Released(Was),
    /// Without a result.
    LeaseEnded,
    /// A person stopped its send.
    SendStopped,
    /// Its send cannot begin or go on.
    SendGivenUp,
    /// A person sends it again.
    SentAgain,
    /// A person decides what nobody knows.
    CountedAsSent,
    CountedAsNotSent,
}

/// What a batch can be when it is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Was {
    Pending,
    Retry,
    Unknown,
}

impl Was {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Retry, Self::Unknown];

    pub fn state(self) -> BatchState {
        match self {
            Self::Pending => BatchState::Pending,
            Self::Retry => BatchState::Retry,
            Self::Unknown => BatchState::Unknown,
        }
    }
}

impl BatchState {
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Pending,
        Self::Retry,
        Self::Unknown,
        Self::Leased,
        Self::Accepted,
        Self::Failed,
        Self::Skipped,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pending => "pending",
            Self::Retry => "retry",
            Self::Unknown => "unknown",
            Self::Leased => "leased",
            Self::Accepted => "accepted",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Nothing more happens to it by itself, and everybody knows what became of it.
    pub fn is_decided(self) -> bool {
        matches!(self, Self::Accepted | Self::Failed | Self::Skipped)
    }

    /// What it is after an event; `None`: the event can't happen to it, and changes nothing.
    pub fn next(self, event: Event) -> Option<Self> {
        use BatchState::{Accepted, Failed, Leased, Open, Pending, Retry, Skipped, Unknown};
        Some(match (self, event) {
            (Open, Event::Filled) => Pending,
            (Pending | Retry | Unknown, Event::Claimed) => Leased,
            // A result that comes after the lease has ended holds while nobody else has the batch.
            (Leased | Unknown, Event::Accepted) => Accepted,
            (Leased | Unknown, Event::Failed) => Failed,
            (Leased | Unknown, Event::ToRetry) => Retry,
            (Leased | Unknown, Event::Released(before)) => before.state(),
            (Leased, Event::LeaseEnded) => Unknown,
            // What was POSTed once is not skipped, and what is unknown may have been received: it stays.
            (Open | Pending, Event::SendStopped) => Skipped,
            (Retry, Event::SendStopped) => Failed,
            (Open | Pending | Retry, Event::SendGivenUp) => Failed,
            (Failed, Event::SentAgain) => Retry,
            (Unknown, Event::SentAgain) => Unknown,
            (Unknown, Event::CountedAsSent) => Accepted,
            (Unknown, Event::CountedAsNotSent) => Failed,
            _ => return None,
        })
    }
}

/// The condition on `state` under which an event can happen, as SQL. One of several states is written as the partial
/// indexes have it, by which SQLite knows that it may use them.
pub fn from(event: Event) -> String {
    let states = BatchState::ALL.into_iter().filter(|state| state.next(event).is_some());
    let codes: Vec<String> = states.map(|state| format!("'{}'", state.code())).collect();
    match codes.as_slice() {
        [one] => format!("state = {one}"),
        several => format!("state in ({})", several.join(", ")),
    }
}

/// The state after an event, as SQL; it stays where the event can't happen.
pub fn to(event: Event) -> String {
    let arms = BatchState::ALL.into_iter().filter_map(|state| {
        let next = state.next(event)?;
        Some(format!(" when '{}' then '{}'", state.code(), next.code()))
    });
    format!("case state{} else state end", arms.collect::<String>())
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod pairs;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fetch, on_both_databases};
    use sqlx::AssertSqlSafe;

    /// Every event.
    pub fn events() -> Vec<Event> {
        let mut events = vec![
            Event::Filled,
            Event::Claimed,
            Event::Accepted,
            Event::Failed,
            Event::ToRetry,
            Event::LeaseEnded,
            Event::SendStopped,
            Event::SendGivenUp,
            Event::SentAgain,
            Event::CountedAsSent,
            Event::CountedAsNotSent,
        ];
        events.extend(Was::ALL.map(Event::Released));
        events
    }

    #[test]
    fn what_is_decided_changes_only_when_a_person_sends_it_again() {
        for state in BatchState::ALL.into_iter().filter(|state| state.is_decided()) {
            for event in events() {
                let next = state.next(event);
                let again = (state, event) == (BatchState::Failed, Event::SentAgain);
                assert_eq!(next, again.then_some(BatchState::Retry), "{state:?} {event:?}");
            }
        }
        for state in BatchState::ALL {
            assert_eq!(BatchState::from_code(state.code()), Some(state));
        }
    }

    #[test]
    fn a_late_result_leads_where_one_in_time_does() {
        for event in events().into_iter().filter(|event| BatchState::Leased.next(*event).is_some()) {
            if event != Event::LeaseEnded {
                assert_eq!(BatchState::Leased.next(event), BatchState::Unknown.next(event), "{event:?}");
            }
        }
    }

    #[test]
    fn what_was_posted_is_never_again_what_was_not() {
        let never_posted = [BatchState::Open, BatchState::Pending, BatchState::Skipped];
        for state in [BatchState::Retry, BatchState::Unknown, BatchState::Accepted, BatchState::Failed] {
            for event in events().into_iter().filter(|event| *event != Event::Released(Was::Pending)) {
                assert!(state.next(event).is_none_or(|next| !never_posted.contains(&next)), "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn conditions_are_those_of_the_partial_indexes() {
        assert_eq!(from(Event::Claimed), "state in ('pending', 'retry', 'unknown')");
        assert_eq!(from(Event::LeaseEnded), "state = 'leased'");
        let schema = include_str!("../../migrations/sqlite/0001_first_light.sql");
        for event in [Event::Claimed, Event::LeaseEnded] {
            assert!(schema.contains(&format!("where {};", from(event))), "{event:?}");
        }
    }

    on_both_databases!(sql_and_function_agree_on_every_state_and_event, |db| async move {
        for event in events() {
            for state in BatchState::ALL {
                let sql = format!(
                    "select case when {} then 1 else 0 end, {} from (select cast($1 as text) as state) as one",
                    from(event),
                    to(event)
                );
                let (may, next) = fetch!(db, one, (i32, String), AssertSqlSafe(sql), state.code()).unwrap();
                let expected = state.next(event);
                assert_eq!(may == 1, expected.is_some(), "{state:?} {event:?}");
                assert_eq!(next, expected.unwrap_or(state).code(), "{state:?} {event:?}");
            }
        }
    });
}
