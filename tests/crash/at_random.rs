//! kill -9 in the middle of a big send, at moments that nobody chose; leases end by themselves.
//!
//! The server that is killed is this very binary: [`server_process`] runs the engine when it is told of a database.

use crate::{
    crowd::{Crowd, KEY, Process, SEND, put_webhook, received, until},
    place,
};
use reachwire::{
    clock::Clock,
    crm::{Answer, Options, Row, Simulator},
    db::Db,
    delivery::SendState,
    fetch,
};
use std::{collections::BTreeSet, path::Path, time::Duration};

pub const CROWD: Crowd = Crowd { users: 6_000, gaps: 50 };

pub async fn open(database: &str, exclusive: bool) -> Db {
    if database.starts_with("postgres") {
        Db::open_postgres(database, 6).await.unwrap()
    } else {
        Db::open_sqlite(Path::new(database), exclusive).await.unwrap()
    }
}

/// No test: the process that is killed.
#[tokio::test(flavor = "multi_thread")]
async fn server_process() {
    let Some(database) = Process::database() else { return };
    CROWD.send(open(&database, true).await, Clock::System).await;
}

async fn killed_and_restarted(database: &str) {
    let options = Options {
        key: Some(KEY.into()),
        answer: Answer::Slow,
        slow: Duration::from_millis(15),
        remember: usize::MAX,
        ..Options::default()
    };
    let crm = Simulator::start(options).await.unwrap();
    let db = open(database, false).await;
    put_webhook(&db, &crm.url(), 8).await;
    CROWD.put_send(&db).await;
    let start = || Process::start("at_random::server_process", database);
    for accepted in [200, 1_500, 3_000] {
        let server = start();
        until(&db, "far enough to be killed", |progress| progress.accepted >= accepted).await;
        drop(server);
    }
    let server = start();
    let progress = until(&db, "finished", |progress| progress.state == SendState::Finished).await;
    drop(server);
    let Crowd { users, gaps } = CROWD;
    assert_eq!((progress.planned, progress.accepted, progress.skipped), (users, users - users / gaps, users / gaps));
    assert_eq!((progress.failed, progress.unknown, progress.waiting()), (0, 0, 0));
    reconcile(&db, &crm.rows()).await;
    db.close().await;
}

/// Three books that must agree: the counters, the rows, and what the receiver says it got.
pub async fn reconcile(db: &Db, manifest: &[Row]) {
    let received = received(manifest);
    let skips = fetch!(db, all, (String,), "select skips from send_pages where send_id = $1", SEND).unwrap();
    let skipped: BTreeSet<i64> = skips.iter().flat_map(|(skips,)| skips.split(',')).flat_map(str::parse).collect();
    let batches = "select batch_no, first_seq, last_seq from send_batches where send_id = $1";
    let batches = fetch!(db, all, (i64, i64, i64), batches, SEND).unwrap();
    let sent: Vec<(i64, i64)> = batches
        .into_iter()
        .flat_map(|(batch_no, first, last)| (first..=last).map(move |seq| (seq, batch_no)))
        .filter(|(seq, _)| !skipped.contains(seq))
        .collect();
    let hidden = "select distinct batch_no from send_attempts where send_id = $1 and outcome = 'unknown'";
    let hidden: BTreeSet<i64> =
        fetch!(db, all, (i64,), hidden, SEND).unwrap().into_iter().map(|(batch_no,)| batch_no).collect();
    assert!(!hidden.is_empty(), "the kills hit nothing in flight: the test shows nothing");
    assert_eq!(received.len(), sent.len(), "received is what was sent");
    let mut twice = BTreeSet::new();
    for (seq, batch_no) in sent {
        let rows = &received[format!("{SEND}-{seq}").as_str()];
        assert!(rows.iter().all(|row| row.batch_id == format!("{SEND}-b{batch_no}")));
        if rows.len() > 1 {
            assert!(hidden.contains(&batch_no), "batch {batch_no} was POSTed twice and its outcome was known");
            twice.insert(batch_no);
        }
    }
    println!("{} batches unknown at the kills, {} of them POSTed again", hidden.len(), twice.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    killed_and_restarted(folder.path().to_str().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    if let Some(url) = place::empty_database().await {
        killed_and_restarted(&url).await;
    }
}
