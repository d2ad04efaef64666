//! The sends that are to begin or to be planned, and which node plans each.

use super::super::{SendState, ids::SendKey};
use crate::{
    clock::{Millis, SECOND},
    db::Db,
    execute, fetch,
};

/// How long the other nodes leave a send to the one that plans it, in ms after its latest chunk.
pub const CLAIM: Millis = 10 * SECOND;

#[derive(sqlx::FromRow)]
pub struct Open {
    pub workspace_id: String,
    pub id: String,
    pub source: String,
    state: String,
    due_at: Millis,
    /// It was to begin when it was made.
    at_once: bool,
    pub plan_cursor: Option<String>,
    planner: Option<String>,
    planner_until: Option<Millis>,
}

impl Open {
    pub fn key(&self) -> SendKey {
        SendKey::new(&self.workspace_id, &self.id)
    }

    /// It has not begun.
    pub fn is_scheduled(&self) -> bool {
        SendState::from_code(&self.state) == Some(SendState::Scheduled)
    }

    /// From when on this node may take it: it is due, and no other node plans it.
    pub fn free_at(&self, node: &str) -> Millis {
        let another = self.planner.as_deref().is_some_and(|planner| planner != node);
        let left = self.planner_until.filter(|_| another).unwrap_or(0);
        // One that was to begin at once does, also when the clock has been set back since.
        left.max(if self.is_scheduled() && !self.at_once { self.due_at } else { 0 })
    }
}

/// Those that are due before that time, and those that are not planned to their end.
pub async fn all(db: &Db, before: Millis) -> sqlx::Result<Vec<Open>> {
    // The first condition on the state is the partial index's own, by which SQLite knows that it may use it.
    fetch!(
        db,
        all,
        Open,
        "select workspace_id, id, source, state, due_at, due_at <= created_at as at_once, plan_cursor, planner, planner_until from sends \
         where state in ('scheduled', 'sending') and ((state = 'scheduled' and (due_at <= $1 or due_at <= created_at)) \
         or (state = 'sending' and not planning_done)) order by due_at, id",
        before
    )
}

/// Takes the planning of a send for some seconds. `false`: another node has it, or it is no longer to be planned. That
/// spares work alone: what a chunk may write is decided under the send's row.
pub async fn claim(db: &Db, node: &str, send: &Open, now: Millis) -> sqlx::Result<bool> {
    let mine = send.planner.as_deref() == Some(node) && send.planner_until > Some(now + CLAIM / 2);
    // With SQLite a claim of another process is a dead one's.
    if mine || db.is_sqlite() {
        return Ok(true);
    }
    let claimed = execute!(
        db,
        "update sends set planner = $3, planner_until = $4 where workspace_id = $1 and id = $2 \
         and state in ('scheduled', 'sending') and (planner is null or planner = $3 or planner_until <= $5)",
        &send.workspace_id,
        &send.id,
        node,
        now + CLAIM,
        now
    )?;
    Ok(claimed == 1)
}

/// A node stops in order: the others need not wait.
pub async fn leave_to_others(db: &Db, node: &str) -> sqlx::Result<()> {
    if !db.is_sqlite() {
        let sql = "update sends set planner_until = 0 where state in ('scheduled', 'sending') and planner = $1 \
                   and planner_until > 0";
        execute!(db, sql, node)?;
    }
    Ok(())
}
