//! A clock that is moved by hand, and the planner against it.

use super::*;
use crate::{
    clock::{Clock, HOUR, MINUTE},
    config::Config,
    delivery::{
        Engine, Sender,
        model::Progress,
        sender::{ChunkFuture, MissedFuture, StartFuture},
        testing::{
            Crowd, WORKSPACE, config, ended, master_key, note, progress, put_send, put_webhook, simulator, until,
        },
    },
    on_both_databases,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const GRACE: Duration = Duration::from_secs(5);
const DUE: Millis = 1_800_000_000_000;
const USERS: usize = 7;

fn started(db: &Db, config: &Config, clock: &Clock, sender: impl Sender) -> Engine {
    crate::server::testing::warnings();
    Engine::start(config, db.clone(), clock.clone(), master_key(), vec![Arc::new(sender)])
}

fn crowd() -> Crowd {
    Crowd { users: USERS, gaps: false }
}

async fn is(db: &Db, state: SendState) -> Progress {
    until(db, "s", |progress| progress.state == state).await
}

on_both_databases!(a_task_is_late_by_more_than_the_setting_or_it_begins, |db| async move {
    let crm = simulator(crate::crm::Options::default()).await;
    put_webhook(&db, &crm.url(), 1).await;
    let config = config();
    let longest = config.engine.misfire_minutes * MINUTE;
    for (id, late) in [("in time", 0), ("at the limit", longest), ("too late", longest + 1)] {
        put_send(&db, id, USERS, 5, DUE).await;
        // The server comes up again.
        let engine = started(&db, &config, &Clock::manual(DUE + late), crowd());
        let found = until(&db, id, |progress| ended(progress) || progress.state == SendState::Missed).await;
        let missed = late > longest;
        assert_eq!(found.state == SendState::Missed, missed, "{id}: {found:?}");
        assert_eq!(found.accepted, if missed { 0 } else { USERS as i64 });
        engine.stop(GRACE).await;
    }
    let found = progress(&db, "too late").await;
    assert_eq!((found.planned, found.started_at, found.finished_at), (0, None, None), "it has not begun");
    let reason = found.error.unwrap();
    assert!(reason.contains("2027-01-15 08:00 UTC") && reason.contains("1 h") && reason.contains("09:00"), "{reason}");
});

on_both_databases!(what_was_submitted_to_be_sent_at_once_is_never_late, |db| async move {
    let crm = simulator(crate::crm::Options::default()).await;
    put_webhook(&db, &crm.url(), 1).await;
    put_send(&db, "s", USERS, 5, DUE).await;
    execute!(db, "update sends set created_at = due_at").unwrap();
    let engine = started(&db, &config(), &Clock::manual(DUE + 9 * HOUR), crowd());
    assert_eq!(is(&db, SendState::Finished).await.accepted, USERS as i64);
    engine.stop(GRACE).await;
});

on_both_databases!(a_person_sends_it_now_stops_it_or_gives_it_another_time, |db| async move {
    let crm = simulator(crate::crm::Options::default()).await;
    put_webhook(&db, &crm.url(), 1).await;
    let clock = Clock::manual(DUE + 5 * HOUR);
    let engine = started(&db, &config(), &clock, crowd());
    put_send(&db, "s", USERS, 5, DUE).await;
    engine.wake();
    is(&db, SendState::Missed).await;
    assert!(
        engine.pause(WORKSPACE, "s", &note()).await.is_err() && engine.resume(WORKSPACE, "s", &note()).await.is_err()
    );
    // While the webhook is disabled it can't be sent, and does not fail for having been tried.
    execute!(db, "update webhooks set enabled = $1", false).unwrap();
    let refused = engine.send_now(WORKSPACE, "s", &note()).await.unwrap_err().to_string();
    assert!(refused.contains("disabled"), "{refused}");
    execute!(db, "update webhooks set enabled = $1", true).unwrap();
    engine.send_now(WORKSPACE, "s", &note()).await.unwrap();
    let end = is(&db, SendState::Finished).await;
    assert_eq!((end.accepted, end.error, end.started_at), (USERS as i64, None, Some(clock.now())));
    assert!(engine.send_now(WORKSPACE, "s", &note()).await.is_err(), "it has ended");

    put_send(&db, "stopped", USERS, 5, DUE).await;
    engine.wake();
    until(&db, "stopped", |progress| progress.state == SendState::Missed).await;
    engine.stop_send(WORKSPACE, "stopped", &note()).await.unwrap();
    let end = progress(&db, "stopped").await;
    assert_eq!((end.state, end.skipped, end.error), (SendState::Stopped, USERS as i64, None));
    assert_eq!(crm.counters().actions, USERS as u64, "only the first went out");

    put_send(&db, "gone", USERS, 5, DUE).await;
    engine.wake();
    until(&db, "gone", |progress| progress.state == SendState::Missed).await;
    let mut tx = db.begin().await.unwrap();
    assert!(store::delete(&mut tx, WORKSPACE, "gone").await.unwrap());
    tx.commit().await.unwrap();
    engine.stop(GRACE).await;
});

on_both_databases!(one_that_is_sent_now_is_missed_again_when_the_server_is_down_again, |db| async move {
    let crm = simulator(crate::crm::Options::default()).await;
    put_webhook(&db, &crm.url(), 1).await;
    put_send(&db, "s", USERS, 5, DUE).await;
    let key = SendKey::new(WORKSPACE, "s");
    assert!(set_aside(&db, &key, None, HOUR, DUE + 5 * HOUR).await.unwrap());
    assert!(!set_aside(&db, &key, None, HOUR, DUE + 5 * HOUR).await.unwrap(), "it is set aside once");
    crate::delivery::control::send_now(&db, &key, &note(), DUE + 6 * HOUR).await.unwrap();
    assert!(!set_aside(&db, &key, None, HOUR, DUE + 7 * HOUR).await.unwrap());
    assert!(set_aside(&db, &key, None, HOUR, DUE + 8 * HOUR).await.unwrap());
});

/// Cannot say for a while whether its sends may start; hears what was missed.
struct Silent {
    crowd: Crowd,
    clock: Clock,
    from: Millis,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Sender for Silent {
    fn source(&self) -> &'static str {
        self.crowd.source()
    }

    fn may_start<'a>(&'a self, _: &'a Db, _: &'a str, _: &'a str, _: Millis) -> StartFuture<'a> {
        self.heard.lock().unwrap().push("asked".into());
        let answers = self.clock.now() >= self.from;
        Box::pin(async move { if answers { Ok(Ok(())) } else { Err(sqlx::Error::PoolTimedOut) } })
    }

    fn missed<'a>(
        &'a self,
        _: &'a mut crate::db::Tx,
        _: &'a str,
        send: &'a str,
        reason: &'a str,
        _: Millis,
    ) -> MissedFuture<'a> {
        self.heard.lock().unwrap().push(format!("{send}: {reason}"));
        Box::pin(async { Ok(()) })
    }

    fn chunk<'a>(&'a self, db: &'a Db, w: &'a str, s: &'a str, after: Option<&'a str>, limit: i64) -> ChunkFuture<'a> {
        self.crowd.chunk(db, w, s, after, limit)
    }
}

on_both_databases!(it_is_late_too_when_the_server_ran_and_could_not_begin_it, |db| async move {
    let crm = simulator(crate::crm::Options::default()).await;
    put_webhook(&db, &crm.url(), 1).await;
    put_send(&db, "s", USERS, 5, DUE).await;
    let (clock, heard) = (Clock::manual(DUE), Arc::new(Mutex::new(Vec::new())));
    let silent = Silent { crowd: crowd(), clock: clock.clone(), from: DUE + 90 * MINUTE, heard: heard.clone() };
    let engine = started(&db, &config(), &clock, silent);
    until(&db, "s", |_| !heard.lock().unwrap().is_empty()).await;
    assert_eq!(progress(&db, "s").await.state, SendState::Scheduled, "it is asked again");
    clock.advance(2 * HOUR);
    engine.wake();
    is(&db, SendState::Missed).await;
    let mut heard = heard.lock().unwrap().clone();
    heard.retain(|one| one != "asked");
    assert!(heard.len() == 1 && heard[0].starts_with("s: Its time was "), "{heard:?}");
    engine.stop(GRACE).await;
});
