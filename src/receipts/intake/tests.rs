//! The endpoint through the real router, on both databases.

use super::*;
use crate::{
    clock::Clock,
    db::Db,
    delivery::{
        Engine,
        ids::{action_id, batch_id},
        report,
        testing::{
            Crowd, KEY, WEBHOOK, WORKSPACE, config, ended, engine, master_key, put_send, put_webhook, simulator, until,
        },
    },
    execute, fetch, on_both_databases,
    receipts::store,
    wire::message::{CallbackParams, request_url},
};
use tower::ServiceExt;

const SEND: &str = "s";

struct World {
    db: Db,
    engine: Engine,
    router: Router,
    clock: Clock,
}

/// Ten users of whom the tenth was skipped, all others accepted.
async fn world(db: Db) -> World {
    let crm = simulator(crate::crm::Options::default()).await;
    put_webhook(&db, &crm.url(), 2).await;
    put_send(&db, SEND, 10, 100, 0).await;
    let engine = engine(&db, &config(), Crowd { users: 10, gaps: true });
    until(&db, SEND, ended).await;
    let clock = Clock::manual(1_000_000_000_000);
    let state = AppState::new(config(), db.clone(), clock.clone(), master_key(), engine.clone());
    World { router: routes().with_state(state), db, engine, clock }
}

fn receipt(seq: i64, status: &str, send_time: i64) -> Receipt {
    Receipt {
        msg_id: format!("m{seq}"),
        status: status.into(),
        cst_id: "c".into(),
        send_time: send_time.to_string(),
        callback_params: CallbackParams {
            webhook_id: WEBHOOK.into(),
            batch_id: batch_id(SEND, 0).into(),
            action_id: action_id(SEND, seq).into(),
            ..CallbackParams::default()
        },
    }
}

const T: i64 = 1_000_000_000_000;

impl World {
    async fn post_raw(&self, body: String, key: Option<&str>, timestamp: i64) -> (u16, serde_json::Value) {
        let mut request = http::Request::post(request_url(PATH, timestamp, "n"));
        if let Some(key) = key {
            request = request.header(signature::HEADER, signature::sign(key, &timestamp.to_string(), "n"));
        }
        let answer = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn post(&self, receipts: &[Receipt]) -> (u16, serde_json::Value) {
        self.post_raw(serde_json::to_string(receipts).unwrap(), Some(KEY), self.clock.now() / 1000).await
    }

    async fn counts(&self) -> Vec<(String, i64)> {
        report::receipt_counts(&self.db, WORKSPACE, SEND).await.unwrap()
    }

    async fn kept(&self) -> i64 {
        fetch!(self.db, one, (i64,), "select count(*) from receipts").unwrap().0
    }

    async fn stop(self) {
        self.engine.stop(std::time::Duration::from_secs(12)).await;
    }
}

fn success() -> (u16, serde_json::Value) {
    (200, json!({"code": 200, "message": "Success"}))
}

on_both_databases!(the_latest_by_its_time_is_the_status_and_all_are_kept, |db| async move {
    let world = world(db).await;
    assert_eq!(world.post(&[]).await, success());
    assert_eq!(world.post(&[receipt(0, "200", T), receipt(1, "200", T)]).await, success());
    assert_eq!(world.post(&[receipt(0, "200", T)]).await, success(), "the same again");
    assert_eq!((world.counts().await, world.kept().await), (vec![("200".into(), 2)], 2));
    assert_eq!(world.post(&[receipt(0, "500", T - 1)]).await, success(), "an older one");
    assert_eq!((world.counts().await, world.kept().await), (vec![("200".into(), 2)], 3));
    let twice = [receipt(0, "500", T + 1), receipt(0, "200", T + 2), receipt(1, "500", T + 5)];
    assert_eq!(world.post(&twice).await, success());
    assert_eq!((world.counts().await, world.kept().await), (vec![("200".into(), 1), ("500".into(), 1)], 6));
    let rows = report::actions(&world.db, WORKSPACE, SEND, &Default::default(), -1, 2).await.unwrap();
    assert_eq!((rows[0].receipt_status.as_deref(), rows[0].receipt_at), (Some("200"), Some(T + 2)));
    world.stop().await;
});

on_both_databases!(a_replaced_key_signs_receipts_until_its_time, |db| async move {
    let world = world(db).await;
    let until = world.clock.now() + 60_000;
    let sealed = master_key().seal("the new key");
    let sql = "update webhooks set old_key_cipher = key_cipher, key_cipher = $1, old_key_until = $2";
    execute!(world.db, sql, sealed, until).unwrap();
    assert_eq!(world.post(&[receipt(0, "200", T)]).await, success(), "the old one");
    let body = serde_json::to_string(&[receipt(1, "200", T)]).unwrap();
    let new = world.post_raw(body.clone(), Some("the new key"), world.clock.now() / 1000).await;
    assert_eq!(new, success());
    assert_eq!(world.post_raw(body, Some("another"), world.clock.now() / 1000).await.0, 401);
    world.clock.advance(60_000);
    assert_eq!(world.post(&[receipt(2, "200", T)]).await.0, 401, "its time is over");
    world.stop().await;
});

on_both_databases!(what_cannot_be_placed_is_logged_and_named, |db| async move {
    let world = world(db).await;
    let mut strange = receipt(0, "200", T);
    strange.callback_params.action_id = "nonsense\0".into();
    let mut untimed = receipt(0, "200", T);
    untimed.send_time = "yesterday".into();
    let posted = [
        receipt(0, "200", T),
        receipt(10, "200", T),
        receipt(9, "200", T),
        strange,
        receipt(1, "404", T),
        untimed,
        receipt(1, "200", T),
    ];
    let (status, answer) = world.post(&posted).await;
    assert_eq!((status, &answer["code"]), (400, &json!(400)));
    let reasons = [
        (1, "unknown actionId"),
        (2, "unknown actionId"),
        (3, "unknown actionId"),
        (4, "unknown status 404"),
        (5, "send_time is not in unix milliseconds"),
    ];
    assert_eq!(answer["errors"], json!(reasons.map(|(index, reason)| json!({"index": index, "reason": reason}))));
    assert_eq!(world.counts().await, [("200".to_string(), 2)], "the others are recorded");
    let logged = store::problems(&world.db, WORKSPACE, WEBHOOK, 10).await.unwrap();
    assert_eq!(logged.len(), 5);
    assert_eq!(store::not_taken(&world.db, WORKSPACE, SEND).await.unwrap(), 5);
    assert_eq!(store::not_taken(&world.db, WORKSPACE, "another").await.unwrap(), 0);
    world.post(&posted).await;
    assert_eq!(
        store::problems(&world.db, WORKSPACE, WEBHOOK, 10).await.unwrap().len(),
        5,
        "the same again adds nothing"
    );
    execute!(world.db, "update sends set receipts_until = $1", T - 1).unwrap();
    let (status, answer) = world.post(&[receipt(2, "200", T)]).await;
    assert!(status == 400 && answer["message"].as_str().unwrap().contains("retention period"), "{answer}");
    world.stop().await;
});

on_both_databases!(a_request_that_is_not_right_records_nothing, |db| async move {
    let world = world(db).await;
    let body = serde_json::to_string(&[receipt(0, "200", T)]).unwrap();
    let now = T / 1000;
    for (key, timestamp) in [(Some("wrong"), now), (None, now), (Some(KEY), now - 901), (Some(KEY), now + 901)] {
        let (status, answer) = world.post_raw(body.clone(), key, timestamp).await;
        assert_eq!((status, &answer["code"]), (401, &json!(401)), "{key:?} {timestamp}: {answer}");
    }
    let mut unknown = receipt(1, "200", T);
    unknown.callback_params.webhook_id = "nobody's".into();
    assert_eq!(world.post(&[receipt(0, "200", T), unknown]).await.0, 401, "one is enough");
    let (status, answer) = world.post_raw("[{\n  \"status\": }]".into(), Some(KEY), now).await;
    assert!(status == 400 && answer["message"].as_str().unwrap().contains("line 2 column 13"), "{answer}");
    assert_eq!(world.post_raw("{}".into(), Some(KEY), now).await.0, 400);
    assert_eq!(world.post_raw(" ".repeat(BODY_MAX + 1), Some(KEY), now).await.0, 413);
    let many = vec![receipt(0, "200", T); RECEIPTS_MAX + 1];
    assert_eq!(world.post(&many).await.0, 413);
    assert_eq!((world.kept().await, world.counts().await), (0, vec![]));
    assert_eq!(world.post_raw(body, Some(KEY), T).await, success(), "milliseconds are understood");
    world.stop().await;
});

on_both_databases!(without_authentication_the_header_must_be_empty, |db| async move {
    let world = world(db).await;
    execute!(world.db, "update webhooks set authentication = 'None'").unwrap();
    assert_eq!(world.post(&[receipt(0, "200", T)]).await.0, 401);
    let body = serde_json::to_string(&[receipt(0, "200", T)]).unwrap();
    assert_eq!(world.post_raw(body, None, T / 1000).await, success());
    world.stop().await;
});

on_both_databases!(many_requests_at_once_count_right, |db| async move {
    let world = world(db).await;
    let requests: Vec<Vec<Receipt>> =
        (0..40).map(|turn| (0..9).map(|seq| receipt(seq, "200", T + turn)).collect()).collect();
    let answers = futures::future::join_all(requests.iter().map(|receipts| world.post(receipts))).await;
    assert!(answers.iter().all(|answer| *answer == success()));
    assert_eq!((world.counts().await, world.kept().await), (vec![("200".into(), 9)], 360));
    world.stop().await;
});

on_both_databases!(a_receipt_may_come_before_the_answer, |db| async move {
    let slow = crate::crm::Options {
        answer: crate::crm::Answer::Slow,
        slow: std::time::Duration::from_millis(300),
        ..Default::default()
    };
    let crm = simulator(slow).await;
    put_webhook(&db, &crm.url(), 2).await;
    put_send(&db, SEND, 9, 100, 0).await;
    let engine = engine(&db, &config(), Crowd { users: 9, gaps: false });
    while crm.counters().actions == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let clock = Clock::manual(T);
    let state = AppState::new(config(), db.clone(), clock.clone(), master_key(), engine.clone());
    let world = World { router: routes().with_state(state), db: db.clone(), engine, clock };
    assert_eq!(world.post(&[receipt(0, "200", T)]).await, success());
    assert_eq!(report::progress(&db, WORKSPACE, SEND).await.unwrap().accepted, 0, "the POST is under way");
    let progress = until(&db, SEND, ended).await;
    assert_eq!((progress.accepted, world.counts().await), (9, vec![("200".to_string(), 1)]));
    world.stop().await;
});

on_both_databases!(the_simulators_receipts_arrive, |db| async move {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let receipts = crate::crm::ReceiptOptions {
        url: format!("http://{}{PATH}", listener.local_addr().unwrap()),
        delay: std::time::Duration::ZERO,
        share: 1.0,
        statuses: vec![("200".into(), 0.5), ("500".into(), 0.5)],
    };
    let crm = simulator(crate::crm::Options { receipts: Some(receipts), ..Default::default() }).await;
    put_webhook(&db, &crm.url(), 2).await;
    put_send(&db, SEND, 500, 50, 0).await;
    let engine = engine(&db, &config(), Crowd { users: 500, gaps: false });
    let state = AppState::new(config(), db.clone(), Clock::System, master_key(), engine.clone());
    let server = tokio::spawn(axum::serve(listener, routes().with_state(state)).into_future());
    until(&db, SEND, ended).await;
    loop {
        let counts = report::receipt_counts(&db, WORKSPACE, SEND).await.unwrap();
        if counts.iter().map(|(_, users)| users).sum::<i64>() == 500 {
            assert_eq!(counts.len(), 2);
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    server.abort();
    engine.stop(std::time::Duration::from_secs(12)).await;
});
