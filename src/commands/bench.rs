//! `reachwire bench`: users sent per second, end to end, beside a bare loop that POSTs the same bytes to the same
//! simulator.
//!
//! Everything runs on this machine over loopback: the simulator in a process of its own, and the engine in another
//! for each run, so that its memory can be read. It ends by itself and leaves nothing behind.

mod bare;
mod engine;
mod fairness;
mod full;
mod launch;
mod nodes;
mod receipts;
mod server;

use crate::clock::new_id;
use clap::{Args, Subcommand};
use engine::Measured;
use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

const KEY: &str = "bench key";

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BenchArgs {
    #[command(subcommand)]
    what: Option<What>,
    /// PostgreSQL to measure besides SQLite; without it TEST_POSTGRES_URL, when that is set.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Users of the runs with 100 per POST.
    #[arg(long, default_value_t = 200_000)]
    users: i64,
    /// Users of the runs with 1 per POST.
    #[arg(long, default_value_t = 20_000)]
    users_alone: i64,
    /// POSTs at once.
    #[arg(long, default_value_t = 16)]
    concurrency: i64,
    /// Be the engine of one run: the webhook's URL, the database, and users per POST.
    #[arg(long, hide = true, num_args = 3)]
    engine: Option<Vec<String>>,
}

#[derive(Subcommand)]
enum What {
    /// Measure what one dead and one slow endpoint cost the others.
    Fairness(fairness::FairnessArgs),
    /// Measure what many old messages cost.
    Full(full::FullArgs),
    /// Measure how long a real audience takes to its first POST and to its last.
    Launch(launch::LaunchArgs),
    /// Measure how many receipts are taken.
    Receipts(receipts::ReceiptsArgs),
    /// Measure what it costs that several nodes share the work.
    Nodes(nodes::NodesArgs),
}

pub async fn run(args: BenchArgs) -> Result<(), String> {
    match args.what {
        Some(What::Fairness(args)) => return fairness::run(args).await,
        Some(What::Full(args)) => return full::run(args).await,
        Some(What::Launch(args)) => return launch::run(args).await,
        Some(What::Receipts(args)) => return receipts::run(args).await,
        Some(What::Nodes(args)) => return nodes::run(args).await,
        None => {}
    }
    if let Some([url, database, batch_size]) = args.engine.as_deref() {
        let batch_size = batch_size.parse().map_err(|_| "users per POST")?;
        let measured = engine::run(url, database, args.users, batch_size, args.concurrency).await?;
        println!("{}", serde_json::to_string(&measured).map_err(|error| error.to_string())?);
        return Ok(());
    }
    let simulator = Process::simulator(&[])?;
    let postgres = args.database.or_else(|| std::env::var("TEST_POSTGRES_URL").ok());
    println!("Users sent per second to a simulator in another process, {} POSTs at once:", args.concurrency);
    println!(
        "{:<12}{:>12}{:>10}{:>10}{:>12}{:>12}{:>10}",
        "", "users/POST", "users", "seconds", "users/s", "of bare", "peak MB"
    );
    for (batch_size, users) in [(100, args.users), (1, args.users_alone)] {
        let bare = bare::run(&simulator.url, users, batch_size, args.concurrency).await?;
        show("bare loop", batch_size, &bare, &bare);
        let folder = Folder(std::env::temp_dir().join(format!("reachwire-bench-{}", new_id())));
        let measured = measure(&simulator.url, &folder.0.display().to_string(), users, batch_size, args.concurrency)?;
        show("SQLite", batch_size, &measured, &bare);
        if let Some(url) = &postgres {
            let schema = Schema::make(url).await?;
            let measured = measure(&simulator.url, &schema.url, users, batch_size, args.concurrency);
            schema.drop().await?;
            show("PostgreSQL", batch_size, &measured?, &bare);
        }
    }
    Ok(())
}

fn show(name: &str, batch_size: i64, measured: &Measured, bare: &Measured) {
    let memory = measured.peak_kb.map_or("-".to_string(), |kb| (kb / 1024).to_string());
    println!(
        "{name:<12}{batch_size:>12}{:>10}{:>10.2}{:>12.0}{:>11.0}%{memory:>10}",
        measured.users,
        measured.seconds,
        measured.rate(),
        100.0 * measured.rate() / bare.rate(),
    );
}

/// One run of the engine in a process of its own.
fn measure(url: &str, database: &str, users: i64, batch_size: i64, concurrency: i64) -> Result<Measured, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program)
        .args(["bench", "--users", &users.to_string(), "--concurrency", &concurrency.to_string()])
        .args(["--engine", url, database, &batch_size.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    serde_json::from_slice(&output.stdout).map_err(|error| format!("the run on {database} ended with {error}"))
}

/// The simulator; killed when this is dropped.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    /// With more arguments than the usual ones.
    fn simulator(more: &[&str]) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut child = Command::new(program)
            .args(["crm", "--listen", "127.0.0.1:0", "--key", KEY])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
        }
        let url = line.split([' ', ',']).find(|word| word.starts_with("http://")).map(String::from);
        let process = Self { child, url: url.unwrap_or_default() };
        if process.url.is_empty() { Err(format!("the simulator did not start: {line}")) } else { Ok(process) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder that goes with this.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs on a database of its own, which goes with it: a schema of a PostgreSQL, or a folder for SQLite.
async fn on_a_database<T>(
    postgres: Option<&str>,
    run: impl AsyncFnOnce(&str) -> Result<T, String>,
) -> Result<T, String> {
    match postgres {
        Some(url) => {
            let schema = Schema::make(url).await?;
            let done = run(&schema.url).await;
            schema.drop().await?;
            done
        }
        None => {
            let folder = Folder(std::env::temp_dir().join(format!("reachwire-bench-{}", new_id())));
            run(&folder.0.display().to_string()).await
        }
    }
}

/// A schema of one run.
struct Schema {
    server: String,
    name: String,
    url: String,
}

impl Schema {
    async fn make(server: &str) -> Result<Self, String> {
        let name = format!("bench{}", new_id());
        let mark = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{mark}options=-csearch_path%3D{name}");
        let schema = Self { server: server.to_string(), url, name };
        schema.execute(format!("create schema {}", schema.name)).await?;
        Ok(schema)
    }

    async fn drop(&self) -> Result<(), String> {
        self.execute(format!("drop schema {} cascade", self.name)).await
    }

    async fn execute(&self, sql: String) -> Result<(), String> {
        let run = async {
            let pool = sqlx::PgPool::connect(&self.server).await?;
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await?;
            pool.close().await;
            sqlx::Result::Ok(())
        };
        run.await.map_err(|error: sqlx::Error| format!("PostgreSQL: {error}"))
    }
}
