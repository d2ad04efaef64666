//! A send to made-up users, by engines that are processes of their own: what the tests that kill such a process share.

use reachwire::{
    clock::Clock,
    config::Config,
    crm::Row,
    db::Db,
    delivery::{
        Chunk, Engine, NewSend, Planned, Recipient, Sender, model::Progress, report, sender::ChunkFuture, store,
    },
    execute, fetch,
    secrets::MasterKey,
    wire::{message::Encryption, text::Template},
};
use std::{
    collections::BTreeMap,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

/// The webhook's.
pub const KEY: &str = "crowd test key";
pub const SEND: &str = "crowd";
/// As short as a lease may be, in ms: a dead process's batches are taken back when it ends.
pub const LEASE: i64 = 12_500;
const MASTER_KEY: &str = "the master key of the crowd";
const WORKSPACE: &str = "w";
/// Says to a test process which database it is to be the engine of.
const DATABASE: &str = "REACHWIRE_TEST_DATABASE";

#[derive(Clone, Copy)]
pub struct Crowd {
    pub users: i64,
    /// Every so many have no ID, the first one too; 0: all have one.
    pub gaps: i64,
}

impl Sender for Crowd {
    fn source(&self) -> &'static str {
        "crowd"
    }

    fn chunk<'a>(&'a self, _: &'a Db, _: &'a str, _: &'a str, after: Option<&'a str>, limit: i64) -> ChunkFuture<'a> {
        Box::pin(async move {
            let first: i64 = after.map_or(0, |cursor| cursor.parse().unwrap());
            let last = (first + limit).min(self.users);
            let recipient = |number: i64| Recipient {
                customer_id: format!("c{number:06}"),
                plan: match number.checked_rem(self.gaps) {
                    Some(0) => Err("no MOBILE".into()),
                    _ => Ok(Planned { target: format!("+86{number}"), values: vec![] }),
                },
            };
            let next = (last < self.users).then(|| last.to_string());
            Ok(Chunk { recipients: (first..last).map(recipient).collect(), next })
        })
    }
}

impl Crowd {
    pub async fn put_send(self, db: &Db) {
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
            audience_size: self.users,
            receipts_for: None,
            now: 0,
        };
        store::create(&mut tx, send).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Is the engine for as long as the process lives.
    pub async fn send(self, db: Db, clock: Clock) {
        let mut config = Config::defaults();
        config.engine.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        config.engine.lease_ms = LEASE;
        let master_key = MasterKey::from_text(MASTER_KEY).unwrap();
        let _engine = Engine::start(&config, db, clock, master_key, vec![Arc::new(self)]);
        std::future::pending::<()>().await;
    }
}

/// This very binary as another process; killed by SIGKILL when this is dropped.
pub struct Process(Child);

impl Process {
    /// `test` is the one that is the engine of [`Process::database`].
    pub fn start(test: &str, database: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([test, "--exact", "--nocapture"]).env(DATABASE, database);
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }

    /// `None` when this process runs the tests.
    pub fn database() -> Option<String> {
        std::env::var(DATABASE).ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub async fn put_webhook(db: &Db, url: &str, concurrency: i64) {
    let key = MasterKey::from_text(MASTER_KEY).unwrap().seal(KEY);
    execute!(
        db,
        "insert into webhooks (workspace_id, id, name, enabled, url, authentication, key_cipher, id_types, parameters, \
         batch_size, concurrency, receipts_enabled, retention_days, statuses, version, created_at, updated_at) \
         values ($1, 'hook', 'hook', $2, $3, 'Key', $4, '[]', '[]', 10, $5, $2, 7, '[]', 1, 0, 0)",
        WORKSPACE,
        true,
        url,
        key,
        concurrency
    )
    .unwrap();
}

/// Reads until it holds; each time the counters must add up.
pub async fn until(db: &Db, what: &str, holds: impl Fn(&Progress) -> bool) -> Progress {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let progress = report::progress(db, WORKSPACE, SEND).await.unwrap();
        assert!(progress.unknown >= 0, "{progress:?}");
        adds_up(db, SEND).await;
        if holds(&progress) {
            return progress;
        }
        assert!(Instant::now() < deadline, "never {what}: {progress:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The counters are those of the batches: one statement reads both.
pub async fn adds_up(db: &Db, id: &str) {
    let sums = "select s.accepted - coalesce(b.accepted, 0), s.failed - coalesce(b.failed, 0), \
                s.unknown - coalesce(b.unknown, 0), s.planned - s.accepted - s.failed - s.skipped - s.unknown \
                from sends s left join (select send_id, \
                cast(sum(case when state = 'accepted' then size end) as bigint) as accepted, \
                cast(sum(case when state = 'failed' then size end) as bigint) as failed, \
                cast(sum(case when state = 'unknown' then size end) as bigint) as unknown \
                from send_batches group by send_id) b on b.send_id = s.id where s.id = $1";
    let (accepted, failed, unknown, waiting) = fetch!(db, one, (i64, i64, i64, i64), sums, id).unwrap();
    assert_eq!((accepted, failed, unknown), (0, 0, 0), "counters and batches differ");
    assert!(waiting >= 0, "{waiting} wait");
}

/// What the receiver got, by the actions' ids; all of it was signed.
pub fn received(manifest: &[Row]) -> BTreeMap<&str, Vec<&Row>> {
    let mut received: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in manifest {
        assert!(row.signature);
        received.entry(&row.action_id).or_default().push(row);
    }
    received
}
