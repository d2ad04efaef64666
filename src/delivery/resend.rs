//! "Send failed again", and the same for batches whose outcome is unknown.

use super::{
    SendState,
    batch::{self, BatchState, Event},
    ids::SendKey,
    retention,
    store::{self, Delta},
    wake::{self, News},
};
use crate::{
    audit::Note,
    clock::Millis,
    db::{Db, Tx},
    error::{AppError, AppResult},
    execute, fetch,
};
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// Batches in one transaction.
const CHUNK: i64 = 2_000;

/// What is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'a> {
    /// What has failed: all, or what failed for a reason.
    Failed(Option<&'a str>),
    /// What may or may not have been received.
    Unknown,
}

impl Which<'_> {
    fn state(self) -> BatchState {
        match self {
            Self::Failed(_) => BatchState::Failed,
            Self::Unknown => BatchState::Unknown,
        }
    }
}

/// The batches wait again, with the same ids and a fresh number of tries. How many users that concerns.
///
/// Chunk by chunk, each a whole: what is not reached, because the server or a person stopped, is as it was. The note is
/// written with the first.
pub async fn again(db: &Db, key: &SendKey, which: Which<'_>, note: &Note<'_>, now: Millis) -> AppResult<i64> {
    let (mut users, mut after) = (0, -1);
    loop {
        let mut tx = db.begin().await?;
        let state = store::lock(&mut tx, key).await?;
        let state = match state {
            None if after < 0 => return Err(AppError::NotFound),
            None => break,
            // Between two chunks.
            Some(SendState::Stopped) if after >= 0 => break,
            Some(state) => state,
        };
        retention::check(&mut tx, key).await?;
        let chunk = chunk(&mut tx, key, which, after).await?;
        let Some(last) = chunk.last().map(|batch| batch.batch_no) else { break };
        if after < 0 && which != Which::Unknown && !matches!(state, SendState::Sending | SendState::Paused) {
            hold_unknown(&mut tx, key).await?;
        }
        wake_up(&mut tx, key, which, (after + 1, last), now).await?;
        // One that is paused stays so; what has ended runs again.
        let state = if state == SendState::Paused { state } else { SendState::Sending };
        store::reopen(&mut tx, key, state).await?;
        store::renew(&mut tx, key, now).await?;
        let of_chunk: i64 = chunk.iter().map(|batch| batch.size).sum();
        if which != Which::Unknown {
            take_off_reasons(&mut tx, key, &chunk).await?;
            store::add(&mut tx, key, Delta { failed: -of_chunk, ..Delta::default() }, now).await?;
        }
        if after < 0 {
            note.record(&mut tx, &key.workspace_id).await?;
        }
        wake::tell(&mut tx, News::Changed).await?;
        tx.commit().await?;
        (users, after) = (users + of_chunk, last);
    }
    match (users, which) {
        (0, Which::Failed(_)) => Err(AppError::conflict("There is no failed message to send again.")),
        (0, Which::Unknown) => Err(AppError::conflict("There is no message with an unknown outcome to send again.")),
        _ => Ok(users),
    }
}

#[derive(sqlx::FromRow)]
struct Batch {
    batch_no: i64,
    size: i64,
    reason: Option<String>,
}

async fn chunk(tx: &mut Tx, key: &SendKey, which: Which<'_>, after: i64) -> sqlx::Result<Vec<Batch>> {
    fetch!(
        tx,
        all,
        Batch,
        "select batch_no, size, reason from send_batches where workspace_id = $1 and send_id = $2 and batch_no > $3 \
         and state = $4 and (cast($5 as text) is null or reason = $5) order by batch_no limit $6",
        &key.workspace_id,
        &key.send_id,
        after,
        which.state().code(),
        reason(which),
        CHUNK
    )
}

fn reason(which: Which<'_>) -> Option<&str> {
    match which {
        Which::Failed(reason) => reason,
        Which::Unknown => None,
    }
}

/// Failed ones become `retry`, which is what has been POSTed before; unknown ones stay unknown until they are claimed.
async fn wake_up(
    tx: &mut Tx,
    key: &SendKey,
    which: Which<'_>,
    (first, last): (i64, i64),
    now: Millis,
) -> sqlx::Result<()> {
    let sql = format!(
        "update send_batches set state = {}, run_at = $7, tries = 0, finished_at = null \
         where workspace_id = $1 and send_id = $2 and batch_no between $3 and $4 \
         and {} and state = $5 and (cast($6 as text) is null or reason = $6)",
        batch::to(Event::SentAgain),
        batch::from(Event::SentAgain)
    );
    execute!(
        tx,
        AssertSqlSafe(sql),
        &key.workspace_id,
        &key.send_id,
        first,
        last,
        which.state().code(),
        reason(which),
        now
    )?;
    Ok(())
}

/// Those of a send that has ended, or is given up, stay unknown until a person asks for them.
pub async fn hold_unknown(tx: &mut Tx, key: &SendKey) -> sqlx::Result<()> {
    execute!(
        tx,
        "update send_batches set run_at = $3 where workspace_id = $1 and send_id = $2 and state = $4",
        &key.workspace_id,
        &key.send_id,
        store::HELD,
        BatchState::Unknown.code()
    )?;
    Ok(())
}

async fn take_off_reasons(tx: &mut Tx, key: &SendKey, batches: &[Batch]) -> sqlx::Result<()> {
    let mut reasons: BTreeMap<&str, i64> = BTreeMap::new();
    for batch in batches {
        *reasons.entry(batch.reason.as_deref().unwrap_or_default()).or_default() += batch.size;
    }
    for (reason, users) in reasons {
        store::add_reason(tx, key, BatchState::Failed.code(), reason, -users).await?;
    }
    execute!(
        tx,
        "delete from send_reasons where workspace_id = $1 and send_id = $2 and users <= 0",
        &key.workspace_id,
        &key.send_id
    )?;
    Ok(())
}
