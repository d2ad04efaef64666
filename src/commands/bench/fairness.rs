//! `reachwire bench fairness`: users per second to webhooks that answer well, alone, and beside one whose endpoint is
//! dead (it takes connections and never answers) and one whose endpoint is slow.

use super::{
    KEY, Process,
    engine::{Crowd, LONGEST, MASTER_KEY, open, put_send, put_webhook, template},
    on_a_database,
};
use crate::{clock::Clock, config::Config, crm, db::Db, delivery::Engine, execute, fetch, secrets::MasterKey};
use clap::{Args, value_parser};
use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{io::AsyncReadExt, net::TcpListener, task::JoinHandle};

const CONCURRENCY: i64 = 4;

#[derive(Args)]
pub struct FairnessArgs {
    /// PostgreSQL in place of SQLite.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Webhooks that answer well.
    #[arg(long, default_value_t = 49, value_parser = value_parser!(i64).range(1..=500))]
    webhooks: i64,
    /// Users of each of them.
    #[arg(long, default_value_t = 2_000, value_parser = value_parser!(i64).range(1..=1_000_000))]
    users: i64,
    /// Users per POST.
    #[arg(long, default_value_t = 10, value_parser = value_parser!(i64).range(1..=100))]
    batch_size: i64,
    /// How long they take to answer, in ms.
    #[arg(long, default_value_t = 50, value_parser = value_parser!(u64).range(0..=5_000))]
    answer_ms: u64,
    /// How long the slow one takes to answer, in ms.
    #[arg(long, default_value_t = 5_000, value_parser = value_parser!(u64).range(0..=9_000))]
    slow_ms: u64,
    /// How often both are measured, in turn; the medians count.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(1..=9))]
    runs: u32,
}

/// Where webhooks point.
struct Places {
    good: String,
    slow: String,
    dead: String,
}

pub async fn run(args: FairnessArgs) -> Result<(), String> {
    let answer = args.answer_ms.to_string();
    let good = Process::simulator(&["--answer", "slow", "--slow-ms", &answer])?;
    let options = crm::Options {
        key: Some(KEY.into()),
        answer: crm::Answer::Slow,
        slow: Duration::from_millis(args.slow_ms),
        ..crm::Options::default()
    };
    let slow = crm::Simulator::start(options).await.map_err(|error| error.to_string())?;
    let dead = Dead::start().await.map_err(|error| error.to_string())?;
    let places = Places { good: good.url.clone(), slow: slow.url(), dead: dead.url.clone() };
    println!(
        "Users per second to {} webhooks of {} users, {} per POST, answered after {} ms; ill: one endpoint is dead and \
         one takes {} ms:",
        args.webhooks, args.users, args.batch_size, args.answer_ms, args.slow_ms
    );
    println!("{:<8}{:>12}{:>12}{:>10}", "run", "alone", "with ill", "loss");
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for run in 1..=args.runs {
        // In turn which is first, for the machine's sake.
        let (one, other) = if run % 2 == 1 {
            let one = once(&args, &places, false).await?;
            (one, once(&args, &places, true).await?)
        } else {
            let other = once(&args, &places, true).await?;
            (once(&args, &places, false).await?, other)
        };
        show(&run.to_string(), one, other);
        alone.push(one);
        beside.push(other);
    }
    show("median", median(alone), median(beside));
    Ok(())
}

fn show(name: &str, alone: f64, beside: f64) {
    println!("{name:<8}{alone:>12.0}{beside:>12.0}{:>9.1}%", 100.0 * (1.0 - beside / alone));
}

pub fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}

/// A run on a database of its own, which goes with it.
async fn once(args: &FairnessArgs, places: &Places, ill: bool) -> Result<f64, String> {
    on_a_database(args.database.as_deref(), async |database| measure(args, places, ill, database).await).await
}

/// The users per second of the webhooks that answer well.
async fn measure(args: &FairnessArgs, places: &Places, ill: bool, database: &str) -> Result<f64, String> {
    let mut config = Config::defaults();
    config.engine.allow_networks = vec!["127.0.0.0/8".parse().map_err(|_| "loopback")?];
    let db = open(database, &config).await?;
    let master_key = MasterKey::from_text(MASTER_KEY)?;
    let crowd = Arc::new(Crowd(args.users));
    let engine = Engine::start(&config, db.clone(), Clock::System, master_key.clone(), vec![crowd]);
    let rate = tokio::time::timeout(LONGEST, send(args, places, ill, &db, &master_key, &engine)).await;
    engine.stop(Duration::from_secs(15)).await;
    db.close().await;
    rate.map_err(|_| format!("a run took longer than {} s", LONGEST.as_secs()))?
}

async fn send(
    args: &FairnessArgs,
    places: &Places,
    ill: bool,
    db: &Db,
    master_key: &MasterKey,
    engine: &Engine,
) -> Result<f64, String> {
    let template = template()?;
    let put = async |id: &str, url: &str| {
        put_webhook(db, id, url, master_key, CONCURRENCY).await?;
        let held =
            "insert into webhook_health (workspace_id, webhook_id, state, open_until) values ('w', $1, 'open', $2)";
        execute!(db, held, id, i64::MAX)?;
        put_send(db, id, id, &template, args.users, args.batch_size).await
    };
    let told = |error: sqlx::Error| error.to_string();
    if ill {
        put("dead", &places.dead).await.map_err(told)?;
        put("slow", &places.slow).await.map_err(told)?;
    }
    for number in 0..args.webhooks {
        put(&format!("good{number:03}"), &places.good).await.map_err(told)?;
    }
    engine.wake();
    // Planning is no matter of endpoints: every breaker is open until it is done.
    let planning = "select count(*) from sends where not planning_done";
    until(async || Ok(fetch!(db, one, (i64,), planning)?.0 == 0)).await?;
    execute!(db, "delete from webhook_health").map_err(told)?;
    let started = Instant::now();
    engine.wake();
    let open = "select count(*) from sends where id like 'good%' and state in ('scheduled', 'sending')";
    until(async || Ok(fetch!(db, one, (i64,), open)?.0 == 0)).await?;
    let seconds = started.elapsed().as_secs_f64();
    let accepted = "select cast(coalesce(sum(accepted), 0) as bigint) from sends where id like 'good%'";
    let (accepted,) = fetch!(db, one, (i64,), accepted).map_err(told)?;
    if accepted != args.webhooks * args.users {
        return Err(format!("{accepted} of {} users were accepted", args.webhooks * args.users));
    }
    Ok(accepted as f64 / seconds)
}

async fn until<F: Future<Output = sqlx::Result<bool>>>(holds: impl Fn() -> F) -> Result<(), String> {
    while !holds().await.map_err(|error| error.to_string())? {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Takes connections, reads what comes, and never answers; ends with this.
struct Dead {
    url: String,
    task: JoinHandle<()>,
}

impl Dead {
    async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let task = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut read = [0; 4_096];
                    while connection.read(&mut read).await.is_ok_and(|bytes| bytes > 0) {}
                });
            }
        });
        Ok(Self { url, task })
    }
}

impl Drop for Dead {
    fn drop(&mut self) {
        self.task.abort();
    }
}
