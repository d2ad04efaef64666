//! The model: a send and its batches in memory, and what the engine and people do to them.

use super::{BatchState, CountAs, Event, LEASE, SendState, TRIES, Was, claim, control, resolve, retry, store};
use crate::{
    clock::Millis,
    delivery::{claim::Claim, model::AfterCrash, record::End},
};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub state: BatchState,
    pub size: i64,
    pub lease_no: i64,
    pub lease_until: Millis,
    pub attempts: i64,
    pub tries: i64,
    pub run_at: Millis,
    pub sent_at: Option<Millis>,
    pub reason: Option<String>,
}

#[derive(Debug)]
pub struct Model {
    pub send: SendState,
    pub batches: Vec<Batch>,
    pub after_crash: AfterCrash,
    pub now: Millis,
}

impl Model {
    pub fn new(sizes: &[i64]) -> Self {
        let batch = |size: &i64| Batch {
            state: BatchState::Pending,
            size: *size,
            lease_no: 0,
            lease_until: 0,
            attempts: 0,
            tries: 0,
            run_at: 0,
            sent_at: None,
            reason: None,
        };
        let batches = sizes.iter().map(batch).collect();
        Self { send: SendState::Sending, batches, after_crash: AfterCrash::Again, now: 1 }
    }

    pub fn runs(&self) -> bool {
        matches!(self.send, SendState::Sending | SendState::Paused)
    }

    pub fn users(&self, state: BatchState) -> i64 {
        self.batches.iter().filter(|batch| batch.state == state).map(|batch| batch.size).sum()
    }

    /// What happens to all to which it can, and what else changes with those; how many users that were.
    pub fn all(&mut self, event: Event, change: impl Fn(&mut Batch, BatchState)) -> i64 {
        let mut users = 0;
        for batch in &mut self.batches {
            if let Some(next) = batch.state.next(event) {
                users += batch.size;
                let before = std::mem::replace(&mut batch.state, next);
                change(batch, before);
            }
        }
        users
    }

    /// The batches that are claimed, in order.
    pub fn claim(&mut self, most: usize) -> Vec<usize> {
        let now = self.now;
        let due = |batch: &Batch| batch.run_at <= now && batch.state.next(Event::Claimed).is_some();
        let mut numbers: Vec<usize> = (0..self.batches.len()).filter(|number| due(&self.batches[*number])).collect();
        numbers.sort_by_key(|number| self.batches[*number].run_at);
        numbers.truncate(most);
        for number in &numbers {
            let batch = &mut self.batches[*number];
            batch.state = BatchState::Leased;
            batch.lease_no += 1;
            batch.lease_until = now + LEASE;
            batch.attempts += 1;
            batch.tries += 1;
            batch.sent_at = batch.sent_at.or(Some(now));
        }
        numbers
    }

    /// `false`: it is stale.
    pub fn result(&mut self, claim: &Claim, end: &End) -> bool {
        let (now, ended) = (self.now, matches!(self.send, SendState::Stopped | SendState::Failed));
        let batch = &mut self.batches[claim.batch_no as usize];
        let (was, kept) = (
            claim.before.was(),
            match &claim.before {
                claim::Before::Retry(reason) => Some(reason.clone()),
                _ => None,
            },
        );
        let told_to_wait = matches!(end, End::Retry(_, Some(1..)));
        let (event, reason) = match end {
            End::Accepted => (Event::Accepted, None),
            End::Failed(reason) => (Event::Failed, Some(reason.clone())),
            End::Retry(reason, _) if claim.tries >= TRIES && !told_to_wait => {
                (Event::Failed, Some(format!("{reason} after {} tries", claim.tries)))
            }
            End::Retry(reason, _) if ended => (Event::Failed, Some(control::then_stopped(reason))),
            End::Retry(reason, _) => (Event::ToRetry, Some(reason.clone())),
            End::Released(_) => (Event::Released(was), kept),
        };
        let Some(next) = batch.state.next(event).filter(|_| batch.lease_no == claim.lease_no) else { return false };
        let released = matches!(event, Event::Released(_));
        (batch.state, batch.reason) = (next, reason);
        batch.tries = claim.tries - i64::from(released || (told_to_wait && event == Event::ToRetry));
        batch.sent_at = (!released || was != Was::Pending).then_some(claim.sent_at);
        batch.run_at = now
            + match end {
                End::Released(wait) => *wait,
                End::Retry(_, asked) if event == Event::ToRetry => retry::wait(claim.tries, 1_000, 60_000, 0.5, *asked),
                _ => 0,
            };
        if let Some(stopped) = next.next(Event::SendStopped).filter(|_| ended && released) {
            batch.state = stopped;
            batch.reason = Some(batch.reason.as_deref().map_or("stopped".into(), control::then_stopped));
        }
        let waits = matches!(batch.state, BatchState::Pending | BatchState::Retry | BatchState::Unknown);
        if waits && self.send == SendState::Finished {
            self.send = SendState::Sending;
        }
        self.end();
        true
    }

    pub fn end(&mut self) {
        let open = |batch: &Batch| match batch.state {
            BatchState::Unknown => batch.run_at < store::HELD,
            state => !state.is_decided(),
        };
        let may_end = self.runs() || self.send == SendState::Finished;
        if !may_end || self.batches.iter().any(open) {
            return;
        }
        let none = |state| self.users(state) == 0;
        self.send = if !none(BatchState::Skipped) {
            SendState::Stopped
        } else if none(BatchState::Accepted) && none(BatchState::Unknown) {
            SendState::Failed
        } else {
            SendState::Finished
        };
    }

    pub fn leases_end(&mut self) {
        let now = self.now;
        let run_at = if self.after_crash == AfterCrash::Ask { store::HELD } else { now };
        for batch in self.batches.iter_mut().filter(|batch| batch.lease_until < now) {
            if let Some(next) = batch.state.next(Event::LeaseEnded) {
                (batch.state, batch.run_at) = (next, run_at);
            }
        }
        self.end();
    }

    pub fn stop(&mut self) -> bool {
        if !self.runs() {
            return false;
        }
        self.all(Event::SendStopped, |batch, before| {
            let reason = batch.reason.take().unwrap_or_default();
            batch.reason =
                Some(if before == BatchState::Retry { control::then_stopped(&reason) } else { "stopped".into() });
        });
        self.send = SendState::Stopped;
        true
    }

    pub fn failed_again(&mut self) -> bool {
        let now = self.now;
        if self.users(BatchState::Failed) == 0 {
            return false;
        }
        for batch in &mut self.batches {
            match batch.state {
                BatchState::Failed => (batch.state, batch.run_at, batch.tries) = (BatchState::Retry, now, 0),
                BatchState::Unknown if !matches!(self.send, SendState::Sending | SendState::Paused) => {
                    batch.run_at = store::HELD;
                }
                _ => {}
            }
        }
        self.run_again();
        true
    }

    pub fn unknown_again(&mut self) -> bool {
        let now = self.now;
        let mut found = false;
        for batch in self.batches.iter_mut().filter(|batch| batch.state == BatchState::Unknown) {
            (batch.run_at, batch.tries, found) = (now, 0, true);
        }
        if found {
            self.run_again();
        }
        found
    }

    pub fn run_again(&mut self) {
        if self.send != SendState::Paused {
            self.send = SendState::Sending;
        }
    }

    pub fn count(&mut self, count_as: CountAs) -> bool {
        if self.runs() || self.users(BatchState::Unknown) == 0 {
            return false;
        }
        let (event, reason) = match count_as {
            CountAs::Sent => (Event::CountedAsSent, None),
            CountAs::NotSent => (Event::CountedAsNotSent, Some(resolve::NOT_SENT)),
        };
        self.all(event, |batch, _| batch.reason = reason.map(String::from));
        self.end();
        true
    }

    pub fn reasons(&self) -> Vec<(String, String, i64)> {
        let mut reasons: BTreeMap<(String, String), i64> = BTreeMap::new();
        for batch in self.batches.iter().filter(|one| matches!(one.state, BatchState::Failed | BatchState::Skipped)) {
            let reason = batch.reason.clone().unwrap_or_default();
            *reasons.entry((batch.state.code().into(), reason)).or_default() += batch.size;
        }
        reasons.into_iter().map(|((outcome, reason), users)| (outcome, reason, users)).collect()
    }
}
