//! Tampering with the database, as whoever has it can.

use crate::{
    audit::{
        self, Actor, Change, Entry,
        model::{Action, ObjectKind},
        store::following,
        verify::{Fault, Noted, Whole, chains, verify},
    },
    db::{Db, Tx},
    execute, fetch, on_both_databases,
};
use serde_json::json;
use sqlx::AssertSqlSafe;

const LOG: &str = "w";

async fn write(tx: &mut Tx, number: i64) {
    let actor = Actor::person("u", "Ada", "9.9.9.9");
    let entry = Entry::new(Action::Changed, ObjectKind::Webhook, "hook", "Coupons");
    let change = Change::between(&json!({"n": number}), &json!({"n": number + 1}));
    audit::record(tx, LOG, 1_000 + number, &actor, &entry.with(change)).await.unwrap();
}

async fn written(db: &Db, entries: i64) {
    let mut tx = db.begin().await.unwrap();
    for number in 0..entries {
        write(&mut tx, number).await;
    }
    tx.commit().await.unwrap();
}

async fn sql(db: &Db, sql: &str) {
    execute!(db, AssertSqlSafe(sql.to_string())).unwrap();
}

/// What whoever owns the database can do.
async fn unlock(db: &Db) {
    if db.is_sqlite() {
        sql(db, "drop trigger audit_log_no_update").await;
        sql(db, "drop trigger audit_log_no_delete").await;
    } else {
        sql(db, "drop trigger audit_log_no_change on audit_log").await;
    }
}

async fn fault(db: &Db) -> Option<Fault> {
    verify(db, LOG, &mut []).await.unwrap().err()
}

on_both_databases!(the_database_itself_refuses_to_change_or_delete, |db| async move {
    written(&db, 3).await;
    for statement in ["update audit_log set actor = 'Eve' where seq = 2", "delete from audit_log where seq = 2"] {
        let refused = execute!(db, AssertSqlSafe(statement.to_string())).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
    if !db.is_sqlite() {
        assert!(execute!(db, "truncate audit_log").is_err());
    }
    let whole = verify(&db, LOG, &mut []).await.unwrap().unwrap();
    assert_eq!((whole.entries, whole.hash.len()), (3, 64));
    assert!(verify(&db, "empty", &mut []).await.unwrap() == Ok(Whole { entries: 0, hash: String::new() }));
});

on_both_databases!(a_change_of_any_column_is_found, |db| async move {
    written(&db, 5).await;
    unlock(&db).await;
    let texts = [
        "actor_kind",
        "actor_id",
        "actor",
        "action",
        "object_kind",
        "object_id",
        "object",
        "address",
        "change",
        "search_key",
        "hash",
    ];
    for column in texts {
        let (before,) =
            fetch!(db, one, (String,), AssertSqlSafe(format!("select {column} from audit_log where seq = 3"))).unwrap();
        sql(&db, &format!("update audit_log set {column} = {column} || ' ' where seq = 3")).await;
        assert_eq!(fault(&db).await, Some(Fault::Changed(3)), "{column}");
        let back = format!("update audit_log set {column} = $1 where seq = 3");
        execute!(db, AssertSqlSafe(back), before).unwrap();
        assert_eq!(fault(&db).await, None, "{column}");
    }
    for (column, there, back, expected) in [
        ("at", "at + 1", "at - 1", Fault::Changed(3)),
        ("seq", "30", "3", Fault::Missing(3)),
        ("seq", "-3", "3", Fault::Added(-3)),
        ("workspace_id", "'elsewhere'", "'w'", Fault::Missing(3)),
    ] {
        sql(&db, &format!("update audit_log set {column} = {there} where actor = 'Ada' and at = 1002")).await;
        assert_eq!(fault(&db).await, Some(expected), "{column} = {there}");
        if column == "workspace_id" {
            assert_eq!(verify(&db, "elsewhere", &mut []).await.unwrap(), Err(Fault::NoHead));
            assert_eq!(chains(&db).await.unwrap().len(), 2, "a chain without its last entry is walked too");
        }
        sql(&db, &format!("update audit_log set {column} = {back} where change like '%:2}}%:3}}%'")).await;
        assert_eq!(fault(&db).await, None, "{column} = {back}");
    }
});

on_both_databases!(what_is_missing_swapped_or_added_is_found, |db| async move {
    written(&db, 5).await;
    unlock(&db).await;
    // Two change places.
    for statement in ["-1 where seq = 2", "2 where seq = 3", "3 where seq = -1"] {
        sql(&db, &format!("update audit_log set seq = {statement}")).await;
    }
    assert_eq!(fault(&db).await, Some(Fault::Changed(2)));
    for statement in ["-1 where seq = 2", "2 where seq = 3", "3 where seq = -1"] {
        sql(&db, &format!("update audit_log set seq = {statement}")).await;
    }
    assert_eq!(fault(&db).await, None);

    // One that nobody wrote, even with a hash that fits the last one's.
    let mut added = following(&db, LOG, 4, 1).await.unwrap().remove(0);
    let before = std::mem::take(&mut added.hash);
    added.row.seq = 6;
    let copied = "insert into audit_log select workspace_id, 6, at, actor_kind, actor_id, actor, action, object_kind,
                  object_id, object, address, change, search_key, $1 from audit_log where seq = 5";
    execute!(db, copied, added.row.hash(LOG, &before)).unwrap();
    assert_eq!(fault(&db).await, Some(Fault::Added(6)));
    sql(&db, "delete from audit_log where seq = 6").await;

    // Rewritten with a hash of its own: the next one does not follow on it.
    let third = following(&db, LOG, 2, 1).await.unwrap().remove(0);
    let mut forged = third.row.clone();
    forged.actor = "Eve".into();
    let before = following(&db, LOG, 1, 1).await.unwrap().remove(0).hash;
    let forge = "update audit_log set actor = 'Eve', hash = $1 where seq = 3";
    execute!(db, forge, forged.hash(LOG, &before)).unwrap();
    assert_eq!(fault(&db).await, Some(Fault::Changed(4)));
    execute!(db, "update audit_log set actor = 'Ada', hash = $1 where seq = 3", &third.hash).unwrap();
    assert_eq!(fault(&db).await, None);

    // The last one rewritten so: the head has another hash.
    execute!(db, "update audit_heads set hash = 'x' where workspace_id = 'w'").unwrap();
    assert_eq!(fault(&db).await, Some(Fault::Changed(5)));
    let fifth = following(&db, LOG, 4, 1).await.unwrap().remove(0).hash;
    execute!(db, "update audit_heads set hash = $1 where workspace_id = 'w'", &fifth).unwrap();

    sql(&db, "delete from audit_log where seq = 5").await;
    assert_eq!(fault(&db).await, Some(Fault::Missing(5)), "the tail");
    sql(&db, "delete from audit_log where seq = 2").await;
    assert_eq!(fault(&db).await, Some(Fault::Missing(2)));
    sql(&db, "delete from audit_log where seq = 1").await;
    assert_eq!(fault(&db).await, Some(Fault::Missing(1)));
});

on_both_databases!(a_tail_that_was_cut_with_its_head_is_found_by_who_noted_it, |db| async move {
    written(&db, 5).await;
    let last = verify(&db, LOG, &mut []).await.unwrap().unwrap();
    unlock(&db).await;
    sql(&db, "delete from audit_log where seq > 3").await;
    let third = following(&db, LOG, 2, 1).await.unwrap().remove(0).hash;
    execute!(db, "update audit_heads set seq = 3, hash = $1 where workspace_id = 'w'", &third).unwrap();
    let mut noted =
        [Noted { seq: 3, hash: third, found: false }, Noted { seq: last.entries, hash: last.hash, found: false }];
    assert_eq!(verify(&db, LOG, &mut noted).await.unwrap().unwrap().entries, 3);
    assert_eq!((noted[0].found, noted[1].found), (true, false));
    execute!(db, "update audit_heads set seq = 2 where workspace_id = 'w'").unwrap();
    assert_ne!(fault(&db).await, None);
});

on_both_databases!(a_long_log_is_walked_in_pieces, |db| async move {
    written(&db, 2_100).await;
    assert_eq!(verify(&db, LOG, &mut []).await.unwrap().unwrap().entries, 2_100);
    unlock(&db).await;
    sql(&db, "delete from audit_log where seq = 1001").await;
    assert_eq!(fault(&db).await, Some(Fault::Missing(1_001)), "at the edge of a piece");
});

on_both_databases!(entries_at_the_same_time_make_one_chain, |db| async move {
    let writers = (0..40).map(|number| {
        let db = db.clone();
        tokio::spawn(async move {
            let mut tx = db.begin().await.unwrap();
            write(&mut tx, number).await;
            tx.commit().await.unwrap();
        })
    });
    let walk = async {
        let mut walked = 0;
        while walked < 40 {
            // While they write, what stands holds.
            walked = verify(&db, LOG, &mut []).await.unwrap().unwrap().entries;
            tokio::task::yield_now().await;
        }
    };
    let (written, ()) = tokio::join!(futures::future::join_all(writers), walk);
    assert!(written.into_iter().all(|one| one.is_ok()));
    assert_eq!(verify(&db, LOG, &mut []).await.unwrap().unwrap().entries, 40);
});
