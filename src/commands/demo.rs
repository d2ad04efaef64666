//! `reachwire demo`: the product with made-up data and its own CRM simulator, to be tried in a minute.

mod people;
mod seed;

use crate::{
    clock::Clock,
    config::{Config, Flags},
    crm, server, wire,
};
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// What the demo's people sign in with.
pub const PASSWORD: &str = "reachwire-demo";
pub const ADMINISTRATOR: &str = "admin@example.com";
pub const MARKETER: &str = "marketer@example.com";
/// The key of the demo's webhooks, which its simulator knows.
const KEY: &str = "demo key 123456789";

#[derive(clap::Args)]
pub struct DemoArgs {
    #[command(flatten)]
    pub flags: Flags,
    /// Where the CRM simulator listens.
    #[arg(long, default_value = "127.0.0.1:4010")]
    pub crm: SocketAddr,
    /// A file that says how many milliseconds the demo's clock is ahead, read again and again: the browser tests let
    /// days pass with it.
    #[arg(long, value_name = "FILE", hide = true)]
    pub clock_file: Option<PathBuf>,
}

/// How often the clock's file is read.
const CLOCK_POLL: Duration = Duration::from_millis(100);

/// The clock that follows the file, as long as the program runs.
fn clock_of(file: Option<PathBuf>) -> Clock {
    let Some(file) = file else { return Clock::System };
    // A file that is being written may be empty for a moment.
    let read = |text: std::io::Result<String>| text.ok()?.trim().parse().ok();
    // Before anything looks at the clock.
    let ahead = Arc::new(AtomicI64::new(read(std::fs::read_to_string(&file)).unwrap_or(0)));
    let clock = Clock::Ahead(ahead.clone());
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(CLOCK_POLL).await;
            if let Some(millis) = read(tokio::fs::read_to_string(&file).await) {
                ahead.store(millis, Ordering::SeqCst);
            }
        }
    });
    clock
}

pub async fn run(args: DemoArgs) -> Result<(), String> {
    let mut config = Config::load(&args.flags)?;
    // For the simulator, which listens on loopback.
    config.engine.allow_networks.push(args.crm.ip().into());
    server::init_logs(config.log_format);
    let public_url = config.public_url();
    let receipts = crm::ReceiptOptions {
        url: format!("{public_url}{}", wire::receipt::PATH),
        delay: Duration::from_secs(1),
        share: 0.98,
        statuses: vec![("200".into(), 0.93), ("500".into(), 0.07)],
    };
    let simulator = crm::Simulator::start(crm::Options {
        listen: args.crm,
        key: Some(KEY.into()),
        receipts: Some(receipts),
        ..Default::default()
    })
    .await
    .map_err(|error| format!("the simulator: {error}"))?;
    let started = server::start(config, clock_of(args.clock_file)).await?;
    let state = started.state.clone();
    let crm_url = format!("http://{}", simulator.address());
    // The finished task needs receipts, which need a server: the rest of the data is there before it serves.
    let first = match seed::before(&state, &crm_url).await {
        Ok(first) => first,
        Err(error) => {
            started.stop().await;
            return Err(error.to_string());
        }
    };
    let serving = tokio::spawn(server::serve(started));
    if let Some(first) = first
        && let Err(error) = seed::after(&state, &first).await
    {
        state.engine.stop(server::GRACE).await;
        return Err(error.to_string());
    }
    println!(
        "\n  Reachwire demo   {public_url}\n  Administrator    {ADMINISTRATOR}   password {PASSWORD}\n  \
         Marketer         {MARKETER}   password {PASSWORD}\n  CRM simulator    {crm_url}   key {KEY}\n"
    );
    let ended = serving.await.map_err(|error| error.to_string())?;
    drop(simulator);
    ended
}
