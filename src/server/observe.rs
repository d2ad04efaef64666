//! Logs, metrics and traces of requests: one line each, one Prometheus page.

use super::AppState;
use crate::{
    config::LogFormat,
    invitations,
    traces::{Span, Traces},
};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use opentelemetry::trace::SpanKind;
use std::time::{Instant, SystemTime};
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

pub async fn render(State(state): State<AppState>) -> impl IntoResponse {
    ([(http::header::CONTENT_TYPE, "text/plain; version=0.0.4")], state.metrics.render())
}

/// The path as it may be logged: those of links hold their tokens.
pub fn shown_path(request: &Request) -> &str {
    let path = request.uri().path();
    if path.starts_with(invitations::model::PATH) { "/invitation/{token}" } else { path }
}

/// One line for each request, under an id that its answer carries too. The query stays out: it may hold a signature.
pub async fn request_line(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let id = crate::clock::new_id();
    let method = request.method().clone();
    let path = shown_path(&request).to_string();
    let route = request.extensions().get::<MatchedPath>().map_or("other".to_string(), |path| path.as_str().to_string());
    let (started, began) = (Instant::now(), state.engine.traces().begin());
    let mut response = next.run(request).await;
    let took = started.elapsed();
    let status = response.status().as_u16();
    if !path.starts_with("/pkg/") {
        tracing::info!(request.id = %id, %method, %path, status, ms = took.as_millis() as u64, "request");
    }
    if let Some(began) = began {
        trace(state.engine.traces(), &id, method.as_str(), &route, status, began);
    }
    metrics::histogram!("reachwire_http_request_seconds", "route" => route, "status" => status.to_string())
        .record(took.as_secs_f64());
    if let Ok(value) = id.parse() {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// The route in place of the path, which may hold a token. Who asks is not believed about what to trace.
fn trace(traces: &Traces, id: &str, method: &str, route: &str, status: u16, began: SystemTime) {
    if !traces.samples(id) {
        return;
    }
    let mut span = Span::new(format!("{method} {route}"), began, SystemTime::now())
        .with("http.request.method", method.to_string())
        .with("http.route", route.to_string())
        .with("http.response.status_code", i64::from(status))
        .with("reachwire.request_id", id.to_string());
    span.kind = SpanKind::Server;
    span.failed = (status >= 500).then_some("HTTP 5xx");
    traces.tell(span);
}
