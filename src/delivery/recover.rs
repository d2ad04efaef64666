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
    tx.by_index().await?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        delivery::{
            SendState,
            claim::{self, Claim, Lease},
            model::Progress,
            record::{self, End, Finished, RetryPolicy},
            report,
            testing::{WORKSPACE, put_send, put_webhook},
        },
        execute, on_both_databases,
    };

    const POLICY: RetryPolicy = RetryPolicy { tries: 3, first: 1_000, longest: 60_000 };

    async fn claim(db: &Db, now: Millis) -> Claim {
        let key = SendKey::new(WORKSPACE, "s");
        let lease = Lease { node: "n", now, until: now + 30_000 };
        let mut tx = db.begin().await.unwrap();
        let claims = claim::due(&mut tx, &key, 5, lease).await.unwrap();
        claim::write(&mut tx, claims.iter(), lease).await.unwrap();
        tx.commit().await.unwrap();
        claims.into_iter().next().unwrap()
    }

    /// How many were stale.
    async fn accept(db: &Db, claim: Claim, now: Millis) -> usize {
        let states = BTreeMap::from([(claim.key.clone(), SendState::Sending)]);
        let (end, response) = (End::Accepted, Some("{}".to_string()));
        let webhook_id = "hook1".to_string();
        let finished = Finished { claim, webhook_id, end, http_status: Some(200), duration_ms: 5, response };
        let mut tx = db.begin().await.unwrap();
        let stale = record::many(&mut tx, &[finished], &states, POLICY, now, || 0.5).await.unwrap();
        tx.commit().await.unwrap();
        stale
    }

    async fn progress(db: &Db) -> Progress {
        report::progress(db, WORKSPACE, "s").await.unwrap()
    }

    on_both_databases!(
        a_lost_batch_is_unknown_until_it_is_sent_again_and_its_first_owner_changes_nothing,
        |db| async move {
            put_webhook(&db, "http://127.0.0.1:9/", 1).await;
            put_send(&db, "s", 10, 10, 0).await;
            execute!(db, "update sends set state = 'sending', planned = 10, batches = 1, planning_done = $1", true)
                .unwrap();
            execute!(
                db,
                "insert into send_batches (workspace_id, send_id, batch_no, first_seq, last_seq, size, state, run_at) \
             values ($1, 's', 0, 0, 9, 10, 'pending', 0)",
                WORKSPACE
            )
            .unwrap();
            let first = claim(&db, 1_000).await;
            assert_eq!((first.lease_no, first.attempt, first.sent_at), (1, 1, 1_000));
            assert_eq!(expired(&db, 31_000, 31_000).await.unwrap(), 0, "its lease has not ended");
            assert_eq!(expired(&db, 31_001, 31_001).await.unwrap(), 1);
            assert_eq!((progress(&db).await.unknown, progress(&db).await.waiting()), (10, 0));
            assert_eq!(accept(&db, first, 32_000).await, 1, "stale");
            assert_eq!((progress(&db).await.unknown, progress(&db).await.accepted), (10, 0));
            let second = claim(&db, 33_000).await;
            assert_eq!((second.lease_no, second.attempt, second.sent_at), (2, 2, 1_000), "the same send_time");
            assert_eq!((progress(&db).await.unknown, progress(&db).await.waiting()), (0, 10));
            assert_eq!(accept(&db, second.clone(), 34_000).await, 0);
            assert_eq!(accept(&db, second, 35_000).await, 1, "twice is once too often");
            let end = progress(&db).await;
            assert_eq!(
                (end.state, end.accepted, end.unknown, end.finished_at),
                (SendState::Finished, 10, 0, Some(34_000))
            );
            let attempts = report::attempts(&db, WORKSPACE, "s", 0).await.unwrap();
            let outcomes: Vec<_> = attempts.iter().map(|attempt| attempt.outcome.as_deref()).collect();
            assert_eq!(outcomes, [Some("unknown"), Some("accepted")]);
        }
    );
}
