//! What pages show of a send. All of it is read from counters or by keyset; nothing counts big tables.

mod actions;
pub mod now;

pub use actions::{ActionFilter, CustomerMessage, actions, messages_are_among, messages_of_customer};

use super::{
    body,
    ids::{SendKey, batch_id},
    model::{AttemptRow, BatchDetail, BatchRow, Progress, ReasonCount, SendState, SeriesPoint},
};
use crate::{
    db::Db,
    error::{AppError, AppResult},
    fetch,
};

/// What a page shows of a request, in bytes.
const REQUEST_SHOWN: usize = 8_000;

#[derive(sqlx::FromRow)]
struct ProgressRow {
    id: String,
    state: String,
    audience_size: i64,
    planned: i64,
    planning_done: bool,
    accepted: i64,
    failed: i64,
    skipped: i64,
    unknown: i64,
    batches: i64,
    error: Option<String>,
    due_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    receipts_until: Option<i64>,
    emptied_at: Option<i64>,
}

impl From<ProgressRow> for Progress {
    fn from(row: ProgressRow) -> Self {
        Self {
            // Only the engine writes states, and it writes codes.
            state: SendState::from_code(&row.state).unwrap_or(SendState::Failed),
            audience: row.audience_size,
            planned: row.planned,
            planning_done: row.planning_done,
            accepted: row.accepted,
            failed: row.failed,
            skipped: row.skipped,
            unknown: row.unknown,
            batches: row.batches,
            error: row.error,
            due_at: row.due_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            receipts_until: row.receipts_until,
            emptied_at: row.emptied_at,
        }
    }
}

/// `NotFound` when the workspace has no such send.
pub async fn progress(db: &Db, workspace_id: &str, id: &str) -> AppResult<Progress> {
    let found = progress_of_many(db, workspace_id, &[id]).await?;
    found.into_iter().next().map(|(_, progress)| progress).ok_or(AppError::NotFound)
}

/// Of those that exist, by id, in no order.
pub async fn progress_of_many(db: &Db, workspace_id: &str, ids: &[&str]) -> AppResult<Vec<(String, Progress)>> {
    let sql = match db {
        Db::Sqlite(_) => {
            "select id, state, audience_size, planned, planning_done, accepted, failed, skipped, unknown, batches, \
             error, due_at, started_at, finished_at, receipts_until, emptied_at from sends \
             where workspace_id = $1 and id in (select value from json_each($2))"
        }
        Db::Postgres(_) => {
            "select id, state, audience_size, planned, planning_done, accepted, failed, skipped, unknown, batches, \
             error, due_at, started_at, finished_at, receipts_until, emptied_at from sends \
             where workspace_id = $1 and id in (select json_array_elements_text($2::json))"
        }
    };
    let rows = fetch!(db, all, ProgressRow, sql, workspace_id, serde_json::to_string(ids)?)?;
    Ok(rows.into_iter().map(|row| (row.id.clone(), row.into())).collect())
}

/// Why users failed or were skipped, the most frequent first.
pub async fn reasons(db: &Db, workspace_id: &str, id: &str, limit: i64) -> AppResult<Vec<ReasonCount>> {
    let rows = fetch!(
        db,
        all,
        (String, String, i64),
        "select outcome, reason, users from send_reasons where workspace_id = $1 and send_id = $2 \
         order by users desc, outcome, reason limit $3",
        workspace_id,
        id,
        limit
    )?;
    Ok(rows.into_iter().map(|(outcome, reason, users)| ReasonCount { outcome, reason, users }).collect())
}

/// Deliveries over time: at most `points` of them, each the sum of as many seconds as that takes. `second` is the
/// first one of a point.
pub async fn series(db: &Db, workspace_id: &str, id: &str, points: i64) -> AppResult<Vec<SeriesPoint>> {
    let (first, last) = fetch!(
        db,
        one,
        (Option<i64>, Option<i64>),
        "select min(second), max(second) from send_series where workspace_id = $1 and send_id = $2",
        workspace_id,
        id
    )?;
    let (Some(first), Some(last)) = (first, last) else { return Ok(Vec::new()) };
    let width = (last - first) / points.max(1) + 1;
    let rows = fetch!(
        db,
        all,
        (i64, i64, i64),
        "select $3 + (second - $3) / $4 * $4, cast(sum(accepted) as bigint), cast(sum(failed) as bigint) \
         from send_series where workspace_id = $1 and send_id = $2 group by 1 order by 1",
        workspace_id,
        id,
        first,
        width
    )?;
    Ok(rows.into_iter().map(|(second, accepted, failed)| SeriesPoint { second, accepted, failed }).collect())
}

/// How many users have which receipt status (its code) as their latest.
pub async fn receipt_counts(db: &Db, workspace_id: &str, id: &str) -> AppResult<Vec<(String, i64)>> {
    Ok(fetch!(
        db,
        all,
        (String, i64),
        "select status, users from receipt_counts where workspace_id = $1 and send_id = $2 and users > 0 \
         order by users desc, status",
        workspace_id,
        id
    )?)
}

#[derive(sqlx::FromRow)]
struct BatchTableRow {
    batch_no: i64,
    size: i64,
    state: String,
    attempts: i64,
    run_at: i64,
    reason: Option<String>,
    sent_at: Option<i64>,
    finished_at: Option<i64>,
}

/// At most `limit` batches after the one with the number `after` (-1: from the first).
pub async fn batches(db: &Db, workspace_id: &str, id: &str, after: i64, limit: i64) -> AppResult<Vec<BatchRow>> {
    let rows = fetch!(
        db,
        all,
        BatchTableRow,
        "select batch_no, size, state, attempts, run_at, reason, sent_at, finished_at from send_batches \
         where workspace_id = $1 and send_id = $2 and batch_no > $3 order by batch_no limit $4",
        workspace_id,
        id,
        after,
        limit
    )?;
    let row = |row: BatchTableRow| BatchRow {
        batch_no: row.batch_no,
        batch_id: batch_id(id, row.batch_no),
        size: row.size,
        state: actions::result(&row.state).into(),
        attempts: row.attempts,
        run_at: row.run_at,
        reason: row.reason,
        sent_at: row.sent_at,
        finished_at: row.finished_at,
    };
    Ok(rows.into_iter().map(row).collect())
}

#[derive(sqlx::FromRow)]
struct AttemptTableRow {
    attempt: i64,
    started_at: i64,
    outcome: Option<String>,
    http_status: Option<i64>,
    reason: Option<String>,
    duration_ms: Option<i64>,
    response: Option<String>,
}

/// One batch: what was POSTed, and every attempt at it, the first one first.
pub async fn batch(db: &Db, workspace_id: &str, id: &str, batch_no: i64) -> AppResult<BatchDetail> {
    let sent = body::of_batch(db, &SendKey::new(workspace_id, id), batch_no).await?;
    let (request, bytes) = sent.unwrap_or_default();
    let rows = fetch!(
        db,
        all,
        AttemptTableRow,
        "select attempt, started_at, outcome, http_status, reason, duration_ms, response from send_attempts \
         where workspace_id = $1 and send_id = $2 and batch_no = $3 order by attempt",
        workspace_id,
        id,
        batch_no
    )?;
    let latest = fetch!(
        db,
        optional,
        AttemptTableRow,
        "select attempts as attempt, coalesce(started_at, sent_at) as started_at, \
         case state when 'accepted' then state end as outcome, http_status, cast(null as text) as reason, duration_ms, \
         response from send_batches where workspace_id = $1 and send_id = $2 and batch_no = $3 \
         and state in ('leased', 'accepted') and coalesce(started_at, sent_at) is not null",
        workspace_id,
        id,
        batch_no
    )?;
    // What is in hand has no row yet, and a first attempt that was accepted never gets one.
    let latest = latest.filter(|latest| rows.last().is_none_or(|row| row.attempt < latest.attempt));
    let row = |row: AttemptTableRow| AttemptRow {
        attempt: row.attempt,
        started_at: row.started_at,
        outcome: row.outcome,
        http_status: row.http_status,
        reason: row.reason,
        duration_ms: row.duration_ms,
        response: row.response,
    };
    Ok(BatchDetail {
        batch_no,
        request: beginning(&request, REQUEST_SHOWN).into(),
        bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        attempts: rows.into_iter().chain(latest).map(row).collect(),
    })
}

/// At most so many bytes, and whole characters.
fn beginning(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}
