use super::{
    store::{Doing, Living},
    *,
};
use crate::{clock::DAY, config::Roles, db::Db, on_both_databases};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn view(me: &str, workers: &BTreeSet<String>) -> View {
    View::of(me, &workers.iter().map(String::as_str).collect::<Vec<_>>())
}

proptest! {
    /// Over the nodes of one view the parts are the whole, and as even as can be; and while views differ, they are no
    /// more than the whole when everybody sees all who live.
    #[test]
    fn parts_are_the_whole_and_never_more(
        names in prop::collection::btree_set("[a-f0-9]{1,4}", 1..12),
        gone in prop::collection::vec(prop::collection::btree_set("[g-z]{1,3}", 0..5), 12),
        webhook in "[a-z0-9]{1,8}",
        whole in 0..200_i64,
    ) {
        let parts: Vec<_> = names.iter().map(|name| view(name, &names).part(&webhook, whole)).collect();
        prop_assert_eq!(parts.iter().sum::<usize>() as i64, whole);
        prop_assert!(parts.iter().max().unwrap() - parts.iter().min().unwrap() <= 1);
        // Each still sees some who are dead.
        let late = names.iter().zip(gone).map(|(name, gone)| view(name, &names.union(&gone).cloned().collect()).part(&webhook, whole));
        prop_assert!(late.zip(&parts).all(|(late, part)| late <= *part));
    }
}

#[test]
fn what_does_not_divide_is_spread_over_webhooks() {
    let names: Vec<String> = (0..4).map(|number| format!("node{number}")).collect();
    let names: BTreeSet<_> = names.into_iter().collect();
    for name in &names {
        let view = view(name, &names);
        let with = (0..400).filter(|number| view.part(&format!("hook{number}"), 1) == 1).count();
        assert!((60..=140).contains(&with), "{name} has {with} of 400");
    }
}

#[test]
fn a_view_that_is_old_or_not_known_to_all_gives_no_part() {
    let all = View::of("a", &["a"]);
    assert_eq!(all.part("h", 7), 7);
    assert_eq!(View { fresh_until: Some(Instant::now()), ..all.clone() }.part("h", 7), 0);
    assert_eq!(View { fresh_until: Some(Instant::now() + FRESH), ..all.clone() }.part("h", 7), 7);
    assert_eq!(View { admitted: false, ..all }.part("h", 7), 0);
}

fn me(id: &str) -> Me {
    Me { id: id.into(), name: format!("name of {id}"), roles: Roles::ALL, started_at: 5 }
}

async fn living(db: &Db, now: Millis) -> Vec<(String, i64, i64)> {
    let (living, _) = store::living(db, now, 0).await.unwrap();
    living.into_iter().map(|Living { id, joined_no, knows, .. }| (id, joined_no, knows)).collect()
}

on_both_databases!(nodes_join_are_heard_of_and_leave, |db| async move {
    let start = 100 * DAY;
    assert_eq!(store::join(&db, &me("a"), start).await.unwrap(), 1);
    assert_eq!(store::join(&db, &me("b"), start).await.unwrap(), 2);
    let doing = Doing { in_hand: 3, posts: 2, knows: 2 };
    assert!(store::beat(&db, "a", doing, true, start + 5_000).await.unwrap());
    assert!(!store::beat(&db, "stranger", doing, false, start).await.unwrap());
    assert_eq!(living(&db, start + 5_000).await, [("a".to_string(), 1, 2), ("b".to_string(), 2, 0)]);
    assert_eq!(living(&db, start + DEAD_AFTER).await, [("a".to_string(), 1, 2)], "b was not heard of");
    assert_eq!(living(&db, start).await, [("b".to_string(), 2, 0)], "a is from a time that has not come");
    let by_the_old_clock = async |now, step| store::living(&db, now, step).await.unwrap().0.len();
    assert_eq!(by_the_old_clock(start + DAY, DAY).await, 2, "a day forward: nobody has beaten since");
    assert_eq!(by_the_old_clock(start - DAY, -DAY - 5_000).await, 2, "a day back");
    let told = store::living(&db, start, 0).await.unwrap().1;
    assert_eq!((told.is_some(), store::time(&db).await.unwrap().is_some()), (!db.is_sqlite(), !db.is_sqlite()));
    // The one with the highest number goes: it is not given again, for somebody knows it.
    store::leave(&db, "b").await.unwrap();
    assert_eq!(store::join(&db, &me("c"), start + 6_000).await.unwrap(), 3);
    assert_eq!(store::join(&db, &me("a"), start + 7_000).await.unwrap(), 4, "anew: it knows nobody");
    assert_eq!(living(&db, start + 7_000).await, [("a".to_string(), 4, 0), ("c".to_string(), 3, 0)]);
    let shown = store::list(&db, start + 10_000, 9).await.unwrap();
    let shown: Vec<_> =
        shown.iter().map(|node| (node.name.as_str(), node.roles.as_str(), node.in_hand, node.posts)).collect();
    assert_eq!(shown, [("name of a", "web, worker, intake", 3, 2), ("name of c", "web, worker, intake", 0, 0)]);
    assert!(store::another_serves(&db, "a", start + 7_000).await.unwrap());
    store::join(&db, &me("d"), start + 6_500 + DAY).await.unwrap();
    let left: Vec<_> = store::list(&db, start, 9).await.unwrap().into_iter().map(|node| node.id).collect();
    assert_eq!(left, ["a", "d"], "after a day a row goes");
    store::bury(&db, "name of d").await.unwrap();
    let left = store::list(&db, start, 9).await.unwrap().len();
    assert_eq!(left, usize::from(!db.is_sqlite()), "with SQLite all are dead");
    assert!(!store::another_serves(&db, "a", start + 7_000).await.unwrap());
});
