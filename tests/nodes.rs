//! Three nodes, real processes, on one PostgreSQL: kill -9 of one in the middle of a send. The others take over what it
//! had within its lease; at the end everybody is accounted for, and whoever got two POSTs got them with the same ids, of
//! a batch that was in flight at the kill.
//!
//! A node is this very binary: [`node_process`] runs the engine when the environment tells it so.
#![cfg(feature = "ssr")]

use reachwire::{
    clock::{Clock, SECOND, new_id},
    config::Config,
    crm::{Answer, Options, Row, Simulator},
    db::Db,
    delivery::{
        Chunk, Engine, NewSend, Planned, Recipient, SendState, Sender, model::Progress, report, sender::ChunkFuture,
        store,
    },
    execute, fetch,
    secrets::MasterKey,
    wire::{message::Encryption, text::Template},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

const USERS: i64 = 4_000;
const NODES: i64 = 3;
const CONCURRENCY: i64 = 6;
/// As short as a lease may be, in ms.
const LEASE: i64 = 12_500;
const KEY: &str = "nodes test key";
const MASTER_KEY: &str = "the master key of the nodes test";
const DATABASE: &str = "REACHWIRE_NODES_TEST_DATABASE";
const SEND: &str = "shared";

struct Crowd;

impl Sender for Crowd {
    fn source(&self) -> &'static str {
        "crowd"
    }

    fn chunk<'a>(&'a self, _: &'a Db, _: &'a str, _: &'a str, after: Option<&'a str>, limit: i64) -> ChunkFuture<'a> {
        Box::pin(async move {
            let first: i64 = after.map_or(0, |cursor| cursor.parse().unwrap());
            let last = (first + limit).min(USERS);
            let recipient = |number: i64| Recipient {
                customer_id: format!("c{number:06}"),
                plan: Ok(Planned { target: format!("+86{number}"), values: vec![] }),
            };
            let next = (last < USERS).then(|| last.to_string());
            Ok(Chunk { recipients: (first..last).map(recipient).collect(), next })
        })
    }
}

/// No test: a node.
#[tokio::test(flavor = "multi_thread")]
async fn node_process() {
    let Ok(database) = std::env::var(DATABASE) else { return };
    let mut config = Config::defaults();
    config.engine.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    config.engine.lease_ms = LEASE;
    let db = Db::open_postgres(&database, 4).await.unwrap();
    let master_key = MasterKey::from_text(MASTER_KEY).unwrap();
    let _engine = Engine::start(&config, db, Clock::System.shared(), master_key, vec![Arc::new(Crowd)]);
    std::future::pending::<()>().await;
}

/// Killed when it is dropped.
struct Node(Child);

impl Node {
    fn start(database: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["node_process", "--exact", "--nocapture"]).env(DATABASE, database);
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Node {
    /// SIGKILL.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn prepare(db: &Db, url: &str) {
    let key = MasterKey::from_text(MASTER_KEY).unwrap().seal(KEY);
    execute!(
        db,
        "insert into webhooks (workspace_id, id, name, enabled, url, authentication, key_cipher, id_types, parameters, \
         batch_size, concurrency, receipts_enabled, retention_days, statuses, version, created_at, updated_at) \
         values ('w', 'hook', 'hook', $1, $2, 'Key', $3, '[]', '[]', 10, $4, $1, 7, '[]', 1, 0, 0)",
        true,
        url,
        key,
        CONCURRENCY
    )
    .unwrap();
}

async fn put_send(db: &Db) {
    let mut template = Template::default();
    template.push_constant("coupon", "C-1");
    let mut tx = db.begin().await.unwrap();
    let send = NewSend {
        workspace_id: "w",
        id: SEND,
        source: "crowd",
        webhook_id: "hook",
        webhook_version: 1,
        url: "",
        pass_environment: false,
        id_type: "MOBILE",
        encryption: Encryption::Md5,
        template: &template,
        batch_size: 10,
        due_at: 0,
        audience_size: USERS,
        receipts_for: None,
        now: 0,
    };
    store::create(&mut tx, send).await.unwrap();
    tx.commit().await.unwrap();
}

async fn until(db: &Db, what: &str, holds: impl Fn(&Progress) -> bool) -> Progress {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let progress = report::progress(db, "w", SEND).await.unwrap();
        if holds(&progress) {
            return progress;
        }
        assert!(Instant::now() < deadline, "never {what}: {progress:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
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
    prepare(&db, &crm.url()).await;
    let mut nodes: Vec<Node> = (0..NODES).map(|_| Node::start(&database)).collect();
    let ready = "select count(*) from nodes where knows = (select max(joined_no) from nodes)";
    let deadline = Instant::now() + Duration::from_secs(30);
    while fetch!(db, one, (i64,), ready).unwrap().0 < NODES {
        assert!(Instant::now() < deadline, "the nodes did not find each other");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    put_send(&db).await;
    until(&db, "far enough for a kill", |progress| progress.accepted >= 500).await;
    drop(nodes.remove(0));
    let killed = Instant::now();
    let end = until(&db, "finished", |progress| progress.state == SendState::Finished).await;
    // The recoverer looks every 3 s, and what it finds must be POSTed and recorded.
    let longest = Duration::from_millis((LEASE + 3 * SECOND + 5 * SECOND).unsigned_abs());
    assert!(killed.elapsed() < longest, "taken over after {:?}", killed.elapsed());
    assert_eq!((end.planned, end.accepted, end.failed, end.unknown, end.waiting()), (USERS, USERS, 0, 0, 0));
    reconcile(&db, &crm.rows()).await;
    drop(nodes);
    db.close().await;
}

/// The record, and what the receiver says it got.
async fn reconcile(db: &Db, manifest: &[Row]) {
    let mut received: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in manifest {
        assert!(row.signature);
        received.entry(&row.action_id).or_default().push(row);
    }
    assert_eq!(received.len() as i64, USERS, "everybody");
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
