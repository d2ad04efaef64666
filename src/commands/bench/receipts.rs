//! `reachwire bench receipts`: receipts taken per second by a server in a process of its own, each on disk before its
//! request is answered.

use super::{
    KEY, Process,
    engine::{self, open, peak_kb},
    on_a_database,
    server::Server,
};
use crate::{
    clock::{Clock, DAY},
    config::Config,
    delivery::{
        ids::{action_id, batch_id},
        post,
    },
    execute, fetch,
    wire::{message, receipt::PATH, signature},
};
use clap::{Args, value_parser};
use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

#[derive(Args)]
pub struct ReceiptsArgs {
    /// PostgreSQL in place of SQLite.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Receipts in posts of 100.
    #[arg(long, default_value_t = 200_000, value_parser = value_parser!(i64).range(1..=10_000_000))]
    receipts: i64,
    /// Receipts in posts of 1.
    #[arg(long, default_value_t = 20_000, value_parser = value_parser!(i64).range(1..=10_000_000))]
    receipts_alone: i64,
    /// Posts at once.
    #[arg(long, default_value_t = 64, value_parser = value_parser!(u32).range(1..=1_000))]
    concurrency: u32,
}

pub async fn run(args: ReceiptsArgs) -> Result<(), String> {
    println!("Receipts taken per second, {} posts at once:", args.concurrency);
    println!(
        "{:>12}{:>12}{:>10}{:>12}{:>12}{:>10}",
        "a post", "receipts", "seconds", "receipts/s", "posts/s", "peak MB"
    );
    for (size, receipts) in [(100, args.receipts), (1, args.receipts_alone)] {
        let run = async |database: &str| measure(database, size, receipts, args.concurrency).await;
        on_a_database(args.database.as_deref(), run).await?;
    }
    Ok(())
}

async fn measure(database: &str, size: i64, receipts: i64, concurrency: u32) -> Result<(), String> {
    let send = sent(database, receipts).await?;
    let server = Server::start(database).await?;
    let client = post::client().no_proxy().build().map_err(|error| error.to_string())?;
    let next = Arc::new(AtomicI64::new(0));
    let started = Instant::now();
    let loops: Vec<_> = (0..concurrency)
        .map(|_| {
            let poster =
                Poster { client: client.clone(), url: format!("{}{PATH}", server.url), send: send.clone(), size };
            tokio::spawn(poster.post_all(next.clone(), receipts))
        })
        .collect();
    for one in loops {
        one.await.map_err(|error| error.to_string())??;
    }
    let seconds = started.elapsed().as_secs_f64();
    let peak = peak_kb(server.id()).map_or("-".to_string(), |kb| (kb / 1024).to_string());
    drop(server);
    let db = open(database, &Config::defaults()).await?;
    let kept = "select count(*), cast((select sum(users) from receipt_counts) as bigint) from receipts";
    let kept = fetch!(db, one, (i64, i64), kept).map_err(|error| error.to_string())?;
    db.close().await;
    if kept != (receipts, receipts) {
        return Err(format!("of {receipts} receipts {} were kept, and {} counted", kept.0, kept.1));
    }
    let rate = receipts as f64 / seconds;
    println!("{size:>12}{receipts:>12}{seconds:>10.2}{rate:>12.0}{:>12.0}{peak:>10}", rate / size as f64);
    Ok(())
}

/// A send whose users all got their message, of a webhook that takes receipts.
async fn sent(database: &str, users: i64) -> Result<String, String> {
    let simulator = Process::simulator(&[])?;
    engine::run(&simulator.url, database, users, 100, 16).await?;
    let db = open(database, &Config::defaults()).await?;
    let until = Clock::System.now() + DAY;
    let ready = async {
        let webhook = "update webhooks set receipts_enabled = $1, statuses = $2";
        execute!(db, webhook, true, r#"[{"code":"200","value":"Delivered"}]"#)?;
        execute!(db, "update sends set receipts_for = $1, receipts_until = $2", DAY, until)?;
        fetch!(db, one, (String,), "select id from sends")
    };
    let (send,) = ready.await.map_err(|error: sqlx::Error| error.to_string())?;
    db.close().await;
    Ok(send)
}

struct Poster {
    client: reqwest::Client,
    url: String,
    send: String,
    size: i64,
}

impl Poster {
    async fn post_all(self, next: Arc<AtomicI64>, receipts: i64) -> Result<(), String> {
        loop {
            let first = next.fetch_add(self.size, Ordering::Relaxed);
            if first >= receipts {
                return Ok(());
            }
            let (now, nonce) = (Clock::System.now(), post::nonce());
            let timestamp = now / 1_000;
            let request = self
                .client
                .post(message::request_url(&self.url, timestamp, &nonce))
                .header("content-type", "application/json")
                .header(signature::HEADER, signature::sign(KEY, &timestamp.to_string(), &nonce))
                .body(self.body(first..(first + self.size).min(receipts), now));
            let answer = request.send().await.map_err(|error| error.to_string())?;
            let (status, text) = (answer.status(), answer.text().await.map_err(|error| error.to_string())?);
            if !status.is_success() {
                return Err(format!("the server answered {status}: {text}"));
            }
        }
    }

    /// As receivers send them back: everything that came with the message.
    fn body(&self, seqs: std::ops::Range<i64>, now: i64) -> String {
        let mut body = String::from("[");
        for seq in seqs {
            let separator = if body.len() > 1 { "," } else { "" };
            let (action, batch) = (action_id(&self.send, seq), batch_id(&self.send, seq / 100));
            let _ = write!(
                body,
                "{separator}{{\"msg_id\":\"m{seq}\",\"status\":\"200\",\"cst_id\":\"c{seq:08}\",\"send_time\":\"{now}\",\
                 \"callback_params\":{{\"webhook_id\":\"hook\",\"send_time\":\"{now}\",\"nodeId\":\"\",\"instanceId\":\"\",\
                 \"batchId\":\"{batch}\",\"actionId\":\"{action}\",\"customerId\":\"c{seq:08}\"}}}}"
            );
        }
        body.push(']');
        body
    }
}
