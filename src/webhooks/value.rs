//! How a parameter's value goes over the wire. All are strings there (PRODUCT, "Request to the customer's system").

use super::model::{Parameter, ParameterType};
use jiff::{civil::DateTime, tz::TimeZone};

/// The text that is sent for a value that [`Parameter::check_value`] has let pass. A number without what does not
/// count (`+007.50` is `7.50`); a date as it is; a date with a time as RFC 3339 has it, with the offset of `zone` (an
/// IANA name). A time in a gap of daylight saving time is the one after the gap, in a fold the first of the two.
pub fn on_the_wire(parameter: &Parameter, value: &str, zone: &str) -> Result<String, String> {
    let value = value.trim();
    match parameter.kind {
        ParameterType::Numeric if !value.is_empty() => Ok(number(value)),
        ParameterType::Date if value.contains(' ') => {
            let zone = TimeZone::get(zone).map_err(|_| format!("“{zone}” is not a time zone."))?;
            let civil: DateTime = value.parse().map_err(|_| format!("“{value}” is not a date and a time."))?;
            let at = civil.to_zoned(zone).map_err(|error| error.to_string())?;
            Ok(at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
        }
        _ => Ok(value.to_string()),
    }
}

fn number(text: &str) -> String {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let zero = !digits.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    let sign = if zero { "" } else { sign };
    match fraction {
        Some(fraction) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{whole}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wire(kind: ParameterType, value: &str, zone: &str) -> Result<String, String> {
        on_the_wire(&Parameter { kind, ..Default::default() }, value, zone)
    }

    #[test]
    fn numbers_lose_what_does_not_count() {
        for (typed, sent) in [
            ("7", "7"),
            (" +007.50 ", "7.50"),
            ("-0.5", "-0.5"),
            ("-0", "0"),
            ("-000.00", "0.00"),
            ("0010", "10"),
            ("", ""),
        ] {
            assert_eq!(wire(ParameterType::Numeric, typed, "UTC").as_deref(), Ok(sent), "{typed}");
        }
    }

    proptest! {
        #[test]
        fn a_number_keeps_its_value(sign in "[+-]?", whole in "[0-9]{1,12}", part in "(\\.[0-9]{1,3})?") {
            let typed = format!("{sign}{whole}{part}");
            let sent = wire(ParameterType::Numeric, &typed, "UTC").unwrap();
            prop_assert_eq!(sent.parse::<f64>().unwrap() + 0.0, typed.parse::<f64>().unwrap() + 0.0);
            let parameter = Parameter { kind: ParameterType::Numeric, ..Default::default() };
            prop_assert!(parameter.check_value(&sent).is_ok());
        }
    }

    #[test]
    fn dates_stay_and_times_are_in_the_zone() {
        let date = |value: &str, zone: &str| wire(ParameterType::Date, value, zone);
        assert_eq!(date("2026-01-31", "Asia/Shanghai").as_deref(), Ok("2026-01-31"));
        assert_eq!(date("2026-01-31 09:30", "Asia/Shanghai").as_deref(), Ok("2026-01-31T09:30:00+08:00"));
        assert_eq!(date("2026-07-01 09:30", "Europe/Berlin").as_deref(), Ok("2026-07-01T09:30:00+02:00"));
        // The clocks go from 2 to 3 that night.
        assert_eq!(date("2026-03-29 02:30", "Europe/Berlin").as_deref(), Ok("2026-03-29T03:30:00+02:00"));
        assert!(date("2026-01-31 09:30", "Mars/Olympus").unwrap_err().contains("Mars"));
        assert_eq!(wire(ParameterType::String, " a b ", "UTC").as_deref(), Ok("a b"));
    }
}
