//! The clock is set while it sends. Back an hour: nothing waits for the hour. Forward: nothing is taken from whoever lives.

use super::*;
use crate::{
    clock::{HOUR, SECOND},
    delivery::{
        record::End,
        supervise::{Loop, Pulse},
        testing::{claim, master_key, put_planned, record},
    },
};

fn started(db: &Db, config: &Config, clock: &Clock) -> Engine {
    crate::server::testing::warnings();
    let crowd: Arc<dyn Sender> = Arc::new(Crowd { users: 200, gaps: false });
    Engine::start(config, db.clone(), clock.clone(), master_key(), vec![crowd])
}

fn patient() -> Config {
    let mut config = config();
    (config.engine.tries, config.engine.retry_longest_ms) = (50, 20);
    config
}

/// Submitted at this moment.
async fn submit(db: &Db, id: &str, clock: &Clock, begins_in: i64) {
    put_send(db, id, 200, 4, clock.now() + begins_in).await;
    execute!(db, "update sends set created_at = $2 where id = $1", id, clock.now()).unwrap();
}

on_both_databases!(a_clock_that_is_set_back_holds_nothing_up, |db| async move {
    let crm = simulator(crm::Options { answer: Answer::Broken, share: 0.4, ..Default::default() }).await;
    put_webhook(&db, &crm.url(), 2).await;
    let (config, clock) = (patient(), Clock::Ahead(Arc::default()));
    submit(&db, "s", &clock, 0).await;
    let engine = started(&db, &config, &clock);
    until(&db, "s", |progress| progress.accepted > 20).await;
    clock.advance(-HOUR);
    let progress = until(&db, "s", ended).await;
    assert_eq!((progress.state, progress.accepted, progress.unknown), (SendState::Finished, 200, 0));
    let taken = crm.rows().into_iter().filter(|row| row.answer == "ok").count();
    assert_eq!(taken, 200, "nobody twice");
    engine.stop(GRACE).await;
});

on_both_databases!(a_clock_that_is_set_back_while_nothing_runs_holds_nothing_up, |db| async move {
    let crm = simulator(crm::Options { answer: Answer::Broken, share: 0.4, ..Default::default() }).await;
    put_webhook(&db, &crm.url(), 2).await;
    let (config, clock) = (patient(), Clock::Ahead(Arc::default()));
    submit(&db, "s", &clock, 0).await;
    let engine = started(&db, &config, &clock);
    until(&db, "s", |progress| progress.accepted > 20).await;
    // As a crash: what is in hand stays leased.
    engine.stop(Duration::ZERO).await;
    submit(&db, "at once", &clock, 0).await;
    submit(&db, "scheduled", &clock, 30 * SECOND).await;
    clock.advance(-HOUR);
    let engine = started(&db, &config, &clock);
    until(&db, "at once", ended).await;
    // The dead one's leases have a whole one from now on, no longer.
    clock.advance(config.engine.lease_ms + SECOND);
    let progress = until(&db, "s", ended).await;
    assert_eq!((progress.state, progress.accepted, progress.unknown), (SendState::Finished, 200, 0));
    let scheduled = report::progress(&db, WORKSPACE, "scheduled").await.unwrap();
    assert_eq!(scheduled.state, SendState::Scheduled, "it begins when its time comes");
    engine.stop(GRACE).await;
});

/// A shared clock is set, as by a database that says so.
fn set(clock: &Clock, by: i64) {
    let now = clock.now();
    assert_eq!(clock.follow(now, now + by, now), Some(by));
}

on_both_databases!(a_clock_that_is_set_forward_takes_nothing_from_another_node, |db| async move {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    let (clock, key) = (Clock::System.shared(), put_planned(&db, "s", &[10, 5]).await);
    let dead = claim(&db, &key, 1, clock.now() - HOUR).await;
    let living = claim(&db, &key, 1, clock.now()).await;
    let recoverer = Recoverer {
        db: db.clone(),
        clock: clock.clone(),
        in_hand: InHand::default(),
        lease: 30 * SECOND,
        give_up_hours: 24,
        forward: Watch::default(),
        pace: Pace::default(),
        recovered: Arc::default(),
    };
    let (pulse, (_asking, stopping)) = (Pulse::new("recover", clock.clone()), Stopping::channel());
    let beating = pulse.clone();
    let running = tokio::spawn(async move { recoverer.run(&beating, &stopping).await });
    until(&db, "s", |progress| progress.unknown == 10).await;
    set(&clock, HOUR);
    // Two rounds have ended since.
    for _ in 0..2 {
        let mut age = pulse.age();
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let before = std::mem::replace(&mut age, pulse.age());
            if age < before {
                break;
            }
        }
    }
    assert_eq!(record(&db, &living[0], End::Accepted, clock.now()).await, 0);
    let attempts = report::batch(&db, WORKSPACE, "s", living[0].batch_no).await.unwrap().attempts;
    assert_eq!(attempts.len(), 1, "nobody has taken it");
    assert_eq!(until(&db, "s", |progress| progress.accepted == 5).await.unknown, 10);
    assert_eq!(dead.len(), 1);
    running.abort();
});

on_both_databases!(a_send_that_goes_on_is_not_given_up_when_a_day_is_skipped, |db| async move {
    let slow = Duration::from_millis(200);
    let crm = simulator(crm::Options { answer: Answer::Slow, slow, ..Default::default() }).await;
    put_webhook(&db, &crm.url(), 2).await;
    let clock = Clock::System.shared();
    submit(&db, "s", &clock, 0).await;
    let engine = started(&db, &config(), &clock);
    until(&db, "s", |progress| progress.accepted > 20).await;
    set(&clock, 25 * HOUR);
    let progress = until(&db, "s", ended).await;
    assert_eq!((progress.state, progress.accepted, progress.unknown), (SendState::Finished, 200, 0));
    assert_eq!(crm.rows().len(), 200, "nobody twice");
    engine.stop(GRACE).await;
});
