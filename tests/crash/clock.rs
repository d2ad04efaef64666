//! The clock is set back an hour and forward two while it sends, and the process is killed and started again by a clock
//! that is wrong. With PostgreSQL the process follows the database's again after some seconds: two more steps each time.
//!
//! The server is this very binary, as in [`crate::at_random`]; its clock is set by a row of `settings`.

use crate::{
    at_random::{CROWD, open, reconcile},
    crowd::{KEY, Process, put_webhook, until},
    place,
};
use reachwire::{
    clock::{Clock, HOUR},
    crm::{Answer, Options, Simulator},
    db::Db,
    delivery::SendState,
    execute, fetch,
};
use std::time::Duration;

/// How far the clock is to be away, in ms.
async fn away(db: &Db) -> i64 {
    let sql = "select cast(value as bigint) from settings where key = 'away'";
    fetch!(db, optional, (i64,), sql).unwrap().map_or(0, |(away,)| away)
}

async fn set(db: &Db, away: i64) {
    let sql = "insert into settings (key, value) values ('away', $1) on conflict (key) do update \
               set value = excluded.value";
    execute!(db, sql, away.to_string()).unwrap();
}

/// Sets a shared clock, as a database does whose clock is set.
fn follow(clock: &Clock, by: i64) {
    let now = clock.now();
    clock.follow(now, now + by, now);
}

/// No test: the process whose clock is set.
#[tokio::test(flavor = "multi_thread")]
async fn server_process() {
    let Some(database) = Process::database() else { return };
    let (db, clock) = (open(&database, true).await, Clock::System.shared());
    let mut last = away(&db).await;
    follow(&clock, last);
    tokio::spawn({
        let (db, clock) = (db.clone(), clock.clone());
        async move {
            loop {
                let now = away(&db).await;
                follow(&clock, now - last);
                last = now;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });
    CROWD.send(db, clock).await;
}

async fn set_while_it_sends(database: &str) {
    let options = Options {
        key: Some(KEY.into()),
        answer: Answer::Slow,
        slow: Duration::from_millis(15),
        remember: usize::MAX,
        ..Options::default()
    };
    let crm = Simulator::start(options).await.unwrap();
    let db = open(database, false).await;
    put_webhook(&db, &crm.url(), 4).await;
    CROWD.put_send(&db).await;
    let start = || Process::start("clock::server_process", database);
    let server = start();
    for (accepted, away) in [(300, -HOUR), (1_500, HOUR)] {
        until(&db, "far enough", |progress| progress.accepted >= accepted).await;
        set(&db, away).await;
    }
    until(&db, "far enough to be killed", |progress| progress.accepted >= 3_000).await;
    drop(server);
    let server = start();
    let progress = until(&db, "finished", |progress| progress.state == SendState::Finished).await;
    drop(server);
    assert_eq!((progress.planned, progress.accepted + progress.skipped), (CROWD.users, CROWD.users));
    assert_eq!((progress.failed, progress.unknown, progress.waiting()), (0, 0, 0));
    // Only what was in flight at the kill was sent twice.
    reconcile(&db, &crm.rows()).await;
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    set_while_it_sends(folder.path().to_str().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    if let Some(url) = place::empty_database().await {
        set_while_it_sends(&url).await;
    }
}
