//! Taking back what a crash left behind: a batch whose lease ended without a result is unknown, and is claimed again
//! with the same ids.

use super::{
    ids::SendKey,
    store::{self, Delta},
    supervise::{Loop, Pulse, Stopping},
};
use crate::{
    clock::{Clock, Millis},
    db::{Db, bulk},
    fetch,
};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::Notify;

const POLL: Duration = Duration::from_secs(3);
const AT_ONCE: i64 = 1_000;

#[derive(sqlx::FromRow, Serialize)]
struct Lost {
    workspace_id: String,
    send_id: String,
    batch_no: i64,
    lease_no: i64,
    attempts: i64,
}

/// Watches for leases that ended.
pub struct Recoverer {
    pub db: Db,
    pub clock: Clock,
    /// There is something to claim again.
    pub recovered: Arc<Notify>,
}

impl Loop for Recoverer {
    const NAME: &'static str = "recover";

    async fn run(&self, pulse: &Pulse, stopping: &Stopping) -> sqlx::Result<()> {
        while !stopping.asked() {
            let now = self.clock.now();
            if expired(&self.db, now, now).await? > 0 {
                self.recovered.notify_one();
            }
            pulse.beat();
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                () = stopping.wait() => {}
            }
        }
        Ok(())
    }
}

/// Makes the batches unknown whose lease ended before `before`; how many.
pub async fn expired(db: &Db, before: Millis, now: Millis) -> sqlx::Result<usize> {
    let mut recovered = 0;
    loop {
        let lost = fetch!(
            db,
            all,
            Lost,
            "select workspace_id, send_id, batch_no, lease_no, attempts from send_batches \
             where state = 'leased' and lease_until < $1 order by lease_until limit $2",
            before,
            AT_ONCE
        )?;
        if lost.is_empty() {
            return Ok(recovered);
        }
        recovered += take_back(db, &lost, now).await?;
    }
}

async fn take_back(db: &Db, lost: &[Lost], now: Millis) -> sqlx::Result<usize> {
    let mut users: BTreeMap<SendKey, i64> =
        lost.iter().map(|lost| (SendKey::new(&lost.workspace_id, &lost.send_id), 0)).collect();
    let mut tx = db.begin().await?;
    for key in users.keys() {
        store::lock(&mut tx, key).await?;
    }
    let rows = bulk::rows(lost)?;
    let taken = crate::bulk!(
        tx,
        fetch (String, String, i64),
        &rows,
        (workspace_id text, send_id text, batch_no bigint, lease_no bigint),
        "update send_batches set state = 'unknown', run_at = $2, lease_node = null, lease_until = null from ",
        " where send_batches.workspace_id = r.workspace_id and send_batches.send_id = r.send_id and send_batches.batch_no = r.batch_no \
         and send_batches.lease_no = r.lease_no and send_batches.state = 'leased' returning send_batches.workspace_id, send_batches.send_id, send_batches.size",
        now,
    )?;
    crate::bulk!(
        tx,
        execute,
        &rows,
        (workspace_id text, send_id text, batch_no bigint, attempts bigint),
        "update send_attempts set finished_at = $2, outcome = 'unknown', \
         reason = 'the server stopped before an answer was recorded' from ",
        " where send_attempts.workspace_id = r.workspace_id and send_attempts.send_id = r.send_id and send_attempts.batch_no = r.batch_no \
         and send_attempts.attempt = r.attempts and send_attempts.outcome is null",
        now,
    )?;
    let count = taken.len();
    for (workspace, send, size) in taken {
        *users.entry(SendKey::new(workspace, send)).or_default() += size;
    }
    for (key, unknown) in &users {
        store::add(&mut tx, key, Delta { unknown: *unknown, ..Delta::default() }, now).await?;
    }
    tx.commit().await?;
    if count > 0 {
        tracing::warn!(
            batches = count,
            "outcomes are unknown after a crash; the batches are sent again with the same ids"
        );
        metrics::counter!("reachwire_batches_unknown_total").increment(count as u64);
    }
    Ok(count)
}
