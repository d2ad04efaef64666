//! A server that is brought up to date dies in the middle of it, again and again. The database is at one version or the
//! next, with all of its rows, and a send that was under way ends as if nothing had happened.

use crate::{
    books::{self, InFlight, all_accepted},
    house::{BATCH, ELIGIBLE, House, USERS, WEBHOOK},
    place::{self, Place},
};
use reachwire::{
    clock::{Clock, DAY},
    wire::{message::Encryption, text::Template},
};
use sqlx::{AssertSqlSafe, Connection, migrate::Migrator, sqlite::SqliteConnectOptions};
use std::path::Path;

/// The version before users became pages: the greatest change of a send's tables so far.
const OLD: i64 = 5;
const SEND: &str = "0123456789abcdef0123456789abcdef";
const WORKSPACE: &str = "old";

/// A send as the old version had planned it.
fn old_send() -> Vec<String> {
    let template = serde_json::to_string(&Template::default()).unwrap();
    let (encryption, now) = (Encryption::None.code(), Clock::System.now());
    let (until, skipped, batches) = (now + 7 * DAY, USERS - ELIGIBLE, (ELIGIBLE + BATCH - 1) / BATCH);
    let mut statements = vec![
        format!("insert into workspaces (id, name, time_zone, created_at) values ('{WORKSPACE}', 'Shop', 'UTC', 0)"),
        format!(
            "insert into tasks (workspace_id, id, name, audience_id, webhook_id, id_type, encryption, inputs, time_zone, \
             created_by, created_at, updated_at, name_key, passed, submitted_by) values ('{WORKSPACE}', '{SEND}', 'Old', \
             '', '{WEBHOOK}', 'MOBILE', '{encryption}', '{{}}', 'UTC', '', 0, 0, 'old', '[]', '')"
        ),
        format!(
            "insert into sends (workspace_id, id, source, webhook_id, id_type, encryption, template, batch_size, state, \
             due_at, audience_size, planned, planning_done, batches, skipped, created_at, started_at, receipts_for, \
             receipts_until) values ('{WORKSPACE}', '{SEND}', 'task', '{WEBHOOK}', 'MOBILE', '{encryption}', '{template}', \
             {BATCH}, 'sending', 0, {USERS}, {USERS}, true, {batches}, {skipped}, 0, {now}, {until}, {until})"
        ),
        format!(
            "insert into send_reasons (workspace_id, send_id, outcome, reason, users) \
             values ('{WORKSPACE}', '{SEND}', 'skipped', 'no MOBILE', {skipped})"
        ),
    ];
    let (mut actions, mut seqs) = (Vec::new(), Vec::new());
    for seq in 0..USERS {
        let (batch, target) = if seq % 10 == 9 {
            ("null, 'no MOBILE'".to_string(), "null, null".to_string())
        } else {
            seqs.push(seq);
            (format!("{}, null", (seqs.len() as i64 - 1) / BATCH), format!("'+44{seq:06}', '[]'"))
        };
        actions.push(format!("('{WORKSPACE}', '{SEND}', {seq}, 'c{seq:06}', {target}, {batch})"));
    }
    for some in actions.chunks(500) {
        statements.push(format!(
            "insert into send_actions (workspace_id, send_id, seq, customer_id, target, variables, batch_no, skip_reason) \
             values {}",
            some.join(", ")
        ));
    }
    for (batch_no, seqs) in seqs.chunks(BATCH as usize).enumerate() {
        statements.push(format!(
            "insert into send_batches (workspace_id, send_id, batch_no, first_seq, last_seq, size, state, run_at) \
             values ('{WORKSPACE}', '{SEND}', {batch_no}, {}, {}, {}, 'pending', 0)",
            seqs[0],
            seqs[seqs.len() - 1],
            seqs.len()
        ));
    }
    statements
}

async fn migrator(folder: &str) -> Migrator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
    Migrator::new(folder).await.unwrap()
}

/// Up to date, it sends what the old version had planned.
async fn sends_to_the_end(place: Place) {
    let mut house = House::at(place).await;
    let server = house.start(None).await;
    house.finished(SEND).await;
    books::agree(&house, SEND, &InFlight::new(), &all_accepted()).await;
    books::receipts(&house, SEND).await;
    server.kill();
}

/// As many users as there were, in the tables of the version that is there.
fn users(version: i64) -> &'static str {
    if version > OLD {
        "select cast(sum(users) as bigint) from send_pages"
    } else {
        "select count(*) from send_actions"
    }
}

const VERSION: &str = "select max(version) from _sqlx_migrations";

#[cfg(debug_assertions)] // A release build has no steps to die at.
#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let place = Place::new(None);
    std::fs::create_dir_all(&place.config.data).unwrap();
    let file = SqliteConnectOptions::new().filename(place.config.data.join("reachwire.db")).create_if_missing(true);
    let pool = sqlx::SqlitePool::connect_with(file.clone()).await.unwrap();
    migrator("sqlite").await.run_to(OLD, &pool).await.unwrap();
    for sql in old_send() {
        sqlx::query(AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    }
    pool.close().await;

    let run = |step: &str| place.command("migrate", Some(step)).status().unwrap();
    for step in ["migration.written:1", "migration.written:2"] {
        place.died_at(run(step), step);
        whole(&file).await;
    }
    let (mut deaths, mut looks) = (0, 1);
    loop {
        let step = format!("migration.running:{looks}");
        let status = run(&step);
        whole(&file).await;
        if status.success() {
            break;
        }
        place.died_at(status, &step);
        (deaths, looks) = (deaths + 1, looks * 2);
    }
    assert!(deaths > 5, "the migrations were interrupted {deaths} times");
    sends_to_the_end(place).await;
}

#[cfg(debug_assertions)]
async fn whole(file: &SqliteConnectOptions) {
    let mut connection = sqlx::SqliteConnection::connect_with(file).await.unwrap();
    let (version,): (i64,) = sqlx::query_as(VERSION).fetch_one(&mut connection).await.unwrap();
    let (users,): (i64,) = sqlx::query_as(users(version)).fetch_one(&mut connection).await.unwrap();
    assert_eq!(users, USERS, "version {version}");
    connection.close().await.unwrap();
}

/// The migration waits in the middle for a table that is locked, and is killed there.
#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let Some(url) = place::empty_database().await else { return };
    let place = Place::new(Some(url.clone()));
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    migrator("postgres").await.run_to(OLD, &pool).await.unwrap();
    for sql in old_send() {
        sqlx::query(AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    }
    // Between two statements, and when all has been done but the record of it.
    for lock in ["lock table receipts in access share mode", "lock table _sqlx_migrations in share mode"] {
        let mut holding = pool.begin().await.unwrap();
        sqlx::query(lock).execute(&mut *holding).await.unwrap();
        let mut process = place.command("migrate", None).spawn().unwrap();
        let waits = "select count(*) from pg_locks l join pg_database d on d.oid = l.database \
                     where not l.granted and l.locktype = 'relation' and d.datname = current_database()";
        place::wait("waiting for the table", async || {
            assert!(process.try_wait().unwrap().is_none(), "it did not wait: {}", place.log());
            let (waiting,): (i64,) = sqlx::query_as(waits).fetch_one(&pool).await.unwrap();
            (waiting > 0).then_some(())
        })
        .await;
        process.kill().unwrap();
        process.wait().unwrap();
        holding.rollback().await.unwrap();
        let (version,): (i64,) = sqlx::query_as(VERSION).fetch_one(&pool).await.unwrap();
        assert_eq!(version, OLD);
        let (users,): (i64,) = sqlx::query_as(users(version)).fetch_one(&pool).await.unwrap();
        assert_eq!(users, USERS);
    }
    pool.close().await;
    assert!(place.command("migrate", None).status().unwrap().success(), "{}", place.log());
    sends_to_the_end(place).await;
}
