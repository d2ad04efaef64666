//! A collector for tests.

use crate::config::OtlpConfig;
use axum::{Router, extract::State, routing};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use std::sync::{Arc, Mutex};
use tokio::{net::TcpListener, task::JoinHandle};

/// What the collector asks for in its header `x-key`.
pub const KEY: &str = "a collector's key";

/// Takes traces on the loopback interface and remembers them.
pub struct Collector {
    address: std::net::SocketAddr,
    got: Got,
    server: JoinHandle<()>,
}

type Got = Arc<Mutex<Vec<Bytes>>>;

impl Collector {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, got) = (listener.local_addr().unwrap(), Got::default());
        let router = Router::new().route("/v1/traces", routing::post(take)).with_state(got.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, got, server }
    }

    /// Settings that send everything to it.
    pub fn settings(&self) -> OtlpConfig {
        OtlpConfig {
            endpoint: format!("http://{}/v1/traces", self.address),
            headers: format!("x-key={KEY}").into(),
            sample_share: 1.0,
        }
    }

    /// Whether a text was in any of the traces: in protobuf texts stand as they are.
    pub fn has(&self, text: &str) -> bool {
        let got = self.got.lock().unwrap();
        got.iter().any(|body| body.windows(text.len()).any(|part| part == text.as_bytes()))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(got): State<Got>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    if header("x-key") != Some(KEY) || header("content-type") != Some("application/x-protobuf") {
        return StatusCode::UNAUTHORIZED;
    }
    got.lock().unwrap().push(body);
    StatusCode::OK
}
