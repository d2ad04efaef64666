//! What goes on in a workspace at this moment. A page asks for it every few seconds, so each question is answered by an
//! index that holds only what is open, or what is asked for, however much has been sent before.

use super::progress_of_many;
use crate::{
    clock::{HOUR, Millis, SECOND},
    db::Db,
    delivery::model::Progress,
    error::AppResult,
    fetch,
};
use std::collections::HashMap;

/// A pace is told over so many seconds.
const WINDOW: i64 = 5;
/// Failed batches that are looked at for their reasons, the latest.
const LOOKED_AT: i64 = 5_000;

/// A send that is being sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    pub id: String,
    pub progress: Progress,
    /// Users per second that were accepted or failed in the last seconds.
    pub rate: f64,
}

/// The index is `sends_sending`; a send's seconds are its key's.
const SENDING: &str = "select s.id, (select cast(coalesce(sum(p.accepted + p.failed), 0) as bigint) from send_series p \
     where p.workspace_id = s.workspace_id and p.send_id = s.id and p.second >= $3) as users from sends s \
     where s.state = 'sending' and s.workspace_id = $1 \
     order by s.due_at desc, s.id limit $2";
const SENDING_COUNT: &str = "select count(*) from sends s where s.state = 'sending' and s.workspace_id = $1";

/// At most `limit` of those that are being sent, the newest first, and how many there are.
pub async fn sending(db: &Db, workspace_id: &str, limit: i64, now: Millis) -> AppResult<(Vec<Sending>, i64)> {
    let second = now.div_euclid(SECOND);
    let found = fetch!(db, all, (String, i64), SENDING, workspace_id, limit, second - WINDOW)?;
    let (count,) = fetch!(db, one, (i64,), SENDING_COUNT, workspace_id)?;
    let ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
    let mut progress: HashMap<_, _> = progress_of_many(db, workspace_id, &ids).await?.into_iter().collect();
    let sending = found.into_iter().filter_map(|(id, users)| {
        let progress = progress.remove(&id)?;
        let began = progress.started_at.unwrap_or(now).div_euclid(SECOND);
        let seconds = (second - began).clamp(1, WINDOW);
        Some(Sending { id, progress, rate: users as f64 / seconds as f64 })
    });
    Ok((sending.collect(), count))
}

/// Sends that nothing but a person moves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Ids of those that missed their time, the latest first, and how many there are.
    pub missed: Vec<String>,
    pub missed_in_all: i64,
    /// Those that have ended and have users whose outcome a crash hid: ids, newest first, and users; of all together.
    pub unknown: Vec<(String, i64)>,
    pub unknown_in_all: i64,
    pub users_unknown: i64,
}

/// The indexes are `sends_missed` and `sends_unknown`.
const MISSED: &str =
    "select id from sends where workspace_id = $1 and state = 'missed' order by due_at desc, id limit $2";
const MISSED_COUNT: &str = "select count(*) from sends where workspace_id = $1 and state = 'missed'";
const UNKNOWN: &str = "select id, unknown from sends where workspace_id = $1 and unknown > 0 \
     and state in ('finished', 'stopped', 'failed') order by id desc limit $2";
const UNKNOWN_COUNT: &str = "select count(*), cast(coalesce(sum(unknown), 0) as bigint) from sends \
     where workspace_id = $1 and unknown > 0 and state in ('finished', 'stopped', 'failed')";

/// At most `limit` of each kind.
pub async fn waiting(db: &Db, workspace_id: &str, limit: i64) -> AppResult<Waiting> {
    let missed = fetch!(db, all, (String,), MISSED, workspace_id, limit)?;
    let (missed_in_all,) = fetch!(db, one, (i64,), MISSED_COUNT, workspace_id)?;
    let unknown = fetch!(db, all, (String, i64), UNKNOWN, workspace_id, limit)?;
    let (unknown_in_all, users_unknown) = fetch!(db, one, (i64, i64), UNKNOWN_COUNT, workspace_id)?;
    let missed = missed.into_iter().map(|(id,)| id).collect();
    Ok(Waiting { missed, missed_in_all, unknown, unknown_in_all, users_unknown })
}

/// Why users failed in the last hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// Reasons and users, the most frequent first.
    pub reasons: Vec<(String, i64)>,
    /// Batches that were looked at, and whether there were more.
    pub batches: i64,
    pub more: bool,
}

/// The index is `send_batches_failed`.
const FAILURES: &str = "select coalesce(reason, 'no reason') as reason, cast(sum(size) as bigint) as users, \
     count(*) as batches from (select reason, size from send_batches where workspace_id = $1 and state = 'failed' \
     and finished_at >= $2 order by finished_at desc limit $3) as latest group by 1 order by 2 desc, 1";

/// At most `limit` reasons of the hour's latest batches: a receiver that refuses everything fails a million of them.
pub async fn failures(db: &Db, workspace_id: &str, limit: usize, now: Millis) -> AppResult<Failures> {
    let found = fetch!(db, all, (String, i64, i64), FAILURES, workspace_id, now - HOUR, LOOKED_AT)?;
    let batches = found.iter().map(|(.., batches)| batches).sum();
    let reasons = found.into_iter().take(limit).map(|(reason, users, _)| (reason, users)).collect();
    Ok(Failures { reasons, batches, more: batches >= LOOKED_AT })
}

#[cfg(test)]
mod tests;
