//! A workspace with a webhook that points at the simulator, and an engine, for tests of the engine and of receipts.

use super::{
    Chunk, Engine, NewSend, Planned, Recipient, SendState, Sender, model::Progress, report, sender::ChunkFuture, store,
};
use crate::{
    clock::Clock,
    config::Config,
    crm,
    db::Db,
    execute,
    secrets::MasterKey,
    wire::{message::Encryption, text::Template},
};
use std::{sync::Arc, time::Duration};

pub const WORKSPACE: &str = "w1";
pub const WEBHOOK: &str = "hook1";
pub const KEY: &str = "123456789";

/// Customers c000000, c000001, ...; every tenth has no ID when `gaps`.
pub struct Crowd {
    pub users: usize,
    pub gaps: bool,
}

impl Sender for Crowd {
    fn source(&self) -> &'static str {
        "crowd"
    }

    fn chunk<'a>(&'a self, _: &'a Db, _: &'a str, _: &'a str, after: Option<&'a str>, limit: i64) -> ChunkFuture<'a> {
        Box::pin(async move {
            let first: usize = after.map_or(0, |cursor| cursor.parse().unwrap());
            let last = (first + limit as usize).min(self.users);
            let recipient = |number: usize| Recipient {
                customer_id: format!("c{number:06}"),
                plan: if self.gaps && number % 10 == 9 {
                    Err("no EMAIL".into())
                } else {
                    Ok(Planned { target: format!("user{number}@example.com"), values: vec![number.to_string()] })
                },
            };
            let next = (last < self.users).then(|| last.to_string());
            Ok(Chunk { recipients: (first..last).map(recipient).collect(), next })
        })
    }
}

pub fn config() -> Config {
    let mut config = Config::defaults();
    config.engine.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    config.engine.tries = 3;
    config.engine.retry_first_ms = 10;
    config
}

pub fn master_key() -> MasterKey {
    MasterKey::from_text("a master key for tests").unwrap()
}

pub async fn simulator(options: crm::Options) -> crm::Simulator {
    crm::Simulator::start(crm::Options { key: Some(KEY.into()), remember: 1_000_000, ..options }).await.unwrap()
}

pub async fn put_webhook(db: &Db, url: &str, concurrency: i64) {
    execute!(
        db,
        "insert into webhooks (workspace_id, id, name, enabled, url, authentication, key_cipher, id_types, parameters, \
         batch_size, concurrency, receipts_enabled, retention_days, statuses, version, created_at, updated_at) \
         values ($1, $2, 'hook', $3, $4, 'Key', $5, '[]', '[]', 100, $6, $3, 7, $7, 1, 0, 0)",
        WORKSPACE,
        WEBHOOK,
        true,
        url,
        master_key().seal(KEY),
        concurrency,
        r#"[{"code":"200","value":"Success"},{"code":"500","value":"Failure"}]"#
    )
    .unwrap();
}

pub async fn put_send(db: &Db, id: &str, audience: usize, batch_size: i64, due_at: i64) {
    let mut template = Template::default();
    template.push_constant("coupon", "C-1");
    let mut tx = db.begin().await.unwrap();
    let send = NewSend {
        workspace_id: WORKSPACE,
        id,
        source: "crowd",
        webhook_id: WEBHOOK,
        id_type: "EMAIL",
        encryption: Encryption::None,
        template: &template,
        batch_size,
        due_at,
        audience_size: audience as i64,
        receipts_until: Some(i64::MAX),
        now: 0,
    };
    store::create(&mut tx, send).await.unwrap();
    tx.commit().await.unwrap();
}

pub fn engine(db: &Db, config: &Config, crowd: Crowd) -> Engine {
    let _ = tracing_subscriber::fmt().with_test_writer().with_max_level(tracing::Level::WARN).try_init();
    Engine::start(config, db.clone(), Clock::System, master_key(), vec![Arc::new(crowd)])
}

/// Reads until it holds; each time the counters must add up.
pub async fn until(db: &Db, id: &str, holds: impl Fn(&Progress) -> bool) -> Progress {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        let progress = report::progress(db, WORKSPACE, id).await.unwrap();
        assert!(progress.waiting() >= 0 && progress.unknown >= 0, "{progress:?}");
        if holds(&progress) {
            return progress;
        }
        assert!(tokio::time::Instant::now() < deadline, "still {progress:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub fn ended(progress: &Progress) -> bool {
    matches!(progress.state, SendState::Finished | SendState::Failed | SendState::Stopped)
}
