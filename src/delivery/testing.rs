//! A workspace with a webhook that points at the simulator, and an engine, for tests of the engine and of receipts.

pub mod hostile;
pub mod tls;

use super::{
    Chunk, Engine, NewSend, Planned, Recipient, SendState, Sender,
    claim::{self, Claim, Lease},
    ids::SendKey,
    model::Progress,
    pages::{self, NewPage},
    record::{self, End, Finished, RetryPolicy},
    report,
    sender::ChunkFuture,
    store,
};
use crate::{
    audit::{
        By, Entry, Note,
        model::{Action, ObjectKind},
    },
    clock::{Clock, Millis},
    config::Config,
    crm,
    db::Db,
    execute, fetch,
    secrets::MasterKey,
    wire::{message::Encryption, text::Template},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

pub const WORKSPACE: &str = "w1";
pub const WEBHOOK: &str = "hook1";
pub const KEY: &str = "123456789";
/// What the audit log is told of whatever is done to a send.
pub fn note() -> Note<'static> {
    static BY: LazyLock<By> = LazyLock::new(|| By::command_line(0));
    Note { by: &BY, entry: Entry::new(Action::Stopped, ObjectKind::Task, "s", "s") }
}

/// How long [`put_send`]'s sends take receipts.
pub const RECEIPTS_FOR: Millis = 1 << 60;

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
    // Tests of tries want every one.
    config.engine.breaker.least_batches = 1_000_000;
    config.engine.breaker.disable_after = 1_000_000;
    config.engine.breaker.failed_share = 1.0;
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
        webhook_version: 1,
        url: "",
        pass_environment: false,
        id_type: "EMAIL",
        encryption: Encryption::None,
        template: &template,
        batch_size,
        due_at,
        audience_size: audience as i64,
        receipts_for: Some(RECEIPTS_FOR),
        now: 0,
    };
    store::create(&mut tx, send).await.unwrap();
    tx.commit().await.unwrap();
}

pub fn engine(db: &Db, config: &Config, crowd: impl Sender) -> Engine {
    crate::server::testing::warnings();
    Engine::start(config, db.clone(), Clock::System, master_key(), vec![Arc::new(crowd)])
}

/// A send that is planned to its end, with batches of so many users.
pub async fn put_planned(db: &Db, id: &str, sizes: &[i64]) -> SendKey {
    let users: i64 = sizes.iter().sum();
    put_send(db, id, users as usize, 10, 0).await;
    let mut tx = db.begin().await.unwrap();
    let mut seq = 0;
    for (batch_no, size) in sizes.iter().enumerate() {
        let batch_no = batch_no as i64;
        let insert = "insert into send_batches (workspace_id, send_id, batch_no, first_seq, last_seq, size, state, run_at) \
                      values ($1, $2, $3, $4, $5, $6, 'pending', 0)";
        execute!(tx, insert, WORKSPACE, id, batch_no, seq, seq + size - 1, size).unwrap();
        let line = |seq| format!("[\"c{seq:06}\",\"t\"]\n");
        let page = NewPage {
            first_seq: seq,
            users: *size,
            skips: String::new(),
            batches: Some((batch_no, batch_no)),
            first_customer: format!("c{seq:06}"),
            last_customer: format!("c{:06}", seq + size - 1),
            content: (seq..seq + size).map(line).collect(),
        };
        seq += size;
        pages::insert(&mut tx, &SendKey::new(WORKSPACE, id), &page).await.unwrap();
    }
    let planned = "update sends set state = 'sending', planned = $2, batches = $3, planning_done = $4 where id = $1";
    execute!(tx, planned, id, users, sizes.len() as i64, true).unwrap();
    tx.commit().await.unwrap();
    SendKey::new(WORKSPACE, id)
}

/// Claims for 30 s.
pub async fn claim(db: &Db, key: &SendKey, most: usize, now: Millis) -> Vec<Claim> {
    let lease = Lease { now, until: now + 30_000 };
    let mut tx = db.begin().await.unwrap();
    assert_eq!(store::lock(&mut tx, key).await.unwrap(), Some(SendState::Sending));
    let claims = claim::due(&mut tx, key, most, lease).await.unwrap();
    claim::write(&mut tx, claims.iter(), lease).await.unwrap();
    tx.commit().await.unwrap();
    claims
}

/// How many were stale.
pub async fn record(db: &Db, claim: &Claim, end: End, now: Millis) -> usize {
    let policy = RetryPolicy { tries: 3, first: 1_000, longest: 60_000 };
    let (claim, webhook_id) = (claim.clone(), WEBHOOK.to_string());
    let mut tx = db.begin().await.unwrap();
    let state = store::lock(&mut tx, &claim.key).await.unwrap().unwrap();
    let states = BTreeMap::from([(SendKey::clone(&claim.key), state)]);
    let finished = Finished { claim, webhook_id, end, http_status: None, duration_ms: 5, response: None };
    let stale = record::many(&mut tx, &[finished], &states, policy, now, || 0.5).await.unwrap();
    tx.commit().await.unwrap();
    stale
}

/// The counters of a send, which must be those of its rows.
pub async fn progress(db: &Db, id: &str) -> Progress {
    let sums = "select s.planned - coalesce(p.users, 0), s.accepted - coalesce(b.accepted, 0), \
                s.failed - coalesce(b.failed, 0), s.unknown - coalesce(b.unknown, 0), \
                s.skipped - coalesce(b.skipped, 0) - coalesce(p.skips, 0) \
                from sends s left join (select workspace_id, send_id, \
                cast(sum(case when state = 'accepted' then size end) as bigint) as accepted, \
                cast(sum(case when state = 'failed' then size end) as bigint) as failed, \
                cast(sum(case when state = 'unknown' then size end) as bigint) as unknown, \
                cast(sum(case when state = 'skipped' then size end) as bigint) as skipped \
                from send_batches group by workspace_id, send_id) b on b.workspace_id = s.workspace_id \
                and b.send_id = s.id left join (select workspace_id, send_id, cast(sum(users) as bigint) as users, \
                cast(sum(length(skips) - length(replace(skips, ',', '')) - case skips when '' then 0 else 1 end) \
                as bigint) as skips from send_pages group by workspace_id, send_id) p \
                on p.workspace_id = s.workspace_id and p.send_id = s.id where s.workspace_id = $1 and s.id = $2";
    let (unplanned, accepted, failed, unknown, skipped) =
        fetch!(db, one, (i64, i64, i64, i64, i64), sums, WORKSPACE, id).unwrap();
    assert_eq!((accepted, failed, unknown), (0, 0, 0), "counters that are not their batches'");
    assert!(skipped == unplanned && unplanned >= 0, "{skipped} skipped without a row, {unplanned} never planned");
    let progress = report::progress(db, WORKSPACE, id).await.unwrap();
    assert!(progress.waiting() >= 0 && progress.unknown >= 0, "{progress:?}");
    progress
}

/// Users by outcome and reason.
pub async fn reasons(db: &Db, id: &str) -> Vec<(String, String, i64)> {
    let reasons = report::reasons(db, WORKSPACE, id, 100).await.unwrap();
    let mut reasons: Vec<_> = reasons.into_iter().map(|one| (one.outcome, one.reason, one.users)).collect();
    reasons.sort();
    reasons
}

/// Reads until it holds; each time the counters must add up.
pub async fn until(db: &Db, id: &str, holds: impl Fn(&Progress) -> bool) -> Progress {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        let progress = progress(db, id).await;
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

/// That a statement reads no table from end to end, and that its plan names the indexes. Nothing is bound.
pub async fn by_index(db: &Db, sql: &str, indexes: &[&str]) {
    let plan: Vec<String> = match db {
        Db::Sqlite(_) => {
            let sql = format!("explain query plan {sql}");
            let rows = fetch!(db, all, (i64, i64, i64, String), sqlx::AssertSqlSafe(sql)).unwrap();
            rows.into_iter().map(|(.., step)| step).collect()
        }
        Db::Postgres(_) => {
            let mut tx = db.begin().await.unwrap();
            tx.by_index().await.unwrap();
            let binds: Vec<_> = (1..=9).filter(|place| sql.contains(&format!("${place}"))).map(|_| "null").collect();
            let binds = if binds.is_empty() { String::new() } else { format!("({})", binds.join(", ")) };
            execute!(tx, "set local plan_cache_mode = force_generic_plan").unwrap();
            execute!(tx, sqlx::AssertSqlSafe(format!("prepare asked as {sql}"))).unwrap();
            let plan =
                fetch!(tx, all, (String,), sqlx::AssertSqlSafe(format!("explain execute asked{binds}"))).unwrap();
            execute!(tx, "deallocate asked").unwrap();
            plan.into_iter().map(|(step,)| step).collect()
        }
    };
    let told = plan.join("\n");
    let whole = |step: &String| {
        // SQLite scans an index, too, and what a subselect has found.
        let scan = step.strip_prefix("SCAN ").is_some_and(|scan| !scan.contains("USING") && !scan.contains("latest"));
        scan || step.contains("Seq Scan")
    };
    assert!(!plan.iter().any(whole), "{sql}\n{told}");
    assert!(indexes.iter().all(|index| told.contains(index)), "{sql}\n{told}");
}
