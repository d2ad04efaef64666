//! Taking back what a crash left behind: a batch whose lease ended without a result is unknown, and is claimed again
//! with the same ids.

use super::{
    claim::InHand,
    ids::SendKey,
    overdue, purge,
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

/// Watches for leases that ended and for sends that took too long; and cleans up.
pub struct Recoverer {
    pub db: Db,
    pub clock: Clock,
    pub in_hand: InHand,
    /// After so many hours a send is given up.
    pub give_up_hours: i64,
    /// There is something to claim again.
    pub recovered: Arc<Notify>,
}

impl Loop for Recoverer {
    const NAME: &'static str = "recover";

    async fn run(&self, pulse: &Pulse, stopping: &Stopping) -> sqlx::Result<()> {
        while !stopping.asked() {
            let now = self.clock.now();
            if expired(&self.db, &self.in_hand, now, now).await? > 0 {
                self.recovered.notify_one();
            }
            overdue::give_up(&self.db, self.give_up_hours, now).await?;
            let more = purge::chunk(&self.db, purge::CHUNK).await?;
            pulse.beat();
            if more {
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                () = stopping.wait() => {}
            }
        }
        Ok(())
    }
}

/// Makes the batches unknown whose lease ended before `before`, but for those whose results this process will yet
/// have; how many.
pub async fn expired(db: &Db, in_hand: &InHand, before: Millis, now: Millis) -> sqlx::Result<usize> {
    let mut recovered = 0;
    loop {
        let mut lost = fetch!(
            db,
            all,
            Lost,
            "select workspace_id, send_id, batch_no, lease_no, attempts from send_batches \
             where state = 'leased' and lease_until < $1 order by lease_until limit $2",
            before,
            AT_ONCE + i64::try_from(in_hand.len()).unwrap_or(0)
        )?;
        lost.retain(|lost| !in_hand.has(SendKey::new(&lost.workspace_id, &lost.send_id), lost.batch_no, lost.lease_no));
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
        "update send_batches set state = 'unknown', run_at = $2, lease_until = null from ",
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
            record::End,
            report,
            testing::{WORKSPACE, claim, progress, put_planned, put_webhook, record},
        },
        on_both_databases,
    };

    async fn counted(db: &Db) -> (i64, i64, i64) {
        let progress = progress(db, "s").await;
        (progress.accepted, progress.unknown, progress.waiting())
    }

    async fn outcomes(db: &Db) -> Vec<String> {
        let attempts = report::batch(db, WORKSPACE, "s", 0).await.unwrap().attempts;
        attempts.into_iter().map(|attempt| attempt.outcome.unwrap()).collect()
    }

    on_both_databases!(
        a_lost_batch_is_unknown_until_it_is_sent_again_and_its_first_owner_changes_nothing,
        |db| async move {
            let nothing = InHand::default();
            put_webhook(&db, "http://127.0.0.1:9/", 1).await;
            let key = put_planned(&db, "s", &[10]).await;
            let first = claim(&db, &key, 5, 1_000).await.remove(0);
            assert_eq!((first.lease_no, first.attempt, first.sent_at), (1, 1, 1_000));
            assert_eq!(expired(&db, &nothing, 31_000, 31_000).await.unwrap(), 0, "its lease has not ended");
            assert_eq!(expired(&db, &nothing, 31_001, 31_001).await.unwrap(), 1);
            assert_eq!(counted(&db).await, (0, 10, 0));
            let second = claim(&db, &key, 5, 33_000).await.remove(0);
            assert_eq!((second.lease_no, second.attempt, second.sent_at), (2, 2, 1_000), "the same send_time");
            assert_eq!(record(&db, &first, End::Accepted, 33_500).await, 1, "stale");
            assert_eq!(counted(&db).await, (0, 0, 10));
            assert_eq!(record(&db, &second, End::Accepted, 34_000).await, 0);
            assert_eq!(record(&db, &second, End::Accepted, 35_000).await, 1, "twice is once too often");
            assert_eq!(counted(&db).await, (10, 0, 0));
            let end = progress(&db, "s").await;
            assert_eq!((end.state, end.finished_at), (SendState::Finished, Some(34_000)));
            assert_eq!(outcomes(&db).await, ["unknown", "accepted"]);
        }
    );

    on_both_databases!(an_outcome_that_comes_late_holds_when_nobody_has_claimed_again, |db| async move {
        put_webhook(&db, "http://127.0.0.1:9/", 1).await;
        let key = put_planned(&db, "s", &[10, 5]).await;
        let late = claim(&db, &key, 5, 1_000).await;
        assert_eq!(expired(&db, &InHand::default(), 40_000, 40_000).await.unwrap(), 2);
        assert_eq!(counted(&db).await, (0, 15, 0));
        assert_eq!(record(&db, &late[0], End::Accepted, 41_000).await, 0);
        assert_eq!(counted(&db).await, (10, 5, 0));
        assert_eq!(outcomes(&db).await, ["accepted"]);
        assert_eq!(record(&db, &late[1], End::Released(0), 42_000).await, 0, "it was never POSTed");
        assert_eq!(counted(&db).await, (10, 0, 5));
        let again = claim(&db, &key, 5, 43_000).await.remove(0);
        assert_eq!((again.batch_no, again.sent_at), (1, 43_000), "its first attempt is this one");
    });

    on_both_databases!(what_this_process_holds_is_not_taken_back, |db| async move {
        put_webhook(&db, "http://127.0.0.1:9/", 1).await;
        let key = put_planned(&db, "s", &[10, 5]).await;
        let (in_hand, claims) = (InHand::default(), claim(&db, &key, 5, 1_000).await);
        in_hand.take(&claims[0]);
        assert_eq!(expired(&db, &in_hand, 40_000, 40_000).await.unwrap(), 1);
        assert_eq!(counted(&db).await, (0, 5, 10));
        in_hand.give_back(&claims[0]);
        assert_eq!(expired(&db, &in_hand, 40_000, 40_000).await.unwrap(), 1);
        assert_eq!(counted(&db).await, (0, 15, 0));
    });
}
