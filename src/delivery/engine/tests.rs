//! The engine against the simulator, on both databases.

mod clock;
mod lost;
mod under_load;

use super::*;
use crate::{
    crm::{self, Answer},
    delivery::{
        Chunk, SendState, Sender,
        model::Progress,
        report,
        report::ActionFilter,
        sender::ChunkFuture,
        testing::{
            Crowd, KEY, RECEIPTS_FOR, WEBHOOK, WORKSPACE, config, ended, engine, note, put_send, put_webhook, reasons,
            simulator, until,
        },
    },
    error::AppError,
    execute, fetch, on_both_databases,
};
use std::collections::{BTreeMap, BTreeSet};

mod fair;
mod nodes;

const GRACE: Duration = Duration::from_secs(12);

on_both_databases!(everyone_gets_one_message, |db| async move {
    let crm = simulator(crm::Options::default()).await;
    put_webhook(&db, &crm.url(), 4).await;
    put_send(&db, "s", 4_321, 100, 0).await;
    let engine = engine(&db, &config(), Crowd { users: 4_321, gaps: true });
    let progress = until(&db, "s", ended).await;
    assert!(progress.receipts_until > Some(RECEIPTS_FOR), "counted from when it began");
    let eligible = 4_321 - 432;
    assert_eq!((progress.state, progress.accepted, progress.skipped), (SendState::Finished, eligible, 432));
    assert_eq!((progress.planned, progress.failed, progress.unknown, progress.batches), (4_321, 0, 0, 39));
    let rows = crm.rows();
    assert!(rows.iter().all(|row| row.signature));
    let actions: BTreeSet<_> = rows.iter().map(|row| &row.action_id).collect();
    let batches: BTreeSet<_> = rows.iter().map(|row| &row.batch_id).collect();
    assert_eq!((rows.len(), actions.len(), batches.len()), (3_889, 3_889, 39));
    let reasons = report::reasons(&db, WORKSPACE, "s", 10).await.unwrap();
    assert_eq!((reasons.len(), reasons[0].reason.as_str(), reasons[0].users), (1, "no EMAIL", 432));
    let series = report::series(&db, WORKSPACE, "s", 100).await.unwrap();
    assert_eq!(series.iter().map(|point| point.accepted).sum::<i64>(), eligible);
    let skipped = ActionFilter { result: Some("skipped".into()), ..ActionFilter::default() };
    let rows = report::actions(&db, WORKSPACE, "s", &skipped, 9, 2).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [19, 29]);
    // Who was sent nothing has no receipt to come.
    let none_yet = ActionFilter { receipt: Some(String::new()), ..ActionFilter::default() };
    let rows = report::actions(&db, WORKSPACE, "s", &none_yet, 8, 2).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [10, 11]);
    engine.stop(GRACE).await;
});

on_both_databases!(a_refusal_is_final_and_sent_again_on_request, |db| async move {
    let crm = simulator(crm::Options { answer: Answer::Refuse, ..Default::default() }).await;
    put_webhook(&db, &crm.url(), 4).await;
    put_send(&db, "s", 25, 10, 0).await;
    let engine = engine(&db, &config(), Crowd { users: 25, gaps: false });
    let progress = until(&db, "s", ended).await;
    assert_eq!((progress.state, progress.failed), (SendState::Failed, 25));
    assert_eq!(progress.error.as_deref(), Some("refused: REFUSED refused as told"));
    let good = simulator(crm::Options::default()).await;
    execute!(db, "update webhooks set url = $1, version = 2", good.url()).unwrap();
    assert!(engine.resend_failed(WORKSPACE, "s", Some("another reason"), &note()).await.is_err());
    assert_eq!(engine.resend_failed(WORKSPACE, "s", None, &note()).await.unwrap(), 25);
    let progress = until(&db, "s", ended).await;
    assert_eq!((progress.state, progress.accepted, progress.failed), (SendState::Finished, 25, 0));
    assert_eq!(report::reasons(&db, WORKSPACE, "s", 10).await.unwrap(), []);
    let ids = |crm: &crm::Simulator| crm.rows().into_iter().map(|row| row.action_id).collect::<BTreeSet<_>>();
    assert_eq!(ids(&crm), ids(&good), "the same ids");
    engine.stop(GRACE).await;
});

on_both_databases!(what_may_pass_is_tried_again_with_the_same_ids, |db| async move {
    let crm = simulator(crm::Options { answer: Answer::Broken, share: 0.4, ..Default::default() }).await;
    put_webhook(&db, &crm.url(), 4).await;
    put_send(&db, "s", 60, 1, 0).await;
    let mut config = config();
    config.engine.tries = 50;
    config.engine.retry_longest_ms = 20;
    let engine = engine(&db, &config, Crowd { users: 60, gaps: false });
    let progress = until(&db, "s", ended).await;
    assert_eq!((progress.state, progress.accepted), (SendState::Finished, 60));
    let mut answers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in crm.rows() {
        answers.entry(row.action_id).or_default().push(row.answer);
    }
    assert_eq!(answers.len(), 60);
    for (action, answers) in answers {
        let (last, before) = answers.split_last().unwrap();
        assert!(last == "ok" && before.iter().all(|answer| answer == "500"), "{action}: {answers:?}");
    }
    engine.stop(GRACE).await;
});

on_both_databases!(tries_are_used_up, |db| async move {
    let crm = simulator(crm::Options { answer: Answer::Drop, ..Default::default() }).await;
    put_webhook(&db, &crm.url(), 4).await;
    put_send(&db, "s", 5, 5, 0).await;
    let engine = engine(&db, &config(), Crowd { users: 5, gaps: false });
    let progress = until(&db, "s", ended).await;
    assert_eq!((progress.state, progress.failed), (SendState::Failed, 5));
    let attempts = report::batch(&db, WORKSPACE, "s", 0).await.unwrap().attempts;
    assert_eq!(
        attempts.iter().map(|one| one.outcome.as_deref()).collect::<Vec<_>>(),
        [Some("retry"), Some("retry"), Some("failed")]
    );
    assert!(progress.error.unwrap().ends_with("after 3 tries"));
    engine.stop(GRACE).await;
});

on_both_databases!(pause_holds_and_stop_skips_what_waits, |db| async move {
    let crm =
        simulator(crm::Options { answer: Answer::Slow, slow: Duration::from_millis(20), ..Default::default() }).await;
    put_webhook(&db, &crm.url(), 1).await;
    put_send(&db, "s", 500, 1, 0).await;
    let engine = engine(&db, &config(), Crowd { users: 500, gaps: false });
    until(&db, "s", |progress| progress.accepted > 3).await;
    engine.pause(WORKSPACE, "s", &note()).await.unwrap();
    assert!(engine.pause(WORKSPACE, "s", &note()).await.is_err());
    let leased = "select count(*) from send_batches where state = 'leased'";
    while fetch!(db, one, (i64,), leased).unwrap().0 > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let held = crm.counters().actions;
    engine.wake();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(crm.counters().actions, held, "nothing goes out while it is paused");
    engine.resume(WORKSPACE, "s", &note()).await.unwrap();
    until(&db, "s", |progress| progress.accepted > held as i64 + 3).await;
    engine.stop_send(WORKSPACE, "s", &note()).await.unwrap();
    let progress = until(&db, "s", |progress| progress.waiting() == 0).await;
    assert_eq!(progress.state, SendState::Stopped);
    assert_eq!(progress.accepted + progress.skipped, 500);
    assert_eq!(progress.accepted, crm.counters().actions as i64);
    assert!(
        engine.resume(WORKSPACE, "s", &note()).await.is_err()
            && engine.stop_send(WORKSPACE, "s", &note()).await.is_err()
    );
    engine.stop(GRACE).await;
});

/// Gives the first users of a crowd, and no others.
struct Halting(Crowd);

impl Sender for Halting {
    fn source(&self) -> &'static str {
        self.0.source()
    }

    fn chunk<'a>(&'a self, db: &'a Db, w: &'a str, s: &'a str, after: Option<&'a str>, limit: i64) -> ChunkFuture<'a> {
        Box::pin(async move {
            match after {
                None => Ok(Chunk { next: Some("more".into()), ..self.0.chunk(db, w, s, after, limit).await? }),
                Some(_) => Err(AppError::Internal("not now".into())),
            }
        })
    }
}

on_both_databases!(a_stop_while_it_is_planned_leaves_the_others_out_for_good, |db| async move {
    let bad = simulator(crm::Options { answer: Answer::Refuse, ..Default::default() }).await;
    put_webhook(&db, &bad.url(), 1).await;
    put_send(&db, "s", 30, 10, 0).await;
    let engine = engine(&db, &config(), Halting(Crowd { users: 20, gaps: false }));
    until(&db, "s", |progress| progress.failed >= 10).await;
    engine.stop_send(WORKSPACE, "s", &note()).await.unwrap();
    let adds_up = |end: &Progress| end.audience == end.accepted + end.failed + end.skipped + end.unknown;
    let progress = until(&db, "s", |progress| progress.waiting() == 0).await;
    assert!(progress.state == SendState::Stopped && progress.skipped >= 10 && adds_up(&progress), "{progress:?}");
    let (failed, skipped) = (progress.failed, progress.skipped);
    assert!(reasons(&db, "s").await.contains(&("skipped".into(), "stopped".into(), skipped)));
    let good = simulator(crm::Options::default()).await;
    execute!(db, "update webhooks set url = $1, version = 2", good.url()).unwrap();
    assert_eq!(engine.resend_failed(WORKSPACE, "s", None, &note()).await.unwrap(), failed);
    let progress = until(&db, "s", ended).await;
    assert_eq!((progress.state, progress.accepted, progress.skipped), (SendState::Stopped, failed, skipped));
    assert!(adds_up(&progress));
    engine.stop(GRACE).await;
});

/// Four POSTs run for two seconds, and four batches more are claimed: nothing of those goes out once `hold` is done.
async fn held_back(db: Db, hold: impl AsyncFn(&Engine, &Db)) -> (Engine, Progress) {
    let slow = Duration::from_secs(2);
    let crm = simulator(crm::Options { answer: Answer::Slow, slow, ..Default::default() }).await;
    put_webhook(&db, &crm.url(), 4).await;
    put_send(&db, "s", 20, 1, 0).await;
    let engine = engine(&db, &config(), Crowd { users: 20, gaps: false });
    let leased =
        async || fetch!(db, one, (i64,), "select count(*) from send_batches where state = 'leased'").unwrap().0;
    while crm.counters().actions < 4 || leased().await < 8 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    hold(&engine, &db).await;
    while leased().await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(crm.counters().actions, 4);
    let progress = until(&db, "s", |progress| progress.accepted == 4).await;
    (engine, progress)
}

on_both_databases!(a_pause_holds_what_is_claimed, |db| async move {
    let (engine, progress) =
        held_back(db, async |engine, _| engine.pause(WORKSPACE, "s", &note()).await.unwrap()).await;
    assert_eq!((progress.state, progress.waiting()), (SendState::Paused, 16));
    engine.stop(GRACE).await;
});

on_both_databases!(a_stop_holds_what_is_claimed, |db| async move {
    let (engine, progress) =
        held_back(db, async |engine, _| engine.stop_send(WORKSPACE, "s", &note()).await.unwrap()).await;
    assert_eq!((progress.state, progress.skipped), (SendState::Stopped, 16));
    engine.stop(GRACE).await;
});

on_both_databases!(disabling_the_webhook_holds_what_is_claimed, |db| async move {
    let disable = async |_: &Engine, db: &Db| {
        execute!(db, "update webhooks set enabled = $1", false).unwrap();
    };
    let (engine, progress) = held_back(db, disable).await;
    assert_eq!((progress.state, progress.waiting()), (SendState::Sending, 16));
    engine.stop(GRACE).await;
});

on_both_databases!(the_body_of_a_retry_is_the_same_byte_for_byte, |db| async move {
    use axum::{Router, body::Bytes, http::StatusCode, routing::post};
    let bodies = Arc::new(std::sync::Mutex::new(Vec::<Bytes>::new()));
    let seen = bodies.clone();
    let answer = move |body: Bytes| async move {
        let mut bodies = seen.lock().unwrap();
        bodies.push(body);
        let status = if bodies.len() < 3 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        (status, r#"{"code":"OK"}"#)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let receiver = tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(answer))).await });
    put_webhook(&db, &url, 1).await;
    put_send(&db, "s", 20, 20, 0).await;
    let engine = engine(&db, &config(), Crowd { users: 20, gaps: true });
    assert_eq!(until(&db, "s", ended).await.accepted, 18);
    let bodies = bodies.lock().unwrap().clone();
    assert!(bodies.len() == 3 && bodies[0] == bodies[1] && bodies[0] == bodies[2], "{bodies:?}");
    // The page shows what was sent.
    let batch = report::batch(&db, WORKSPACE, "s", 0).await.unwrap();
    assert_eq!((batch.attempts.len(), batch.bytes), (3, bodies[0].len() as i64));
    let sent = serde_json::from_slice::<serde_json::Value>(&bodies[0]).unwrap();
    let first = sent[0]["user_profile"]["customer_id"].as_str().unwrap();
    assert!(batch.request.contains(&format!("\"customer_id\": \"{first}\"")), "{}", batch.request);
    assert!(matches!(report::batch(&db, WORKSPACE, "s", 1).await, Err(AppError::NotFound)));
    engine.stop(GRACE).await;
    receiver.abort();
});

on_both_databases!(environment_parameters_say_where_a_request_comes_from, |db| async move {
    use axum::{Router, http::HeaderMap, routing::post};
    let seen = Arc::new(std::sync::Mutex::new(Vec::<HeaderMap>::new()));
    let headers = seen.clone();
    let answer = move |got: HeaderMap| async move {
        headers.lock().unwrap().push(got);
        r#"{"code":"OK"}"#
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let receiver = tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(answer))).await });
    put_webhook(&db, &url, 1).await;
    execute!(db, "insert into settings (key, value) values ('organization_id', 'o1')").unwrap();
    put_send(&db, "plain", 5, 5, 0).await;
    put_send(&db, "told", 5, 5, 0).await;
    execute!(db, "update sends set pass_environment = $1 where id = 'told'", true).unwrap();
    let engine = engine(&db, &config(), Crowd { users: 5, gaps: false });
    until(&db, "plain", ended).await;
    until(&db, "told", ended).await;
    let header = |headers: &HeaderMap, name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_string());
    let seen = seen.lock().unwrap().clone();
    let told: Vec<_> = seen
        .iter()
        .filter(|headers| headers.contains_key("x-qa-source"))
        .map(|headers| {
            ["X-QA-Organization-Id", "X-QA-Workspace-Id", "X-QA-Source", "X-QA-Source-Id"]
                .map(|name| header(headers, name).unwrap())
        })
        .collect();
    assert_eq!((seen.len(), told), (2, vec![["o1", WORKSPACE, "crowd", "told"].map(String::from)]));
    engine.stop(GRACE).await;
    receiver.abort();
});

on_both_databases!(a_webhook_that_has_lost_its_key_sends_nothing, |db| async move {
    let crm = simulator(crm::Options::default()).await;
    put_webhook(&db, &crm.url(), 1).await;
    execute!(db, "update webhooks set key_cipher = null").unwrap();
    put_send(&db, "s", 5, 5, 0).await;
    let engine = engine(&db, &config(), Crowd { users: 5, gaps: false });
    let progress = until(&db, "s", ended).await;
    assert_eq!((progress.state, progress.failed, crm.counters().requests), (SendState::Failed, 5, 0));
    assert_eq!(progress.error.as_deref(), Some("The webhook has no key; enter it again."));
    engine.stop(GRACE).await;
});

on_both_databases!(a_stop_of_the_engine_records_what_runs_and_gives_the_rest_back, |db| async move {
    let crm =
        simulator(crm::Options { answer: Answer::Slow, slow: Duration::from_millis(200), ..Default::default() }).await;
    put_webhook(&db, &crm.url(), 3).await;
    put_send(&db, "s", 30, 1, 0).await;
    let first = engine(&db, &config(), Crowd { users: 30, gaps: false });
    while crm.counters().actions == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    first.stop(GRACE).await;
    let progress = report::progress(&db, WORKSPACE, "s").await.unwrap();
    assert_eq!((progress.accepted, progress.unknown), (crm.counters().actions as i64, 0));
    assert!(progress.accepted < 30);
    let second = engine(&db, &config(), Crowd { users: 30, gaps: false });
    let progress = until(&db, "s", ended).await;
    assert_eq!((progress.accepted, crm.counters().actions), (30, 30), "nobody twice");
    second.stop(GRACE).await;
});

on_both_databases!(a_send_that_cannot_begin_says_why, |db| async move {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    execute!(db, "update webhooks set enabled = $1", false).unwrap();
    put_send(&db, "s", 5, 5, 0).await;
    let engine = engine(&db, &config(), Crowd { users: 5, gaps: false });
    let progress = until(&db, "s", ended).await;
    assert_eq!(progress.state, SendState::Failed);
    assert!(progress.error.unwrap().contains("disabled"));
    engine.stop(GRACE).await;
});

on_both_databases!(a_private_address_is_not_called, |db| async move {
    let crm = simulator(crm::Options::default()).await;
    put_webhook(&db, &crm.url().replace("127.0.0.1", "localhost"), 1).await;
    put_send(&db, "s", 5, 5, 0).await;
    let mut config = config();
    config.engine.allow_networks.clear();
    let engine = engine(&db, &config, Crowd { users: 5, gaps: false });
    let progress = until(&db, "s", ended).await;
    assert_eq!((progress.failed, crm.counters().requests), (5, 0));
    assert!(progress.error.unwrap().contains("not on the public internet"));
    engine.stop(GRACE).await;
});

#[tokio::test]
async fn a_test_send_shows_everything_but_secrets() {
    let (db, _folder) = crate::db::testing::sqlite().await;
    let crm = simulator(crm::Options::default()).await;
    let engine = engine(&db, &config(), Crowd { users: 0, gaps: false });
    let test = |key: &str| TestSend {
        url: crm.url(),
        key: Some(key.to_string().into()),
        tls: Tls::default(),
        environment: None,
        webhook_id: WEBHOOK.into(),
        target_type: "EMAIL".into(),
        target_id: "a@example.com".into(),
        params: vec![("coupon".into(), "折扣".into())],
    };
    let good = engine.test_send(test(KEY)).await.unwrap();
    assert_eq!((good.ok, good.reason.as_str(), good.status), (true, "OK", Some(200)));
    assert!(good.request_body.contains(r#""params":{"coupon":"折扣"}"#));
    let header = |name: &str| good.request_headers.iter().find(|(known, _)| known == name).unwrap().1.as_str();
    assert_eq!((header("X-QA-Hmac-Signature"), header("webhook-signature")), ("***", "***"));
    assert!(!format!("{good:?}").contains(KEY));
    let bad = engine.test_send(test("wrong")).await.unwrap();
    assert_eq!((bad.ok, bad.reason.as_str()), (false, "HTTP 401"));
    assert!(bad.response_body.contains("BAD_SIGNATURE"));
    engine.stop(GRACE).await;
}
