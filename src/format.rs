//! Numbers and moments for reading. Pure: the same text on the server and in the browser.

pub mod time;

/// A whole number in groups of three: `23,570`.
pub fn count(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `n` and the word for it: `1 webhook`, `23,570 webhooks`. `word` is the singular; the plural takes an s.
pub fn counted(n: i64, word: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {word}{plural}", count(n))
}

/// Things that a refusal names.
pub const NAMED: usize = 5;

/// The first few of several, as a refusal names them.
pub fn first_few(all: impl IntoIterator<Item = String>) -> String {
    let mut all = all.into_iter();
    let named = all.by_ref().take(NAMED).collect::<Vec<_>>().join(", ");
    if all.next().is_some() { named + " and others" } else { named }
}

/// A size in decimal units: `12.6 MB`.
pub fn bytes(n: i64) -> String {
    let size = n.max(0) as f64;
    let (value, unit) = match size {
        s if s < 1e3 => return format!("{n} B"),
        s if s < 999_950.0 => (s / 1e3, "kB"),
        s if s < 999_950_000.0 => (s / 1e6, "MB"),
        s => (s / 1e9, "GB"),
    };
    format!("{value:.1} {unit}")
}

/// A length of time in its two largest units: `6 d 23 h`, `2 min 5 s`, `340 ms`.
pub fn duration_ms(ms: i64) -> String {
    let ms = ms.max(0);
    let seconds = ms / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let two = |big: i64, big_unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{big} {big_unit}"),
        _ => format!("{big} {big_unit} {small} {small_unit}"),
    };
    match seconds {
        0 => format!("{ms} ms"),
        1..10 if ms % 1000 >= 50 => format!("{:.1} s", ms as f64 / 1000.0),
        1..60 => format!("{seconds} s"),
        60..3600 => two(minutes, "min", seconds % 60, "s"),
        3600..86_400 => two(hours, "h", minutes, "min"),
        _ => two(days, "d", hours, "h"),
    }
}

/// A length of time that is a guess: `about 2 s`, `about 3 min`; `less than 1 s`.
pub fn about_ms(ms: i64) -> String {
    match (ms.max(0) + 500) / 1000 {
        0 => "less than 1 s".to_string(),
        seconds @ 1..90 => format!("about {seconds} s"),
        seconds @ 90..5400 => format!("about {} min", (seconds + 30) / 60),
        seconds @ 5400..129_600 => format!("about {} h", (seconds + 1800) / 3600),
        seconds => format!("about {} d", (seconds + 43_200) / 86_400),
    }
}

/// A share: `99.5 %`. Never rounds to 0 or 100 what is not: `<0.1 %`, `>99.9 %`. Of nothing, it is a dash.
pub fn percent(part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "–".to_string();
    }
    let share = part as f64 / whole as f64 * 100.0;
    match (part, share) {
        (0, _) => "0 %".to_string(),
        (part, _) if part == whole => "100 %".to_string(),
        (_, share) if share < 0.05 => "<0.1 %".to_string(),
        (_, share) if share > 99.95 && share < 100.0 => ">99.9 %".to_string(),
        (_, share) => format!("{share:.1} %"),
    }
}

/// A pace: `210,400 users/s`; below 10 with one decimal.
pub fn rate(per_second: f64, what: &str) -> String {
    match per_second {
        slow if slow < 10.0 => format!("{:.1} {what}/s", slow.max(0.0)),
        fast => format!("{} {what}/s", count(fast.round() as i64)),
    }
}

/// A number for an axis: `240k`, `1.5M`, `0.25`.
pub fn compact(n: f64) -> String {
    let trim = |text: String| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    };
    match n.abs() {
        big if big >= 999_999_500.0 => format!("{}G", trim(format!("{:.2}", n / 1e9))),
        big if big >= 999_950.0 => format!("{}M", trim(format!("{:.2}", n / 1e6))),
        big if big >= 1000.0 => format!("{}k", trim(format!("{:.1}", n / 1e3))),
        _ => trim(format!("{n:.2}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_of_names_are_cut() {
        let first = |most: i64| first_few((1..=most).map(|n| n.to_string()));
        assert_eq!((first(1).as_str(), first(5).as_str()), ("1", "1, 2, 3, 4, 5"));
        assert_eq!(first(6), "1, 2, 3, 4, 5 and others");
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(23_570), "23,570");
        assert_eq!(count(-1_234_567), "-1,234,567");
        assert_eq!(count(i64::MIN), "-9,223,372,036,854,775,808");
        assert_eq!(counted(1, "webhook"), "1 webhook");
        assert_eq!(counted(0, "webhook"), "0 webhooks");
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1500), "1.5 kB");
        assert_eq!(bytes(999_999), "1.0 MB");
        assert_eq!(bytes(12_600_000), "12.6 MB");
    }

    #[test]
    fn durations_have_two_units() {
        assert_eq!(duration_ms(340), "340 ms");
        assert_eq!(duration_ms(2400), "2.4 s");
        assert_eq!(duration_ms(10_900), "10 s");
        assert_eq!(duration_ms(125_000), "2 min 5 s");
        assert_eq!(duration_ms(3_600_000), "1 h");
        assert_eq!(duration_ms((6 * 24 + 23) * 3_600_000), "6 d 23 h");
        assert_eq!(about_ms(2100), "about 2 s");
        assert_eq!(about_ms(100), "less than 1 s");
        assert_eq!(about_ms(170_000), "about 3 min");
    }

    #[test]
    fn shares_do_not_lie_at_the_ends() {
        assert_eq!(percent(0, 10), "0 %");
        assert_eq!(percent(10, 10), "100 %");
        assert_eq!(percent(1, 1_000_000), "<0.1 %");
        assert_eq!(percent(999_999, 1_000_000), ">99.9 %");
        assert_eq!(percent(18_104, 18_200), "99.5 %");
        assert_eq!(percent(0, 0), "–");
    }

    #[test]
    fn paces_and_axes() {
        assert_eq!(rate(210_400.4, "users"), "210,400 users/s");
        assert_eq!(rate(0.34, "posts"), "0.3 posts/s");
        assert_eq!(compact(240_000.0), "240k");
        assert_eq!(compact(1_500_000.0), "1.5M");
        assert_eq!(compact(0.25), "0.25");
        assert_eq!(compact(100.0), "100");
        assert_eq!(compact(0.0), "0");
    }
}
