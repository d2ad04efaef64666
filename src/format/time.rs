//! Moments in a zone. All texts are made by the same pure code from the zone's offset at that moment; only the offset
//! comes from elsewhere: `jiff` on the server, the browser's own tables there.

/// Year, month, day, hour, minute, second of a count of seconds since 1970-01-01 00:00:00.
fn civil(seconds: i64) -> (i64, i64, i64, i64, i64, i64) {
    // Days to a date in the proleptic Gregorian calendar, by eras of 400 years that begin in March.
    let (days, of_day) = (seconds.div_euclid(86_400) + 719_468, seconds.rem_euclid(86_400));
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day, of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// Seconds since 1970 of a date and time; the inverse of [`civil`].
#[cfg(any(test, not(feature = "ssr")))]
fn seconds_of((year, month, day, hour, minute, second): (i64, i64, i64, i64, i64, i64)) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let year_of_era = year.rem_euclid(400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = year.div_euclid(400) * 146_097 + day_of_era - 719_468;
    days * 86_400 + hour * 3600 + minute * 60 + second
}

/// How a moment is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `2026-11-22 10:00:05`
    Full,
    /// `2026-11-22 10:00`
    Minute,
    /// `2026-11-22T10:00`, the value of a date and time input.
    Input,
    /// `11-22`
    MonthDay,
    /// `10:00`
    Clock,
    /// `10:00:05`
    ClockSeconds,
}

fn write(seconds: i64, form: Form) -> String {
    let (year, month, day, hour, minute, second) = civil(seconds);
    match form {
        Form::Full => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
        Form::Minute => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}"),
        Form::Input => format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}"),
        Form::MonthDay => format!("{month:02}-{day:02}"),
        Form::Clock => format!("{hour:02}:{minute:02}"),
        Form::ClockSeconds => format!("{hour:02}:{minute:02}:{second:02}"),
    }
}

/// A moment (unix ms) written in `zone`, or in the default one.
pub fn text(ms: i64, zone: Option<&str>, form: Form) -> String {
    let seconds = ms.div_euclid(1000);
    write(seconds + offset_seconds(seconds, zone), form)
}

/// A moment (unix ms) in UTC for programs: `2026-11-22T09:00:05.120Z`.
pub fn iso(ms: i64) -> String {
    let (year, month, day, hour, minute, second) = civil(ms.div_euclid(1000));
    let millis = ms.rem_euclid(1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// A moment (unix ms) to the second, with the zone's offset, for hovering: `2026-11-22 10:00:05 UTC+01:00`.
pub fn exact(ms: i64, zone: Option<&str>) -> String {
    format!("{} {}", text(ms, zone, Form::Full), offset_name(offset_seconds(ms.div_euclid(1000), zone)))
}

/// The offset as `UTC+01:00`.
fn offset_name(offset: i64) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    format!("UTC{sign}{:02}:{:02}", offset.abs() / 3600, offset.abs() / 60 % 60)
}

/// How long before (or after) `now` a moment is: `5 min ago`, `in 2 h`, `just now`; both in unix ms.
pub fn relative(ms: i64, now: i64) -> String {
    let seconds = (now - ms).abs() / 1000;
    let length = match seconds {
        0..10 => return "just now".to_string(),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        86_400..172_800 if ms < now => return "yesterday".to_string(),
        86_400..172_800 => "1 day".to_string(),
        _ => format!("{} days", seconds / 86_400),
    };
    if ms < now { format!("{length} ago") } else { format!("in {length}") }
}

/// Seconds that `zone` is ahead of UTC at a moment (seconds since 1970). An unknown name counts as UTC.
#[cfg(feature = "ssr")]
fn offset_seconds(seconds: i64, zone: Option<&str>) -> i64 {
    let (Some(zone), Ok(moment)) = (zone, jiff::Timestamp::from_second(seconds)) else { return 0 };
    jiff::tz::TimeZone::get(zone).map(|zone| i64::from(zone.to_offset(moment).seconds())).unwrap_or(0)
}

#[cfg(not(feature = "ssr"))]
fn offset_seconds(seconds: i64, zone: Option<&str>) -> i64 {
    let date = js_sys::Date::new(&(seconds as f64 * 1000.0).into());
    let own = -(date.get_timezone_offset() * 60.0) as i64;
    let Some(zone) = zone else { return own };
    let options = js_sys::Object::new();
    // Setting a property of a fresh object cannot fail.
    let _ = js_sys::Reflect::set(&options, &"timeZone".into(), &zone.into());
    // "sv-SE" writes 2026-11-22 10:00:05. The call throws for a zone that this browser does not know.
    let method = js_sys::Reflect::get(&date, &"toLocaleString".into());
    let written = method
        .ok()
        .and_then(|method| wasm_bindgen::JsCast::dyn_into::<js_sys::Function>(method).ok())
        .and_then(|method| method.call2(&date, &"sv-SE".into(), &options).ok())
        .and_then(|text| text.as_string());
    written.and_then(|text| read(&text)).map_or(own, |local| local - seconds)
}

/// Seconds since 1970 of `2026-11-22 10:00:05`.
#[cfg(any(test, not(feature = "ssr")))]
fn read(text: &str) -> Option<i64> {
    let numbers: Vec<i64> = text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect();
    match numbers.as_slice() {
        [year, month, day, hour, minute, second] => {
            Some(seconds_of((*year, *month, *day, hour % 24, *minute, *second)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_795_338_005_120; // 2026-11-22T09:00:05.120Z

    #[test]
    fn dates_before_and_after_1970_and_leap_days() {
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(iso(MS), "2026-11-22T09:00:05.120Z");
        assert_eq!(iso(951_782_400_000), "2000-02-29T00:00:00.000Z");
        for seconds in (-70_000_000_000..70_000_000_000).step_by(86_399 * 997) {
            assert_eq!(seconds_of(civil(seconds)), seconds);
        }
    }

    #[test]
    fn every_form() {
        let at = |form| text(MS, None, form);
        assert_eq!(at(Form::Full), "2026-11-22 09:00:05");
        assert_eq!(at(Form::Minute), "2026-11-22 09:00");
        assert_eq!(at(Form::Input), "2026-11-22T09:00");
        assert_eq!(at(Form::MonthDay), "11-22");
        assert_eq!(at(Form::Clock), "09:00");
        assert_eq!(at(Form::ClockSeconds), "09:00:05");
        assert_eq!(offset_name(-12_600), "UTC-03:30");
    }

    #[test]
    fn the_zone_counts_with_its_summer_time() {
        assert_eq!(text(MS, Some("Europe/Berlin"), Form::Full), "2026-11-22 10:00:05");
        assert_eq!(text(1_782_118_800_000, Some("Europe/Berlin"), Form::Full), "2026-06-22 11:00:00");
        assert_eq!(text(MS, Some("Asia/Shanghai"), Form::Full), "2026-11-22 17:00:05");
        assert_eq!(text(MS, Some("No/Where"), Form::Full), "2026-11-22 09:00:05");
    }

    #[test]
    fn what_a_browser_writes_is_read() {
        assert_eq!(read("2026-11-22 09:00:05"), Some(MS / 1000));
        assert_eq!(read("today"), None);
    }

    #[test]
    fn relative_to_a_moment() {
        assert_eq!(relative(MS, MS + 3_000), "just now");
        assert_eq!(relative(MS, MS + 300_000), "5 min ago");
        assert_eq!(relative(MS, MS + 90_000_000), "yesterday");
        assert_eq!(relative(MS, MS + 300_000_000), "3 days ago");
        assert_eq!(relative(MS, MS - 7_200_000), "in 2 h");
    }
}
