//! `reachwire crm`.

use crate::{
    config::LogFormat,
    crm::{Answer, Options, ReceiptOptions, Simulator},
    server,
};
use clap::Args;
use std::{io::Write, net::SocketAddr, path::PathBuf, time::Duration};

#[derive(Args)]
pub struct CrmArgs {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
    /// The webhook's key; without it requests must not be signed.
    #[arg(long)]
    key: Option<String>,
    /// How requests are answered.
    #[arg(long, value_enum, default_value_t)]
    answer: Answer,
    /// The share of requests that are answered so, 0 to 1; the others get OK.
    #[arg(long, default_value_t = 1.0, value_parser = share)]
    share: f64,
    /// How long --answer slow takes.
    #[arg(long, default_value_t = 12_000)]
    slow_ms: u64,
    /// Reachwire's receipt URL; without it no receipts are posted.
    #[arg(long, value_name = "URL")]
    receipts_to: Option<String>,
    #[arg(long, default_value_t = 1_000)]
    receipt_delay_ms: u64,
    /// The share of accepted actions that get a receipt, 0 to 1.
    #[arg(long, default_value_t = 1.0, value_parser = share)]
    receipt_share: f64,
    /// A status code and its weight; may be given several times.
    #[arg(long, value_name = "CODE=WEIGHT", default_value = "200=1", value_parser = status)]
    receipt_status: Vec<(String, f64)>,
    /// Write one JSON line for each action received.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Of the random choices.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or("a number from 0 to 1".into())
}

fn status(text: &str) -> Result<(String, f64), String> {
    let (code, weight) = text.split_once('=').unwrap_or((text, "1"));
    let weight: f64 = weight.parse().map_err(|_| "CODE=WEIGHT, such as 200=0.9")?;
    if code.is_empty() || !weight.is_finite() || weight < 0.0 {
        return Err("CODE=WEIGHT, such as 200=0.9".into());
    }
    Ok((code.into(), weight))
}

/// Runs until it is interrupted.
pub async fn run(args: CrmArgs) -> Result<(), String> {
    server::init_logs(LogFormat::Text);
    let receipts = args.receipts_to.map(|url| ReceiptOptions {
        url,
        delay: Duration::from_millis(args.receipt_delay_ms),
        share: args.receipt_share,
        statuses: args.receipt_status,
    });
    let options = Options {
        listen: args.listen,
        key: args.key.map(Into::into),
        answer: args.answer,
        share: args.share,
        slow: Duration::from_millis(args.slow_ms),
        receipts,
        manifest: args.manifest,
        remember: Options::default().remember,
        seed: args.seed,
    };
    let simulator = Simulator::start(options).await.map_err(|error| format!("{}: {error}", args.listen))?;
    println!("CRM simulator: webhooks to {}, what it received at http://{}/", simulator.url(), simulator.address());
    // Whoever started it reads the address from a pipe.
    std::io::stdout().flush().map_err(|error| error.to_string())?;
    tokio::signal::ctrl_c().await.map_err(|error| error.to_string())
}
