//! When to try again.

use crate::clock::{DAY, Millis, SECOND};

/// The wait after the `tries`-th failed try (from 1), in ms: it doubles from `first` up to `longest`, is spread over
/// ±20 % by `jitter` (0 to 1), and is never shorter than what the receiver asked for, up to a day.
pub fn wait(tries: i64, first: Millis, longest: Millis, jitter: f64, asked: Option<Millis>) -> Millis {
    let doublings = u32::try_from(tries.saturating_sub(1).clamp(0, 62)).unwrap_or(0);
    let plain = first.saturating_mul(1 << doublings.min(40)).clamp(0, longest);
    let spread = (plain as f64 * (0.8 + 0.4 * jitter.clamp(0.0, 1.0))) as Millis;
    spread.max(asked.unwrap_or(0).clamp(0, DAY))
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3), as ms from `now`. `None` when it is neither.
pub fn retry_after(value: &str, now: Millis) -> Option<Millis> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse::<Millis>().map_or(DAY, |seconds| seconds.saturating_mul(SECOND).min(DAY)));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some((date.as_millisecond() - now).clamp(0, DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits: Vec<_> = (1..=6).map(|tries| wait(tries, 1_000, 10_000, 0.5, None)).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    }

    #[test]
    fn the_receivers_wish_is_a_lower_bound_of_at_most_a_day() {
        assert_eq!(wait(1, 1_000, 10_000, 0.5, Some(30_000)), 30_000);
        assert_eq!(wait(1, 1_000, 10_000, 0.5, Some(10)), 1_000);
        assert_eq!(wait(1, 1_000, 10_000, 0.5, Some(Millis::MAX)), DAY);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = 784_111_770_000; // Sun, 06 Nov 1994 08:49:30 GMT
        assert_eq!(retry_after("7", now), Some(7_000));
        assert_eq!(retry_after(" 7 ", now), Some(7_000));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(7_000));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now + DAY), Some(0), "past");
        assert_eq!(retry_after("99999999999999999999999", now), Some(DAY));
        for wrong in ["", "-1", "1.5", "soon", "06 Nov"] {
            assert_eq!(retry_after(wrong, now), None, "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_wait_stays_in_its_bounds(tries: i64, first in 1..100_000i64, longest in 1..10_000_000i64, jitter: f64) {
            let wait = wait(tries, first, longest, jitter, None);
            proptest::prop_assert!(wait >= 0 && wait <= longest + longest / 5);
        }
    }
}
