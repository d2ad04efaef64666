//! What people do to a send: pause, resume, stop; and giving one up. Sending again is in [`super::resend`].

use super::{
    SendState,
    batch::{self, BatchState, Event},
    ids::SendKey,
    model::STOPPED,
    store::{self, Delta},
    wake::{self, News},
};
use crate::{
    audit::Note,
    clock::Millis,
    db::{Db, Tx},
    error::{AppError, AppResult},
    execute, fetch,
    steps::Step,
};
use sqlx::AssertSqlSafe;

const THEN_STOPPED: &str = ", then stopped";

/// The reason of a batch that had its POST and would have been tried again.
pub fn then_stopped(reason: &str) -> String {
    if reason.ends_with(THEN_STOPPED) { reason.to_string() } else { format!("{reason}{THEN_STOPPED}") }
}

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

/// No further POST begins; those that have begun end and are recorded. With what is written of it, as all of these.
pub async fn pause(db: &Db, key: &SendKey, note: &Note<'_>) -> AppResult<()> {
    let mut tx = db.begin().await?;
    match locked(&mut tx, key).await? {
        SendState::Sending => set_state(&mut tx, key, SendState::Paused).await?,
        state => return Err(not_now("paused", state)),
    }
    note.record(&mut tx, &key.workspace_id).await?;
    wake::tell(&mut tx, News::Changed).await?;
    Ok(tx.commit_between(Step::PauseWritten, Step::PauseCommitted).await?)
}

pub async fn resume(db: &Db, key: &SendKey, note: &Note<'_>, now: Millis) -> AppResult<()> {
    let mut tx = db.begin().await?;
    match locked(&mut tx, key).await? {
        SendState::Paused => set_state(&mut tx, key, SendState::Sending).await?,
        state => return Err(not_now("resumed", state)),
    }
    store::renew(&mut tx, key, now).await?;
    note.record(&mut tx, &key.workspace_id).await?;
    wake::tell(&mut tx, News::Changed).await?;
    Ok(tx.commit_between(Step::ResumeWritten, Step::ResumeCommitted).await?)
}

/// Begins a send that missed its time, as if that were now.
pub async fn send_now(db: &Db, key: &SendKey, note: &Note<'_>, now: Millis) -> AppResult<()> {
    let mut tx = db.begin().await?;
    match locked(&mut tx, key).await? {
        SendState::Missed => {}
        state => return Err(not_now("sent now", state)),
    }
    let enabled = "select w.enabled from sends s join webhooks w on w.workspace_id = s.workspace_id \
                   and w.id = s.webhook_id where s.workspace_id = $1 and s.id = $2";
    if fetch!(tx, optional, (bool,), enabled, &key.workspace_id, &key.send_id)? != Some((true,)) {
        return Err(AppError::conflict("The webhook is disabled. Enable it first, then send."));
    }
    execute!(
        tx,
        "update sends set state = $3, due_at = $4, error = null where workspace_id = $1 and id = $2",
        &key.workspace_id,
        &key.send_id,
        SendState::Scheduled.code(),
        now
    )?;
    note.record(&mut tx, &key.workspace_id).await?;
    wake::tell(&mut tx, News::Changed).await?;
    Ok(tx.commit().await?)
}

/// Whoever was never sent to becomes skipped with the reason [`STOPPED`], planned or not; what waits for another try
/// has failed. POSTs under way are recorded when they end; batches whose outcome a crash hid stay unknown, for they
/// may have been received.
pub async fn stop(db: &Db, key: &SendKey, note: &Note<'_>, now: Millis) -> AppResult<()> {
    let mut tx = db.begin().await?;
    match locked(&mut tx, key).await? {
        SendState::Scheduled | SendState::Missed | SendState::Sending | SendState::Paused => {}
        state => return Err(not_now("stopped", state)),
    }
    end(&mut tx, key, SendState::Stopped, None, now).await?;
    note.record(&mut tx, &key.workspace_id).await?;
    wake::tell(&mut tx, News::Changed).await?;
    Ok(tx.commit_between(Step::StopWritten, Step::StopCommitted).await?)
}

/// Gives up a send that cannot begin or go on; the caller holds its row. What waits has failed with the error; who
/// was never planned is skipped with the reason [`STOPPED`].
pub async fn fail(tx: &mut Tx, key: &SendKey, error: &str, now: Millis) -> sqlx::Result<()> {
    end(tx, key, SendState::Failed, Some(error), now).await
}

async fn end(tx: &mut Tx, key: &SendKey, state: SendState, error: Option<&str>, now: Millis) -> sqlx::Result<()> {
    let (audience, planned, planning_done) = fetch!(
        tx,
        one,
        (i64, i64, bool),
        "select audience_size, planned, planning_done from sends where workspace_id = $1 and id = $2",
        &key.workspace_id,
        &key.send_id
    )?;
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
    let unplanned = if planning_done { 0 } else { (audience - planned).max(0) };
    if unplanned > 0 {
        store::add_reason(tx, key, "skipped", STOPPED, unplanned).await?;
    }
    let mut delta = Delta { planned: unplanned, skipped: unplanned, ..Delta::default() };
    let because = error.map_or(Because::Stopped, Because::GivenUp);
    close_waiting(tx, key, because, now, &mut delta).await?;
    store::add(tx, key, delta, now).await
}

/// Why what waits ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because<'a> {
    /// A person stopped its send.
    Stopped,
    /// Its send cannot begin or go on, with the error.
    GivenUp(&'a str),
    /// Its time is over: the reason of what was never POSTed, and what stands before the last answer of what was.
    Overdue { never: &'a str, posted: &'a str },
}

impl<'a> Because<'a> {
    fn event(self) -> Event {
        match self {
            Self::Stopped => Event::SendStopped,
            Self::GivenUp(_) | Self::Overdue { .. } => Event::SendGivenUp,
        }
    }

    /// The reason of a batch as SQL, with the texts that are its `$3` and `$4`. One that says all this already stays.
    fn reason(self) -> (&'static str, &'a str, &'a str) {
        match self {
            Self::Stopped => {
                let sql = "case when state <> 'retry' then $3 when reason like '%' || $4 then reason \
                           else coalesce(reason, 'tried') || $4 end";
                (sql, STOPPED, THEN_STOPPED)
            }
            Self::GivenUp(error) => ("coalesce($3, $4)", error, ""),
            // What was POSTed has the time of its first attempt.
            Self::Overdue { never, posted } => {
                let sql = "case when sent_at is null then $3 when reason like 'not delivered within %' then reason \
                           else $4 || coalesce(reason, 'no answer') end";
                (sql, never, posted)
            }
        }
    }
}

/// Ends all batches that wait, and counts their users; the caller holds the send's row.
pub async fn close_waiting(
    tx: &mut Tx,
    key: &SendKey,
    because: Because<'_>,
    now: Millis,
    delta: &mut Delta,
) -> sqlx::Result<()> {
    let (workspace, send, (reason, third, fourth)) = (&key.workspace_id, &key.send_id, because.reason());
    let (outcome, may) = (batch::to(because.event()), batch::from(because.event()));
    let waiting = format!("where workspace_id = $1 and send_id = $2 and {may}");
    let sums =
        format!("select {outcome}, {reason}, cast(sum(size) as bigint) from send_batches {waiting} group by 1, 2");
    let sums = fetch!(tx, all, (String, String, i64), AssertSqlSafe(sums), workspace, send, third, fourth)?;
    for (outcome, why, users) in sums {
        store::add_reason(tx, key, &outcome, &why, users).await?;
        if let Some(state) = BatchState::from_code(&outcome) {
            delta.count(state, users);
        }
    }
    let close = format!("update send_batches set state = {outcome}, reason = {reason}, finished_at = $5 {waiting}");
    execute!(tx, AssertSqlSafe(close), workspace, send, third, fourth, now)?;
    Ok(())
}

#[cfg(test)]
mod tests;
