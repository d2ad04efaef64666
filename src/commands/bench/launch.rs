//! `reachwire bench launch`: how long it takes from Submit to the first POST, to the end of planning and to the end, for
//! an audience of customers with tags and IDs as imports leave them.

use super::{
    Process,
    engine::{MASTER_KEY, accepted, open, put_send, put_webhook, template},
    fairness::median,
    on_a_database,
};
use crate::{
    audiences::{
        self,
        model::{Audience, Kind},
        rules::Rules,
    },
    audit::By,
    clock::{Clock, new_id},
    config::Config,
    db::Db,
    delivery::{Engine, Sender, model::Progress, sender::ChunkFuture},
    error::AppError,
    execute, fetch,
    secrets::MasterKey,
    tasks::{sender::TaskSender, store as tasks},
};
use clap::{Args, value_parser};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

#[derive(Args)]
pub struct LaunchArgs {
    /// PostgreSQL in place of SQLite.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Customers, all of them in the audience.
    #[arg(long, default_value_t = 100_000, value_parser = value_parser!(i64).range(1..=10_000_000))]
    customers: i64,
    /// Users per POST.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(i64).range(1..=100))]
    batch_size: i64,
    /// POSTs at once.
    #[arg(long, default_value_t = 16, value_parser = value_parser!(i64).range(1..=512))]
    concurrency: i64,
    /// How often it is measured; the medians count.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(1..=9))]
    runs: u32,
}

pub async fn run(args: LaunchArgs) -> Result<(), String> {
    let simulator = Process::simulator(&[])?;
    on_a_database(args.database.as_deref(), async |database| measure(&args, &simulator.url, database).await).await
}

/// Customers of the bench, as [`TaskSender`] reads those of a task.
struct Customers;

impl Sender for Customers {
    fn source(&self) -> &'static str {
        "bench"
    }

    fn chunk<'a>(
        &'a self,
        db: &'a Db,
        w: &'a str,
        send: &'a str,
        after: Option<&'a str>,
        limit: i64,
    ) -> ChunkFuture<'a> {
        TaskSender.chunk(db, w, send, after, limit)
    }
}

async fn measure(args: &LaunchArgs, url: &str, database: &str) -> Result<(), String> {
    let mut config = Config::defaults();
    config.engine.allow_networks = vec!["127.0.0.0/8".parse().map_err(|_| "loopback")?];
    let db = open(database, &config).await?;
    let told = |error: sqlx::Error| error.to_string();
    put_customers(&db, args.customers).await.map_err(told)?;
    let audience = put_audience(&db, args.customers).await.map_err(told)?;
    let master_key = MasterKey::from_text(MASTER_KEY)?;
    put_webhook(&db, "hook", url, &master_key, args.concurrency).await.map_err(told)?;
    let engine = Engine::start(&config, db.clone(), Clock::System, master_key, vec![Arc::new(Customers)]);
    println!(
        "From Submit of {} customers, {} per POST, in seconds; alone: nothing is sent meanwhile:",
        args.customers, args.batch_size
    );
    println!("{:<8}{:>12}{:>12}{:>12}{:>12}{:>16}", "run", "first POST", "planned", "sent", "users/s", "planned alone");
    let mut all: [Vec<f64>; 4] = Default::default();
    for run in 1..=args.runs {
        let [first, planned, sent] = once(args, &db, &engine, &audience, false).await?;
        let [_, alone, _] = once(args, &db, &engine, &audience, true).await?;
        let seconds = [first, planned, sent, alone];
        show(&run.to_string(), args.customers, seconds);
        all.iter_mut().zip(seconds).for_each(|(all, seconds)| all.push(seconds));
    }
    show("median", args.customers, all.map(median));
    engine.stop(Duration::from_secs(15)).await;
    db.close().await;
    Ok(())
}

fn show(name: &str, customers: i64, [first, planned, sent, alone]: [f64; 4]) {
    println!("{name:<8}{first:>12.3}{planned:>12.2}{sent:>12.2}{:>12.0}{alone:>16.2}", customers as f64 / sent);
}

/// Seconds to the first POST, to the end of planning and to the end; `alone`: its breaker is open until it is planned.
async fn once(args: &LaunchArgs, db: &Db, engine: &Engine, audience: &str, alone: bool) -> Result<[f64; 3], String> {
    let send = new_id();
    let template = template()?;
    let told = |error: sqlx::Error| error.to_string();
    if alone {
        let held = "insert into webhook_health (workspace_id, webhook_id, state, open_until) values ('w', 'hook', 'open', $1) \
                    on conflict (workspace_id, webhook_id) do update set state = 'open', open_until = excluded.open_until";
        execute!(db, held, i64::MAX).map_err(told)?;
    }
    let (began, started) = (Clock::System.now(), Instant::now());
    put_task(db, &send, audience).await.map_err(|error| error.to_string())?;
    put_send(db, &send, "hook", &template, args.customers, args.batch_size).await.map_err(told)?;
    engine.wake();
    let mut planned = None;
    let look = async |progress: &Progress| {
        if planned.is_none() && progress.planned == args.customers {
            planned = Some(started.elapsed().as_secs_f64());
            if alone {
                execute!(db, "delete from webhook_health").map_err(told)?;
                engine.wake();
            }
        }
        Ok(())
    };
    let sent = accepted(db, &send, args.customers, started, look).await?;
    let first = "select min(sent_at) from send_batches where workspace_id = 'w' and send_id = $1";
    let (first,) = fetch!(db, one, (i64,), first, &send).map_err(told)?;
    Ok([(first - began) as f64 / 1_000.0, planned.unwrap_or(sent), sent])
}

/// Everybody.
pub async fn put_audience(db: &Db, size: i64) -> sqlx::Result<String> {
    let everybody = Audience { name: "All".into(), size, ..Audience::unsaved(Kind::All, Rules::default()) };
    audiences::store::add(db, "w", &everybody, &By::command_line(Clock::System.now())).await
}

/// To everybody of an audience, under the id of its send.
pub async fn put_task(db: &Db, id: &str, audience: &str) -> Result<(), AppError> {
    let task = tasks::TaskRecord {
        id: id.to_string(),
        name: id.to_string(),
        audience_id: audience.to_string(),
        webhook_id: "hook".into(),
        id_type: "EMAIL".into(),
        inputs: serde_json::to_string(&crate::tasks::model::TaskInput::default())?,
        passed: "[]".into(),
        scheduled_at: None,
        time_zone: "UTC".into(),
        created_by: "bench".into(),
        submitted_by: "bench".into(),
        created_at: 0,
    };
    let mut tx = db.begin().await?;
    tasks::put(&mut tx, "w", "bench", &task, true, 0).await?;
    Ok(tx.commit().await?)
}

/// Each has eight tags, two of which the template asks for, and an e-mail address.
pub async fn put_customers(db: &Db, customers: i64) -> sqlx::Result<()> {
    const MOST: i64 = 100_000;
    let mut first = 0;
    while first < customers {
        let last = (first + MOST).min(customers);
        let mut tx = db.begin().await?;
        let numbers = if db.is_sqlite() {
            "(with recursive n(i) as (select $1 union all select i + 1 from n where i + 1 < $2) select i from n) as numbers"
        } else {
            "generate_series($1::bigint, $2::bigint - 1) as numbers(i)"
        };
        let id = "'c' || substr(cast(100000000 + i as text), 2)";
        let tags = "'{\"birthday\":\"1990-05-17\",\"city\":\"Shenzhen\",\"first_order\":\"2025-01-02\",\"member\":true,\
                    \"name\":\"Member ' || cast(i as text) || '\",\"orders\":' || cast(i % 40 as text) || ',\
                    \"points\":' || cast(i % 5000 as text) || ',\"spend\":' || cast(i % 900 as text) || '.5}'";
        let tags = if db.is_sqlite() { tags.to_string() } else { format!("({tags})::jsonb") };
        let rows = format!(
            "insert into customers (workspace_id, customer_id, tags, created_at, updated_at) \
             select 'w', {id}, {tags}, 0, 0 from {numbers}"
        );
        execute!(tx, sqlx::AssertSqlSafe(rows), first, last)?;
        let rows = format!(
            "insert into identities (workspace_id, id_type, value, customer_id) \
             select 'w', 'EMAIL', 'user' || cast(i as text) || '@example.com', {id} from {numbers}"
        );
        execute!(tx, sqlx::AssertSqlSafe(rows), first, last)?;
        tx.commit().await?;
        first = last;
    }
    execute!(db, "insert into customer_counts (workspace_id, customers) values ('w', $1)", customers)?;
    if !db.is_sqlite() {
        // As autovacuum would have by the time that somebody sends.
        execute!(db, "analyze customers")?;
        execute!(db, "analyze identities")?;
    }
    Ok(())
}
