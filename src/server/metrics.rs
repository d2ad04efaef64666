//! What `/metrics` shows, described in one place. A name that is used anywhere and is not here fails a test.

#[cfg(test)]
mod tests;

use metrics::{Label, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::{sync::OnceLock, time::Duration};

/// How often samples of histograms are taken in when nobody scrapes: they would pile up.
pub const UPKEEP: Duration = Duration::from_secs(5);

/// From a POST within a machine to the 10 s after which it ends, in seconds.
const SECONDS: [f64; 13] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    pub unit: Unit,
    pub help: &'static str,
    /// A label, and its values when there are no others. A counter with such values is there from the start, so that
    /// its first event is seen as one.
    pub label: Option<(&'static str, &'static [&'static str])>,
}

impl Metric {
    const fn new(kind: Kind, name: &'static str, unit: Unit, help: &'static str) -> Self {
        Self { name, kind, unit, help, label: None }
    }

    const fn by(self, label: &'static str, values: &'static [&'static str]) -> Self {
        Self { label: Some((label, values)), ..self }
    }
}

const LOOPS: &[&str] = &["dispatch", "plan", "recover", "watch"];

/// All of them, by what they are about. Gauges of the queue are of the whole installation, also when several nodes show
/// them; all others are of this process.
pub const ALL: &[Metric] = &[
    // The queue.
    Metric::new(
        Kind::Gauge,
        "reachwire_due_age_seconds",
        Unit::Seconds,
        "For how long the oldest batch that could go has been due: how long the queue is. 0 when none is.",
    ),
    Metric::new(
        Kind::Gauge,
        "reachwire_stuck_seconds",
        Unit::Seconds,
        "For how long nothing has moved of the webhook with due batches that has stood still for longest. 0 is well; \
         /readyz fails above engine.ready_due_seconds.",
    ),
    Metric::new(
        Kind::Gauge,
        "reachwire_queue_users",
        Unit::Count,
        "Users of what is being sent that are planned and wait for their POST or its end.",
    ),
    Metric::new(Kind::Gauge, "reachwire_batches_leased", Unit::Count, "Batches that are under way, on all nodes."),
    Metric::new(
        Kind::Gauge,
        "reachwire_users_unknown",
        Unit::Count,
        "Users whose outcome a crash hid, in all sends that are kept: they are sent again or wait for a person.",
    ),
    Metric::new(Kind::Gauge, "reachwire_sends", Unit::Count, "Sends that are not at their end, by state.")
        .by("state", &["scheduled", "sending", "missed"]),
    Metric::new(
        Kind::Gauge,
        "reachwire_breaker_state",
        Unit::Count,
        "The circuit breaker of a webhook: 0 closed, 1 half open (a probe is under way), 2 open. By the webhook's id.",
    )
    .by("webhook", &[]),
    Metric::new(
        Kind::Gauge,
        "reachwire_webhooks_disabled",
        Unit::Count,
        "Webhooks that the engine disabled, because of HTTP 410 or too many failures; their sends wait for a person.",
    ),
    // What was sent.
    Metric::new(
        Kind::Counter,
        "reachwire_attempts_total",
        Unit::Count,
        "POSTs of batches by webhook (its id; other: beyond the first 500) and result: accepted, failed, or retry, \
         which is tried again.",
    )
    .by("webhook", &[]),
    Metric::new(
        Kind::Histogram,
        "reachwire_post_seconds",
        Unit::Seconds,
        "How long a POST of a batch took, until its answer was read, by webhook as reachwire_attempts_total.",
    )
    .by("webhook", &[]),
    Metric::new(
        Kind::Counter,
        "reachwire_batches_total",
        Unit::Count,
        "Batches that left the hand, by outcome; a released one was not POSTed and is claimed again.",
    )
    .by("outcome", &["accepted", "failed", "retry", "released"]),
    Metric::new(
        Kind::Counter,
        "reachwire_users_total",
        Unit::Count,
        "Users of the batches that left the hand, by outcome.",
    )
    .by("outcome", &["accepted", "failed", "retry", "released"]),
    Metric::new(
        Kind::Gauge,
        "reachwire_batches_in_hand",
        Unit::Count,
        "Batches that this process has claimed and not recorded.",
    ),
    Metric::new(
        Kind::Counter,
        "reachwire_stale_results_total",
        Unit::Count,
        "Results that came after their lease had ended and somebody else had claimed the batch; they change nothing.",
    ),
    Metric::new(
        Kind::Counter,
        "reachwire_batches_unknown_total",
        Unit::Count,
        "Batches whose lease ended without a result: a process died in the middle of a POST.",
    ),
    Metric::new(
        Kind::Counter,
        "reachwire_breaker_turns_total",
        Unit::Count,
        "Turns of circuit breakers; disabled counts webhooks that the engine disabled.",
    )
    .by("turn", &["opened", "closed", "disabled"]),
    Metric::new(
        Kind::Counter,
        "reachwire_sends_missed_total",
        Unit::Count,
        "Sends that were found too long after their time and wait for a person.",
    ),
    // Receipts.
    Metric::new(
        Kind::Counter,
        "reachwire_receipts_total",
        Unit::Count,
        "Receipts by result: taken, or a problem, which is kept in the webhook's log with its reason.",
    )
    .by("result", &["taken", "problem"]),
    Metric::new(
        Kind::Counter,
        "reachwire_receipt_requests_total",
        Unit::Count,
        "Requests that posted receipts, by the HTTP status of the answer; 401 is a wrong signature or time.",
    )
    .by("status", &["200", "400", "401", "408", "413", "500"]),
    // The process.
    Metric::new(
        Kind::Histogram,
        "reachwire_http_request_seconds",
        Unit::Seconds,
        "How long a request to this server took until the head of its answer, by route and HTTP status.",
    )
    .by("route", &[]),
    Metric::new(
        Kind::Gauge,
        "reachwire_loop_age_seconds",
        Unit::Seconds,
        "How long ago a loop of the engine last completed a round.",
    )
    .by("loop", LOOPS),
    Metric::new(
        Kind::Counter,
        "reachwire_loop_deaths_total",
        Unit::Count,
        "Loops of the engine that died and were started again.",
    )
    .by("loop", LOOPS),
    Metric::new(
        Kind::Counter,
        "reachwire_heartbeats_failed_total",
        Unit::Count,
        "Heartbeats of this node that the database did not take in time. After 10 s without one it sends nothing.",
    ),
    Metric::new(
        Kind::Gauge,
        "reachwire_watch_timestamp_seconds",
        Unit::Seconds,
        "When the gauges of the queue were last read, in unix seconds: old when the database does not answer.",
    ),
    Metric::new(
        Kind::Counter,
        "reachwire_trace_exports_total",
        Unit::Count,
        "Requests with traces to the OTLP collector, by result.",
    )
    .by("result", &["sent", "failed"]),
    Metric::new(Kind::Gauge, "reachwire_build_info", Unit::Count, "1, with the version of this program.")
        .by("version", &[]),
];

/// The recorder is the process's, by the metrics crate's design; tests with several servers share it.
pub fn handle() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let recorder = builder().build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another metrics recorder is installed; /metrics stays empty");
            }
            describe();
            handle
        })
        .clone()
}

fn builder() -> PrometheusBuilder {
    ALL.iter().filter(|metric| metric.kind == Kind::Histogram).fold(PrometheusBuilder::new(), |builder, metric| {
        let matcher = Matcher::Full(metric.name.into());
        builder.set_buckets_for_metric(matcher, &SECONDS).unwrap_or_else(|error| panic!("buckets: {error}"))
    })
}

/// Tells the recorder what it will be given, and begins what can be counted at 0.
fn describe() {
    for metric in ALL {
        let (name, unit, help) = (metric.name, metric.unit, metric.help);
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(name, unit, help),
            Kind::Gauge => metrics::describe_gauge!(name, unit, help),
            Kind::Histogram => metrics::describe_histogram!(name, unit, help),
        }
        match (metric.kind, metric.label) {
            (Kind::Counter, None) => metrics::counter!(name).increment(0),
            (Kind::Counter, Some((label, values))) => {
                for value in values {
                    metrics::counter!(name, vec![Label::from_static_parts(label, value)]).increment(0);
                }
            }
            _ => {}
        }
    }
    metrics::gauge!("reachwire_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// Takes samples in for as long as it is asked.
pub async fn upkeep(handle: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        handle.run_upkeep();
    }
}
