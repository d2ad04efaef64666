//! kill -9 in the middle of a big send, at moments that nobody chose; leases end by themselves.
//!
//! The server that is killed is this very binary: [`server_process`] runs the engine when the environment tells it so.

use crate::place;
use reachwire::{
    clock::Clock,
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
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

const USERS: i64 = 6_000;
const KEY: &str = "crash test key";
const MASTER_KEY: &str = "the master key of the crash test";
const DATABASE: &str = "REACHWIRE_CRASH_TEST_DATABASE";
const WORKSPACE: &str = "w";
const SEND: &str = "crash";

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
                plan: match number % 50 {
                    0 => Err("no MOBILE".into()),
                    _ => Ok(Planned { target: format!("+86{number}"), values: vec![] }),
                },
            };
            let next = (last < USERS).then(|| last.to_string());
            Ok(Chunk { recipients: (first..last).map(recipient).collect(), next })
        })
    }
}

async fn open(database: &str, exclusive: bool) -> Db {
    if database.starts_with("postgres") {
        Db::open_postgres(database, 6).await.unwrap()
    } else {
        Db::open_sqlite(Path::new(database), exclusive).await.unwrap()
    }
}

/// No test: the process that is killed.
#[tokio::test(flavor = "multi_thread")]
async fn server_process() {
    let Ok(database) = std::env::var(DATABASE) else { return };
    let mut config = Config::defaults();
    config.engine.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    // As short as a lease may be, for PostgreSQL takes a dead node's batches back when it ends.
    config.engine.lease_ms = 12_500;
    let db = open(&database, true).await;
    let master_key = MasterKey::from_text(MASTER_KEY).unwrap();
    let _engine = Engine::start(&config, db, Clock::System, master_key, vec![Arc::new(Crowd)]);
    std::future::pending::<()>().await;
}

struct Server(Child);

impl Server {
    fn start(database: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["at_random::server_process", "--exact", "--nocapture"]).env(DATABASE, database);
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }

    /// SIGKILL.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Server {
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
         values ($1, 'hook', 'hook', $2, $3, 'Key', $4, '[]', '[]', 10, 8, $2, 7, '[]', 1, 0, 0)",
        WORKSPACE,
        true,
        url,
        key
    )
    .unwrap();
    let mut template = Template::default();
    template.push_constant("coupon", "C-1");
    let mut tx = db.begin().await.unwrap();
    let send = NewSend {
        workspace_id: WORKSPACE,
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
        let progress = report::progress(db, WORKSPACE, SEND).await.unwrap();
        assert!(progress.waiting() >= 0 && progress.unknown >= 0, "{progress:?}");
        adds_up(db).await;
        if holds(&progress) {
            return progress;
        }
        assert!(Instant::now() < deadline, "never {what}: {progress:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
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
    prepare(&db, &crm.url()).await;
    for accepted in [200, 1_500, 3_000] {
        let server = Server::start(database);
        until(&db, "far enough to be killed", |progress| progress.accepted >= accepted).await;
        server.kill();
    }
    let server = Server::start(database);
    let progress = until(&db, "finished", |progress| progress.state == SendState::Finished).await;
    drop(server);
    let skipped = USERS / 50;
    assert_eq!((progress.planned, progress.accepted, progress.skipped), (USERS, USERS - skipped, skipped));
    assert_eq!((progress.failed, progress.unknown, progress.waiting()), (0, 0, 0));
    reconcile(&db, &crm.rows()).await;
    db.close().await;
}

/// The counters are those of the batches at any moment: one statement reads both.
async fn adds_up(db: &Db) {
    let sums = "select s.accepted - coalesce(b.accepted, 0), s.failed - coalesce(b.failed, 0), \
                s.unknown - coalesce(b.unknown, 0) from sends s left join (select send_id, \
                cast(sum(case when state = 'accepted' then size end) as bigint) as accepted, \
                cast(sum(case when state = 'failed' then size end) as bigint) as failed, \
                cast(sum(case when state = 'unknown' then size end) as bigint) as unknown \
                from send_batches group by send_id) b on b.send_id = s.id where s.id = $1";
    assert_eq!(fetch!(db, one, (i64, i64, i64), sums, SEND).unwrap(), (0, 0, 0), "counters and batches differ");
}

/// Three books that must agree: the counters, the rows, and what the receiver says it got.
async fn reconcile(db: &Db, manifest: &[Row]) {
    let mut received: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in manifest {
        assert!(row.signature);
        received.entry(&row.action_id).or_default().push(row);
    }
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
