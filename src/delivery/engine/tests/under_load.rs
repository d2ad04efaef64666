//! Pause, Resume, Stop and Send failed again while it sends, at random moments from a seed, and crashes: what the
//! receiver's manifest and our record say in the end.

use super::*;
use crate::{clock::SECOND, delivery::testing::master_key};
use rand::{RngExt, SeedableRng, rngs::StdRng};

const USERS: usize = 240;
const SEEDS: u64 = 6;
const MOMENTS: usize = 14;

struct Round {
    db: Db,
    crm: crm::Simulator,
    config: Config,
    /// For leases: a dead process's end when their time has passed.
    clock: Clock,
    engine: Engine,
    id: String,
    random: StdRng,
}

impl Round {
    async fn begin(db: &Db, clock: &Clock, seed: u64) -> Self {
        let options = crm::Options { answer: Answer::Broken, share: 0.3, seed, ..Default::default() };
        let crm = simulator(options).await;
        execute!(db, "update webhooks set url = $1, version = version + 1", crm.url()).unwrap();
        let mut random = StdRng::seed_from_u64(seed);
        let id = format!("s{seed}");
        put_send(db, &id, USERS, random.random_range(1..7), 0).await;
        let (config, clock) = (config(), clock.clone());
        let engine = Self::started(db, &config, &clock);
        Self { db: db.clone(), crm, config, clock, engine, id, random }
    }

    fn started(db: &Db, config: &Config, clock: &Clock) -> Engine {
        crate::server::testing::warnings();
        let crowd: Arc<dyn Sender> = Arc::new(Crowd { users: USERS, gaps: true });
        Engine::start(config, db.clone(), clock.clone(), master_key(), vec![crowd])
    }

    /// Some requests later, or when none will come.
    async fn moment(&mut self) {
        let wanted = self.crm.counters().requests + self.random.random_range(1..25);
        until(&self.db, &self.id, |progress| {
            self.crm.counters().requests >= wanted || ended(progress) || progress.state == SendState::Paused
        })
        .await;
    }

    /// The process dies: nothing that is in its hands is recorded any more.
    async fn crash(&mut self) {
        self.engine.stop(Duration::ZERO).await;
        self.clock.advance(self.config.engine.lease_ms + SECOND);
        self.engine = Self::started(&self.db, &self.config, &self.clock);
    }

    async fn press(&mut self, crashes: bool) {
        let (engine, id) = (self.engine.clone(), self.id.clone());
        let pressed = match self.random.random_range(0..20) {
            0..6 => engine.pause(WORKSPACE, &id, &note()).await,
            6..12 => engine.resume(WORKSPACE, &id, &note()).await,
            12..16 => engine.resend_failed(WORKSPACE, &id, None, &note()).await.map(|_| ()),
            16 => engine.stop_send(WORKSPACE, &id, &note()).await,
            17 => engine.resend_unknown(WORKSPACE, &id, &note()).await.map(|_| ()),
            _ if crashes => {
                self.crash().await;
                Ok(())
            }
            _ => Ok(()),
        };
        // It is not the moment for each.
        assert!(matches!(pressed, Ok(()) | Err(AppError::Conflict(_))), "{pressed:?}");
    }

    /// Everybody who can be has been sent to.
    async fn finish(&mut self) -> Progress {
        loop {
            let _ = self.engine.resume(WORKSPACE, &self.id, &note()).await;
            let done = |progress: &Progress| ended(progress) && progress.waiting() == 0;
            let progress = until(&self.db, &self.id, done).await;
            // A batch in hand when it was stopped in a crash.
            let unknown = progress.unknown > 0;
            if unknown {
                self.engine.resend_unknown(WORKSPACE, &self.id, &note()).await.unwrap();
            } else if progress.failed > 0 {
                self.engine.resend_failed(WORKSPACE, &self.id, None, &note()).await.unwrap();
            } else {
                return progress;
            }
        }
    }

    async fn check(&self, end: &Progress) {
        let sql = "select batch_no, cast(sum(case when outcome = 'unknown' then 1 else 0 end) as bigint) \
                   from send_attempts where send_id = $1 group by batch_no";
        let unknown: BTreeMap<i64, i64> =
            fetch!(self.db, all, (i64, i64), sql, &self.id).unwrap().into_iter().collect();
        let mut received: BTreeMap<String, Vec<crm::Row>> = BTreeMap::new();
        for row in self.crm.rows() {
            assert!(row.signature);
            received.entry(row.action_id.clone()).or_default().push(row);
        }
        let all = report::actions(&self.db, WORKSPACE, &self.id, &ActionFilter::default(), -1, 1_000).await.unwrap();
        assert_eq!(end.planned, USERS as i64);
        for action in all {
            let rows = received.remove(&action.action_id).unwrap_or_default();
            let told = format!("{} {action:?} {rows:?}", self.id);
            if action.result == "skipped" {
                assert!(rows.is_empty(), "skipped and yet sent to: {told}");
                continue;
            }
            assert_eq!(action.result, "accepted", "{told}");
            let batch_no = rows[0].batch_id.rsplit_once("-b").unwrap().1.parse().unwrap();
            let hidden = usize::try_from(unknown.get(&batch_no).copied().unwrap_or(0)).unwrap();
            let taken = rows.iter().filter(|row| row.answer == "ok").count();
            assert!(taken >= 1, "counted and not received: {told}");
            assert!(taken <= 1 + hidden, "twice, and not after an unknown: {told}");
            let nonces: BTreeSet<_> = rows.iter().map(|row| &row.nonce).collect();
            assert_eq!(nonces.len(), rows.len(), "a nonce of its own for each try");
            assert!(rows.iter().all(|row| row.body == rows[0].body && row.batch_id == rows[0].batch_id), "{told}");
        }
        assert!(received.is_empty(), "received and not on record: {received:?}");
    }
}

async fn rounds(db: Db, crashes: bool) {
    put_webhook(&db, "http://127.0.0.1:9/", 4).await;
    let (mut stopped, clock) = (0, Clock::Ahead(Arc::default()));
    for seed in 0..SEEDS {
        let mut round = Round::begin(&db, &clock, seed).await;
        for _ in 0..MOMENTS {
            round.moment().await;
            round.press(crashes).await;
        }
        let end = round.finish().await;
        let eligible = (USERS - USERS / 10) as i64;
        match end.state {
            SendState::Finished => assert_eq!((end.accepted, end.skipped), (eligible, USERS as i64 - eligible)),
            SendState::Stopped => stopped += 1,
            state => panic!("{state:?}"),
        }
        assert_eq!(end.accepted + end.skipped, USERS as i64, "nobody is missing");
        round.check(&end).await;
        round.engine.stop(GRACE).await;
    }
    assert!(stopped < SEEDS, "some went to their end");
}

on_both_databases!(at_any_moment_nobody_twice_and_nobody_skipped, |db| async move { rounds(db, false).await });

on_both_databases!(through_crashes_twice_only_after_an_unknown, |db| async move { rounds(db, true).await });
