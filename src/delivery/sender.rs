//! The one way by which the engine learns whom to send to.

use crate::{
    clock::Millis,
    db::{Db, Tx},
    error::AppError,
};
use std::{future::Future, pin::Pin};

/// A user of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    pub customer_id: String,
    /// What to send, or why this user is skipped.
    pub plan: Result<Planned, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The ID, not yet encrypted.
    pub target: String,
    /// The values of the template's variables.
    pub values: Vec<String>,
}

/// Some users, in the order of their customer ids.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    pub recipients: Vec<Recipient>,
    /// Where the next chunk begins; `None` after the last.
    pub next: Option<String>,
}

/// `Ok(Err(reason))`: it must not start.
pub type StartFuture<'a> = Pin<Box<dyn Future<Output = sqlx::Result<Result<(), String>>> + Send + 'a>>;

pub type MissedFuture<'a> = Pin<Box<dyn Future<Output = sqlx::Result<()>> + Send + 'a>>;

pub type ChunkFuture<'a> = Pin<Box<dyn Future<Output = Result<Chunk, AppError>> + Send + 'a>>;

/// Whoever has something to send: a task, a journey's node, a campaign.
pub trait Sender: Send + Sync + 'static {
    /// The name under which its sends are kept, and `X-QA-Source` on the wire: "task", "journey", "campaign".
    fn source(&self) -> &'static str;

    /// Whether a send that is due may start; why not is shown with the send, which fails without having sent anything.
    fn may_start<'a>(&'a self, _db: &'a Db, _workspace: &'a str, _send: &'a str, _now: Millis) -> StartFuture<'a> {
        Box::pin(async { Ok(Ok(())) })
    }

    /// A send missed its time and waits for a person, in the transaction that says so: what is to be written of it.
    fn missed<'a>(
        &'a self,
        _tx: &'a mut Tx,
        _workspace: &'a str,
        _send: &'a str,
        _reason: &'a str,
        _now: Millis,
    ) -> MissedFuture<'a> {
        Box::pin(async { Ok(()) })
    }

    /// At most `limit` users after the cursor `after`. Called again with the same cursor after a crash, it may give a
    /// changed audience, but never a user before the cursor.
    fn chunk<'a>(
        &'a self,
        db: &'a Db,
        workspace: &'a str,
        send: &'a str,
        after: Option<&'a str>,
        limit: i64,
    ) -> ChunkFuture<'a>;
}
