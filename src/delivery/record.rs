//! Recording: what became of the batches in hand, many in one transaction.

use super::{
    SendState,
    batch::{BatchState, Event},
    claim::{Before, Claim},
    control::{self, STOPPED},
    ids::SendKey,
    retry,
    store::{self, Delta},
};
use crate::{
    clock::Millis,
    config::EngineConfig,
    db::{Tx, bulk},
    execute,
    steps::{self, Step},
};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

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

/// What the row of a batch becomes.
#[derive(Serialize)]
struct Row<'a> {
    workspace_id: &'a str,
    send_id: &'a str,
    batch_no: i64,
    lease_no: i64,
    state: &'static str,
    run_at: i64,
    tries: i64,
    sent_at: Option<i64>,
    finished_at: Option<i64>,
    reason: Option<&'a str>,
    #[serde(flatten)]
    answer: Option<Answer<'a>>,
}

#[derive(Serialize)]
struct Answer<'a> {
    http_status: Option<u16>,
    duration_ms: i64,
    response: Option<&'a str>,
}

/// An attempt that has a row of its own.
#[derive(Serialize)]
struct Attempt<'a> {
    workspace_id: &'a str,
    send_id: &'a str,
    batch_no: i64,
    attempt: i64,
    started_at: i64,
    outcome: &'static str,
    reason: Option<&'a str>,
    #[serde(flatten)]
    answer: Answer<'a>,
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
            let state = states.get(&finished.claim.key)?;
            Some((finished, settle(finished, *state, policy, now, jitter())?))
        })
        .collect();
    if settled.is_empty() {
        return Ok(finished.len());
    }
    let written = update_batches(tx, &settled, now).await?;
    let (mut sums, mut attempts) = (BTreeMap::<&SendKey, Sums>::new(), Vec::new());
    for ((finished, settled), was) in settled.iter().zip(&written) {
        let claim = &finished.claim;
        // The attempt that explains why somebody has claimed the batch again stays unknown.
        let Some(was) = was else { continue };
        if *was == BatchState::Unknown || !in_row_of_batch(claim, settled) {
            attempts.push(attempt(finished, settled));
        }
        let sums = sums.entry(&claim.key).or_default();
        if *was == BatchState::Unknown {
            sums.delta.count(BatchState::Unknown, -claim.size);
        }
        sums.delta.count(settled.state, claim.size);
        sums.waits |= matches!(settled.state, BatchState::Pending | BatchState::Retry | BatchState::Unknown);
        if let (BatchState::Failed | BatchState::Skipped, Some(reason)) = (settled.state, &settled.reason) {
            *sums.reasons.entry((settled.state.code(), reason.as_str())).or_default() += claim.size;
        }
    }
    write_attempts(tx, &attempts, now).await?;
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

/// Writes the rows of batches that are in a state under the number of their lease.
macro_rules! write_rows {
    ($tx:expr, $how:tt $($found:ty)?, $rows:expr, $state:expr, $returning:literal) => {
        $crate::bulk!(
            $tx,
            $how $($found)?,
            $rows,
            (workspace_id text, send_id text, batch_no bigint, lease_no bigint, state text, run_at bigint, tries bigint,
             sent_at bigint, finished_at bigint, reason text, http_status bigint, duration_ms bigint, response text),
            "update send_batches set state = r.state, run_at = r.run_at, tries = r.tries, reason = r.reason, \
             sent_at = r.sent_at, finished_at = r.finished_at, lease_until = null, http_status = r.http_status, \
             duration_ms = r.duration_ms, response = r.response from ",
            concat!(
                " where send_batches.workspace_id = r.workspace_id and send_batches.send_id = r.send_id \
                 and send_batches.batch_no = r.batch_no and send_batches.lease_no = r.lease_no \
                 and send_batches.state = $2",
                $returning
            ),
            $state.code(),
        )
    };
}

/// What each batch was: leased under the claim's number, or unknown meanwhile and claimed by nobody since, so that what
/// is known now holds. `None`: somebody else has it, and nothing was written.
async fn update_batches(
    tx: &mut Tx,
    settled: &[(&Finished, Settled)],
    now: Millis,
) -> sqlx::Result<Vec<Option<BatchState>>> {
    let all: Vec<Row> = settled.iter().map(|(finished, settled)| row(finished, settled, now)).collect();
    let rows = bulk::rows(&all)?;
    // Nearly always all were leased, and to be told so of each costs more than to write it.
    execute!(tx, "savepoint results")?;
    if write_rows!(tx, execute, &rows, BatchState::Leased, "")? == all.len() as u64 {
        execute!(tx, "release savepoint results")?;
        return Ok(vec![Some(BatchState::Leased); all.len()]);
    }
    execute!(tx, "rollback to savepoint results")?;
    let mut was = vec![None; all.len()];
    for state in [BatchState::Leased, BatchState::Unknown] {
        let rest: Vec<&Row> = all.iter().zip(&was).filter(|(_, was)| was.is_none()).map(|(row, _)| row).collect();
        let found = write_rows!(
            tx,
            fetch(String, String, i64, i64),
            &bulk::rows(&rest)?,
            state,
            " returning send_batches.workspace_id, send_batches.send_id, send_batches.batch_no, send_batches.lease_no"
        )?;
        let found: HashSet<_> = found.into_iter().collect();
        for (row, was) in all.iter().zip(&mut was).filter(|(_, was)| was.is_none()) {
            let key = (row.workspace_id.to_string(), row.send_id.to_string(), row.batch_no, row.lease_no);
            *was = found.contains(&key).then_some(state);
        }
    }
    Ok(was)
}

/// Most batches end so, and then a row of the attempt would say nothing else.
fn in_row_of_batch(claim: &Claim, settled: &Settled) -> bool {
    claim.attempt == 1 && settled.state == BatchState::Accepted
}

fn row<'a>(finished: &'a Finished, settled: &'a Settled, now: Millis) -> Row<'a> {
    let claim = &finished.claim;
    Row {
        workspace_id: &claim.key.workspace_id,
        send_id: &claim.key.send_id,
        batch_no: claim.batch_no,
        lease_no: claim.lease_no,
        state: settled.state.code(),
        run_at: settled.run_at,
        tries: settled.tries,
        // The first attempt is the first that was made.
        sent_at: (settled.outcome != "released" || claim.before != Before::Pending).then_some(claim.sent_at),
        finished_at: settled.state.is_decided().then_some(now),
        reason: settled.reason.as_deref(),
        answer: in_row_of_batch(claim, settled).then(|| answer(finished)),
    }
}

fn attempt<'a>(finished: &'a Finished, settled: &'a Settled) -> Attempt<'a> {
    let claim = &finished.claim;
    Attempt {
        workspace_id: &claim.key.workspace_id,
        send_id: &claim.key.send_id,
        batch_no: claim.batch_no,
        attempt: claim.attempt,
        started_at: claim.started_at,
        outcome: settled.outcome,
        reason: settled.reason.as_deref(),
        answer: answer(finished),
    }
}

fn answer(finished: &Finished) -> Answer<'_> {
    Answer {
        http_status: finished.http_status,
        duration_ms: finished.duration_ms,
        response: finished.response.as_deref(),
    }
}

/// One that was unknown is so no more.
async fn write_attempts(tx: &mut Tx, attempts: &[Attempt<'_>], now: Millis) -> sqlx::Result<()> {
    if attempts.is_empty() {
        return Ok(());
    }
    crate::bulk!(
        tx,
        execute,
        &bulk::rows(attempts)?,
        (workspace_id text, send_id text, batch_no bigint, attempt bigint, started_at bigint, outcome text, reason text,
         http_status bigint, duration_ms bigint, response text),
        "insert into send_attempts (workspace_id, send_id, batch_no, attempt, started_at, finished_at, outcome, reason, \
         http_status, duration_ms, response) select r.workspace_id, r.send_id, r.batch_no, r.attempt, r.started_at, $2, \
         r.outcome, r.reason, r.http_status, r.duration_ms, r.response from ",
        " where true on conflict (workspace_id, send_id, batch_no, attempt) do update set \
         finished_at = excluded.finished_at, outcome = excluded.outcome, reason = excluded.reason, \
         http_status = excluded.http_status, duration_ms = excluded.duration_ms, response = excluded.response",
        now,
    )?;
    Ok(())
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
                key: SendKey::new("w", "s"),
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
