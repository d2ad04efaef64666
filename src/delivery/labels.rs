//! The label `webhook` of metrics: a webhook's id, never its name or address, and no more of them than monitoring can
//! bear. Each is a dozen series.

use metrics::{Counter, Histogram, SharedString};
use std::{
    collections::HashSet,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

/// Webhooks with a label of their own, those that this process meets first.
pub const MOST: usize = 500;
/// The label of all others together.
pub const OTHERS: &str = "other";

/// Metrics are the process's, so their labels are, too.
static KNOWN: LazyLock<Labels> = LazyLock::new(|| Labels::new(MOST));

/// The webhook's label, or that of the others.
fn webhook(id: &str) -> SharedString {
    KNOWN.label(id).unwrap_or(SharedString::const_str(OTHERS))
}

/// The webhook's label; `None` when it is one of the others.
pub fn of_its_own(id: &str) -> Option<SharedString> {
    KNOWN.label(id)
}

/// What is counted of a webhook's POSTs: looked for once, not at each of them.
#[derive(Debug)]
pub struct Attempts {
    pub accepted: Counter,
    pub failed: Counter,
    pub retry: Counter,
    pub seconds: Histogram,
}

impl Attempts {
    pub fn new(webhook_id: &str) -> Self {
        let webhook = webhook(webhook_id);
        let result = |result: &'static str| metrics::counter!("reachwire_attempts_total", "webhook" => webhook.clone(), "result" => result);
        Self {
            accepted: result("accepted"),
            failed: result("failed"),
            retry: result("retry"),
            seconds: metrics::histogram!("reachwire_post_seconds", "webhook" => webhook.clone()),
        }
    }
}

struct Labels {
    most: usize,
    known: RwLock<HashSet<Arc<str>>>,
}

impl Labels {
    fn new(most: usize) -> Self {
        Self { most, known: RwLock::default() }
    }

    fn label(&self, id: &str) -> Option<SharedString> {
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(id) {
            return Some(known.clone().into());
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(id) && known.len() >= self.most {
            return None;
        }
        let label: Arc<str> = id.into();
        known.insert(label.clone());
        Some(label.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_have_a_label_of_their_own() {
        let labels = Labels::new(2);
        let label = |id: &str| labels.label(id).map(|label| label.to_string());
        assert_eq!((label("a"), label("b"), label("c")), (Some("a".into()), Some("b".into()), None));
        assert_eq!((label("a"), label("c")), (Some("a".into()), None), "whoever came first keeps it");
    }
}
