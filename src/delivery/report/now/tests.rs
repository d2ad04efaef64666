use super::*;
use crate::{
    clock::MINUTE,
    delivery::{
        claim::InHand,
        record::End,
        recover,
        testing::{WORKSPACE, by_index, claim, put_planned, put_send, put_webhook, record},
    },
    execute, on_both_databases,
};

const NOW: Millis = 100 * HOUR;

on_both_databases!(what_is_sent_now_is_told_with_its_pace, |db| async move {
    assert_eq!(sending(&db, WORKSPACE, 5, NOW).await.unwrap(), (vec![], 0));
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    for id in ["s", "t", "ended"] {
        put_planned(&db, id, &[30, 10]).await;
    }
    execute!(db, "update sends set state = 'finished' where id = 'ended'").unwrap();
    execute!(db, "update sends set due_at = 5, started_at = $1 where id = 't'", NOW - 2 * SECOND).unwrap();
    execute!(db, "update sends set started_at = 0 where id = 's'").unwrap();
    for id in ["s", "t"] {
        let batch = claim(&db, &crate::delivery::ids::SendKey::new(WORKSPACE, id), 1, NOW).await.remove(0);
        record(&db, &batch, End::Accepted, NOW - SECOND).await;
    }
    let (found, count) = sending(&db, WORKSPACE, 5, NOW).await.unwrap();
    let told: Vec<_> = found.iter().map(|one| (one.id.as_str(), one.progress.accepted, one.rate)).collect();
    assert_eq!((told, count), (vec![("t", 30, 15.0), ("s", 30, 6.0)], 2), "one has only begun");
    let (found, count) = sending(&db, WORKSPACE, 1, NOW + 10 * SECOND).await.unwrap();
    assert_eq!((found.len(), found[0].rate, count), (1, 0.0, 2));
    assert_eq!(sending(&db, "another", 5, NOW).await.unwrap(), (vec![], 0));
});

on_both_databases!(what_waits_for_a_person_is_told, |db| async move {
    assert_eq!(waiting(&db, WORKSPACE, 5).await.unwrap(), Waiting::default());
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    execute!(db, "update webhooks set after_crash = 'ask'").unwrap();
    for id in ["a", "b"] {
        let key = put_planned(&db, id, &[10, 5]).await;
        claim(&db, &key, 2, 1).await;
        put_send(&db, &format!("missed-{id}"), 1, 1, 0).await;
    }
    // Under way again by itself: nobody has to do anything.
    claim(&db, &put_planned(&db, "c", &[3, 4]).await, 1, 1).await;
    recover::expired(&db, &InHand::default(), Millis::MAX, NOW).await.unwrap();
    execute!(db, "update sends set state = 'missed' where id like 'missed-%'").unwrap();
    execute!(db, "update sends set due_at = 7 where id = 'missed-b'").unwrap();
    let all = waiting(&db, WORKSPACE, 5).await.unwrap();
    assert_eq!((all.missed, all.missed_in_all), (vec!["missed-b".to_string(), "missed-a".into()], 2));
    assert_eq!(all.unknown, [("b".to_string(), 15), ("a".into(), 15)]);
    assert_eq!((all.unknown_in_all, all.users_unknown), (2, 30));
    let first = waiting(&db, WORKSPACE, 1).await.unwrap();
    assert_eq!((first.missed.len(), first.unknown.len(), first.missed_in_all, first.unknown_in_all), (1, 1, 2, 2));
    assert_eq!(waiting(&db, "another", 5).await.unwrap(), Waiting::default());
});

on_both_databases!(failures_of_the_last_hour_are_told_by_reason, |db| async move {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    let key = put_planned(&db, "s", &[10, 5, 20, 1, 100]).await;
    let claims = claim(&db, &key, 5, NOW).await;
    let ends = [
        ("refused: X", NOW),
        ("HTTP 404", NOW - HOUR),
        ("HTTP 404", NOW),
        ("refused: X", NOW),
        ("old", NOW - HOUR - 1),
    ];
    for (claim, (reason, at)) in claims.iter().zip(ends) {
        record(&db, claim, End::Failed(reason.into()), at).await;
    }
    let told = failures(&db, WORKSPACE, 5, NOW).await.unwrap();
    assert_eq!(told.reasons, [("HTTP 404".to_string(), 25), ("refused: X".into(), 11)]);
    assert_eq!((told.batches, told.more), (4, false));
    assert_eq!(failures(&db, WORKSPACE, 1, NOW).await.unwrap().reasons, [("HTTP 404".to_string(), 25)]);
    assert_eq!(failures(&db, "another", 5, NOW).await.unwrap(), Failures::default());
    assert_eq!(failures(&db, WORKSPACE, 5, NOW + 2 * HOUR).await.unwrap(), Failures::default());
});

on_both_databases!(only_so_many_failures_are_looked_at_and_that_is_said, |db| async move {
    let many = match db {
        Db::Sqlite(_) => "with recursive n (i) as (select 0 union all select i + 1 from n where i < $3) ",
        Db::Postgres(_) => "with n (i) as (select generate_series(0, $3::bigint)) ",
    };
    let insert = format!(
        "{many} insert into send_batches (workspace_id, send_id, batch_no, first_seq, last_seq, size, state, run_at, \
         finished_at, reason) select $1, 's', i, i, i, 1, 'failed', 0, $2 + i, case when i = 0 then 'first' else 'later' end \
         from n"
    );
    // SQLite wants its `with` after the `insert`.
    let insert = match db {
        Db::Sqlite(_) => insert.replacen(many, "", 1).replacen("select $1", &format!("{many}select $1"), 1),
        Db::Postgres(_) => insert,
    };
    execute!(db, sqlx::AssertSqlSafe(insert), WORKSPACE, NOW - MINUTE, LOOKED_AT).unwrap();
    let told = failures(&db, WORKSPACE, 5, NOW).await.unwrap();
    assert_eq!((told.reasons, told.batches, told.more), (vec![("later".into(), LOOKED_AT)], LOOKED_AT, true));
});

on_both_databases!(an_index_answers_each_question, |db| async move {
    for (sql, index) in [
        (SENDING, "sends_sending"),
        (SENDING_COUNT, "sends_sending"),
        (MISSED, "sends_missed"),
        (MISSED_COUNT, "sends_missed"),
        (UNKNOWN, "sends_unknown"),
        (UNKNOWN_COUNT, "sends_unknown"),
        (FAILURES, "send_batches_failed"),
    ] {
        by_index(&db, sql, &[index]).await;
    }
});
