//! The server in a process of its own, on a database of the bench.

use super::engine::MASTER_KEY;
use crate::delivery::post;
use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// `reachwire serve`; killed when this is dropped.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    /// It answers when this returns.
    pub async fn start(database: &str) -> Result<Self, String> {
        let told = |error: std::io::Error| error.to_string();
        let program = std::env::current_exe().map_err(told)?;
        let listen = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).map_err(told)?;
        let mut command = Command::new(program);
        command.arg("serve").env("REACHWIRE_LISTEN", listen.to_string()).env("REACHWIRE_SECRET", MASTER_KEY);
        if database.starts_with("postgres") {
            command.env("REACHWIRE_DATABASE", database);
        } else {
            command.env("REACHWIRE_DATA", database);
        }
        let child = command.env("RUST_LOG", "warn").stdin(Stdio::null()).spawn().map_err(told)?;
        let mut server = Self { child, url: format!("http://{listen}") };
        let began = Instant::now();
        // Not by way of a proxy: nothing of a bench leaves this machine.
        let client = post::client().no_proxy().timeout(Duration::from_secs(2)).build();
        let client = client.map_err(|error| error.to_string())?;
        while client.get(format!("{}/healthz", server.url)).send().await.is_err() {
            if began.elapsed() > Duration::from_secs(60) || server.child.try_wait().map_err(told)?.is_some() {
                return Err("the server did not start".into());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(server)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
