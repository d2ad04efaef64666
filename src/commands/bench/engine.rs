//! One run of the engine: made-up customers to the simulator, from the send's creation to its end.

use super::KEY;
use crate::{
    clock::{Clock, new_id},
    config::Config,
    db::Db,
    delivery::{
        Chunk, Engine, NewSend, Planned, Recipient, SendState, Sender, model::Progress, report, sender::ChunkFuture,
        store,
    },
    execute,
    secrets::MasterKey,
    wire::{
        message::Encryption,
        text::{Template, Variable, WhenEmpty},
    },
};
use serde::{Deserialize, Serialize};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

pub const MASTER_KEY: &str = "the master key of the bench";
/// A run that takes longer is given up.
pub const LONGEST: Duration = Duration::from_secs(600);

#[derive(Serialize, Deserialize)]
pub struct Measured {
    pub users: i64,
    pub seconds: f64,
    /// The process's largest resident memory; `None` where the system does not tell it.
    pub peak_kb: Option<u64>,
}

impl Measured {
    pub fn rate(&self) -> f64 {
        self.users as f64 / self.seconds
    }
}

/// The user with a number: customer id, ID, the variables' values.
pub fn user(number: i64) -> (String, String, Vec<String>) {
    let values = vec![format!("Member {number}"), (number % 5_000).to_string()];
    (format!("c{number:08}"), format!("user{number}@example.com"), values)
}

pub fn template() -> Result<Template, String> {
    let mut template = Template::default();
    let [name, points] =
        ["name", "points"].map(|tag| Variable { name: tag.into(), tag: tag.into(), when_empty: WhenEmpty::SkipUser });
    template.push_constant("coupon", "SPRING-2025");
    template.push_text("text", "Dear ${name}, your ${points} points are waiting for you.", &[name, points])?;
    Ok(template)
}

/// So many made-up customers for every send.
pub struct Crowd(pub i64);

impl Sender for Crowd {
    fn source(&self) -> &'static str {
        "bench"
    }

    fn chunk<'a>(&'a self, _: &'a Db, _: &'a str, _: &'a str, after: Option<&'a str>, limit: i64) -> ChunkFuture<'a> {
        Box::pin(async move {
            let first = after.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
            let last = (first + limit).min(self.0);
            let recipient = |number| {
                let (customer_id, target, values) = user(number);
                Recipient { customer_id, plan: Ok(Planned { target, values }) }
            };
            let next = (last < self.0).then(|| last.to_string());
            Ok(Chunk { recipients: (first..last).map(recipient).collect(), next })
        })
    }
}

pub async fn run(url: &str, database: &str, users: i64, batch_size: i64, concurrency: i64) -> Result<Measured, String> {
    let mut config = Config::defaults();
    config.engine.allow_networks = vec!["127.0.0.0/8".parse().map_err(|_| "loopback")?];
    let db = open(database, &config).await?;
    let master_key = MasterKey::from_text(MASTER_KEY)?;
    put_webhook(&db, "hook", url, &master_key, concurrency).await.map_err(|error| error.to_string())?;
    let measured = send_once(&db, &config, &new_id(), users, batch_size).await?;
    db.close().await;
    Ok(measured)
}

/// One send to the webhook, by an engine that knows no other crowd.
pub async fn send_once(db: &Db, config: &Config, send: &str, users: i64, batch_size: i64) -> Result<Measured, String> {
    let master_key = MasterKey::from_text(MASTER_KEY)?;
    let engine = Engine::start(config, db.clone(), Clock::System, master_key, vec![Arc::new(Crowd(users))]);
    let template = template()?;
    let started = Instant::now();
    put_send(db, send, "hook", &template, users, batch_size).await.map_err(|error| error.to_string())?;
    engine.wake();
    let seconds = accepted(db, send, users, started, async |_| Ok(())).await?;
    engine.stop(Duration::from_secs(15)).await;
    Ok(Measured { users, seconds, peak_kb: peak_kb(std::process::id()) })
}

/// Waits until all users of a send are accepted, and calls `look` with each progress that is seen. Seconds since
/// `started`.
pub async fn accepted(
    db: &Db,
    send: &str,
    users: i64,
    started: Instant,
    mut look: impl AsyncFnMut(&Progress) -> Result<(), String>,
) -> Result<f64, String> {
    let progress = loop {
        let progress = report::progress(db, "w", send).await.map_err(|error| error.to_string())?;
        look(&progress).await?;
        if matches!(progress.state, SendState::Finished | SendState::Failed) {
            break progress;
        }
        if started.elapsed() > LONGEST {
            return Err(format!("a run took longer than {} s: {progress:?}", LONGEST.as_secs()));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let seconds = started.elapsed().as_secs_f64();
    if progress.accepted != users {
        return Err(format!("{} of {users} users were accepted: {:?}", progress.accepted, progress.error));
    }
    Ok(seconds)
}

/// A folder for SQLite, or the URL of a PostgreSQL.
pub async fn open(database: &str, config: &Config) -> Result<Db, String> {
    let db = if database.starts_with("postgres") {
        Db::open_postgres(database, config.database_connections).await
    } else {
        Db::open_sqlite(Path::new(database), true).await
    };
    db.map_err(|error| error.to_string())
}

/// A send of the workspace "w" to everybody of a [`Crowd`], at once.
pub async fn put_send(
    db: &Db,
    id: &str,
    webhook_id: &str,
    template: &Template,
    users: i64,
    batch_size: i64,
) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    let new = NewSend {
        workspace_id: "w",
        id,
        source: "bench",
        webhook_id,
        webhook_version: 1,
        url: "",
        pass_environment: false,
        id_type: "EMAIL",
        encryption: Encryption::None,
        template,
        batch_size,
        due_at: 0,
        audience_size: users,
        receipts_for: None,
        now: 0,
    };
    store::create(&mut tx, new).await?;
    tx.commit().await
}

pub async fn put_webhook(db: &Db, id: &str, url: &str, master_key: &MasterKey, concurrency: i64) -> sqlx::Result<u64> {
    execute!(
        db,
        "insert into webhooks (workspace_id, id, name, enabled, url, authentication, key_cipher, id_types, parameters, \
         batch_size, concurrency, receipts_enabled, retention_days, statuses, version, created_at, updated_at) \
         values ('w', $6, $6, $1, $2, 'key', $3, '[]', '[]', 100, $4, $5, 7, '[]', 1, 0, 0)",
        true,
        url,
        master_key.seal(KEY),
        concurrency,
        false,
        id
    )
}

/// A process's largest resident memory.
pub fn peak_kb(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
