use super::*;
use crate::delivery::Planned;
use proptest::prelude::*;

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
