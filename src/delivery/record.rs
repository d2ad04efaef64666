//! Recording: what became of the batches in hand, many in one transaction.

mod rows;

use super::{
    SendState,
    batch::{BatchState, Event},
    claim::{Before, Claim},
    control,
    ids::SendKey,
    model::STOPPED,
    retry,
    store::{self, Delta},
};
use crate::{
    clock::Millis,
    config::EngineConfig,
    db::Tx,
    execute,
    steps::{self, Step},
};
use std::collections::BTreeMap;

/// The reason of a try that an error of ours ended; it says nothing of the endpoint.
pub const OURS: &str = "an error on our side";
/// A batch that could not be rendered.
pub const UNREADABLE: &str = "its values can't be read";

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Accepted,
    Failed(String),
    /// Worth another try; the receiver may have said not before when (ms).
    Retry(String, Option<Millis>),
    /// No POST was made; the batch may be claimed again after this many ms.
    Released(Millis),
}

/// A batch that leaves the hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    pub claim: Claim,
    pub webhook_id: String,
    pub end: End,
    pub http_status: Option<u16>,
    pub duration_ms: i64,
    /// The beginning of the answer.
    pub response: Option<String>,
}

impl Finished {
    /// One of which no POST was made; it may be claimed again after so many ms.
    pub fn released(claim: Claim, webhook_id: &str, wait: Millis) -> Self {
        let webhook_id = webhook_id.to_string();
        Self { claim, webhook_id, end: End::Released(wait), http_status: None, duration_ms: 0, response: None }
    }
}

/// When a failed try is repeated.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    pub tries: i64,
    pub first: Millis,
    pub longest: Millis,
}

impl From<&EngineConfig> for RetryPolicy {
    fn from(config: &EngineConfig) -> Self {
        Self { tries: config.tries, first: config.retry_first_ms, longest: config.retry_longest_ms }
    }
}

/// What becomes of the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Settled {
    state: BatchState,
    /// The attempt's outcome.
    outcome: &'static str,
    run_at: Millis,
    tries: i64,
    reason: Option<String>,
}

/// What happens to a batch, or two things one after the other; `None` when that can't happen to what is in hand.
fn settle(finished: &Finished, send: SendState, policy: RetryPolicy, now: Millis, jitter: f64) -> Option<Settled> {
    let claim = &finished.claim;
    let ended = matches!(send, SendState::Stopped | SendState::Failed);
    let settled = |event, outcome, reason| {
        let state = BatchState::Leased.next(event)?;
        Some(Settled { state, outcome, run_at: now, tries: claim.tries, reason })
    };
    // A receiver that says when to come back is obeyed; that is no failed try. The total deadline ends it.
    let told_to_wait = matches!(finished.end, End::Retry(_, Some(1..)));
    match &finished.end {
        End::Accepted => settled(Event::Accepted, "accepted", None),
        End::Failed(reason) => settled(Event::Failed, "failed", Some(reason.clone())),
        End::Retry(reason, _) if claim.tries >= policy.tries && !told_to_wait => {
            let times = if claim.tries == 1 { "try" } else { "tries" };
            settled(Event::Failed, "failed", Some(format!("{reason} after {} {times}", claim.tries)))
        }
        End::Retry(reason, _) if ended => settled(Event::Failed, "failed", Some(control::then_stopped(reason))),
        End::Retry(reason, asked) => Some(Settled {
            run_at: now + retry::wait(claim.tries, policy.first, policy.longest, jitter, *asked),
            tries: if told_to_wait { claim.tries - 1 } else { claim.tries },
            ..settled(Event::ToRetry, "retry", Some(reason.clone()))?
        }),
        End::Released(wait) => {
            let reason = match &claim.before {
                Before::Retry(reason) => Some(reason.clone()),
                Before::Pending | Before::Unknown => None,
            };
            let released = settled(Event::Released(claim.before.was()), "released", reason)?;
            let released = Settled { run_at: now + wait, tries: claim.tries - 1, ..released };
            // The stop did not find it: it was in hand. What may have been received is not its to decide.
            match released.state.next(Event::SendStopped).filter(|_| ended) {
                Some(state) => {
                    let reason = released.reason.as_deref().map_or_else(|| STOPPED.into(), control::then_stopped);
                    Some(Settled { state, reason: Some(reason), ..released })
                }
                None => Some(released),
            }
        }
    }
}

#[derive(Default)]
struct Sums<'a> {
    delta: Delta,
    /// Some of it is to be claimed again.
    waits: bool,
    reasons: BTreeMap<(&'static str, &'a str), i64>,
}

/// Records what ended. A batch that has been claimed again is left alone: somebody else has it. `states` holds the
/// state of every send concerned, whose rows the caller holds. How many were stale.
pub async fn many(
    tx: &mut Tx,
    finished: &[Finished],
    states: &BTreeMap<SendKey, SendState>,
    policy: RetryPolicy,
    now: Millis,
    mut jitter: impl FnMut() -> f64,
) -> sqlx::Result<usize> {
    let settled: Vec<(&Finished, Settled)> = finished
        .iter()
        .filter_map(|finished| {
            let state = states.get(&*finished.claim.key)?;
            Some((finished, settle(finished, *state, policy, now, jitter())?))
        })
        .collect();
    if settled.is_empty() {
        return Ok(finished.len());
    }
    let written = rows::update_batches(tx, &settled, now).await?;
    let (mut sums, mut attempts) = (BTreeMap::<&SendKey, Sums>::new(), Vec::new());
    for ((finished, settled), was) in settled.iter().zip(&written) {
        let claim = &finished.claim;
        // The attempt that explains why somebody has claimed the batch again stays unknown.
        let Some(was) = was else { continue };
        if *was == BatchState::Unknown || !rows::in_row_of_batch(claim, settled) {
            attempts.push(rows::attempt(finished, settled));
        }
        let sums = sums.entry(&*claim.key).or_default();
        if *was == BatchState::Unknown {
            sums.delta.count(BatchState::Unknown, -claim.size);
        }
        sums.delta.count(settled.state, claim.size);
        sums.waits |= matches!(settled.state, BatchState::Pending | BatchState::Retry | BatchState::Unknown);
        if let (BatchState::Failed | BatchState::Skipped, Some(reason)) = (settled.state, &settled.reason) {
            *sums.reasons.entry((settled.state.code(), reason.as_str())).or_default() += claim.size;
        }
    }
    rows::write_attempts(tx, &attempts, now).await?;
    for (key, sums) in sums {
        for ((outcome, reason), users) in sums.reasons {
            store::add_reason(tx, key, outcome, reason, users).await?;
        }
        add_series(tx, key, sums.delta, now).await?;
        if sums.waits && states.get(key) == Some(&SendState::Finished) {
            // What was unknown, and held for a person, turns out to wait: the send is not finished after all.
            store::reopen(tx, key, SendState::Sending).await?;
        }
        store::add(tx, key, sums.delta, now).await?;
    }
    steps::at(Step::RecordWritten);
    Ok(finished.len() - written.iter().flatten().count())
}

async fn add_series(tx: &mut Tx, key: &SendKey, delta: Delta, now: Millis) -> sqlx::Result<()> {
    if delta.accepted == 0 && delta.failed == 0 {
        return Ok(());
    }
    execute!(
        tx,
        "insert into send_series (workspace_id, send_id, second, accepted, failed) values ($1, $2, $3, $4, $5) \
         on conflict (workspace_id, send_id, second) do update set \
         accepted = send_series.accepted + excluded.accepted, failed = send_series.failed + excluded.failed",
        &key.workspace_id,
        &key.send_id,
        now.div_euclid(1000),
        delta.accepted,
        delta.failed,
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy { tries: 3, first: 1_000, longest: 60_000 };

    fn finished(end: End, tries: i64, before: Before) -> Finished {
        Finished {
            claim: Claim {
                key: SendKey::new("w", "s").into(),
                batch_no: 0,
                first_seq: 0,
                last_seq: 9,
                size: 10,
                lease_no: 1,
                lease_until: 30_000,
                attempt: tries,
                tries,
                started_at: 0,
                sent_at: 0,
                before,
            },
            webhook_id: "h".into(),
            end,
            http_status: None,
            duration_ms: 1,
            response: None,
        }
    }

    fn settled(end: End, tries: i64, state: SendState) -> (&'static str, i64, Option<String>) {
        let settled = settle(&finished(end, tries, Before::Pending), state, POLICY, 100, 0.5).unwrap();
        (settled.state.code(), settled.run_at, settled.reason)
    }

    #[test]
    fn a_try_is_repeated_until_the_tries_are_used_up() {
        let retry = |tries| settled(End::Retry("HTTP 503".into(), None), tries, SendState::Sending);
        assert_eq!(retry(1), ("retry", 1_100, Some("HTTP 503".into())));
        assert_eq!(retry(2), ("retry", 2_100, Some("HTTP 503".into())));
        assert_eq!(retry(3), ("failed", 100, Some("HTTP 503 after 3 tries".into())));
        let asked = settled(End::Retry("HTTP 429".into(), Some(9_000)), 1, SendState::Paused);
        assert_eq!(asked, ("retry", 9_100, Some("HTTP 429".into())));
    }

    #[test]
    fn to_wait_as_long_as_the_receiver_asks_spends_no_try() {
        let asked = |ms, tries| {
            let end = End::Retry("HTTP 429".into(), Some(ms));
            settle(&finished(end, tries, Before::Pending), SendState::Sending, POLICY, 100, 0.5).unwrap()
        };
        for tries in 1..=POLICY.tries {
            let settled = asked(90_000, tries);
            assert_eq!((settled.state, settled.run_at, settled.tries), (BatchState::Retry, 90_100, tries - 1));
        }
        assert_eq!((asked(0, 2).tries, asked(0, POLICY.tries).state), (2, BatchState::Failed), "at once is no wait");
    }

    #[test]
    fn after_a_stop_nothing_is_tried_again() {
        let retry = settled(End::Retry("HTTP 503".into(), None), 1, SendState::Stopped);
        assert_eq!(retry, ("failed", 100, Some("HTTP 503, then stopped".into())));
        assert_eq!(settled(End::Released(0), 1, SendState::Stopped), ("skipped", 100, Some("stopped".into())));
        assert_eq!(settled(End::Accepted, 1, SendState::Stopped).0, "accepted");
    }

    #[test]
    fn a_released_batch_has_not_used_a_try_and_is_what_it_was() {
        let released = |before, state| {
            let settled = settle(&finished(End::Released(5), 2, before), state, POLICY, 100, 0.5).unwrap();
            assert_eq!((settled.outcome, settled.run_at, settled.tries), ("released", 105, 1));
            (settled.state.code(), settled.reason.unwrap_or_default())
        };
        let posted = || Before::Retry("HTTP 503".into());
        assert_eq!(released(Before::Pending, SendState::Sending), ("pending", String::new()));
        assert_eq!(released(Before::Pending, SendState::Stopped), ("skipped", "stopped".into()));
        assert_eq!(released(posted(), SendState::Paused), ("retry", "HTTP 503".into()));
        assert_eq!(released(posted(), SendState::Stopped), ("failed", "HTTP 503, then stopped".into()));
        let unknown = released(Before::Unknown, SendState::Stopped);
        assert_eq!(unknown.0, "unknown", "it may have been received before");
    }
}
