//! Logs and metrics: one line a request, one Prometheus page.

use super::AppState;
use crate::{config::LogFormat, invitations};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::{sync::OnceLock, time::Instant};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// `RUST_LOG` decides what is shown; without it, our own lines from info up and others' from warn up.
pub fn init_logs(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,reachwire=info"));
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => registry.with(fmt::layer().with_target(false)).init(),
        LogFormat::Json => registry.with(fmt::layer().json()).init(),
    }
}

/// The recorder is the process's, by the metrics crate's design; tests with several servers share it.
pub fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new().build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another metrics recorder is installed; /metrics stays empty");
            }
            handle
        })
        .clone()
}

pub async fn render(State(state): State<AppState>) -> impl IntoResponse {
    ([(http::header::CONTENT_TYPE, "text/plain; version=0.0.4")], state.metrics.render())
}

/// The path as it may be logged: those of links hold their tokens.
pub fn shown_path(request: &Request) -> &str {
    let path = request.uri().path();
    if path.starts_with(invitations::model::PATH) { "/invitation/{token}" } else { path }
}

/// One line for each request, under an id that its answer carries too. The query stays out: it may hold a signature.
pub async fn request_line(request: Request, next: Next) -> Response {
    let id = crate::clock::new_id();
    let method = request.method().clone();
    let path = shown_path(&request).to_string();
    let route = request.extensions().get::<MatchedPath>().map_or("other".to_string(), |path| path.as_str().to_string());
    let started = Instant::now();
    let mut response = next.run(request).await;
    let took = started.elapsed();
    let status = response.status().as_u16();
    if !path.starts_with("/pkg/") {
        tracing::info!(request.id = %id, %method, %path, status, ms = took.as_millis() as u64, "request");
    }
    metrics::histogram!("reachwire_http_request_seconds", "route" => route, "status" => status.to_string())
        .record(took.as_secs_f64());
    if let Ok(value) = id.parse() {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}
