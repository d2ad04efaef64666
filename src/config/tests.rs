//! Settings from every source, and what is refused.

use super::*;

#[test]
fn the_example_file_holds_every_default() {
    let config = Config::defaults();
    assert_eq!(config.public_url(), "http://127.0.0.1:3000");
    assert!(!config.behind_https());
    config.check().unwrap();
}

fn read(file: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let figment = Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(file));
    let variables = variables.iter().map(|(name, text)| ((*name).to_string(), (*text).to_string()));
    Config::read(figment, variables, &Flags::default())
}

#[test]
fn variables_are_read_and_the_scripts_own_passed_over() {
    let config = read(
        "",
        &[
            ("REACHWIRE_TOOLS", "/tools"),
            ("REACHWIRE_SECRET", "00123456789012345678"),
            ("REACHWIRE_ENGINE__POSTS_AT_ONCE", "16"),
            ("REACHWIRE_TRUSTED_PROXIES", "[\"10.0.0.0/8\"]"),
            ("REACHWIRE_LISTEN", "0.0.0.0:80"),
            ("REACHWIRE_PUBLIC_GUIDE", "true"),
            ("PATH", "/bin"),
        ],
    );
    let config = config.unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&config.secret), "00123456789012345678");
    assert_eq!((config.engine.posts_at_once, config.engine.tries), (16, Config::defaults().engine.tries));
    assert_eq!((config.trusted_proxies.len(), config.listen.port()), (1, 80));
    assert!(config.public_guide && !Config::defaults().public_guide);
    assert!(read("", &[("REACHWIRE_TYPO", "1")]).unwrap_err().contains("typo"));
    let crash = read("", &[("REACHWIRE_CRASH_AT", "claim.committed:3")]);
    assert_eq!(crash.is_ok(), cfg!(debug_assertions), "a release build knows no steps");
}

#[test]
fn a_secret_that_is_no_text_is_refused_without_showing_it() {
    let said = read("secret = 12345678901234567", &[]).unwrap_err();
    assert!(said.contains("secret") && said.contains("text") && !said.contains("12345678901234567"), "{said}");
}

#[test]
fn a_session_lasts_some_time_and_no_longer_than_a_year() {
    for (wrong, right) in [("idle_hours = 0", "idle_hours = 1"), ("days = 0", "days = 1\nidle_hours = 24")] {
        assert!(read(&format!("[sessions]\n{wrong}"), &[]).unwrap_err().contains("sessions.idle_hours"), "{wrong}");
        assert!(read(&format!("[sessions]\n{right}"), &[]).is_ok(), "{right}");
    }
    for wrong in ["days = 366", "days = 2\nidle_hours = 49"] {
        assert!(read(&format!("[sessions]\n{wrong}"), &[]).is_err(), "{wrong}");
    }
    let sessions = Config::defaults().sessions;
    assert_eq!((sessions.idle(), sessions.longest()), (3 * DAY, 30 * DAY));
}

#[test]
fn how_late_a_task_may_begin_is_minutes_up_to_a_year() {
    assert_eq!(Config::defaults().engine.misfire_minutes, 60);
    for (minutes, right) in [(0, false), (1, true), (525_600, true), (525_601, false)] {
        let read = read(&format!("[engine]\nmisfire_minutes = {minutes}"), &[]);
        assert_eq!(read.is_ok(), right, "{minutes}");
    }
}

#[test]
fn the_breaker_is_told_what_makes_sense() {
    let breaker = |line: &str| read(&format!("[engine.breaker]\n{line}"), &[]);
    for right in ["window_seconds = 1", "failed_share = 1", "open_first_seconds = 600", "disable_after = 1"] {
        assert!(breaker(right).is_ok(), "{right}");
    }
    for wrong in [
        "window_seconds = 0",
        "least_batches = 0",
        "failed_share = 0.0",
        "failed_share = 1.1",
        "failed_share = nan",
        "open_first_seconds = 601",
        "open_longest_seconds = 86401",
        "disable_after = 0",
    ] {
        let name = wrong.split(' ').next().unwrap();
        let name = if name == "open_first_seconds" { "open_longest_seconds" } else { name };
        assert!(breaker(wrong).unwrap_err().contains(name), "{wrong}");
    }
    let share = [("REACHWIRE_ENGINE__BREAKER__FAILED_SHARE", "0.25")];
    assert_eq!(read("", &share).unwrap().engine.breaker.failed_share, 0.25);
    for wrong in ["give_up_hours = 0", "give_up_hours = 8761", "ready_due_seconds = 9", "ready_due_seconds = 86401"] {
        let name = wrong.split(' ').next().unwrap();
        assert!(read(&format!("[engine]\n{wrong}"), &[]).unwrap_err().contains(name), "{wrong}");
    }
}

#[test]
fn parts_of_the_work_are_for_several_on_postgresql() {
    let worker = RoleFlags { worker: true, ..RoleFlags::default() };
    let refused = Config::defaults().serving(worker).unwrap_err();
    assert!(refused.contains("roles") && refused.contains("PostgreSQL"), "{refused}");
    assert_eq!(Config::defaults().serving(RoleFlags::default()).unwrap().roles, Roles::ALL);
    let there = [("REACHWIRE_DATABASE", "postgres://db/reachwire"), ("REACHWIRE_ROLES", "[\"web\", \"intake\"]")];
    let config = read("", &there).unwrap();
    assert_eq!(config.roles.text(), "web, intake");
    assert_eq!(config.serving(worker).unwrap().roles.text(), "worker");
    assert!(read("roles = []", &there[..1]).unwrap_err().contains("at least one"));
    assert!(read("roles = [\"sender\"]", &there[..1]).is_err());
}

#[test]
fn a_lease_too_short_for_two_posts_is_refused() {
    let mut config = Config::defaults();
    config.engine.lease_ms = 24_999;
    assert!(config.check().unwrap_err().contains("engine.lease_ms must be at least 25000"));
}
