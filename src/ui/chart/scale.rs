//! Axes: round numbers upward, moments sideways. Pure.

use crate::ui::time::{self, Form};

/// The ticks of an axis from 0 that holds `max`: at most five round steps, the last one at or above `max`. A chart of
/// nothing has an axis to 1.
pub(super) fn ticks(max: f64) -> Vec<f64> {
    let max = if max.is_finite() && max > 0.0 { max } else { return vec![0.0, 1.0] };
    let raw = max / 5.0;
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= raw * 0.999_999);
    let step = step.unwrap_or(power * 10.0);
    let count = (max / step * 0.999_999).ceil().max(1.0) as u32;
    (0..=count).map(|n| f64::from(n) * step).collect()
}

/// The form of a moment on an axis of `span` ms: seconds, minutes or days.
pub(super) fn moment_form(span: i64) -> Form {
    match span {
        0..300_000 => Form::ClockSeconds,
        300_000..129_600_000 => Form::Clock,
        _ => Form::MonthDay,
    }
}

/// Up to three moments (unix ms) of an axis, as texts in `zone`.
pub(super) fn moments(first: i64, last: i64, zone: Option<&str>) -> Vec<String> {
    let form = moment_form(last - first);
    let at: &[i64] = if first == last { &[first] } else { &[first, first + (last - first) / 2, last] };
    at.iter().map(|ms| time::text(*ms, zone, form)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_or_above_the_highest_value_in_round_steps() {
        assert_eq!(ticks(216_000.0), [0.0, 50_000.0, 100_000.0, 150_000.0, 200_000.0, 250_000.0]);
        assert_eq!(ticks(100.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(ticks(3.0), [0.0, 1.0, 2.0, 3.0]);
        for max in [0.003, 0.7, 1.0, 7.0, 19.0, 42.0, 1e5, 123_456.0, 9.9e9] {
            let ticks = ticks(max);
            assert!(ticks.len() <= 6 && ticks.last().is_some_and(|top| *top >= max * 0.999_99), "{max}: {ticks:?}");
        }
    }

    #[test]
    fn a_chart_of_nothing_still_has_an_axis() {
        for max in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(ticks(max), [0.0, 1.0]);
        }
    }

    #[test]
    fn moments_are_as_fine_as_the_span() {
        assert_eq!(moments(0, 240_000, None), ["00:00:00", "00:02:00", "00:04:00"]);
        assert_eq!(moments(0, 7_200_000, None), ["00:00", "01:00", "02:00"]);
        assert_eq!(moments(0, 172_800_000, None), ["01-01", "01-02", "01-03"]);
        assert_eq!(moments(5, 5, None), ["00:00:00"]);
    }
}
