//! What a cell or a condition says, as a tag's value.

use super::model::TagKind;
use serde_json::{Number, Value};

/// The value, or nothing when the text is not of the kind. White space around it does not count.
pub fn parse(kind: TagKind, text: &str) -> Option<Value> {
    let text = text.trim();
    match kind {
        TagKind::Text => Some(Value::String(text.into())),
        TagKind::Number => number(text).map(Value::Number),
        TagKind::Date => date(text).map(Value::String),
        TagKind::Boolean => boolean(text).map(Value::Bool),
    }
}

/// Decimal numbers with a point and an optional exponent. Every value is one that an `f64` holds exactly, so that both
/// databases and Rust compare alike.
pub fn number(text: &str) -> Option<Number> {
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if !text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    if value.fract() == 0.0 && value.abs() <= WHOLE {
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

/// `2026-01-31`, `2026/1/31`, either with ` 10:30`, `T10:30` or seconds too; as `2026-01-31` or `2026-01-31 10:30:00`.
pub fn date(text: &str) -> Option<String> {
    let (day, time) = match text.split_once([' ', 'T']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let separator = if day.contains('/') { '/' } else { '-' };
    let mut parts = day.split(separator);
    let (year, month, day) = (part(parts.next()?, 4)?, part(parts.next()?, 2)?, part(parts.next()?, 2)?);
    if parts.next().is_some() || year < 1000 || day == 0 || day > days_in(year, month)? {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    let Some(time) = time else {
        return Some(date);
    };
    let mut parts = time.split(':');
    let (hour, minute) = (part(parts.next()?, 2)?, part(parts.next()?, 2)?);
    let second = parts.next().map_or(Some(0), |second| part(second, 2))?;
    let right = hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
    right.then(|| format!("{date} {hour:02}:{minute:02}:{second:02}"))
}

/// One to `most` digits; a year has all four.
fn part(text: &str, most: usize) -> Option<u32> {
    let long_enough = if most == 4 { text.len() == 4 } else { (1..=most).contains(&text.len()) };
    if long_enough && text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn days_in(year: u32, month: u32) -> Option<u32> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        _ => None,
    }
}

pub fn boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" | "是" => Some(true),
        "false" | "no" | "0" | "否" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_real_and_normalised() {
        for (text, kept) in [
            ("2026-01-31", "2026-01-31"),
            ("2026/1/5", "2026-01-05"),
            ("2024-02-29", "2024-02-29"),
            ("2000-02-29 23:59", "2000-02-29 23:59:00"),
            ("2026/12/01T00:00:07", "2026-12-01 00:00:07"),
        ] {
            assert_eq!(date(text).as_deref(), Some(kept), "{text}");
        }
        for text in [
            "",
            "2026-02-30",
            "1900-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "26-01-01",
            "2026-01",
            "2026-01-01-01",
            "2026-01/01",
            "2026-01-01 24:00",
            "2026-01-01 ",
            "2026-01-01 10",
            "2026-01-01 10:00:00:00",
            "+2026-01-01",
            "01.02.2026",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn numbers() {
        for (text, kept) in [("1", "1"), ("89.00", "89"), ("-0.5", "-0.5"), ("1e3", "1000"), ("+7", "7"), ("-0", "0")] {
            assert_eq!(number(text).map(|number| number.to_string()).as_deref(), Some(kept), "{text}");
        }
        for text in ["", "abc", "1,000", "NaN", "inf", "1e999", "0x10", "1 2", "--1", "."] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn yes_and_no_in_the_words_people_use() {
        for text in ["true", "TRUE", "Yes", "1", "是"] {
            assert_eq!(boolean(text), Some(true), "{text}");
        }
        for text in ["false", "No", "0", "否"] {
            assert_eq!(boolean(text), Some(false), "{text}");
        }
        assert_eq!(boolean("maybe"), None);
    }

    proptest::proptest! {
        #[test]
        fn what_is_kept_reads_the_same_again(text in "[0-9eE+./:T -]{0,20}") {
            for kind in TagKind::ALL {
                if let Some(value) = parse(kind, &text) {
                    let kept = super::super::model::tag_text(&value).unwrap();
                    proptest::prop_assert_eq!(parse(kind, &kept), Some(value));
                }
            }
        }
    }
}
