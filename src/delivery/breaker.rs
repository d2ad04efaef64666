//! The circuit breaker of a webhook: no I/O, no clock. What it keeps is [`Health`], in the table `webhook_health`, so
//! that it holds for all nodes and after a restart; a round of the dispatcher feeds it ([`round`]).
//!
//! Ill is what a retry may mend: no connection, no answer in time, HTTP 408, 429 and 5xx. Any other answer, a refusal
//! too, is a sign of life. While it is closed, batches are counted in windows; it opens when enough of them failed, and
//! at once when that many in a row did, so that a long good window hides no dead endpoint. While it is open nothing
//! counts: what began before tells nothing new. After its time one probe decides, and each failed one doubles the time.

pub mod round;
mod store;
#[cfg(test)]
mod tests;

use super::health::{Breaker, Health};
use crate::{
    clock::{HOUR, Millis, SECOND},
    config::BreakerConfig,
};

/// When it opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    pub window: Millis,
    /// Fewer batches than this say nothing.
    pub least: i64,
    /// From this share of failed ones on (0 to 1).
    pub share: f64,
    pub first: Millis,
    pub longest: Millis,
    /// After so many failed batches in a row the webhook is disabled.
    pub disable_after: i64,
}

impl From<&BreakerConfig> for Policy {
    fn from(config: &BreakerConfig) -> Self {
        Self {
            window: config.window_seconds * SECOND,
            least: config.least_batches,
            share: config.failed_share,
            first: config.open_first_seconds * SECOND,
            longest: config.open_longest_seconds * SECOND,
            disable_after: config.disable_after,
        }
    }
}

/// What the end of a batch's POST says of the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal<'a> {
    Alive,
    /// Why, and how long (ms) it asked to be left alone.
    Ill(&'a str, Option<Millis>),
    /// HTTP 410: it is not to be called again.
    Gone,
}

/// What of a webhook's batches may be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MayClaim {
    Any,
    /// One, as a probe.
    Probe,
    Nothing,
}

/// What a signal has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    Same,
    Opened,
    Closed,
    /// The webhook is to be disabled, with this reason.
    Disable(String),
}

impl Health {
    pub fn may_claim(&self, now: Millis) -> MayClaim {
        match self.breaker {
            Breaker::Closed => MayClaim::Any,
            Breaker::Open | Breaker::HalfOpen if self.open_until <= now => MayClaim::Probe,
            Breaker::Open | Breaker::HalfOpen => MayClaim::Nothing,
        }
    }

    /// A probe is claimed; its lease ends at `until`, and another may go when it does.
    pub fn begin_probe(&mut self, until: Millis) {
        (self.breaker, self.open_until) = (Breaker::HalfOpen, until);
    }

    /// The batch whose lease ends at `lease_until` is the probe that is under way.
    pub fn is_probe(&self, lease_until: Millis) -> bool {
        self.breaker == Breaker::HalfOpen && self.open_until == lease_until
    }

    /// The probe said nothing of the endpoint, because it was not POSTed: another may go.
    pub fn no_probe(&mut self, now: Millis) {
        (self.breaker, self.open_until) = (Breaker::Open, now);
    }

    /// Takes in what a batch said; `probe` as [`Health::is_probe`] has it.
    pub fn hear(&mut self, signal: Signal<'_>, probe: bool, now: Millis, policy: Policy) -> Turn {
        if signal == Signal::Gone {
            return self.disable("HTTP 410: the endpoint says that it is gone".into(), now, policy);
        }
        if self.breaker != Breaker::Closed && !probe {
            return Turn::Same;
        }
        // Another node's clock may be a little ahead.
        if (now - self.window_from).abs() >= policy.window {
            (self.window_from, self.ok, self.failed, self.took) = (now, 0, 0, 0);
        }
        match signal {
            Signal::Alive if self.breaker == Breaker::Closed => {
                (self.ok, self.failed_in_row) = (self.ok + 1, 0);
                Turn::Same
            }
            Signal::Alive => {
                *self = Self { window_from: now, ok: 1, ..Self::default() };
                Turn::Closed
            }
            Signal::Ill(reason, asked) => {
                (self.failed, self.failed_in_row) = (self.failed + 1, self.failed_in_row + 1);
                self.reason = reason.to_string();
                if self.failed_in_row >= policy.disable_after {
                    let because = format!("{} batches in a row failed, the last one: {reason}", self.failed_in_row);
                    return self.disable(because, now, policy);
                }
                if self.breaker != Breaker::Closed || self.is_ill(policy) {
                    self.open(asked, now, policy);
                    return Turn::Opened;
                }
                Turn::Same
            }
            Signal::Gone => Turn::Same,
        }
    }

    fn is_ill(&self, policy: Policy) -> bool {
        let all = self.ok + self.failed;
        self.failed_in_row >= policy.least || (all >= policy.least && self.failed as f64 >= policy.share * all as f64)
    }

    fn open(&mut self, asked: Option<Millis>, now: Millis, policy: Policy) {
        let doublings = self.trips.clamp(0, 40);
        let time = policy.first.saturating_mul(1 << doublings).min(policy.longest);
        // What the receiver asks for is a wish of its own: a day would keep it waiting long after it is well.
        let time = time.max(asked.unwrap_or(0).min(HOUR));
        self.breaker = Breaker::Open;
        self.trips += 1;
        self.opened_at = self.opened_at.or(Some(now));
        self.open_until = now + time;
    }

    fn disable(&mut self, because: String, now: Millis, policy: Policy) -> Turn {
        (self.breaker, self.opened_at, self.open_until) = (Breaker::Open, Some(now), now + policy.longest);
        Turn::Disable(because)
    }
}
