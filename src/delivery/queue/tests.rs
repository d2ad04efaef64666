use super::*;
use crate::{
    clock::MINUTE,
    delivery::{
        claim::InHand,
        control, misfire,
        record::End,
        recover,
        testing::{WEBHOOK, WORKSPACE, by_index, claim, note, put_planned, put_send, put_webhook, record},
    },
    execute, on_both_databases,
};
use proptest::prelude::*;

/// Long after the rows were made.
const NOW: Millis = 1_000 * MINUTE;

async fn stuck(db: &Db, now: Millis) -> Option<Millis> {
    due(db, 0, now).await.unwrap().stuck.map(|(webhook, still)| {
        assert_eq!(webhook, WEBHOOK);
        still
    })
}

on_both_databases!(what_could_go_and_does_not_is_stuck, |db| async move {
    assert_eq!(due(&db, 0, NOW).await.unwrap(), Due::default());
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    put_planned(&db, "s", &[10, 10]).await;
    let seen = due(&db, 0, NOW).await.unwrap();
    assert_eq!((seen.oldest, seen.stuck), (Some(NOW), Some((WEBHOOK.to_string(), NOW))));
    let seen = due(&db, NOW - 7, NOW).await.unwrap();
    assert_eq!((seen.oldest, seen.stuck.unwrap().1), (Some(NOW), 7), "this process could not before it began");
});

on_both_databases!(what_may_not_go_is_not_due, |db| async move {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    let key = put_planned(&db, "s", &[10]).await;
    let none = async |why| {
        let seen = due(&db, 0, NOW).await.unwrap();
        assert_eq!((seen.oldest, seen.stuck), (None, None), "{why}");
    };
    control::pause(&db, &key, &note()).await.unwrap();
    none("paused").await;
    control::resume(&db, &key, &note(), NOW - 3).await.unwrap();
    assert_eq!(stuck(&db, NOW).await, Some(3), "resumed a moment ago");
    execute!(db, "update webhooks set enabled = $1", false).unwrap();
    none("disabled").await;
    execute!(db, "update webhooks set enabled = $1, updated_at = $2", true, NOW - 2).unwrap();
    assert_eq!(stuck(&db, NOW).await, Some(2), "enabled a moment ago");
    let open = "insert into webhook_health (workspace_id, webhook_id, state) values ($1, $2, 'open')";
    execute!(db, open, WORKSPACE, WEBHOOK).unwrap();
    none("its breaker is open").await;
    execute!(db, "delete from webhook_health").unwrap();
    execute!(db, "update send_batches set run_at = $1", NOW + 1).unwrap();
    none("it waits for its next try").await;
});

on_both_databases!(what_moves_is_not_stuck_however_long_the_queue_is, |db| async move {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    let key = put_planned(&db, "s", &[10, 10, 10]).await;
    put_planned(&db, "t", &[10]).await;
    let under_way = claim(&db, &key, 1, NOW - 10).await.remove(0);
    let seen = due(&db, 0, NOW).await.unwrap();
    assert_eq!(
        (seen.oldest, seen.stuck, seen.leased),
        (Some(NOW), None, 1),
        "one is under way, the others wait for it"
    );
    assert_eq!(stuck(&db, under_way.lease_until + MINUTE).await, Some(under_way.lease_until + MINUTE), "no longer");
    record(&db, &under_way, End::Accepted, NOW - 5 * SECOND).await;
    assert_eq!(stuck(&db, NOW).await, Some(5 * SECOND), "also of the other send of the webhook");
});

on_both_databases!(what_its_rate_holds_back_is_not_stuck, |db| async move {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    let key = put_planned(&db, "s", &[10, 10]).await;
    execute!(db, "update webhooks set users_per_second = 1").unwrap();
    // Its batches are of 10 users.
    let first = claim(&db, &key, 1, NOW).await.remove(0);
    record(&db, &first, End::Accepted, NOW).await;
    assert_eq!(stuck(&db, NOW + 10 * SECOND).await, None);
    assert_eq!(stuck(&db, NOW + 11 * SECOND).await, Some(SECOND));
});

on_both_databases!(what_waits_for_a_person_is_counted, |db| async move {
    assert_eq!(counts(&db).await.unwrap(), Counts::default());
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    execute!(db, "update webhooks set after_crash = 'ask', disabled_because = 'HTTP 410'").unwrap();
    let key = put_planned(&db, "s", &[10, 5]).await;
    put_send(&db, "waits", 1, 1, NOW).await;
    put_send(&db, "missed", 1, 1, 1).await;
    let missed = crate::delivery::ids::SendKey::new(WORKSPACE, "missed");
    assert!(misfire::set_aside(&db, &missed, None, MINUTE, NOW).await.unwrap());
    let open = "insert into webhook_health (workspace_id, webhook_id, state) values ('w1', 'a', 'closed'), ('w1', 'b', 'open')";
    execute!(db, open).unwrap();
    let seen = counts(&db).await.unwrap();
    assert_eq!((seen.scheduled, seen.sending, seen.missed, seen.users), (1, 1, 1, 15));
    assert_eq!((seen.disabled, seen.unknown), (1, 0));
    assert_eq!(seen.breakers, [("b".into(), "open".into()), ("a".into(), "closed".into())]);
    claim(&db, &key, 2, 1).await;
    recover::expired(&db, &InHand::default(), Millis::MAX, NOW).await.unwrap();
    let seen = counts(&db).await.unwrap();
    assert_eq!((seen.sending, seen.users, seen.unknown), (0, 0, 15), "they are a person's");
});

on_both_databases!(an_index_answers_each_question, |db| async move {
    by_index(&db, &super::waiting(), &["sends_open", "send_batches_due"]).await;
    for (sql, index) in
        [(LEASED, "send_batches_leased"), (OPEN, "sends_open"), (MISSED, "sends_missed"), (UNKNOWN, "sends_unknown")]
    {
        by_index(&db, sql, &[index]).await;
    }
});

fn sends() -> impl Strategy<Value = Waiting> {
    let rate = prop::option::of(0_i64..50);
    let times = (0_i64..100_000, 0_i64..100_000, prop::option::of(0_i64..100_000), prop::option::of(0_i64..100));
    (0..3, 1_i64..=100, rate, times).prop_map(|(webhook, batch_size, users_per_second, times)| Waiting {
        webhook_id: format!("h{webhook}"),
        batch_size,
        users_per_second,
        going_since: times.0,
        updated_at: times.1,
        head: times.2,
        last_second: times.3,
    })
}

proptest! {
    /// Nothing is stuck for longer than it has been due, nor than anything of its webhook has stood still; and a
    /// batch under way speaks for its webhook.
    #[test]
    fn stuck_is_never_more_than_what_is_known(
        sends in prop::collection::vec(sends(), 0..8),
        held in 0..4,
        began in 0_i64..100_000,
    ) {
        let now = 100_000;
        let leased = [Leased { webhook_id: format!("h{held}"), batches: 3, held: 1 }];
        let due = judge(&sends, &leased, began, now);
        prop_assert_eq!(due.leased, 3);
        prop_assert_eq!(due.oldest, sends.iter().filter_map(|send| send.head).min().map(|head| now - head));
        if let Some((webhook, still)) = due.stuck {
            prop_assert_ne!(&webhook, &format!("h{}", held));
            prop_assert!(still > 0 && still <= now - began && Some(still) <= due.oldest);
            let of_it = sends.iter().filter(|send| send.webhook_id == webhook);
            for send in of_it {
                let moved = send.going_since.max(send.updated_at).max(send.last_second.unwrap_or(0) * SECOND);
                prop_assert!(still <= now - moved);
            }
        }
    }
}
