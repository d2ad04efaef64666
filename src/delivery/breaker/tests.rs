//! The breaker, signal by signal.

use super::*;
use proptest::prelude::*;

const POLICY: Policy =
    Policy { window: 60_000, least: 10, share: 0.5, first: 15_000, longest: 100_000, disable_after: 30 };
const ILL: Signal = Signal::Ill("HTTP 503", None);

fn hear(health: &mut Health, signals: &[Signal], now: Millis) -> Turn {
    signals.iter().map(|signal| health.hear(*signal, false, now, POLICY)).last().unwrap()
}

/// Opened at 0, until 15 s.
fn open() -> Health {
    let mut health = Health::default();
    assert_eq!(hear(&mut health, &[ILL; 10], 0), Turn::Opened);
    health
}

fn probe(health: &mut Health, signal: Signal, now: Millis) -> Turn {
    assert_eq!(health.may_claim(now), MayClaim::Probe);
    health.begin_probe(now + 30_000);
    assert_eq!(health.may_claim(now), MayClaim::Nothing, "one at a time");
    assert!(health.is_probe(now + 30_000) && !health.is_probe(now + 29_999));
    health.hear(signal, true, now, POLICY)
}

#[test]
fn it_opens_at_the_share_of_enough_batches() {
    let mut health = Health::default();
    assert_eq!(hear(&mut health, &[ILL; 4], 1), Turn::Same);
    assert_eq!(hear(&mut health, &[Signal::Alive; 5], 1), Turn::Same);
    assert_eq!(health.may_claim(1), MayClaim::Any, "9 say nothing");
    assert_eq!(hear(&mut health, &[ILL], 1), Turn::Opened);
    assert_eq!((health.may_claim(15_000), health.may_claim(15_001)), (MayClaim::Nothing, MayClaim::Probe));
    assert_eq!((health.opened_at, health.reason.as_str()), (Some(1), "HTTP 503"));
}

#[test]
fn a_new_window_begins_with_nothing_and_a_dead_endpoint_opens_it_whatever_went_before() {
    let mut health = Health::default();
    hear(&mut health, &[Signal::Alive, ILL, Signal::Alive, ILL, Signal::Alive, ILL, Signal::Alive, ILL], 0);
    hear(&mut health, &[Signal::Alive, ILL], 60_000);
    assert_eq!((health.breaker, health.ok, health.failed, health.window_from), (Breaker::Closed, 1, 1, 60_000));
    hear(&mut health, &[Signal::Alive; 10_000], 60_001);
    assert_eq!(hear(&mut health, &[ILL; 9], 60_002), Turn::Same);
    assert_eq!(hear(&mut health, &[ILL], 60_002), Turn::Opened);
}

#[test]
fn while_it_is_open_nothing_counts_but_the_probe() {
    let mut health = open();
    let before = health.clone();
    assert_eq!(hear(&mut health, &[ILL, Signal::Alive, ILL], 1_000), Turn::Same);
    assert_eq!(health, before);
    health.begin_probe(45_000);
    assert_eq!(hear(&mut health, &[Signal::Alive], 16_000), Turn::Same, "it was claimed before");
    assert_eq!(health.hear(Signal::Alive, true, 16_000, POLICY), Turn::Closed);
    assert_eq!(health, Health { window_from: 16_000, ok: 1, ..Health::default() });
}

#[test]
fn every_failed_probe_doubles_the_time_up_to_the_longest() {
    let (mut health, mut now, mut times) = (open(), 0, Vec::new());
    for _ in 0..5 {
        times.push(health.open_until - now);
        now = health.open_until;
        assert_eq!(probe(&mut health, ILL, now), Turn::Opened);
    }
    assert_eq!(times, [15_000, 30_000, 60_000, 100_000, 100_000]);
    assert_eq!(health.opened_at, Some(0), "since the first");
    let asked = health.open_until;
    assert_eq!(probe(&mut health, Signal::Ill("HTTP 429", Some(500_000)), asked), Turn::Opened);
    assert_eq!(health.open_until - asked, 500_000, "as long as it asks");
    let asked = health.open_until;
    assert_eq!(probe(&mut health, Signal::Ill("HTTP 429", Some(Millis::MAX)), asked), Turn::Opened);
    assert_eq!(health.open_until - asked, HOUR, "within reason");
}

#[test]
fn a_probe_that_was_not_posted_or_whose_node_died_is_followed_by_another() {
    let mut health = open();
    health.begin_probe(45_000);
    assert_eq!((health.may_claim(44_999), health.may_claim(45_000)), (MayClaim::Nothing, MayClaim::Probe));
    health.no_probe(20_000);
    assert_eq!((health.may_claim(20_000), health.trips), (MayClaim::Probe, 1));
}

#[test]
fn so_many_in_a_row_and_http_410_disable() {
    let mut health = open();
    for failed in 11..30 {
        let now = health.open_until;
        assert_eq!(probe(&mut health, ILL, now), Turn::Opened, "{failed}");
    }
    let now = health.open_until;
    let because = "30 batches in a row failed, the last one: HTTP 503";
    assert_eq!(probe(&mut health, ILL, now), Turn::Disable(because.into()));
    assert_eq!((health.opened_at, health.may_claim(now)), (Some(now), MayClaim::Nothing));
    for mut health in [Health::default(), open()] {
        assert!(matches!(hear(&mut health, &[Signal::Gone], 5), Turn::Disable(because) if because.contains("410")));
        assert_eq!(health.may_claim(5), MayClaim::Nothing);
    }
}

fn signals() -> impl Strategy<Value = Vec<(bool, i64)>> {
    proptest::collection::vec((any::<bool>(), 0..40_000_i64), 1..200)
}

proptest! {
    /// A dispatcher that claims whenever it may, at any times and with any answers.
    #[test]
    fn it_is_never_stuck_and_never_hasty(signals in signals(), least in 1..20_i64, share in 0.01..1.0_f64) {
        let policy = Policy { least, share, disable_after: 1_000, ..POLICY };
        let (mut health, mut now, mut since) = (Health::default(), 0, Vec::new());
        for (alive, wait) in signals {
            now += wait;
            let probing = match health.may_claim(now) {
                MayClaim::Nothing => {
                    prop_assert!(health.open_until - now <= policy.longest);
                    continue;
                }
                MayClaim::Any => false,
                MayClaim::Probe => {
                    health.begin_probe(now + 30_000);
                    true
                }
            };
            since.push(alive);
            let turn = health.hear(if alive { Signal::Alive } else { ILL }, probing, now, policy);
            match turn {
                Turn::Opened if !probing => {
                    prop_assert!(!alive && since.len() as i64 >= least, "{} batches", since.len());
                    prop_assert!(health.failed_in_row >= least
                        || health.failed as f64 >= share * (health.ok + health.failed) as f64);
                }
                Turn::Opened => prop_assert!(!alive),
                Turn::Closed => {
                    prop_assert!(alive && probing);
                    since = vec![true];
                }
                Turn::Same => prop_assert!(!probing),
                Turn::Disable(_) => prop_assert!(false),
            }
            let in_row = since.iter().rev().take_while(|alive| !**alive).count() as i64;
            prop_assert_eq!(health.failed_in_row, in_row);
            prop_assert_eq!(health.breaker == Breaker::Closed, health.opened_at.is_none());
        }
    }
}
