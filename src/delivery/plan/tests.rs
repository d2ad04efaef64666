use super::{
    layout::{OutOfOrder, Written},
    *,
};
use crate::{
    delivery::{
        Planned, Recipient, report,
        testing::{Crowd, WORKSPACE, progress, put_send, put_webhook},
    },
    on_both_databases,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn recipients(plans: &[bool]) -> Vec<Recipient> {
    let plan = |(place, good): (usize, &bool)| Recipient {
        customer_id: format!("c{place:05}"),
        plan: if *good { Ok(Planned { target: "t".into(), values: vec![] }) } else { Err("no ID".into()) },
    };
    plans.iter().enumerate().map(plan).collect()
}

fn cut(layout: Layout, recipients: Vec<Recipient>, before: Option<&str>) -> Result<Written, OutOfOrder> {
    layout.cut(recipients, before.map(String::from), true).unwrap()
}

#[test]
fn customers_come_in_order_and_are_planned_once_also_over_chunks() {
    let layout = || Layout::new(10, 0, 0, None);
    let mut twice = recipients(&[true]);
    twice.push(twice[0].clone());
    assert_eq!(cut(layout(), twice.clone(), None).unwrap().page.users, 1);
    assert_eq!(cut(layout(), twice, Some("c00000")).unwrap().page.users, 0);
    assert_eq!(cut(layout(), recipients(&[true]), Some("d")).unwrap_err(), OutOfOrder);
}

#[test]
fn a_page_says_who_is_in_it() {
    let page = cut(Layout::new(2, 10, 5, Some(1)), recipients(&[true, false, true, false]), None).unwrap().page;
    assert_eq!((page.first_seq, page.users, page.skips.as_str(), page.batches), (10, 4, ",11,13,", Some((4, 5))));
    assert_eq!((page.first_customer.as_str(), page.last_customer.as_str()), ("c00000", "c00003"));
    assert_eq!(page.content.lines().nth(3), Some(r#"["c00003",null,"no ID"]"#));
}

proptest! {
    /// However users are skipped and chunks are cut: all batches but the last are full, and cover their users.
    #[test]
    fn batches_are_full_over_chunks(plans in prop::collection::vec(any::<bool>(), 0..200), chunk in 1..50usize, batch_size in 1..12i64) {
        let users = recipients(&plans);
        let mut sizes: BTreeMap<i64, (i64, i64, i64, &str)> = BTreeMap::new();
        let (mut planned, mut batches, mut open, mut before) = (0, 0, None, None);
        let chunks = users.chunks(chunk).count().max(1);
        for place in 0..chunks {
            let part = users.chunks(chunk).nth(place).unwrap_or_default().to_vec();
            let layout = Layout::new(batch_size, planned, batches, open);
            let written = layout.cut(part, before.take(), place + 1 == chunks).unwrap().unwrap();
            planned += written.page.users;
            batches += written.new_batches;
            for batch in &written.batches {
                let entry = sizes.entry(batch.batch_no).or_insert((batch.first_seq, 0, 0, "open"));
                (entry.1, entry.2, entry.3) = (batch.last_seq, entry.2 + batch.size, batch.state);
            }
            open = sizes.get(&(batches - 1)).filter(|batch| batch.3 == "open").map(|batch| batch.2);
            before = Some(written.page.last_customer);
        }
        let good = plans.iter().filter(|good| **good).count() as i64;
        prop_assert_eq!(planned, plans.len() as i64);
        prop_assert_eq!(batches, (good + batch_size - 1) / batch_size);
        let mut next = 0;
        for (no, (first, last, size, state)) in &sizes {
            prop_assert_eq!(*state, "pending");
            prop_assert!(*size == batch_size || *no == batches - 1);
            prop_assert!(*first >= next);
            next = last + 1;
            let inside = (*first..=*last).filter(|seq| plans[*seq as usize]).count() as i64;
            prop_assert_eq!(inside, *size);
        }
    }
}

const USERS: usize = 21_000;

fn planner(db: &Db, node: &str) -> Planner {
    Planner {
        node: node.into(),
        db: db.clone(),
        clock: Clock::System,
        senders: vec![Arc::new(Crowd { users: USERS, gaps: true })],
        latest: Millis::MAX,
        wake: Arc::default(),
        planned: Arc::default(),
    }
}

on_both_databases!(two_planners_plan_everybody_once, |db| async move {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    put_send(&db, "s", USERS, 7, 0).await;
    planner(&db, "first").round(&mut Memory::default()).await.unwrap();
    // Neither leaves it to the other: what keeps them apart is the send's row alone.
    let plan = |node: &'static str| {
        let (planner, db) = (planner(&db, node), db.clone());
        tokio::spawn(async move {
            let mut chunks = 0;
            loop {
                let sends = open::all(&db, Millis::MAX).await.unwrap();
                let Some(send) = sends.first() else { return chunks };
                assert!(planner.chunk(send, &mut Ahead::default(), &mut Statistics::default()).await.unwrap());
                chunks += 1;
            }
        })
    };
    let (one, other) = (plan("one"), plan("other"));
    let chunks = one.await.unwrap() + other.await.unwrap();
    assert!(chunks >= USERS.div_ceil(pages::USERS as usize));
    let end = progress(&db, "s").await;
    let eligible = USERS - USERS / 10;
    assert_eq!((end.planned, end.skipped, end.planning_done), (USERS as i64, USERS as i64 / 10, true));
    assert_eq!(end.batches, eligible.div_ceil(7) as i64);
    let mut after = -1;
    for _ in 0..USERS.div_ceil(1_000) {
        let rows = report::actions(&db, WORKSPACE, "s", &report::ActionFilter::default(), after, 1_000).await.unwrap();
        let right = |(row, seq): (&crate::delivery::model::ActionRow, i64)| {
            row.seq == seq && row.customer_id == format!("c{seq:06}")
        };
        assert!(rows.len() == 1_000 && rows.iter().zip(after + 1..).all(right));
        after += 1_000;
    }
});

#[tokio::test(flavor = "multi_thread")]
async fn a_send_is_left_to_the_node_that_plans_it_until_that_is_not_heard_of() {
    let Some(db) = crate::db::testing::postgres().await else { return };
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    put_send(&db, "s", USERS, 7, 0).await;
    let (clock, mut ones, mut others) = (Clock::manual(1_000_000), Memory::default(), Memory::default());
    let [one, other] = ["one", "other"].map(|node| Planner { clock: clock.clone(), ..planner(&db, node) });
    assert_eq!(one.round(&mut ones).await.unwrap(), Found::Work, "it begins");
    assert_eq!(one.round(&mut ones).await.unwrap(), Found::Work);
    let planned = async || progress(&db, "s").await.planned;
    assert_eq!(planned().await, pages::USERS);
    assert!(matches!(other.round(&mut others).await.unwrap(), Found::Nothing(_)));
    assert_eq!(planned().await, pages::USERS);
    clock.advance(open::CLAIM);
    assert_eq!(other.round(&mut others).await.unwrap(), Found::Work, "the first one is dead");
    assert_eq!(planned().await, 2 * pages::USERS);
    assert!(matches!(one.round(&mut ones).await.unwrap(), Found::Nothing(_)));
    open::leave_to_others(&db, "other").await.unwrap();
    assert_eq!(one.round(&mut ones).await.unwrap(), Found::Work, "the other has stopped in order");
}

on_both_databases!(a_round_says_when_the_next_send_is_due, |db| async move {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    let planner = Planner { clock: Clock::manual(1_000_000), ..planner(&db, "one") };
    let poll = wake::poll(&db).as_millis() as i64;
    assert_eq!(planner.round(&mut Memory::default()).await.unwrap(), Found::Nothing(poll));
    put_send(&db, "later", 10, 5, 1_000_000 + poll + 1).await;
    assert_eq!(planner.round(&mut Memory::default()).await.unwrap(), Found::Nothing(poll));
    put_send(&db, "soon", 10, 5, 1_000_123).await;
    assert_eq!(planner.round(&mut Memory::default()).await.unwrap(), Found::Nothing(123));
});
