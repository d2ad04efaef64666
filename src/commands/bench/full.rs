//! `reachwire bench full`: what a send costs in a new database, and in one that holds many old messages; and how long the
//! pages take there.

use super::{
    Process,
    engine::{MASTER_KEY, open, put_webhook, send_once},
    fairness::median,
    launch::{put_audience, put_customers, put_task},
    on_a_database,
    server::Server,
};
use crate::{
    access::{model::Preset, password, store as access},
    clock::{Clock, new_id},
    config::Config,
    db::Db,
    delivery::post,
    execute,
    secrets::MasterKey,
};
use clap::{Args, value_parser};
use std::time::{Duration, Instant};

const EMAIL: &str = "bench@example.com";
const PASSWORD: &str = "the-password-of-the-bench";
const CUSTOMER: &str = "c00000000";
/// How often a page is asked for.
const ASKED: usize = 15;

#[derive(Args)]
pub struct FullArgs {
    /// PostgreSQL in place of SQLite.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Old messages.
    #[arg(long, default_value_t = 1_000_000, value_parser = value_parser!(i64).range(1..=1_000_000_000))]
    old: i64,
    /// Messages of each old send.
    #[arg(long, default_value_t = 1_000_000, value_parser = value_parser!(i64).range(1..=10_000_000))]
    each: i64,
    /// Users of the sends that are measured.
    #[arg(long, default_value_t = 200_000, value_parser = value_parser!(i64).range(1..=10_000_000))]
    users: i64,
    /// Users per POST.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(i64).range(1..=100))]
    batch_size: i64,
    /// How often it is measured before and after; the medians count.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(1..=9))]
    runs: u32,
}

pub async fn run(args: FullArgs) -> Result<(), String> {
    on_a_database(args.database.as_deref(), async |database| measure(&args, database).await).await
}

async fn measure(args: &FullArgs, database: &str) -> Result<(), String> {
    let last = fill(args, database).await?;
    println!("Pages there, in ms, with their way over loopback ({ASKED} times each):");
    println!("{:<40}{:>8}{:>8}{:>8}", "", "least", "median", "most");
    for (page, mut took) in pages(database, &last).await? {
        took.sort_by(f64::total_cmp);
        println!("{page:<40}{:>8.1}{:>8.1}{:>8.1}", took[0], took[ASKED / 2], took[ASKED - 1]);
    }
    Ok(())
}

/// Sends, fills, and sends again. The last old task; nothing holds the database when this returns.
async fn fill(args: &FullArgs, database: &str) -> Result<String, String> {
    let simulator = Process::simulator(&[])?;
    let mut config = Config::defaults();
    config.engine.allow_networks = vec!["127.0.0.0/8".parse().map_err(|_| "loopback")?];
    let db = open(database, &config).await?;
    let told = |error: sqlx::Error| error.to_string();
    let key = MasterKey::from_text(MASTER_KEY)?;
    put_webhook(&db, "hook", &simulator.url, &key, 16).await.map_err(told)?;
    put_person(&db).await?;
    put_customers(&db, 1_000).await.map_err(told)?;
    let audience = put_audience(&db, args.users).await.map_err(told)?;
    let task = async |users| {
        let id = new_id();
        put_task(&db, &id, &audience).await.map_err(|error| error.to_string())?;
        let measured = send_once(&db, &config, &id, users, args.batch_size).await?;
        Result::<_, String>::Ok((id, measured.rate()))
    };
    let rate = async || {
        let mut rates = Vec::new();
        for _ in 0..args.runs {
            rates.push(task(args.users).await?.1);
        }
        Result::<_, String>::Ok(median(rates))
    };
    println!("Users per second of sends of {} users, {} per POST:", args.users, args.batch_size);
    // What a process does once is in none of the figures.
    task(args.users).await?;
    let new = rate().await?;
    println!("{:>14} old messages: {new:.0}", 0);
    let (mut old, mut last) = (0, String::new());
    while old < args.old {
        let users = args.each.min(args.old - old);
        last = task(users).await?.0;
        old += users;
    }
    let full = rate().await?;
    println!("{old:>14} old messages: {full:.0} ({:+.1}%)", 100.0 * (full / new - 1.0));
    db.close().await;
    Ok(last)
}

/// Who may see everything.
async fn put_person(db: &Db) -> Result<(), String> {
    let now = Clock::System.now();
    let hash = password::hash(PASSWORD.into()).await.map_err(|error| error.to_string())?;
    let put = async {
        let workspace = "insert into workspaces (id, name, time_zone, created_at) values ('w', 'Bench', 'UTC', $1)";
        execute!(db, workspace, now)?;
        let user = access::put_user(db, EMAIL, Some("Bench"), &hash, now).await?;
        access::put_member(db, "w", &user, Preset::Administrator, now).await
    };
    put.await.map_err(|error: sqlx::Error| error.to_string())
}

/// How long each page took, in ms.
async fn pages(database: &str, task: &str) -> Result<Vec<(String, Vec<f64>)>, String> {
    let server = Server::start(database).await?;
    let told = |error: reqwest::Error| error.to_string();
    let client = post::client().no_proxy().redirect(reqwest::redirect::Policy::none());
    let client = client.timeout(Duration::from_secs(60)).build().map_err(told)?;
    let signing_in = client
        .post(format!("{}/sign-in", server.url))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(format!("email={EMAIL}&password={PASSWORD}"));
    let answer = signing_in.send().await.map_err(told)?;
    let cookie = answer.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok()).unwrap_or_default();
    let cookie = cookie.split(';').next().unwrap_or_default().to_string();
    let mut pages = Vec::new();
    for page in ["/", "/tasks", "/tasks/TASK", "/webhooks", "/webhooks/hook", "/customers", "/customers/view/CUSTOMER"]
    {
        let path = page.replace("TASK", task).replace("CUSTOMER", CUSTOMER);
        let mut took = Vec::new();
        for _ in 0..ASKED {
            let began = Instant::now();
            let request = client.get(format!("{}{path}", server.url)).header("cookie", &cookie);
            let answer = request.send().await.map_err(told)?;
            let status = answer.status();
            answer.bytes().await.map_err(told)?;
            if status != 200 {
                return Err(format!("{path} answered {status}"));
            }
            took.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        pages.push((page.to_string(), took));
    }
    Ok(pages)
}
