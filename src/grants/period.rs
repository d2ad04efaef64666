//! The validity period as it was typed.

use super::model::{GrantInput, Validity};
use crate::{clock::Millis, error::FieldError};
use jiff::{civil::DateTime, tz::TimeZone};

/// From when and until when (`None`: permanently) a grant is valid that is made at `now`, or what is wrong, by the
/// inputs' names. In a gap of daylight saving time a moment is the one after the gap, in a fold the first of the two.
pub fn period(input: &GrantInput, now: Millis) -> Result<(Millis, Option<Millis>), FieldError> {
    if input.validity == Validity::Permanent {
        return Ok((now, None));
    }
    let (from, until) = (input.from.trim(), input.until.trim());
    if from.is_empty() && until.is_empty() {
        return Err(FieldError::new("until", "Enter from when or until when, or choose Permanent."));
    }
    let from = if from.is_empty() { now } else { moment("from", from, &input.time_zone)? };
    let until = if until.is_empty() { None } else { Some(moment("until", until, &input.time_zone)?) };
    match until {
        Some(until) if until <= now => Err(FieldError::new("until", "This time has passed. Choose a later one.")),
        Some(until) if until <= from => Err(FieldError::new("until", "Choose a time after the beginning.")),
        until => Ok((from, until)),
    }
}

fn moment(field: &str, text: &str, zone: &str) -> Result<Millis, FieldError> {
    let short = |text: &str| text.chars().take(40).collect::<String>();
    let wrong = |text: String| FieldError::new(field, text);
    let zone = TimeZone::get(zone).map_err(|_| wrong(format!("“{}” is not a time zone.", short(zone))))?;
    let civil: DateTime = text.parse().map_err(|_| wrong(format!("“{}” is not a date and a time.", short(text))))?;
    Ok(civil.to_zoned(zone).map_err(|error| wrong(error.to_string()))?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_795_312_800_000; // 2026-11-22T02:00Z

    #[test]
    fn periods_are_in_the_zone_that_stood_beside_them() {
        let at = |from: &str, until: &str, zone: &str| {
            let input = GrantInput {
                validity: Validity::Period,
                from: from.into(),
                until: until.into(),
                time_zone: zone.into(),
                ..Default::default()
            };
            period(&input, NOW).map_err(|error| error.field)
        };
        let hour = 3_600_000;
        assert_eq!(at("", "2026-11-22T11:00", "Asia/Shanghai"), Ok((NOW, Some(NOW + hour))));
        assert_eq!(at("2026-11-22T03:00", "", "UTC"), Ok((NOW + hour, None)));
        assert_eq!(at("2026-11-22T01:00", "2026-11-22T03:00", "UTC"), Ok((NOW - hour, Some(NOW + hour))));
        for (from, until, zone, field) in [
            ("", "", "UTC", "until"),
            ("", "2026-11-22T02:00", "UTC", "until"),
            ("2026-11-22T03:00", "2026-11-22T03:00", "UTC", "until"),
            ("soon", "2026-11-22T03:00", "UTC", "from"),
            ("", "2026-11-22T03:00", "Mars/Olympus", "until"),
        ] {
            assert_eq!(at(from, until, zone), Err(field.to_string()), "{from} {until} {zone}");
        }
        let permanent = GrantInput { from: "soon".into(), ..Default::default() };
        assert_eq!(period(&permanent, NOW).unwrap(), (NOW, None), "what is hidden is not read");
    }
}
