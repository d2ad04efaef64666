//! Traces for an OTLP collector, when the settings name one.
//!
//! A span is handed over when it has ended, with its beginning and its children, so that what is not traced costs
//! nothing. Handing over never waits: the exporter has a bounded queue and a thread of its own, and what does not fit is
//! dropped. Spans hold ids, numbers and routes; no names, addresses, bodies or customers.

mod export;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;

pub use export::check;

use crate::config::OtlpConfig;
use opentelemetry::{
    Context, KeyValue,
    trace::{Span as _, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Something that has ended.
pub struct Span {
    pub name: Cow<'static, str>,
    pub kind: SpanKind,
    pub from: SystemTime,
    pub to: SystemTime,
    pub attributes: Vec<KeyValue>,
    /// What went wrong, in a word of ours.
    pub failed: Option<&'static str>,
    pub children: Vec<Self>,
}

impl Span {
    pub fn new(name: impl Into<Cow<'static, str>>, from: SystemTime, to: SystemTime) -> Self {
        let (attributes, children) = (Vec::new(), Vec::new());
        Self { name: name.into(), kind: SpanKind::Internal, from, to, attributes, failed: None, children }
    }

    pub fn with(mut self, key: &'static str, value: impl Into<opentelemetry::Value>) -> Self {
        self.attributes.push(KeyValue::new(key, value));
        self
    }
}

/// Where spans go. Cheap to clone; the default goes nowhere.
#[derive(Clone, Default)]
pub struct Traces(Option<Arc<Inner>>);

struct Inner {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    share: f64,
}

impl Traces {
    /// Needs a tokio runtime when the settings name a collector. What is wrong with them [`check`] has said before.
    pub fn new(config: &OtlpConfig) -> Self {
        if config.endpoint.is_empty() {
            return Self(None);
        }
        match export::provider(config) {
            Ok(provider) => {
                let tracer = provider.tracer("reachwire");
                Self(Some(Arc::new(Inner { provider, tracer, share: config.sample_share })))
            }
            Err(error) => {
                tracing::error!(error, "no traces: the exporter could not be made");
                Self(None)
            }
        }
    }

    /// Now, when anything is traced at all.
    pub fn begin(&self) -> Option<SystemTime> {
        self.0.as_ref().map(|_| SystemTime::now())
    }

    /// Whether a thing is among the share that is traced: always the same answer for the same thing.
    pub fn samples(&self, thing: impl Hash) -> bool {
        self.0.as_ref().is_some_and(|inner| is_sampled(thing, inner.share))
    }

    /// Hands a trace over.
    pub fn tell(&self, span: Span) {
        if let Some(inner) = &self.0 {
            inner.tell(span, &Context::new());
        }
    }

    /// Sends what is queued, for as long as `grace`, and ends.
    pub async fn stop(&self, grace: Duration) {
        let Some(inner) = self.0.clone() else { return };
        // It blocks.
        let ended = tokio::task::spawn_blocking(move || inner.provider.shutdown_with_timeout(grace)).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be sent");
        }
    }
}

impl Inner {
    fn tell(&self, span: Span, parent: &Context) {
        let builder = SpanBuilder::from_name(span.name)
            .with_kind(span.kind)
            .with_start_time(span.from)
            .with_attributes(span.attributes);
        let mut told = self.tracer.build_with_context(builder, parent);
        if let Some(failed) = span.failed {
            told.set_status(Status::error(failed));
        }
        let context = parent.with_remote_span_context(told.span_context().clone());
        told.end_with_timestamp(span.to);
        span.children.into_iter().for_each(|child| self.tell(child, &context));
    }
}

/// A hash without a secret: it only has to spread.
fn is_sampled(thing: impl Hash, share: f64) -> bool {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    (hasher.finish() as f64) < share * u64::MAX as f64
}
