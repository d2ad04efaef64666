//! Taking back what a crash left behind: a batch whose lease ended without a result is unknown. As its webhook says it
//! is claimed again with the same ids, or waits for a person.

use super::{
    batch::{self, BatchState, Event},
    claim::InHand,
    clock_back, clock_forward,
    ids::SendKey,
    model::AfterCrash,
    overdue, purge, retention,
    store::{self, Delta},
    supervise::{Loop, Pulse, Stopping},
    wake::{self, News},
};
use crate::{
    clock::{Clock, Millis, SECOND},
    db::{Db, Tx, bulk},
    fetch,
    steps::Step,
};
use serde::Serialize;
use sqlx::AssertSqlSafe;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

const POLL: Duration = Duration::from_secs(3);
const AT_ONCE: i64 = 1_000;
/// How often it is looked for what can wait: hours, for sends that took too long.
const CHORES: Millis = 30 * SECOND;

#[derive(sqlx::FromRow)]
struct Lost {
    workspace_id: String,
    send_id: String,
    batch_no: i64,
    lease_no: i64,
}

#[derive(Serialize)]
struct Taken<'a> {
    workspace_id: &'a str,
    send_id: &'a str,
    batch_no: i64,
    lease_no: i64,
    run_at: Millis,
}

/// Watches for leases that ended and for sends that took too long; and cleans up.
pub struct Recoverer {
    pub db: Db,
    pub clock: Clock,
    pub in_hand: InHand,
    /// How long one lasts, in ms.
    pub lease: Millis,
    /// After so many hours a send is given up.
    pub give_up_hours: i64,
    pub forward: clock_forward::Watch,
    pub pace: retention::Pace,
    /// There is something to claim again.
    pub recovered: Arc<Notify>,
}

impl Loop for Recoverer {
    const NAME: &'static str = "recover";

    async fn run(&self, pulse: &Pulse, stopping: &Stopping) -> sqlx::Result<()> {
        let mut chores = Millis::MIN;
        // Also at the start: the clock may have been set back while nothing ran.
        let mut last = Millis::MAX;
        while !stopping.asked() {
            let (now, steady) = (self.clock.now(), self.clock.steady());
            if now < last.saturating_sub(clock_back::STEP) && clock_back::mend(&self.db, self.lease, now).await? > 0 {
                self.recovered.notify_one();
            }
            last = now;
            // What seems to be over may not be.
            let sure = self.forward.is_sure(now, steady, self.lease);
            if sure && expired(&self.db, &self.in_hand, now, now).await? > 0 {
                self.recovered.notify_one();
            }
            let mut rest = POLL;
            // An idle node must not ask for all of it each time.
            if sure && !(chores..chores.saturating_add(CHORES)).contains(&now) {
                overdue::give_up(&self.db, self.give_up_hours, now).await?;
                let began = Instant::now();
                let time = self.pace.time(&self.db, now, steady).await?;
                if purge::chunk(&self.db, purge::CHUNK).await? || retention::next(&self.db, time).await? {
                    // Deleting has a quarter of the time, so that it never slows those who send.
                    rest = began.elapsed() * 3;
                } else {
                    chores = now;
                }
            }
            pulse.beat();
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
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
    let ended = format!(
        "select workspace_id, send_id, batch_no, lease_no from send_batches \
         where {} and lease_until < $1 order by lease_until limit $2",
        batch::from(Event::LeaseEnded)
    );
    loop {
        let most = AT_ONCE + i64::try_from(in_hand.len()).unwrap_or(0);
        let mut lost = fetch!(db, all, Lost, AssertSqlSafe(ended.as_str()), before, most)?;
        lost.retain(|lost| {
            !in_hand.has(&SendKey::new(&lost.workspace_id, &lost.send_id), lost.batch_no, lost.lease_no)
        });
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
    let mut held = BTreeSet::new();
    for key in users.keys() {
        store::lock(&mut tx, key).await?;
        if asks(&mut tx, key).await? {
            held.insert(key.clone());
        }
    }
    let taken: Vec<Taken> = lost
        .iter()
        .map(|lost| Taken {
            workspace_id: &lost.workspace_id,
            send_id: &lost.send_id,
            batch_no: lost.batch_no,
            lease_no: lost.lease_no,
            run_at: if held.contains(&SendKey::new(&lost.workspace_id, &lost.send_id)) { store::HELD } else { now },
        })
        .collect();
    let rows = bulk::rows(&taken)?;
    let taken = crate::bulk!(
        tx,
        fetch (String, String, i64),
        &rows,
        (workspace_id text, send_id text, batch_no bigint, lease_no bigint, run_at bigint),
        "update send_batches set state = $2, run_at = r.run_at, lease_until = null from ",
        " where send_batches.workspace_id = r.workspace_id and send_batches.send_id = r.send_id and send_batches.batch_no = r.batch_no \
         and send_batches.lease_no = r.lease_no and send_batches.state || '' = $3 returning send_batches.workspace_id, send_batches.send_id, send_batches.size",
        BatchState::Unknown.code(),
        BatchState::Leased.code(),
    )?;
    crate::bulk!(
        tx,
        execute,
        &rows,
        (workspace_id text, send_id text, batch_no bigint, lease_no bigint),
        "insert into send_attempts (workspace_id, send_id, batch_no, attempt, started_at, finished_at, outcome, reason) \
         select b.workspace_id, b.send_id, b.batch_no, b.attempts, coalesce(b.started_at, b.sent_at, $2), $2, \
         'unknown', 'the server stopped before an answer was recorded' from ",
        " join send_batches b on b.workspace_id = r.workspace_id and b.send_id = r.send_id and b.batch_no = r.batch_no \
         and b.lease_no = r.lease_no where b.state = $3 \
         on conflict (workspace_id, send_id, batch_no, attempt) do update set finished_at = excluded.finished_at, \
         outcome = excluded.outcome, reason = excluded.reason where send_attempts.outcome is null",
        now,
        BatchState::Unknown.code(),
    )?;
    let count = taken.len();
    for (workspace, send, size) in taken {
        *users.entry(SendKey::new(workspace, send)).or_default() += size;
    }
    for (key, unknown) in &users {
        store::add(&mut tx, key, Delta { unknown: *unknown, ..Delta::default() }, now).await?;
    }
    if count > 0 {
        wake::tell(&mut tx, News::Batches).await?;
    }
    tx.commit_between(Step::RecoverWritten, Step::RecoverCommitted).await?;
    if count > 0 {
        tracing::warn!(
            batches = count,
            sends_that_wait_for_a_person = held.len(),
            "outcomes are unknown after a crash; the others are sent again with the same ids"
        );
        metrics::counter!("reachwire_batches_unknown_total").increment(count as u64);
    }
    Ok(count)
}

/// Whether the webhook, as it is now, leaves to a person what a crash hid.
async fn asks(tx: &mut Tx, key: &SendKey) -> sqlx::Result<bool> {
    let sql = "select w.after_crash from sends s join webhooks w on w.workspace_id = s.workspace_id \
               and w.id = s.webhook_id where s.workspace_id = $1 and s.id = $2";
    let found = fetch!(tx, optional, (String,), sql, &key.workspace_id, &key.send_id)?;
    Ok(found.is_some_and(|(code,)| AfterCrash::from_code(&code) == Some(AfterCrash::Ask)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        delivery::{
            SendState,
            record::End,
            report,
            resend::{self, Which},
            testing::{WORKSPACE, claim, note, progress, put_planned, put_webhook, record},
        },
        execute, on_both_databases,
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

    on_both_databases!(a_webhook_may_leave_to_a_person_what_a_crash_hid, |db| async move {
        put_webhook(&db, "http://127.0.0.1:9/", 1).await;
        execute!(db, "update webhooks set after_crash = 'ask'").unwrap();
        let key = put_planned(&db, "s", &[10, 5]).await;
        let claims = claim(&db, &key, 5, 1_000).await;
        assert_eq!(record(&db, &claims[1], End::Accepted, 2_000).await, 0);
        assert_eq!(expired(&db, &InHand::default(), 40_000, 40_000).await.unwrap(), 1);
        let end = progress(&db, "s").await;
        assert_eq!((end.state, end.unknown, end.finished_at), (SendState::Finished, 10, Some(40_000)));
        resend::again(&db, &key, Which::Unknown, &note(), 50_000).await.unwrap();
        let again = claim(&db, &key, 5, 55_000).await;
        assert_eq!((again.len(), again[0].sent_at), (1, 1_000), "the same ids and send_time, when a person says so");
        assert_eq!(record(&db, &again[0], End::Accepted, 60_000).await, 0);
        assert_eq!(counted(&db).await, (15, 0, 0));
    });

    on_both_databases!(what_was_held_and_was_never_posted_is_sent_after_all, |db| async move {
        put_webhook(&db, "http://127.0.0.1:9/", 1).await;
        execute!(db, "update webhooks set after_crash = 'ask'").unwrap();
        let key = put_planned(&db, "s", &[10]).await;
        let late = claim(&db, &key, 5, 1_000).await.remove(0);
        assert_eq!(expired(&db, &InHand::default(), 40_000, 40_000).await.unwrap(), 1);
        assert_eq!(progress(&db, "s").await.state, SendState::Finished);
        // Another node was slow, not dead.
        assert_eq!(record(&db, &late, End::Released(0), 41_000).await, 0);
        let open = progress(&db, "s").await;
        assert_eq!((open.state, open.waiting(), open.finished_at), (SendState::Sending, 10, None));
        assert_eq!(claim(&db, &key, 5, 42_000).await.len(), 1);
    });
}
