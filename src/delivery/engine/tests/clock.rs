//! The clock is set back an hour while it sends: nothing waits for the hour.

use super::*;
use crate::{
    clock::{HOUR, SECOND},
    delivery::testing::master_key,
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
