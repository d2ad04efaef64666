//! Users per second of a webhook, over all nodes: one moment, from which on the next batch may go. A batch is taken
//! whole, and moves the moment by the time that its users are worth. The moment is a row of `webhook_rates`, taken in the
//! transaction that claims, so nodes can't spend the same time twice.

mod store;

pub use store::{take, write};

use super::clock_back::STEP;
use crate::clock::Millis;

const MICROS: i64 = 1_000_000;
/// What may be saved up, in µs: what is late to a round is not lost.
const SAVED: i64 = MICROS / 10;
/// Users of the largest batch: nobody owes more than one.
const OWED: i64 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    per_second: i64,
    /// Unix microseconds.
    free_at: i64,
}

impl Rate {
    /// `per_second` at least 1. A batch may go at once.
    pub fn new(per_second: i64, now: Millis) -> Self {
        Self { per_second: per_second.max(1), free_at: now * 1_000 }
    }

    pub fn per_second(self) -> i64 {
        self.per_second
    }

    /// With another rate the users that were taken too much are worth another time.
    fn at(self, per_second: i64, now: Millis) -> Self {
        let debt = i128::from((self.free_at(now) - now * 1_000).max(0)) * i128::from(self.per_second);
        let debt = i64::try_from(debt / i128::from(per_second.max(1))).unwrap_or(i64::MAX / 2);
        match self.per_second == per_second {
            true => self,
            false => {
                Self { per_second: per_second.max(1), free_at: self.free_at.min(now * 1_000).saturating_add(debt) }
            }
        }
    }

    fn from(self, now: Millis) -> i64 {
        self.free_at(now).max(now * 1_000 - SAVED)
    }

    /// What lies further ahead than anybody can owe is from before the clock was set back.
    fn free_at(self, now: Millis) -> i64 {
        let most = now * 1_000 + self.worth(OWED) + STEP * 1_000;
        if self.free_at > most { now * 1_000 } else { self.free_at }
    }

    /// What so many users are worth, in µs; rounded up, so that the rate is never exceeded.
    fn worth(self, users: i64) -> i64 {
        let micros =
            (i128::from(users) * i128::from(MICROS) + i128::from(self.per_second) - 1) / i128::from(self.per_second);
        i64::try_from(micros).unwrap_or(i64::MAX / 2)
    }

    /// How many batches of so many users may go now.
    pub fn batches(self, batch_size: i64, now: Millis) -> usize {
        let free = now * 1_000 - self.from(now);
        if free < 0 { 0 } else { usize::try_from(free / self.worth(batch_size).max(1) + 1).unwrap_or(usize::MAX) }
    }

    pub fn spend(&mut self, users: i64, now: Millis) {
        self.free_at = self.from(now).saturating_add(self.worth(users));
    }

    /// Until the next batch may go, in ms.
    pub fn wait(self, now: Millis) -> Millis {
        (self.free_at(now) - now * 1_000).max(0).saturating_add(999) / 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn another_rate_makes_another_wait_of_what_was_taken() {
        let mut rate = Rate::new(10, 0);
        rate.spend(100, 0);
        assert_eq!((rate.wait(0), rate.batches(1, 9_999), rate.batches(1, 10_000)), (10_000, 0, 1));
        assert_eq!(rate.at(100, 0).wait(0), 1_000);
        assert_eq!(rate.at(1, 0).wait(0), 100_000);
        assert_eq!(rate.at(10, 0), rate);
        assert_eq!(Rate::new(10, 0).at(100, 60_000).wait(60_000), 0, "nothing was taken");
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nothing_up() {
        const HOUR: Millis = 60 * 60 * 1_000;
        let mut rate = Rate::new(1, HOUR);
        rate.spend(100, HOUR);
        assert_eq!((rate.wait(0), rate.batches(1, 0)), (0, 1));
        assert_eq!(rate.wait(HOUR), 100_000);
    }

    proptest! {
        /// However often and with what sizes is asked: in no window are more users than the rate allows, but for what was
        /// saved up and one batch, which goes whole.
        #[test]
        fn never_more_than_the_rate(
            per_second in 1..5_000_i64,
            asked in prop::collection::vec((0..400_i64, 1..=100_i64), 1..80),
        ) {
            let mut rate = Rate::new(per_second, 0);
            let (mut now, mut sent) = (0, Vec::new());
            for (later, size) in asked {
                now += later;
                for _ in 0..rate.batches(size, now) {
                    rate.spend(size, now);
                    sent.push((now, size));
                }
            }
            for first in 0..sent.len() {
                let mut users = 0;
                for (at, size) in &sent[first..] {
                    let allowed = (at - sent[first].0 + SAVED / 1_000) * per_second / 1_000 + 1;
                    prop_assert!(users <= allowed, "{users} in {} ms", at - sent[first].0);
                    users += size;
                }
            }
        }

        /// Whoever waits as long as is said may send, and not much sooner.
        #[test]
        fn the_wait_is_as_long_as_is_said(per_second in 1..100_000_i64, users in 1..=OWED) {
            let mut rate = Rate::new(per_second, 7);
            prop_assert_eq!(rate.wait(7), 0);
            rate.spend(users, 7);
            let wait = rate.wait(7);
            prop_assert!(rate.batches(1, 7 + wait) > 0);
            prop_assert!(wait < 2 || rate.batches(1, 7 + wait - 1) == 0);
        }
    }
}
