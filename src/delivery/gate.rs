//! Whether a POST may begin: nobody has paused or stopped its send since the claim, or disabled or changed the webhook,
//! and its breaker has not opened.
//!
//! Asked before each POST, and read again when something was changed here, or after a moment: what another process
//! changes holds POSTs up that much later.

use super::claim::Claim;
use crate::{db::Db, fetch};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// How long an answer holds that nothing here has changed.
const FRESH: Duration = Duration::from_millis(100);

/// What this process changes of sends and webhooks, counted.
#[derive(Debug, Default)]
pub struct Changes(AtomicU64);

impl Changes {
    /// After the change is committed.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Of one send, and the version of its webhook that its POSTs are made from.
#[derive(Debug, Default)]
pub struct Gate(Mutex<Option<(u64, Instant)>>);

impl Gate {
    pub async fn lets(&self, db: &Db, claim: &Claim, version: i64, changes: &Changes) -> sqlx::Result<bool> {
        let mut seen_open = self.0.lock().await;
        let mut count = changes.count();
        if seen_open.is_some_and(|(at_count, at)| at_count == count && at.elapsed() < FRESH) {
            return Ok(true);
        }
        let (mut at, mut found) = (Instant::now(), read(db, claim, version).await?);
        // What was changed while it was read may not be in it.
        while changes.count() != count {
            count = changes.count();
            (at, found) = (Instant::now(), read(db, claim, version).await?);
        }
        let (breaker, until) = found.unwrap_or_default();
        *seen_open = (breaker == "closed").then_some((count, at));
        // Half open is open for its probe alone.
        Ok(breaker == "closed" || (breaker == "half_open" && until == claim.lease_until))
    }
}

/// The breaker's state and time; `None` when the send or its webhook lets nothing through.
async fn read(db: &Db, claim: &Claim, version: i64) -> sqlx::Result<Option<(String, i64)>> {
    fetch!(
        db,
        optional,
        (String, i64),
        "select coalesce(h.state, 'closed'), coalesce(h.open_until, 0) from sends s \
         join webhooks w on w.workspace_id = s.workspace_id and w.id = s.webhook_id \
         left join webhook_health h on h.workspace_id = w.workspace_id and h.webhook_id = w.id \
         where s.workspace_id = $1 and s.id = $2 and s.state = 'sending' and w.enabled and w.version = $3",
        &claim.key.workspace_id,
        &claim.key.send_id,
        version
    )
}
