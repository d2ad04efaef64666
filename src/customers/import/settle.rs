//! Which of a chunk's rows hold, given who has which identity now. Pure: the same rows settle the same however the
//! file is cut into chunks.

use super::row::{BadRow, Row, quote};
use crate::customers::model::Reason;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Place of the ID type in the plan, and the value.
pub type Key = (usize, String);

/// What a chunk changes.
#[derive(Debug, Default, PartialEq)]
pub struct Settled {
    /// Each customer once, with the tags of all its rows: a later row's values replace an earlier one's.
    pub customers: Vec<(String, Map<String, Value>)>,
    pub added: Vec<(Key, String)>,
    pub removed: Vec<Key>,
    pub good: i64,
    pub bad: Vec<BadRow>,
}

/// `owners` holds the customer of each identity that the rows name, and of those of single-valued ID types that the
/// rows' customers have now. `single` says which ID types hold one value of a customer: a new one replaces it.
pub fn settle(rows: Vec<Row>, owners: HashMap<Key, String>, single: &[bool], id_types: &[String]) -> Settled {
    let mut settled = Settled::default();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut now = owners.clone();
    let mut held: HashMap<(usize, String), String> = owners
        .iter()
        .filter(|((id_type, _), _)| single[*id_type])
        .map(|((id_type, value), customer)| ((*id_type, customer.clone()), value.clone()))
        .collect();
    for row in rows {
        let taken = row.identities.iter().find(|key| now.get(*key).is_some_and(|owner| *owner != row.customer_id));
        if let Some(key) = taken {
            let owner = now.get(key).map_or("", String::as_str);
            let detail = format!("{} belongs to customer {owner}", quote(&id_types[key.0], &key.1));
            settled.bad.push(BadRow { line: row.line, reason: Reason::DuplicateIdentity, detail });
            continue;
        }
        settled.good += 1;
        for key in row.identities {
            if single[key.0] {
                let before = held.insert((key.0, row.customer_id.clone()), key.1.clone());
                if let Some(before) = before.filter(|before| *before != key.1) {
                    now.remove(&(key.0, before));
                }
            }
            now.insert(key, row.customer_id.clone());
        }
        match places.get(&row.customer_id) {
            Some(place) => settled.customers[*place].1.extend(row.tags),
            None => {
                places.insert(row.customer_id.clone(), settled.customers.len());
                settled.customers.push((row.customer_id, row.tags));
            }
        }
    }
    settled.removed =
        owners.iter().filter(|(key, owner)| now.get(*key) != Some(owner)).map(|(key, _)| key.clone()).collect();
    settled.added = now.into_iter().filter(|(key, owner)| owners.get(key) != Some(owner)).collect();
    // In the order of the tables' keys, so that the database touches each of its pages once.
    settled.customers.sort_by(|(one, _), (other, _)| one.cmp(other));
    settled.added.sort();
    settled
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(line: i64, customer_id: &str, identities: &[(usize, &str)]) -> Row {
        let identities = identities.iter().map(|(id_type, value)| (*id_type, (*value).to_string())).collect();
        let tags = serde_json::json!({"line": line, "t": customer_id}).as_object().unwrap().clone();
        Row { line, customer_id: customer_id.into(), identities, tags }
    }

    fn run(rows: Vec<Row>, owners: HashMap<Key, String>) -> Settled {
        settle(rows, owners, &[true, false], &["ONEID".into(), "EMAIL".into()])
    }

    #[test]
    fn an_identity_of_another_customer_makes_the_whole_row_bad() {
        let owners = HashMap::from([((1, "a@b".to_string()), "c1".to_string())]);
        let rows =
            vec![row(2, "c2", &[(0, "o2"), (1, "a@b")]), row(3, "c1", &[(1, "a@b")]), row(4, "c3", &[(0, "o2")])];
        let settled = run(rows, owners);
        assert_eq!(settled.bad.len(), 1);
        assert_eq!(settled.bad[0].detail, "EMAIL: a@b belongs to customer c1");
        assert_eq!(settled.added, [((0, "o2".to_string()), "c3".to_string())]);
        assert_eq!((settled.good, settled.customers.len(), settled.removed.len()), (2, 2, 0));
    }

    #[test]
    fn the_later_row_wins_and_frees_what_it_replaces() {
        let rows = vec![row(2, "c1", &[(0, "old")]), row(3, "c1", &[(0, "new")]), row(4, "c2", &[(0, "old")])];
        let settled = run(rows, HashMap::new());
        assert_eq!(settled.customers[0].1["line"], 3);
        assert!(settled.bad.is_empty());
        assert_eq!(settled.added, [((0, "new".into()), "c1".into()), ((0, "old".into()), "c2".into())]);
    }

    /// What the database would hold after it.
    fn apply(settled: &Settled, identities: &mut HashMap<Key, String>) {
        for key in &settled.removed {
            identities.remove(key);
        }
        for (key, owner) in &settled.added {
            assert!(identities.insert(key.clone(), owner.clone()).is_none(), "inserted twice");
        }
    }

    /// What the database is asked for before a chunk.
    fn lookup(rows: &[Row], identities: &HashMap<Key, String>) -> HashMap<Key, String> {
        let named = |key: &Key| rows.iter().any(|row| row.identities.contains(key));
        let held = |key: &Key, owner: &String| key.0 == 0 && rows.iter().any(|row| row.customer_id == *owner);
        identities
            .iter()
            .filter(|(key, owner)| named(key) || held(key, owner))
            .map(|(key, owner)| (key.clone(), owner.clone()))
            .collect()
    }

    proptest! {
        #[test]
        fn chunks_settle_as_the_whole_does(
            rows in proptest::collection::vec((0..5_u8, proptest::collection::vec((0..2_usize, 0..6_u8), 0..3)), 0..30),
            size in 1..8_usize,
        ) {
            let rows: Vec<Row> = rows
                .into_iter()
                .enumerate()
                .map(|(line, (customer, identities))| {
                    let values: Vec<_> = identities.iter().map(|(id_type, value)| (*id_type, value.to_string())).collect();
                    let values: Vec<_> = values.iter().map(|(id_type, value)| (*id_type, value.as_str())).collect();
                    row(line as i64, &format!("c{customer}"), &values)
                })
                .collect();
            let whole = run(rows.clone(), HashMap::new());
            let mut at_once = HashMap::new();
            apply(&whole, &mut at_once);
            let mut in_chunks = HashMap::new();
            let mut bad = Vec::new();
            for chunk in rows.chunks(size) {
                let settled = run(chunk.to_vec(), lookup(chunk, &in_chunks));
                apply(&settled, &mut in_chunks);
                bad.extend(settled.bad);
            }
            prop_assert_eq!(in_chunks, at_once);
            prop_assert_eq!(bad, whole.bad);
        }
    }
}
