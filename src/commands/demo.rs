//! `reachwire demo`: the product with made-up data and its own CRM simulator, to be tried in a minute.

mod people;
mod seed;

use crate::{
    config::{Config, Flags},
    crm, server, wire,
};
use std::{net::SocketAddr, time::Duration};

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
    let started = server::start(config).await?;
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
