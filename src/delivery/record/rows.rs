//! What a round's results become in the tables: the row of each batch, and rows of attempts.

use super::{Finished, Settled};
use crate::{
    clock::Millis,
    db::{Tx, bulk},
    delivery::{
        batch::BatchState,
        claim::{Before, Claim},
    },
    execute,
};
use serde::Serialize;
use std::collections::HashSet;

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
pub struct Attempt<'a> {
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

/// Writes the rows of batches that are in a state under the number of their lease. An expression in place of the state
/// itself keeps PostgreSQL from comparing each result with all that is leased: that index looks small to it.
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
                 and send_batches.state || '' = $2",
                $returning
            ),
            $state.code(),
        )
    };
}

/// What each batch was: leased under the claim's number, or unknown meanwhile and claimed by nobody since, so that what
/// is known now holds. `None`: somebody else has it, and nothing was written.
pub async fn update_batches(
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
pub fn in_row_of_batch(claim: &Claim, settled: &Settled) -> bool {
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

pub fn attempt<'a>(finished: &'a Finished, settled: &'a Settled) -> Attempt<'a> {
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
pub async fn write_attempts(tx: &mut Tx, attempts: &[Attempt<'_>], now: Millis) -> sqlx::Result<()> {
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

#[cfg(test)]
mod tests {
    use crate::{
        db::{Db, testing},
        delivery::{claim::InHand, recover, report},
    };

    /// What version 11 recorded: a batch that it had in hand and one that was accepted, each with a row of its attempt.
    const BEFORE: [&str; 4] = [
        "insert into sends (workspace_id, id, source, webhook_id, id_type, encryption, template, batch_size, state, due_at,
             planned, planning_done, batches, accepted, created_at)
         values ('w', 's', 'task', 'h', 'EMAIL', 'none', '{\"params\":[],\"variables\":[]}', 1, 'sending', 0, 2, true, 2, 1, 0)",
        "insert into send_batches (workspace_id, send_id, batch_no, first_seq, last_seq, size, state, run_at, attempts, tries,
             lease_no, lease_until, sent_at)
         values ('w', 's', 0, 0, 0, 1, 'leased', 0, 2, 2, 2, 50, 7), ('w', 's', 1, 1, 1, 1, 'accepted', 0, 1, 1, 1, null, 8)",
        "insert into send_pages (workspace_id, send_id, first_seq, users, skips, first_batch, last_batch, first_customer,
             last_customer, content)
         values ('w', 's', 0, 2, '', 0, 1, 'a', 'b', '[\"a\",\"t\"]\n[\"b\",\"t\"]\n')",
        "insert into send_attempts (workspace_id, send_id, batch_no, attempt, started_at, finished_at, outcome, http_status,
             duration_ms, response)
         values ('w', 's', 0, 1, 7, 9, 'retry', 503, 2, 'busy'), ('w', 's', 0, 2, 11, null, null, null, null, null),
                ('w', 's', 1, 1, 8, 10, 'accepted', 200, 2, 'OK')",
    ];

    async fn attempts(db: &Db, batch_no: i64) -> Vec<(i64, i64, Option<String>, Option<i64>)> {
        let batch = report::batch(db, "w", "s", batch_no).await.unwrap();
        let told =
            |row: crate::delivery::model::AttemptRow| (row.attempt, row.started_at, row.outcome, row.http_status);
        batch.attempts.into_iter().map(told).collect()
    }

    async fn is_told_as_before(db: &Db) {
        let first = (1, 7, Some("retry".to_string()), Some(503));
        assert_eq!(attempts(db, 0).await, [first.clone(), (2, 11, None, None)]);
        assert_eq!(attempts(db, 1).await, [(1, 8, Some("accepted".into()), Some(200))]);
        recover::expired(db, &InHand::default(), 60, 60).await.unwrap();
        assert_eq!(attempts(db, 0).await, [first, (2, 11, Some("unknown".into()), None)]);
    }

    #[tokio::test]
    async fn what_an_older_version_had_in_hand_is_told_sqlite() {
        let (db, _folder) = testing::sqlite_since(11, &BEFORE).await;
        is_told_as_before(&db).await;
    }

    #[tokio::test]
    async fn what_an_older_version_had_in_hand_is_told_postgres() {
        if let Some(db) = testing::postgres_since(11, &BEFORE).await {
            is_told_as_before(&db).await;
        }
    }
}
