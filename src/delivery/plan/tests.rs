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

#[test]
fn a_customer_given_twice_in_a_row_is_planned_once() {
    let mut twice = recipients(&[true]);
    twice.push(twice[0].clone());
    assert_eq!(Layout::new(10, 0, 0, None).cut(twice, true).actions.len(), 1);
}

proptest! {
    /// However users are skipped and chunks are cut: all batches but the last are full, and cover their users.
    #[test]
    fn batches_are_full_over_chunks(plans in prop::collection::vec(any::<bool>(), 0..200), chunk in 1..50usize, batch_size in 1..12i64) {
        let users = recipients(&plans);
        let mut sizes: BTreeMap<i64, (i64, i64, i64, &str)> = BTreeMap::new();
        let (mut planned, mut batches, mut open) = (0, 0, None);
        let mut actions = Vec::new();
        let chunks = users.chunks(chunk).count().max(1);
        for place in 0..chunks {
            let part = users.chunks(chunk).nth(place).unwrap_or_default().to_vec();
            let written = Layout::new(batch_size, planned, batches, open).cut(part, place + 1 == chunks);
            planned += written.actions.len() as i64;
            batches += written.new_batches;
            for batch in &written.batches {
                let entry = sizes.entry(batch.batch_no).or_insert((batch.first_seq, 0, 0, "open"));
                (entry.1, entry.2, entry.3) = (batch.last_seq, entry.2 + batch.size, batch.state);
            }
            open = sizes.get(&(batches - 1)).filter(|batch| batch.3 == "open").map(|batch| batch.2);
            actions.extend(written.actions);
        }
        let good = plans.iter().filter(|good| **good).count() as i64;
        prop_assert_eq!(planned, plans.len() as i64);
        prop_assert_eq!(batches, (good + batch_size - 1) / batch_size);
        for (no, (first, last, size, state)) in &sizes {
            prop_assert_eq!(*state, "pending");
            prop_assert!(*size == batch_size || *no == batches - 1);
            let inside = actions.iter().filter(|a| a.batch_no == Some(*no)).count() as i64;
            prop_assert_eq!(inside, *size);
            prop_assert!(actions.iter().filter(|a| a.batch_no == Some(*no)).all(|a| (*first..=*last).contains(&a.seq)));
        }
    }
}
