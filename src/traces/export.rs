//! The way to the collector: OTLP over HTTP, by a client that keeps the secrets and says once when it fails.

use crate::{config::OtlpConfig, delivery::post};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri};
use opentelemetry::KeyValue;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider},
};
use secrecy::ExposeSecret;
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::runtime::Handle;

/// For one request to the collector, its answer included.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long spans are gathered.
const DELAY: Duration = Duration::from_secs(2);
/// Spans that wait for the collector; further ones are dropped.
const QUEUE: usize = 8_192;
/// Spans in one request.
const AT_ONCE: usize = 1_024;
/// What is read of an answer, in bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// What is wrong with the settings; the headers, which may hold a key, are not shown.
pub fn check(config: &OtlpConfig) -> Result<(), String> {
    if !(0.0..=1.0).contains(&config.sample_share) {
        return Err("otlp.sample_share must be 0 to 1".into());
    }
    headers(config)?;
    if config.endpoint.is_empty() {
        return Ok(());
    }
    let uri: Option<Uri> = config.endpoint.parse().ok();
    let authority = uri.as_ref().and_then(Uri::authority).map(|authority| authority.as_str());
    match (uri.as_ref().and_then(Uri::scheme_str), authority) {
        (_, Some(authority)) if authority.contains('@') => {
            Err("otlp.endpoint must not hold a password; put it into otlp.headers".into())
        }
        (Some("http" | "https"), Some(_)) => Ok(()),
        _ => Err("otlp.endpoint must be an address such as http://127.0.0.1:4318/v1/traces".into()),
    }
}

/// `name=value`, separated by commas.
fn headers(config: &OtlpConfig) -> Result<HeaderMap, String> {
    let wrong = "otlp.headers must be name=value, separated by commas";
    let given = config.headers.expose_secret().split(',').map(str::trim).filter(|one| !one.is_empty());
    let header = |one: &str| {
        let (name, value) = one.split_once('=')?;
        let mut value: HeaderValue = value.trim().parse().ok()?;
        value.set_sensitive(true);
        Some((name.trim().parse::<HeaderName>().ok()?, value))
    };
    given.map(|one| header(one).ok_or_else(|| wrong.to_string())).collect()
}

pub fn provider(config: &OtlpConfig) -> Result<SdkTracerProvider, String> {
    let client = post::client()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| error.to_string())?;
    let client = Client {
        client,
        runtime: Handle::current(),
        headers: headers(config)?,
        failing: Arc::new(AtomicBool::new(false)),
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&config.endpoint)
        .with_timeout(TIMEOUT)
        .build()
        .map_err(|error| error.to_string())?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(AT_ONCE)
        .with_scheduled_delay(DELAY)
        .build();
    // OTEL_RESOURCE_ATTRIBUTES adds to it.
    let resource = Resource::builder()
        .with_service_name("reachwire")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(SdkTracerProvider::builder()
        .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
        // Whoever tells a span has chosen it.
        .with_sampler(Sampler::AlwaysOn)
        .with_resource(resource)
        .build())
}

/// The exporter's thread knows no tokio, so requests run on the server's runtime.
#[derive(Debug)]
struct Client {
    client: reqwest::Client,
    runtime: Handle,
    headers: HeaderMap,
    failing: Arc<AtomicBool>,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Client {
    fn send_bytes<'this, 'a>(&'this self, request: Request<Bytes>) -> Answer<'a>
    where
        'this: 'a,
        Self: 'a,
    {
        let (parts, body) = request.into_parts();
        let request =
            self.client.post(parts.uri.to_string()).headers(parts.headers).headers(self.headers.clone()).body(body);
        let failing = self.failing.clone();
        let exchange = self.runtime.spawn(async move {
            let answer = exchange(request).await;
            tell(&failing, &answer);
            answer
        });
        Box::pin(async move { exchange.await? })
    }
}

async fn exchange(request: reqwest::RequestBuilder) -> Result<Response<Bytes>, HttpError> {
    // Its address is known, and may hold a key.
    let mut answer = request.send().await.map_err(reqwest::Error::without_url)?;
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        body.extend_from_slice(&piece);
        if body.len() > ANSWER_MAX {
            return Err("its answer is too long".into());
        }
    }
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    Ok(response)
}

/// Each turn is logged once.
fn tell(failing: &AtomicBool, answer: &Result<Response<Bytes>, HttpError>) {
    let problem = match answer {
        Ok(answer) if answer.status().is_success() => None,
        Ok(answer) => Some(format!("it answered HTTP {}", answer.status().as_u16())),
        Err(error) => Some(error.to_string()),
    };
    let result = if problem.is_none() { "sent" } else { "failed" };
    metrics::counter!("reachwire_trace_exports_total", "result" => result).increment(1);
    let before = failing.swap(problem.is_some(), Ordering::Relaxed);
    match (problem, before) {
        (Some(problem), false) => tracing::warn!(problem, "traces do not reach the collector"),
        (None, true) => tracing::info!("traces reach the collector again"),
        _ => {}
    }
}
