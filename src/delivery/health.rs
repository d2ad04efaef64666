//! How a webhook's endpoint is doing: what the circuit breaker keeps of it, and what pages say.

use serde::{Deserialize, Serialize};

/// The circuit breaker of a webhook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Breaker {
    /// Everything goes out.
    #[default]
    Closed,
    /// Nothing goes out until its time; then one batch goes ahead as a probe.
    Open,
    /// The probe is under way.
    HalfOpen,
}

impl Breaker {
    pub const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::HalfOpen];

    pub fn code(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|breaker| breaker.code() == code)
    }
}

/// What is known of an endpoint. Counted in batches, each once however many users it has; times are unix milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Health {
    pub breaker: Breaker,
    /// When the window began in which `ok` and `failed` are counted.
    pub window_from: i64,
    pub ok: i64,
    pub failed: i64,
    /// How long their POSTs took, in ms, all together.
    pub took: i64,
    /// Without a sign of life between them.
    pub failed_in_row: i64,
    /// How many times in a row the breaker has opened.
    pub trips: i64,
    /// Since when nothing but probes goes out; of a webhook that the engine disabled: when it did.
    pub opened_at: Option<i64>,
    /// Open: when the probe may go. Half open: when the probe's lease ends.
    pub open_until: i64,
    /// Of the latest failure.
    pub reason: String,
}

/// How long a window is worth telling, in ms, after which nothing is held against an endpoint that was asked nothing.
const TOLD_FOR: i64 = 15 * 60 * 1_000;
/// The part of a window's batches from which on failures are told: one in so many.
const TOLD_FROM: i64 = 20;

/// From this time of a POST on, in ms, on average, an endpoint is told to be slow; the engine shares its POSTs out by the
/// same (`limits`).
const SLOW: i64 = 1_000;

/// What pages say of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Standing {
    /// Nothing was sent since it was enabled.
    Untried,
    Healthy,
    /// Some of the window's batches failed or were not answered in time.
    Failing {
        failed: i64,
        of: i64,
        reason: String,
    },
    /// It answers, and takes so long for it on average, in ms.
    Slow {
        average: i64,
    },
    /// The breaker is open until then.
    Paused {
        until: i64,
        reason: String,
    },
    /// The next batch, or one that is under way, tells whether the endpoint is well again.
    Probing {
        reason: String,
    },
    /// By the engine, with why and when.
    Disabled {
        because: String,
        at: Option<i64>,
    },
}

impl Standing {
    /// `disabled_because` is the webhook's: why the engine disabled it, or "".
    pub fn of(health: &Health, disabled_because: &str, now: i64) -> Self {
        let reason = || health.reason.clone();
        if !disabled_because.is_empty() {
            return Self::Disabled { because: disabled_because.to_string(), at: health.opened_at };
        }
        match health.breaker {
            Breaker::Open if health.open_until > now => Self::Paused { until: health.open_until, reason: reason() },
            Breaker::Open | Breaker::HalfOpen => Self::Probing { reason: reason() },
            // A window that has begun ends in another.
            Breaker::Closed if health.ok + health.failed == 0 => Self::Untried,
            Breaker::Closed => {
                let (failed, of) = (health.failed, health.ok + health.failed);
                let lately = now - health.window_from < TOLD_FOR;
                match health.took.checked_div(of) {
                    _ if lately && failed > 0 && failed * TOLD_FROM >= of => {
                        Self::Failing { failed, of, reason: reason() }
                    }
                    Some(average) if lately && average >= SLOW => Self::Slow { average },
                    _ => Self::Healthy,
                }
            }
        }
    }

    /// Whether somebody should look at it.
    pub fn is_ill(&self) -> bool {
        !matches!(self, Self::Untried | Self::Healthy)
    }

    /// Why nothing goes out, if nothing does.
    pub fn holds(&self) -> bool {
        matches!(self, Self::Paused { .. } | Self::Probing { .. } | Self::Disabled { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_stands() {
        let at = |health: &Health, now| Standing::of(health, "", now);
        assert_eq!(at(&Health::default(), 5), Standing::Untried);
        assert!(!Standing::Untried.is_ill() && !Standing::Healthy.is_ill());
        let mut some = Health { window_from: 1_000, ok: 95, failed: 5, reason: "HTTP 503".into(), ..Health::default() };
        let failing = Standing::Failing { failed: 5, of: 100, reason: "HTTP 503".into() };
        assert_eq!((at(&some, 2_000), at(&some, 1_000 + TOLD_FOR)), (failing, Standing::Healthy));
        some.ok = 96;
        assert_eq!(at(&some, 2_000), Standing::Healthy, "a few");
        some.took = SLOW * 101 - 1;
        assert_eq!(at(&some, 2_000), Standing::Healthy);
        some.took = SLOW * 101;
        let slow = Standing::Slow { average: SLOW };
        assert!(slow.is_ill() && !slow.holds());
        assert_eq!((at(&some, 2_000), at(&some, 1_000 + TOLD_FOR)), (slow, Standing::Healthy));
        (some.breaker, some.open_until, some.opened_at) = (Breaker::Open, 9_000, Some(3_000));
        assert_eq!(at(&some, 8_999), Standing::Paused { until: 9_000, reason: "HTTP 503".into() });
        assert_eq!(at(&some, 9_000), Standing::Probing { reason: "HTTP 503".into() });
        let disabled = Standing::of(&some, "gone", 0);
        assert_eq!(disabled, Standing::Disabled { because: "gone".into(), at: Some(3_000) });
        assert!(disabled.holds() && !Standing::Healthy.holds());
        assert!(Breaker::ALL.into_iter().all(|one| Breaker::from_code(one.code()) == Some(one)));
    }
}
