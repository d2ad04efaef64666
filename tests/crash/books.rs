//! The three books of a send that must agree when it has ended: the database, the receiver's manifest, the page.

use crate::{
    crowd::adds_up,
    house::{House, USERS},
};
use reachwire::{
    crm::Row,
    delivery::{model::Progress, report, report::ActionFilter},
    fetch,
};
use std::collections::{BTreeMap, BTreeSet};

/// Batches that a crash found under way: their numbers and how many users each has.
pub type InFlight = BTreeMap<i64, i64>;

/// How the users of a send ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Sums {
    pub accepted: i64,
    pub failed: i64,
    pub skipped: i64,
    pub unknown: i64,
}

/// Everybody who can be has been sent to.
pub fn all_accepted() -> Sums {
    Sums { accepted: crate::house::ELIGIBLE, failed: 0, skipped: USERS - crate::house::ELIGIBLE, unknown: 0 }
}

/// Compares all three, for a send that has ended. `in_flight` are the batches that some crash found under way: they
/// alone may have been received twice, at most once more for each time that a crash hid an outcome.
pub async fn agree(house: &House, id: &str, in_flight: &InFlight, sums: &Sums) {
    let progress = house.progress(id).await;
    adds_up(&house.db, id).await;
    database(&progress, sums);
    manifest(house, id, in_flight, sums).await;
    page(house, id, &progress).await;
}

/// planned = sent + failed + skipped + unknown, and nobody is missing.
fn database(progress: &Progress, sums: &Sums) {
    let found = Sums {
        accepted: progress.accepted,
        failed: progress.failed,
        skipped: progress.skipped,
        unknown: progress.unknown,
    };
    assert_eq!((progress.planned, progress.audience, progress.waiting()), (USERS, USERS, 0), "{progress:?}");
    assert_eq!(found, *sums, "{progress:?}");
}

async fn manifest(house: &House, id: &str, in_flight: &InFlight, sums: &Sums) {
    let mut received: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    let of_send = format!("{id}-");
    for row in house.crm.rows().into_iter().filter(|row| row.action_id.starts_with(&of_send)) {
        assert!(row.signature, "{row:?}");
        received.entry(row.action_id.clone()).or_default().push(row);
    }
    let hidden = "select batch_no, count(*) from send_attempts where send_id = $1 and outcome = 'unknown' group by 1";
    let hidden: BTreeMap<i64, i64> = fetch!(house.db, all, (i64, i64), hidden, id).unwrap().into_iter().collect();
    let batches = "select batch_no, first_seq, last_seq from send_batches where send_id = $1";
    let batches = fetch!(house.db, all, (i64, i64, i64), batches, id).unwrap();
    let mut customers = BTreeSet::new();
    let mut users = 0;
    let mut after = -1;
    loop {
        let filter = ActionFilter::default();
        let some = report::actions(&house.db, &house.workspace, id, &filter, after, 1_000).await.unwrap();
        let Some(last) = some.last() else { break };
        after = last.seq;
        for action in some {
            users += 1;
            assert!(customers.insert(action.customer_id.clone()), "twice on record: {action:?}");
            let rows = received.remove(&action.action_id).unwrap_or_default();
            let told = format!("{action:?} {rows:?}");
            if action.result == "skipped" {
                assert!(rows.is_empty(), "skipped and yet sent to: {told}");
                continue;
            }
            let of_user = |(_, first, last): &&(i64, i64, i64)| (*first..=*last).contains(&action.seq);
            let (batch_no, ..) = *batches.iter().find(of_user).unwrap_or_else(|| panic!("in no batch: {told}"));
            let hidden = hidden.get(&batch_no).copied().unwrap_or(0);
            let same = |row: &Row| {
                row.body == rows[0].body
                    && row.batch_id == format!("{id}-b{batch_no}")
                    && row.customer_id == action.customer_id
            };
            assert!(rows.iter().all(same), "not with the same ids and bytes: {told}");
            assert!(rows.len() as i64 <= 1 + hidden, "twice, and no crash hid the first: {told}");
            assert!(rows.len() < 2 || in_flight.contains_key(&batch_no), "twice, and not in flight at a crash: {told}");
            match action.result.as_str() {
                "accepted" => assert!(!rows.is_empty(), "counted and not received: {told}"),
                "unknown" => assert!(in_flight.contains_key(&batch_no), "unknown, and no crash found it: {told}"),
                result => panic!("{result}: {told}"),
            }
        }
    }
    assert!(received.is_empty(), "received and not on record: {received:?}");
    assert_eq!(users, sums.accepted + sums.failed + sums.skipped + sums.unknown, "each on record");
}

/// What the tiles of the task's page say.
async fn page(house: &House, id: &str, progress: &Progress) {
    let html = house.page(&format!("/tasks/{id}")).await;
    let sent = progress.accepted + progress.failed + progress.unknown;
    let tiles = [
        ("Sent", sent),
        ("Accepted", progress.accepted),
        ("Failed", progress.failed),
        ("Skipped", progress.skipped),
        ("Unknown", progress.unknown),
        ("Waiting", 0),
    ];
    for (label, users) in tiles {
        assert_eq!(tile(&html, label), Some(users), "the page's “{label}”");
    }
}

/// The number in a tile.
fn tile(html: &str, label: &str) -> Option<i64> {
    // A debug build has comments between the texts.
    let (_, after) = html.split_once(&format!("<dt>{label}<"))?;
    let (_, value) = after.split_once("<dd")?.1.split_once('>')?;
    let digits: String = value.split('<').next()?.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Every user who was accepted has his receipt, and the counters say so. The last receipts may be on their way.
pub async fn receipts(house: &House, id: &str) {
    crate::place::wait("all receipts", async || {
        let counts = report::receipt_counts(&house.db, &house.workspace, id).await.unwrap();
        (counts == [("200".to_string(), house.progress(id).await.accepted)]).then_some(())
    })
    .await;
    let users = "select count(distinct seq) from receipts where send_id = $1";
    let users = fetch!(house.db, one, (i64,), users, id).unwrap().0;
    assert_eq!(users, house.progress(id).await.accepted);
    let problems = reachwire::receipts::store::not_taken(&house.db, &house.workspace, id).await.unwrap();
    assert_eq!(problems, 0, "receipts that were not taken");
}
