//! The nodes that share one database, and each one's part of every webhook's limit.
//!
//! A node is known by a row that its heartbeat moves. Each worker has a part of each webhook's POSTs at once, which
//! follows from who lives ([`View::part`]), so that no POST asks anybody. It must hold while views differ for a moment:
//! a part never grows by another's joining, so it is enough that everybody who may POST is in everybody's view. Whoever
//! joins has no part until all the others have said that they know him, which they say when no more of their POSTs run
//! than their new parts allow. Whoever was not heard of for [`DEAD_AFTER`] is left out; by then he has stopped by himself,
//! because a view that is older than [`FRESH`] gives no part, and joins anew.

mod beat;
pub mod store;
#[cfg(test)]
mod tests;

pub use beat::{Heart, Me};

use crate::clock::{Millis, SECOND};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// How long a node that is not heard of has its part, in ms.
pub const DEAD_AFTER: Millis = 15 * SECOND;
/// How long a node trusts what it has seen of the others.
const FRESH: Duration = Duration::from_secs(10);

/// The workers as a node knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    me: String,
    /// With this one.
    workers: Vec<String>,
    /// The newest join among them.
    pub newest: i64,
    /// All of them know this one.
    admitted: bool,
    /// Until when this may be gone by; `None`: nobody else is there or will be.
    fresh_until: Option<Instant>,
}

impl View {
    /// Of the only node that there can be.
    pub fn alone() -> Self {
        Self { me: String::new(), workers: vec![String::new()], newest: 0, admitted: true, fresh_until: None }
    }

    /// Before anything was seen.
    pub fn none() -> Self {
        Self { admitted: false, ..Self::alone() }
    }

    #[cfg(test)]
    pub fn of(me: &str, workers: &[&str]) -> Self {
        let workers = workers.iter().map(ToString::to_string).collect();
        Self { me: me.into(), workers, ..Self::alone() }
    }

    fn holds(&self) -> bool {
        self.admitted && self.fresh_until.is_none_or(|until| Instant::now() < until)
    }

    pub fn is_alone(&self) -> bool {
        self.workers.len() < 2
    }

    /// How many of a webhook's POSTs at once may run here. Over the nodes of one view the parts add up to the whole.
    pub fn part(&self, webhook_id: &str, whole: i64) -> usize {
        let whole = usize::try_from(whole).unwrap_or(0);
        if !self.holds() {
            return 0;
        }
        if self.is_alone() {
            return whole;
        }
        let rank = |node: &str| (mixed(node, webhook_id), node.to_string());
        let mine = rank(&self.me);
        let before = self.workers.iter().filter(|node| rank(node) < mine).count();
        whole / self.workers.len() + usize::from(before < whole % self.workers.len())
    }
}

/// The same on every node, whatever its version: FNV-1a, and a last step that spreads it over all bits.
fn mixed(node: &str, webhook_id: &str) -> u64 {
    let bytes = node.bytes().chain([0]).chain(webhook_id.bytes());
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

/// What a node's loops and its heartbeat tell each other.
#[derive(Clone, Debug)]
pub struct Membership(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    view: Mutex<Arc<View>>,
    /// The newest join that this node has made room for.
    settled: AtomicI64,
    /// A heartbeat is wanted now.
    beat: Arc<Notify>,
}

impl Membership {
    pub fn new(view: View) -> Self {
        let shared = Shared { view: Mutex::new(Arc::new(view)), settled: AtomicI64::new(0), beat: Arc::default() };
        Self(Arc::new(shared))
    }

    pub fn view(&self) -> Arc<View> {
        self.0.view.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it gives other parts than the one before.
    fn see(&self, view: View) -> bool {
        let mut seen = self.0.view.lock().unwrap_or_else(PoisonError::into_inner);
        let differs = seen.workers != view.workers || seen.admitted != view.admitted || seen.newest != view.newest;
        *seen = Arc::new(view);
        differs
    }

    /// No more POSTs run here than the view allows.
    pub fn settle(&self, view: &View) {
        if self.0.settled.fetch_max(view.newest, Ordering::SeqCst) < view.newest {
            self.0.beat.notify_one();
        }
    }

    fn settled(&self) -> i64 {
        self.0.settled.load(Ordering::SeqCst)
    }

    /// To ask for a heartbeat.
    pub fn beat(&self) -> Arc<Notify> {
        self.0.beat.clone()
    }
}
