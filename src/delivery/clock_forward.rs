//! The clock is set forward, by somebody or by a time server: what it says is over may not be.
//!
//! A POST that another node has begun still runs though its lease seems ended, and nothing seems to have moved for the
//! time that was skipped. So for as long as a lease lasts nobody's batch is taken back and nothing is given up: who lives
//! shows it by then. For the rest the clock is right: what is due begins, or has missed its time.
//!
//! A step shows against the steady time of this process, which passes while the machine sleeps. Of a step before this
//! process began nothing is known to it: the clock is taken as it is then. Messages that are kept for some days have more time: see
//! [`super::retention::Pace`].

use super::courier::SLACK;
use crate::clock::Millis;
use std::sync::{Mutex, PoisonError};

/// A smaller step ends no lease before its POST.
const STEP: Millis = SLACK;

/// What is remembered of the clock from look to look, also by a loop that died meanwhile.
#[derive(Debug, Default)]
pub struct Watch(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// What the clock and the steady time were.
    last: Option<(Millis, Millis)>,
    /// The steady time from which what the clock says holds.
    sure_from: Millis,
}

impl Watch {
    /// Whether what seems to be over is: the clock was not set forward within the time of a lease. All in ms.
    pub fn is_sure(&self, now: Millis, steady: Millis, lease: Millis) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let step = seen.last.map_or(0, |(last, then)| (now - last) - (steady - then));
        if step >= STEP {
            tracing::warn!(step_ms = step, "the clock was set forward; for the time of a lease nothing is taken back");
            seen.sure_from = steady + lease;
        }
        seen.last = Some((now, steady));
        steady >= seen.sure_from
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{DAY, HOUR, SECOND};

    const LEASE: Millis = 30 * SECOND;

    #[test]
    fn after_a_step_it_is_not_sure_for_the_time_of_a_lease() {
        for step in [STEP, HOUR, DAY, 100_000 * DAY] {
            let (watch, now) = (Watch::default(), 50 * DAY);
            assert!(watch.is_sure(now, 7, LEASE), "nothing is known of what was before");
            assert!(watch.is_sure(now + DAY, DAY + 7, LEASE), "a day that has passed is no step");
            assert!(watch.is_sure(now + DAY + STEP - 1, DAY + 7, LEASE));
            let (now, steady) = (now + DAY + STEP + step, DAY + 8);
            assert!(!watch.is_sure(now, steady, LEASE), "{step}");
            assert!(!watch.is_sure(now + LEASE - 1, steady + LEASE - 1, LEASE));
            assert!(watch.is_sure(now + LEASE, steady + LEASE, LEASE));
            assert!(watch.is_sure(now - HOUR, steady + LEASE, LEASE), "back is another's");
        }
    }

    #[test]
    fn another_step_begins_the_time_anew() {
        let watch = Watch::default();
        assert!(watch.is_sure(0, 0, LEASE));
        assert!(!watch.is_sure(HOUR, 0, LEASE));
        assert!(!watch.is_sure(2 * HOUR, LEASE - 1, LEASE));
        assert!(!watch.is_sure(2 * HOUR + LEASE - 1, 2 * LEASE - 2, LEASE));
        assert!(watch.is_sure(2 * HOUR + LEASE, 2 * LEASE - 1, LEASE));
    }
}
