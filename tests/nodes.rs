//! Three nodes, real processes, on one PostgreSQL: kill -9 of one in the middle of a send. The others take over what it
//! had within its lease; at the end everybody is accounted for, and whoever got two POSTs got them with the same ids, of
//! a batch that was in flight at the kill.
//!
//! A node is this very binary: [`node_process`] runs the engine when it is told of a database.
#![cfg(feature = "ssr")]

mod crowd;

use crowd::{Crowd, KEY, LEASE, Process, SEND, put_webhook, received, until};
use reachwire::{
    clock::{Clock, SECOND, new_id},
    crm::{Answer, Options, Row, Simulator},
    db::Db,
    delivery::SendState,
    fetch,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

const CROWD: Crowd = Crowd { users: 4_000, gaps: 0 };
const NODES: i64 = 3;

/// No test: a node.
#[tokio::test(flavor = "multi_thread")]
async fn node_process() {
    let Some(database) = Process::database() else { return };
    CROWD.send(Db::open_postgres(&database, 4).await.unwrap(), Clock::System.shared()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_node_had_is_taken_over_within_its_lease() {
    let Ok(url) = std::env::var("TEST_POSTGRES_URL") else {
        assert!(std::env::var("CI").is_err(), "CI must set TEST_POSTGRES_URL");
        return eprintln!("TEST_POSTGRES_URL is not set: several nodes need PostgreSQL");
    };
    let schema = format!("t{}", new_id());
    let mark = if url.contains('?') { '&' } else { '?' };
    let admin = sqlx::PgPool::connect(&url).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("create schema {schema}"))).execute(&admin).await.unwrap();
    let database = format!("{url}{mark}options=-csearch_path%3D{schema}");
    let slow = Duration::from_millis(40);
    let options =
        Options { key: Some(KEY.into()), answer: Answer::Slow, slow, remember: usize::MAX, ..Options::default() };
    let crm = Simulator::start(options).await.unwrap();
    let db = Db::open_postgres(&database, 4).await.unwrap();
    put_webhook(&db, &crm.url(), 6).await;
    let mut nodes: Vec<Process> = (0..NODES).map(|_| Process::start("node_process", &database)).collect();
    let ready = "select count(*) from nodes where knows = (select max(joined_no) from nodes)";
    let deadline = Instant::now() + Duration::from_secs(30);
    while fetch!(db, one, (i64,), ready).unwrap().0 < NODES {
        assert!(Instant::now() < deadline, "the nodes did not find each other");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    CROWD.put_send(&db).await;
    until(&db, "far enough for a kill", |progress| progress.accepted >= 500).await;
    drop(nodes.remove(0));
    let killed = Instant::now();
    let end = until(&db, "finished", |progress| progress.state == SendState::Finished).await;
    // The recoverer looks every 3 s, and what it finds must be POSTed and recorded.
    let longest = Duration::from_millis((LEASE + 3 * SECOND + 5 * SECOND).unsigned_abs());
    assert!(killed.elapsed() < longest, "taken over after {:?}", killed.elapsed());
    assert_eq!(
        (end.planned, end.accepted, end.failed, end.unknown, end.waiting()),
        (CROWD.users, CROWD.users, 0, 0, 0)
    );
    reconcile(&db, &crm.rows()).await;
    drop(nodes);
    db.close().await;
}

/// The record, and what the receiver says it got.
async fn reconcile(db: &Db, manifest: &[Row]) {
    let received = received(manifest);
    assert_eq!(received.len() as i64, CROWD.users, "everybody");
    let hidden = "select batch_no, count(*) from send_attempts where outcome = 'unknown' group by batch_no";
    let hidden: BTreeMap<String, i64> = fetch!(db, all, (i64, i64), hidden)
        .unwrap()
        .into_iter()
        .map(|(no, times)| (format!("{SEND}-b{no}"), times))
        .collect();
    assert!(!hidden.is_empty(), "the kill hit nothing in flight: the test shows nothing");
    for (action, rows) in received {
        let batches: BTreeSet<_> = rows.iter().map(|row| &row.batch_id).collect();
        assert_eq!(batches.len(), 1, "{action} in one batch");
        let times = hidden.get(&rows[0].batch_id).copied().unwrap_or(0);
        // One POST for each lease: the one that counts, and one for each that nobody could tell of.
        assert!(rows.len() as i64 <= 1 + times, "{action} came {} times, {times} unknown", rows.len());
    }
}
