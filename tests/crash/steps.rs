//! The process dies at a step that is named, is started again, and the books agree.

use crate::{
    books::{self, InFlight, Sums, all_accepted},
    crowd,
    house::{House, USERS},
    place,
};
use reachwire::{
    delivery::SendState,
    fetch,
    steps::Step::{self, *},
};
use std::collections::BTreeSet;

/// Where it dies, the how manieth time it comes by; after a few rounds where there are many.
const WHILE_IT_SENDS: [(Step, usize); 13] = [
    (BeginWritten, 1),
    (BeginCommitted, 1),
    (PlanWritten, 1),
    (PlanWritten, 2),
    (PlanCommitted, 1),
    (PlanCommitted, 2),
    (ClaimWritten, 3),
    (ClaimCommitted, 3),
    (PostReady, 7),
    (PostSent, 7),
    (PostAnswered, 7),
    (RecordWritten, 4),
    (RecordCommitted, 9),
];

fn at(step: Step, times: usize) -> String {
    format!("{}:{times}", step.code())
}

/// What the crash has left in flight.
async fn after_the_crash(house: &House, id: &str) -> InFlight {
    crowd::adds_up(&house.db, id).await;
    house.in_flight(id).await
}

/// Goes on after a crash to the end, and compares.
async fn to_the_end(house: &mut House, id: &str, in_flight: &InFlight) {
    house.leases_end().await;
    let server = house.start(None).await;
    house.finished(id).await;
    books::agree(house, id, in_flight, &all_accepted()).await;
    books::receipts(house, id).await;
    server.kill();
}

async fn while_it_sends(house: &mut House, (step, times): (Step, usize)) {
    let crash = at(step, times);
    let server = house.start(Some(&crash)).await;
    let id = house.submit(&crash).await;
    house.dies(server, &crash).await;
    let in_flight = after_the_crash(house, &id).await;
    let begun = !matches!(step, BeginWritten | BeginCommitted | PlanWritten | PlanCommitted);
    assert!(!begun || !in_flight.is_empty(), "{crash} hit nothing in flight");
    to_the_end(house, &id, &in_flight).await;
}

/// A second crash, while what the first one left is taken back.
async fn while_it_recovers(house: &mut House, step: Step) {
    let first = at(PostSent, 3);
    let server = house.start(Some(&first)).await;
    let id = house.submit(step.code()).await;
    house.dies(server, &first).await;
    let mut in_flight = after_the_crash(house, &id).await;
    house.leases_end().await;
    let second = at(step, 1);
    let server = house.start(Some(&second)).await;
    house.dies(server, &second).await;
    in_flight.extend(after_the_crash(house, &id).await);
    to_the_end(house, &id, &in_flight).await;
}

/// How many entries of the audit log say that it was done to a send.
async fn entries(house: &House, id: &str, action: &str) -> i64 {
    let entries = "select count(*) from audit_log where object_id = $1 and action = $2";
    fetch!(house.db, one, (i64,), entries, id, action).unwrap().0
}

/// Paused or not, the state and the audit log say the same, and nothing goes out of what is paused.
async fn while_it_pauses(house: &mut House, step: Step) {
    let crash = at(step, 1);
    let server = house.start(Some(&crash)).await;
    let id = house.submit(step.code()).await;
    house.until(&id, "begun", |progress| progress.accepted > 0).await;
    assert!(!house.control(&id, "pause").await, "it died under it");
    house.dies(server, &crash).await;
    let mut in_flight = after_the_crash(house, &id).await;
    let paused = step == PauseCommitted;
    assert_eq!(entries(house, &id, "paused").await, i64::from(paused));
    let state = if paused { SendState::Paused } else { SendState::Sending };
    assert_eq!(house.progress(&id).await.state, state);
    if paused {
        let received = house.crm.counters().requests;
        house.leases_end().await;
        let server = house.start(None).await;
        let hidden: i64 = in_flight.values().sum();
        house.until(&id, "taken back", |progress| progress.unknown == hidden).await;
        assert_eq!(house.crm.counters().requests, received, "nothing goes out while it is paused");
        assert!(house.control(&id, "resume").await);
        house.finished(&id).await;
        server.kill();
        in_flight.extend(after_the_crash(house, &id).await);
    }
    to_the_end(house, &id, &in_flight).await;
}

/// It goes on by itself, or is paused as before.
async fn while_it_resumes(house: &mut House, step: Step) {
    let crash = at(step, 1);
    let server = house.start(Some(&crash)).await;
    let id = house.submit(step.code()).await;
    house.until(&id, "begun", |progress| progress.accepted > 0).await;
    assert!(house.control(&id, "pause").await);
    assert!(!house.control(&id, "resume").await, "it died under it");
    house.dies(server, &crash).await;
    let mut in_flight = after_the_crash(house, &id).await;
    let resumed = step == ResumeCommitted;
    assert_eq!(entries(house, &id, "resumed").await, i64::from(resumed));
    let state = if resumed { SendState::Sending } else { SendState::Paused };
    assert_eq!(house.progress(&id).await.state, state);
    if !resumed {
        house.leases_end().await;
        let server = house.start(None).await;
        assert!(house.control(&id, "resume").await);
        house.finished(&id).await;
        server.kill();
        in_flight.extend(after_the_crash(house, &id).await);
    }
    to_the_end(house, &id, &in_flight).await;
}

/// Stopped for good, with what was in flight unknown, or not at all.
async fn while_it_stops(house: &mut House, step: Step) {
    let crash = at(step, 1);
    let server = house.start(Some(&crash)).await;
    let id = house.submit(step.code()).await;
    // Who was never planned has no row to compare.
    house.until(&id, "begun", |progress| progress.accepted > 0 && progress.planned == USERS).await;
    assert!(!house.control(&id, "stop").await, "it died under it");
    house.dies(server, &crash).await;
    let in_flight = after_the_crash(house, &id).await;
    let stopped = step == StopCommitted;
    assert_eq!(entries(house, &id, "stopped").await, i64::from(stopped));
    if !stopped {
        assert_eq!(house.progress(&id).await.state, SendState::Sending);
        return to_the_end(house, &id, &in_flight).await;
    }
    let (accepted, received) = (house.progress(&id).await.accepted, house.crm.counters().requests);
    house.leases_end().await;
    let server = house.start(None).await;
    let unknown = in_flight.values().sum();
    house.until(&id, "taken back", |progress| progress.unknown == unknown).await;
    assert_eq!(house.crm.counters().requests, received, "nothing goes out of what is stopped");
    assert_eq!(house.progress(&id).await.state, SendState::Stopped);
    let sums = Sums { accepted, failed: 0, skipped: USERS - accepted - unknown, unknown };
    books::agree(house, &id, &in_flight, &sums).await;
    server.kill();
}

/// The receiver posts its receipts again when they were not taken, and none counts twice. In a house of its own: receipts
/// of another send may be on their way for seconds.
async fn while_it_takes_receipts(mut house: House, step: Step) {
    let house = &mut house;
    let crash = at(step, 1);
    let server = house.start(Some(&crash)).await;
    let id = house.submit(step.code()).await;
    house.dies(server, &crash).await;
    let in_flight = after_the_crash(house, &id).await;
    let kept = "select count(*) from receipts where send_id = $1";
    let kept = fetch!(house.db, one, (i64,), kept, &id).unwrap().0;
    assert_eq!(kept > 0, step == ReceiptsCommitted, "{kept} kept");
    to_the_end(house, &id, &in_flight).await;
}

/// The webhook leaves to a person what a crash hid: unknown are exactly the batches that were in flight, until she says
/// that they are sent again.
async fn left_to_a_person(house: &mut House) {
    reachwire::execute!(house.db, "update webhooks set after_crash = 'ask'").unwrap();
    let crash = at(PostSent, 9);
    let server = house.start(Some(&crash)).await;
    let id = house.submit("left to a person").await;
    house.dies(server, &crash).await;
    let in_flight = after_the_crash(house, &id).await;
    house.leases_end().await;
    let server = house.start(None).await;
    house.finished(&id).await;
    let unknown = "select batch_no, size from send_batches where send_id = $1 and state = 'unknown'";
    let unknown: InFlight = fetch!(house.db, all, (i64, i64), unknown, &id).unwrap().into_iter().collect();
    assert_eq!(unknown, in_flight);
    let (users, all) = (in_flight.values().sum(), all_accepted());
    let held = Sums { accepted: all.accepted - users, unknown: users, ..all };
    books::agree(house, &id, &in_flight, &held).await;
    let rows: Vec<_> = house.crm.rows().into_iter().filter(|row| row.action_id.starts_with(&id)).collect();
    let once: BTreeSet<_> = rows.iter().map(|row| &row.action_id).collect();
    assert_eq!(rows.len(), once.len(), "nobody got a second one by itself");
    house.send_unknown_again(&id).await;
    house.finished(&id).await;
    server.kill();
    to_the_end(house, &id, &in_flight).await;
    reachwire::execute!(house.db, "update webhooks set after_crash = 'again'").unwrap();
}

async fn every_step(mut house: House) {
    for case in WHILE_IT_SENDS {
        timed(&at(case.0, case.1), while_it_sends(&mut house, case)).await;
    }
    for step in [RecoverWritten, RecoverCommitted] {
        timed(step.code(), while_it_recovers(&mut house, step)).await;
    }
    for step in [PauseWritten, PauseCommitted] {
        timed(step.code(), while_it_pauses(&mut house, step)).await;
    }
    for step in [ResumeWritten, ResumeCommitted] {
        timed(step.code(), while_it_resumes(&mut house, step)).await;
    }
    for step in [StopWritten, StopCommitted] {
        timed(step.code(), while_it_stops(&mut house, step)).await;
    }
    timed("left to a person", left_to_a_person(&mut house)).await;
}

async fn timed(what: &str, case: impl Future<Output = ()>) {
    let began = std::time::Instant::now();
    case.await;
    println!("{what}: {:.1} s", began.elapsed().as_secs_f64());
}

async fn on(database: Option<String>, receipts: [Option<String>; 2]) {
    every_step(House::new(database).await).await;
    for (step, database) in [ReceiptsWritten, ReceiptsCommitted].into_iter().zip(receipts) {
        timed(step.code(), while_it_takes_receipts(House::new(database).await, step)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    on(None, [None, None]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    if let Some(url) = place::empty_database().await {
        on(Some(url), [place::empty_database().await, place::empty_database().await]).await;
    }
}
