//! A person decides about messages whose outcome nobody knows: they count as sent, or as not sent. Sending them again
//! is in [`super::resend`].

use super::{
    SendState,
    batch::{self, BatchState, Event},
    ids::SendKey,
    retention,
    store::{self, Delta},
};
use crate::{
    audit::Note,
    clock::Millis,
    db::Db,
    error::{AppError, AppResult},
    execute, fetch,
};
use sqlx::AssertSqlSafe;

/// The reason of those who are counted as not sent.
pub const NOT_SENT: &str = "unknown after a crash, counted as not sent";

/// What the unknown ones count as from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountAs {
    Sent,
    NotSent,
}

impl CountAs {
    fn event(self) -> Event {
        match self {
            Self::Sent => Event::CountedAsSent,
            Self::NotSent => Event::CountedAsNotSent,
        }
    }
}

/// Decides about all unknown ones of a send that has ended. `users` is how many the person was told of: when there
/// are others by now, nothing is changed (`Conflict`).
pub async fn unknown(
    db: &Db,
    key: &SendKey,
    count_as: CountAs,
    users: i64,
    note: &Note<'_>,
    now: Millis,
) -> AppResult<()> {
    let mut tx = db.begin().await?;
    let send = store::lock(&mut tx, key).await?.ok_or(AppError::NotFound)?;
    if !matches!(send, SendState::Finished | SendState::Stopped | SendState::Failed) {
        return Err(AppError::conflict(format!(
            "It is {}. What is unknown is decided when it has ended.",
            send.label().to_lowercase()
        )));
    }
    retention::check(&mut tx, key).await?;
    let unknown = "select unknown from sends where workspace_id = $1 and id = $2";
    let (there,) = fetch!(tx, one, (i64,), unknown, &key.workspace_id, &key.send_id)?;
    if there == 0 {
        return Err(AppError::conflict("There is no message with an unknown outcome."));
    }
    if there != users {
        return Err(AppError::conflict(format!(
            "There are {there} messages with an unknown outcome now, not {users}. Nothing was changed: look again."
        )));
    }
    let event = count_as.event();
    let (reason, state) = match count_as {
        CountAs::Sent => (None, BatchState::Accepted),
        CountAs::NotSent => (Some(NOT_SENT), BatchState::Failed),
    };
    let sql = format!(
        "update send_batches set state = {}, reason = $3, finished_at = $4 \
         where workspace_id = $1 and send_id = $2 and {}",
        batch::to(event),
        batch::from(event)
    );
    execute!(tx, AssertSqlSafe(sql), &key.workspace_id, &key.send_id, reason, now)?;
    let mut delta = Delta::default();
    delta.count(BatchState::Unknown, -users);
    delta.count(state, users);
    if let Some(reason) = reason {
        store::add_reason(&mut tx, key, state.code(), reason, users).await?;
    }
    // A finished one is then what it would have ended as, had this been known.
    store::add(&mut tx, key, delta, now).await?;
    note.record(&mut tx, &key.workspace_id).await?;
    Ok(tx.commit().await?)
}
