//! A commit whose answer is lost: the connection to PostgreSQL broke while a round was committed. All of the round is on
//! disk or nothing is; the node's row says which, because each round writes its number there. (A number of PostgreSQL's
//! own would not do: after a crash it may give the same one to another transaction.) So nothing is recorded twice, and
//! what was claimed is given back as what it was, for no POST of it has begun.

use super::{
    breaker::{Turn, round::Hook},
    claim::Claim,
    context::Context,
    record::Finished,
};
use crate::{
    db::{Db, Tx},
    execute, fetch,
};
use std::sync::Arc;

/// What there is to say of a round when it is on disk.
pub struct Round {
    /// How many of those that ended it recorded, from the first.
    pub recorded: usize,
    /// How many of them came too late.
    pub stale: usize,
    pub turns: Vec<(Hook, Turn)>,
}

/// A round of which nobody knows whether it is on disk.
pub struct Doubt {
    number: i64,
    pub round: Round,
    /// What it claimed, as what is given back.
    pub claimed: Vec<Finished>,
}

impl Doubt {
    pub fn new(number: i64, round: Round, claims: Vec<(Arc<Context>, Vec<Claim>)>) -> Self {
        let claimed = claims.into_iter().flat_map(|(context, claims)| {
            claims.into_iter().map(move |claim| Finished::released(claim, &context.common.webhook_id, 0))
        });
        Self { number, round, claimed: claimed.collect() }
    }

    /// Whether it is on disk. Waits for a transaction that is still open, until PostgreSQL ends it for standing still.
    pub async fn is_on_disk(&self, db: &Db, node: &str) -> sqlx::Result<bool> {
        let mut tx = db.begin().await?;
        let row = fetch!(tx, optional, (i64,), "select round from nodes where id = $1 for update", node)?;
        tx.commit().await?;
        Ok(row == Some((self.number,)))
    }
}

/// Writes the number of a round into the row of its node. `None` where no commit is in doubt: with SQLite one that
/// failed did not happen, and a node without a row has been given up by the others.
pub async fn number(tx: &mut Tx, node: &str, last: &mut i64) -> sqlx::Result<Option<i64>> {
    let Tx::Postgres(_) = tx else { return Ok(None) };
    *last += 1;
    let written = execute!(tx, "update nodes set round = $2 where id = $1", node, *last)?;
    Ok((written == 1).then_some(*last))
}
