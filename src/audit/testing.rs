//! Reading the log in the tests of other rooms.

use super::{model::ObjectKind, store::following};
use crate::db::Db;

/// What a log says, entry by entry, but for sign-ins: "Somebody: created webhook Coupons".
pub async fn told(db: &Db, workspace: &str) -> Vec<String> {
    let rows = following(db, workspace, 0, 1_000).await.unwrap();
    let rows = rows.into_iter().filter(|hashed| hashed.row.object_kind != ObjectKind::Account.code());
    let tell = |hashed: super::store::Hashed| {
        let row = hashed.row;
        format!("{}: {} {} {}", row.actor, row.action, row.object_kind, row.object)
    };
    rows.map(tell).collect()
}

/// Before and after of the last entry, as JSON.
pub async fn last_change(db: &Db, workspace: &str) -> serde_json::Value {
    let mut rows = following(db, workspace, 0, 1_000).await.unwrap();
    serde_json::from_str(&rows.pop().unwrap().row.change).unwrap()
}

/// Everything that stands in all logs.
pub async fn text(db: &Db) -> String {
    let mut text = String::new();
    for chain in super::verify::chains(db).await.unwrap() {
        for hashed in following(db, &chain.workspace, 0, 1_000).await.unwrap() {
            text.push_str(&format!("{hashed:?}\n"));
        }
    }
    text
}

/// Panics when the log of a workspace does not hold.
pub async fn assert_whole(db: &Db, workspace: &str) {
    super::verify::verify(db, workspace, &mut []).await.unwrap().unwrap();
}
