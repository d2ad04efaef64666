//! `reachwire bench nodes`: users per second of one, two and more worker processes that share one send on one
//! PostgreSQL. On one machine they share its cores as well, so what is lost against one node is what sharing costs.

use super::{
    Process, Schema,
    engine::{Crowd, LONGEST, MASTER_KEY, open, put_send, put_webhook, template},
};
use crate::{
    clock::{Clock, new_id},
    config::Config,
    db::Db,
    delivery::{Engine, SendState, report},
    fetch,
    secrets::MasterKey,
};
use clap::{Args, value_parser};
use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

#[derive(Args)]
pub struct NodesArgs {
    /// The PostgreSQL; without it TEST_POSTGRES_URL.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// How many nodes, one run after the other; the first is what the others are compared with.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 4], value_parser = value_parser!(u32).range(1..=16))]
    nodes: Vec<u32>,
    /// Users of each run.
    #[arg(long, default_value_t = 200_000, value_parser = value_parser!(i64).range(1..=10_000_000))]
    users: i64,
    /// Users per POST.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(i64).range(1..=100))]
    batch_size: i64,
    /// POSTs at once over all nodes.
    #[arg(long, default_value_t = 16, value_parser = value_parser!(i64).range(1..=512))]
    concurrency: i64,
    /// How often each is measured; the medians count.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(1..=9))]
    runs: u32,
    /// Be a worker on this database until somebody kills it.
    #[arg(long, hide = true, value_name = "URL")]
    worker: Option<String>,
}

pub async fn run(args: NodesArgs) -> Result<(), String> {
    if let Some(database) = &args.worker {
        let (config, db) = there(database).await?;
        let key = MasterKey::from_text(MASTER_KEY)?;
        let _engine = Engine::start(&config, db, Clock::System.shared(), key, vec![Arc::new(Crowd(args.users))]);
        return std::future::pending().await;
    }
    let server = args.database.clone().or_else(|| std::env::var("TEST_POSTGRES_URL").ok());
    let server = server.ok_or("several nodes share a PostgreSQL: say --database, or set TEST_POSTGRES_URL")?;
    let simulator = Process::simulator(&[])?;
    println!(
        "Users per second of one send of {} users, {} per POST, {} POSTs at once over all nodes:",
        args.users, args.batch_size, args.concurrency
    );
    println!("{:<8}{:>12}{:>14}", "nodes", "users/s", "of the first");
    let mut first = None;
    for nodes in &args.nodes {
        let mut rates = Vec::new();
        for _ in 0..args.runs {
            let schema = Schema::make(&server).await?;
            let rate = measure(&args, *nodes, &schema.url, &simulator.url).await;
            schema.drop().await?;
            rates.push(rate?);
        }
        let rate = super::fairness::median(rates);
        let of_first = 100.0 * rate / *first.get_or_insert(rate);
        println!("{nodes:<8}{rate:>12.0}{of_first:>13.1}%");
    }
    Ok(())
}

async fn there(database: &str) -> Result<(Config, Db), String> {
    let mut config = Config::defaults();
    config.engine.allow_networks = vec!["127.0.0.0/8".parse().map_err(|_| "loopback")?];
    let db = open(database, &config).await?;
    Ok((config, db))
}

/// A worker process; killed when this is dropped.
struct Worker(Child);

impl Worker {
    fn start(database: &str, users: i64) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.args(["bench", "nodes", "--worker", database, "--users", &users.to_string()]).stdout(Stdio::null());
        command.spawn().map(Self).map_err(|error| error.to_string())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn measure(args: &NodesArgs, nodes: u32, database: &str, url: &str) -> Result<f64, String> {
    let (_, db) = there(database).await?;
    let told = |error: sqlx::Error| error.to_string();
    let key = MasterKey::from_text(MASTER_KEY)?;
    put_webhook(&db, "hook", url, &key, args.concurrency).await.map_err(told)?;
    let workers: Result<Vec<_>, _> = (0..nodes).map(|_| Worker::start(database, args.users)).collect();
    let _workers = workers?;
    let began = Instant::now();
    // Each has joined and knows all the others.
    let ready = "select count(*) from nodes where knows = (select max(joined_no) from nodes)";
    while fetch!(db, one, (i64,), ready).map_err(told)?.0 < i64::from(nodes) {
        wait(began, "joining").await?;
    }
    let (send, started) = (new_id(), Instant::now());
    put_send(&db, &send, "hook", &template()?, args.users, args.batch_size).await.map_err(told)?;
    let end = loop {
        let progress = report::progress(&db, "w", &send).await.map_err(|error| error.to_string())?;
        if matches!(progress.state, SendState::Finished | SendState::Failed) {
            break progress;
        }
        wait(started, "a run").await?;
    };
    let seconds = started.elapsed().as_secs_f64();
    db.close().await;
    if end.accepted != args.users {
        return Err(format!("{} of {} users were accepted: {:?}", end.accepted, args.users, end.error));
    }
    Ok(end.accepted as f64 / seconds)
}

async fn wait(since: Instant, what: &str) -> Result<(), String> {
    if since.elapsed() > LONGEST {
        return Err(format!("{what} took longer than {} s", LONGEST.as_secs()));
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    Ok(())
}
