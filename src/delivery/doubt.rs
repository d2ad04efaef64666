//! A commit whose answer is lost: the connection to PostgreSQL broke while a round was committed. All of the round is on
//! disk or nothing is, and PostgreSQL knows which by the transaction's number. So nothing is recorded twice, and what was
//! claimed is given back as what it was, for no POST of it has begun.

use super::{
    breaker::{Turn, round::Hook},
    claim::Claim,
    context::Context,
    record::{End, Finished},
};
use crate::db::{Db, Fate};
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
        let given_back = |webhook_id: &str, claim| Finished {
            claim,
            webhook_id: webhook_id.into(),
            end: End::Released(0),
            http_status: None,
            duration_ms: 0,
            response: None,
        };
        let claimed = claims.into_iter().flat_map(|(context, claims)| {
            claims.into_iter().map(move |claim| given_back(&context.common.webhook_id, claim))
        });
        Self { number, round, claimed: claimed.collect() }
    }

    pub async fn fate(&self, db: &Db) -> sqlx::Result<Fate> {
        db.fate(self.number).await
    }
}
