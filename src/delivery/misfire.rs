//! Sends that are found long after their time, because the server was down or could not look: a message that was meant
//! for yesterday evening must not go out this night by itself.

use super::{SendState, Sender, ids::SendKey, store};
use crate::{
    clock::Millis,
    db::Db,
    execute, fetch,
    format::{
        duration_ms,
        time::{Form, text},
    },
};

/// How late a send that was scheduled is found; `None`: it was to begin at once when it was submitted, so whoever
/// submitted it has been waiting for it.
fn late(due_at: Millis, created_at: Millis, now: Millis) -> Option<Millis> {
    (due_at > created_at).then(|| now - due_at)
}

/// Sets aside a send that is due and was found more than `longest` ms after its time. `false`: it may begin, as far as
/// the time goes.
pub async fn set_aside(
    db: &Db,
    key: &SendKey,
    sender: Option<&dyn Sender>,
    longest: Millis,
    now: Millis,
) -> sqlx::Result<bool> {
    let mut tx = db.begin().await?;
    if store::lock(&mut tx, key).await? != Some(SendState::Scheduled) {
        return Ok(false);
    }
    let times = "select due_at, created_at from sends where workspace_id = $1 and id = $2";
    let (due_at, created_at) = fetch!(tx, one, (i64, i64), times, &key.workspace_id, &key.send_id)?;
    let Some(late) = late(due_at, created_at, now).filter(|late| *late > longest) else { return Ok(false) };
    let reason = told(due_at, late, now);
    execute!(
        tx,
        "update sends set state = $3, error = $4 where workspace_id = $1 and id = $2",
        &key.workspace_id,
        &key.send_id,
        SendState::Missed.code(),
        &reason
    )?;
    if let Some(sender) = sender {
        sender.missed(&mut tx, &key.workspace_id, &key.send_id, &reason, now).await?;
    }
    tx.commit().await?;
    tracing::warn!(send.id = %key.send_id, late_ms = late, "a send missed its time and waits for a person");
    metrics::counter!("reachwire_sends_missed_total").increment(1);
    Ok(true)
}

/// In UTC: the engine knows nobody's zone.
fn told(due_at: Millis, late: Millis, now: Millis) -> String {
    let at = |ms| text(ms, Some("UTC"), Form::Minute);
    format!(
        "Its time was {} UTC. It was found {} later, at {} UTC, so it did not begin by itself.",
        at(due_at),
        duration_ms(late),
        at(now)
    )
}

#[cfg(test)]
mod tests;
