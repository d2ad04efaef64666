//! Traces of batches: claim, wait, render, POST and record, one after the other. What a step took is what has passed
//! since the one before.

use super::{
    claim::Claim,
    ids::SendKey,
    record::{End, Finished},
};
use crate::traces::{Span, Traces};
use opentelemetry::trace::SpanKind;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

/// Batches that are traced at a time; more are never in hand.
const MOST: usize = 10_000;

/// The traces of the batches in hand. Cheap to clone.
#[derive(Clone)]
pub struct Traced {
    traces: Traces,
    steps: Arc<Mutex<HashMap<Key, Steps>>>,
}

/// A claim: the send, the batch, the number of its lease.
type Key = (Arc<SendKey>, i64, i64);

struct Steps {
    from: SystemTime,
    spans: Vec<Span>,
}

impl Steps {
    fn last(&self) -> SystemTime {
        self.spans.last().map_or(self.from, |span| span.to)
    }
}

impl Traced {
    pub fn new(traces: Traces) -> Self {
        Self { traces, steps: Arc::default() }
    }

    /// Now, when anything is traced at all.
    pub fn begin(&self) -> Option<SystemTime> {
        self.traces.begin()
    }

    /// Batches were claimed in a round that began `from`.
    pub fn claimed(&self, claims: &[Claim], from: Option<SystemTime>) {
        let Some(from) = from else { return };
        for claim in claims.iter().filter(|claim| self.samples(claim)) {
            let span = Span::new("claim", from, SystemTime::now());
            let mut steps = self.steps();
            if steps.len() < MOST {
                steps.insert(key(claim), Steps { from, spans: vec![span] });
            }
        }
    }

    /// A step ends now.
    pub fn step(&self, claim: &Claim, name: &'static str) {
        if !self.samples(claim) {
            return;
        }
        if let Some(steps) = self.steps().get_mut(&key(claim)) {
            let mut span = Span::new(name, steps.last(), SystemTime::now());
            if name == "POST" {
                span.kind = SpanKind::Client;
            }
            steps.spans.push(span);
        }
    }

    /// What ended is on disk.
    pub fn recorded(&self, ended: &[Finished]) {
        for finished in ended.iter().filter(|finished| self.samples(&finished.claim)) {
            let Some(steps) = self.steps().remove(&key(&finished.claim)) else { continue };
            self.traces.tell(trace(finished, steps, SystemTime::now()));
        }
    }

    fn samples(&self, claim: &Claim) -> bool {
        self.traces.samples((&claim.key.send_id, claim.batch_no, claim.lease_no))
    }

    fn steps(&self) -> MutexGuard<'_, HashMap<Key, Steps>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(claim: &Claim) -> Key {
    (claim.key.clone(), claim.batch_no, claim.lease_no)
}

fn trace(finished: &Finished, mut steps: Steps, now: SystemTime) -> Span {
    let claim = &finished.claim;
    let (outcome, failed) = match finished.end {
        End::Accepted => ("accepted", None),
        End::Failed(_) => ("failed", Some("failed")),
        End::Retry(..) => ("retry", Some("retry")),
        End::Released(_) => ("released", None),
    };
    steps.spans.push(Span::new("record", steps.last(), now));
    if let (Some(status), Some(post)) = (finished.http_status, steps.spans.iter_mut().find(|span| span.name == "POST"))
    {
        post.attributes.push(opentelemetry::KeyValue::new("http.response.status_code", i64::from(status)));
    }
    let mut root = Span::new("batch", steps.from, now)
        .with("reachwire.workspace_id", claim.key.workspace_id.clone())
        .with("reachwire.send_id", claim.key.send_id.clone())
        .with("reachwire.webhook_id", finished.webhook_id.clone())
        .with("reachwire.batch_no", claim.batch_no)
        .with("reachwire.attempt", claim.attempt)
        .with("reachwire.users", claim.size)
        .with("reachwire.outcome", outcome);
    (root.failed, root.children) = (failed, steps.spans);
    root
}

#[cfg(test)]
mod tests {
    use crate::{
        crm,
        delivery::{
            SendState,
            testing::{Crowd, config, ended, engine, put_send, put_webhook, simulator, until},
        },
        on_both_databases,
        traces::testing::Collector,
    };
    use std::time::Duration;

    const GRACE: Duration = Duration::from_secs(12);

    on_both_databases!(the_way_of_a_batch_is_traced, |db| async move {
        let (crm, collector) = (simulator(crm::Options::default()).await, Collector::start().await);
        put_webhook(&db, &crm.url(), 2).await;
        put_send(&db, "traced", 30, 10, 0).await;
        let mut config = config();
        config.otlp = collector.settings();
        let engine = engine(&db, &config, Crowd { users: 30, gaps: false });
        until(&db, "traced", ended).await;
        engine.stop(GRACE).await;
        engine.traces().stop(GRACE).await;
        for text in ["batch", "claim", "wait", "render", "POST", "record", "traced", "accepted"] {
            assert!(collector.has(text), "{text}");
        }
        for text in [&crm.url(), "user7@example.com", "c000007", crate::delivery::testing::KEY] {
            assert!(!collector.has(text), "{text} is nothing for a collector");
        }
    });

    on_both_databases!(a_dead_collector_holds_nothing_up, |db| async move {
        let (crm, collector) = (simulator(crm::Options::default()).await, Collector::start().await);
        put_webhook(&db, &crm.url(), 4).await;
        put_send(&db, "s", 300, 1, 0).await;
        let mut config = config();
        config.otlp = collector.settings();
        drop(collector);
        let engine = engine(&db, &config, Crowd { users: 300, gaps: false });
        let progress = until(&db, "s", ended).await;
        assert_eq!((progress.state, progress.accepted), (SendState::Finished, 300));
        engine.stop(GRACE).await;
        engine.traces().stop(Duration::from_millis(100)).await;
    });
}
