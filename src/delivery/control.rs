//! What people do to a send: pause, resume, stop, send failed again; and giving one up.

use super::{
    SendState,
    ids::SendKey,
    store::{self, Delta},
};
use crate::{
    clock::Millis,
    db::{Db, Tx},
    error::{AppError, AppResult},
    execute, fetch,
};

/// The reason of those who were not sent to because somebody pressed Stop.
pub const STOPPED: &str = "stopped";

async fn locked(tx: &mut Tx, key: &SendKey) -> AppResult<SendState> {
    store::lock(tx, key).await?.ok_or(AppError::NotFound)
}

fn not_now(what: &str, state: SendState) -> AppError {
    AppError::conflict(format!("It is {} and can't be {what}.", state.label().to_lowercase()))
}

async fn set_state(tx: &mut Tx, key: &SendKey, state: SendState) -> sqlx::Result<()> {
    execute!(
        tx,
        "update sends set state = $3 where workspace_id = $1 and id = $2",
        &key.workspace_id,
        &key.send_id,
        state.code()
    )?;
    Ok(())
}

/// No further batch is claimed; those in flight end and are recorded.
pub async fn pause(db: &Db, key: &SendKey) -> AppResult<()> {
    let mut tx = db.begin().await?;
    match locked(&mut tx, key).await? {
        SendState::Sending => set_state(&mut tx, key, SendState::Paused).await?,
        state => return Err(not_now("paused", state)),
    }
    Ok(tx.commit().await?)
}

pub async fn resume(db: &Db, key: &SendKey) -> AppResult<()> {
    let mut tx = db.begin().await?;
    match locked(&mut tx, key).await? {
        SendState::Paused => set_state(&mut tx, key, SendState::Sending).await?,
        state => return Err(not_now("resumed", state)),
    }
    Ok(tx.commit().await?)
}

/// What waits becomes skipped, with the reason [`STOPPED`]. Batches in flight are recorded when they end; those whose
/// outcome a crash hid stay unknown, for they may have been received.
pub async fn stop(db: &Db, key: &SendKey, now: Millis) -> AppResult<()> {
    let mut tx = db.begin().await?;
    match locked(&mut tx, key).await? {
        SendState::Scheduled | SendState::Sending | SendState::Paused => {}
        state => return Err(not_now("stopped", state)),
    }
    end(&mut tx, key, SendState::Stopped, None, now).await?;
    let skipped = close_waiting(&mut tx, key, "skipped", STOPPED, now).await?;
    store::add(&mut tx, key, Delta { skipped, ..Delta::default() }, now).await?;
    Ok(tx.commit().await?)
}

/// Gives up a send that cannot begin or go on; the caller holds its row.
pub async fn fail(tx: &mut Tx, key: &SendKey, error: &str, now: Millis) -> sqlx::Result<()> {
    end(tx, key, SendState::Failed, Some(error), now).await?;
    let failed = close_waiting(tx, key, "failed", error, now).await?;
    store::add(tx, key, Delta { failed, ..Delta::default() }, now).await
}

async fn end(tx: &mut Tx, key: &SendKey, state: SendState, error: Option<&str>, now: Millis) -> sqlx::Result<()> {
    execute!(
        tx,
        "update sends set state = $3, error = $4, finished_at = $5, planning_done = $6 \
         where workspace_id = $1 and id = $2",
        &key.workspace_id,
        &key.send_id,
        state.code(),
        error,
        now,
        true // Nobody is planned any more, whatever happens to those who are.
    )?;
    Ok(())
}

/// The users of the batches that were closed.
async fn close_waiting(tx: &mut Tx, key: &SendKey, state: &str, reason: &str, now: Millis) -> sqlx::Result<i64> {
    let closed = fetch!(
        tx,
        all,
        (i64,),
        "update send_batches set state = $3, reason = $4, finished_at = $5 where workspace_id = $1 and send_id = $2 \
         and state in ('open', 'pending', 'retry') returning size",
        &key.workspace_id,
        &key.send_id,
        state,
        reason,
        now
    )?;
    let users = closed.iter().map(|(size,)| size).sum();
    if users > 0 {
        store::add_reason(tx, key, state, reason, users).await?;
    }
    Ok(users)
}

/// Failed batches wait again, with the same ids and a fresh number of tries: all, or those that failed for `reason`.
/// How many users that concerns.
pub async fn resend_failed(db: &Db, key: &SendKey, reason: Option<&str>, now: Millis) -> AppResult<i64> {
    let mut tx = db.begin().await?;
    let state = locked(&mut tx, key).await?;
    let reasons = fetch!(
        tx,
        all,
        (String, i64),
        "select coalesce(reason, ''), cast(sum(size) as bigint) from send_batches where workspace_id = $1 \
         and send_id = $2 and state = 'failed' and (cast($3 as text) is null or reason = $3) group by reason",
        &key.workspace_id,
        &key.send_id,
        reason
    )?;
    let users: i64 = reasons.iter().map(|(_, users)| users).sum();
    if users == 0 {
        return Err(AppError::conflict("There is no failed message to send again."));
    }
    execute!(
        tx,
        "update send_batches set state = 'pending', run_at = $4, tries = 0, reason = null, finished_at = null \
         where workspace_id = $1 and send_id = $2 and state = 'failed' and (cast($3 as text) is null or reason = $3)",
        &key.workspace_id,
        &key.send_id,
        reason,
        now
    )?;
    for (reason, users) in &reasons {
        store::add_reason(&mut tx, key, "failed", reason, -users).await?;
    }
    execute!(
        tx,
        "delete from send_reasons where workspace_id = $1 and send_id = $2 and users <= 0",
        &key.workspace_id,
        &key.send_id
    )?;
    // One that is paused stays so; what has ended runs again.
    let state = if state == SendState::Paused { state } else { SendState::Sending };
    execute!(
        tx,
        "update sends set state = $3, error = null, finished_at = null where workspace_id = $1 and id = $2",
        &key.workspace_id,
        &key.send_id,
        state.code()
    )?;
    store::add(&mut tx, key, Delta { failed: -users, ..Delta::default() }, now).await?;
    tx.commit().await?;
    Ok(users)
}
