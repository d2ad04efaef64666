//! Endpoints that are ill, webhooks that are disabled by the engine, and turns between sends of one webhook.

use super::*;
use crate::{
    audit::{By, testing::told},
    clock::SECOND,
    delivery::{
        breaker::round::{Breakers, Hook},
        claim::Claim,
        record::{End, Finished},
        testing::{claim, master_key, put_planned},
    },
    webhooks::store::set_enabled,
};
use axum::{Router, http::StatusCode, response::IntoResponse, routing::post};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

/// Answers with the status that stands, and counts.
struct Endpoint {
    url: String,
    status: Arc<AtomicU16>,
    posts: Arc<AtomicUsize>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Endpoint {
    async fn start(status: u16) -> Self {
        let (status, posts) = (Arc::new(AtomicU16::new(status)), Arc::new(AtomicUsize::new(0)));
        let (stands, counted) = (status.clone(), posts.clone());
        let answer = move || async move {
            counted.fetch_add(1, Ordering::SeqCst);
            let status = StatusCode::from_u16(stands.load(Ordering::SeqCst)).unwrap();
            let wait = if status == StatusCode::TOO_MANY_REQUESTS { "60" } else { "0" };
            (status, [("retry-after", wait)], r#"{"code":"OK"}"#).into_response()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().route("/", post(answer));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, status, posts, server }
    }

    fn turns_to(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    fn posts(&self) -> usize {
        self.posts.load(Ordering::SeqCst)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// With a clock that a test moves.
fn engine_at(db: &Db, config: &Config, clock: &Clock, users: usize) -> Engine {
    crate::server::testing::warnings();
    let crowd = Crowd { users, gaps: false };
    Engine::start(config, db.clone(), clock.clone(), master_key(), vec![Arc::new(crowd)])
}

fn ahead() -> Clock {
    Clock::Ahead(Arc::default())
}

/// Reads until it says so.
async fn one_says<T: PartialEq + std::fmt::Debug + Send + Unpin>(db: &Db, sql: &'static str, wanted: T)
where
    (T,): for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>,
{
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        let found = fetch!(db, optional, (T,), sql).unwrap().map(|(found,)| found);
        if found.as_ref() == Some(&wanted) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{sql}: still {found:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

const STATE: &str = "select state from webhook_health";
const LEASED: &str = "select count(*) from send_batches where state = 'leased'";

on_both_databases!(an_open_breaker_holds_everything_and_spends_no_try, |db| async move {
    let endpoint = Endpoint::start(503).await;
    put_webhook(&db, &endpoint.url, 2).await;
    put_send(&db, "s", 50, 1, 0).await;
    let mut config = config();
    (config.engine.tries, config.engine.breaker.least_batches) = (2, 5);
    (config.engine.breaker.open_first_seconds, config.engine.breaker.open_longest_seconds) = (600, 1_200);
    config.engine.retry_longest_ms = 1;
    let clock = ahead();
    let engine = engine_at(&db, &config, &clock, 50);
    one_says(&db, STATE, "open".to_string()).await;
    one_says(&db, LEASED, 0_i64).await;
    let posts = endpoint.posts();
    assert!((5..=9).contains(&posts), "{posts}: five, and those that had begun");
    engine.wake();
    clock.advance(590 * SECOND);
    engine.wake();
    one_says(&db, LEASED, 0_i64).await;
    let before = progress_of(&db).await;
    assert_eq!((endpoint.posts(), before.waiting(), before.failed), (posts, 50, 0));
    clock.advance(20 * SECOND);
    engine.wake();
    one_says(&db, "select trips from webhook_health where state = 'open'", 2_i64).await;
    assert_eq!(endpoint.posts(), posts + 1, "one probe");
    endpoint.turns_to(200);
    clock.advance(1_201 * SECOND);
    engine.wake();
    let end = until(&db, "s", ended).await;
    assert_eq!((end.state, end.accepted), (SendState::Finished, 50));
    assert_eq!(endpoint.posts(), posts + 51);
    one_says(&db, STATE, "closed".to_string()).await;
    engine.stop(GRACE).await;
});

async fn progress_of(db: &Db) -> Progress {
    crate::delivery::testing::progress(db, "s").await
}

on_both_databases!(to_wait_as_a_receiver_asks_spends_no_try, |db| async move {
    let endpoint = Endpoint::start(429).await;
    put_webhook(&db, &endpoint.url, 2).await;
    put_send(&db, "s", 4, 2, 0).await;
    let mut config = config();
    config.engine.tries = 1;
    let clock = ahead();
    let engine = engine_at(&db, &config, &clock, 4);
    for round in 1..4_usize {
        one_says(&db, "select count(*) from send_batches where state = 'retry' and tries = 0", 2_i64).await;
        assert_eq!(endpoint.posts(), 2 * round);
        if round == 3 {
            endpoint.turns_to(200);
        }
        clock.advance(61 * SECOND);
        engine.wake();
        if round < 3 {
            let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
            while endpoint.posts() < 2 * (round + 1) {
                assert!(tokio::time::Instant::now() < deadline, "still {} POSTs", endpoint.posts());
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    }
    let end = until(&db, "s", ended).await;
    assert_eq!((end.state, end.accepted, endpoint.posts()), (SendState::Finished, 4, 8));
    engine.stop(GRACE).await;
});

on_both_databases!(http_410_disables_the_webhook_until_a_person_enables_it, |db| async move {
    let endpoint = Endpoint::start(410).await;
    put_webhook(&db, &endpoint.url, 1).await;
    put_send(&db, "s", 20, 2, 0).await;
    let engine = engine(&db, &config(), Crowd { users: 20, gaps: false });
    let because = "HTTP 410: the endpoint says that it is gone";
    one_says(&db, "select disabled_because from webhooks", because.to_string()).await;
    one_says(&db, LEASED, 0_i64).await;
    let now = progress_of(&db).await;
    assert_eq!((now.state, now.failed + now.waiting(), now.accepted), (SendState::Sending, 20, 0));
    let posts = endpoint.posts();
    assert!(posts <= 2, "{posts}: one, and one that began before it was recorded");
    let failed = 2 * posts as i64;
    assert_eq!(reasons(&db, "s").await, [("failed".into(), "HTTP 410".into(), failed)]);
    assert_eq!(told(&db, WORKSPACE).await, ["Engine: disabled webhook hook"]);
    assert_eq!(crate::audit::testing::last_change(&db, WORKSPACE).await["after"]["because"], because);
    endpoint.turns_to(200);
    engine.wake();
    set_enabled(&db, WORKSPACE, WEBHOOK, true, &By::command_line(5)).await.unwrap();
    engine.wake();
    let end = until(&db, "s", ended).await;
    assert_eq!((end.state, end.accepted, end.failed), (SendState::Finished, 20 - failed, failed));
    one_says(&db, "select disabled_because from webhooks", String::new()).await;
    engine.stop(GRACE).await;
});

on_both_databases!(so_many_failed_batches_in_a_row_disable_the_webhook, |db| async move {
    let endpoint = Endpoint::start(500).await;
    put_webhook(&db, &endpoint.url, 1).await;
    put_send(&db, "s", 10, 1, 0).await;
    let mut config = config();
    (config.engine.tries, config.engine.retry_longest_ms, config.engine.breaker.disable_after) = (1_000, 1, 12);
    let engine = engine(&db, &config, Crowd { users: 10, gaps: false });
    let because = "12 batches in a row failed, the last one: HTTP 500";
    one_says(&db, "select disabled_because from webhooks", because.to_string()).await;
    one_says(&db, LEASED, 0_i64).await;
    let now = progress_of(&db).await;
    assert_eq!((now.state, now.waiting(), told(&db, WORKSPACE).await.len()), (SendState::Sending, 10, 1));
    assert!((12..=13).contains(&endpoint.posts()), "{}", endpoint.posts());
    engine.stop(GRACE).await;
});

on_both_databases!(sends_of_one_webhook_take_turns, |db| async move {
    let crm = simulator(crm::Options::default()).await;
    put_webhook(&db, &crm.url(), 2).await;
    for send in ["long", "b", "c"] {
        put_planned(&db, send, if send == "long" { &[1; 150] } else { &[1; 40] }).await;
    }
    let engine = engine(&db, &config(), Crowd { users: 0, gaps: false });
    for send in ["long", "b", "c"] {
        until(&db, send, ended).await;
    }
    let mut got = BTreeMap::from([("long", 0_i64), ("b", 0), ("c", 0)]);
    for row in crm.rows() {
        *got.get_mut(row.action_id.rsplit_once('-').unwrap().0).unwrap() += 1;
        let (least, most) = (got.values().min().unwrap(), got.values().max().unwrap());
        if *least < 40 && most - least > 6 {
            panic!("one has waited while another had its turn: {got:?}");
        }
    }
    assert_eq!(got.values().sum::<i64>(), 230);
    engine.stop(GRACE).await;
});

fn hook() -> Hook {
    Hook { workspace_id: WORKSPACE.into(), webhook_id: WEBHOOK.into() }
}

fn failed(claim: &Claim) -> Finished {
    let end = End::Retry("HTTP 503".into(), None);
    let webhook_id = WEBHOOK.to_string();
    Finished { claim: claim.clone(), webhook_id, end, http_status: Some(503), duration_ms: 1, response: None }
}

on_both_databases!(nodes_lose_no_count_of_each_other_and_one_of_them_probes, |db| async move {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    let key = put_planned(&db, "s", &[1]).await;
    let ended = [failed(&claim(&db, &key, 1, 0).await[0])];
    let policy = (&config().engine.breaker).into();
    let hear = async |now| {
        let mut tx = db.begin().await.unwrap();
        let mut breakers = Breakers::take(&mut tx, policy, &ended, std::iter::empty()).await.unwrap();
        breakers.hear(&ended, now);
        assert_eq!(breakers.write(&mut tx, now).await.unwrap(), []);
        tx.commit().await.unwrap();
    };
    futures::future::join_all((0..20).map(|_| hear(1))).await;
    one_says(&db, "select failures_in_row from webhook_health where window_failed = 20", 20_i64).await;
    execute!(db, "update webhook_health set state = 'open', open_until = 50").unwrap();
    let probe = async |until| {
        let mut tx = db.begin().await.unwrap();
        let mut breakers = Breakers::take(&mut tx, policy, &[], std::iter::once(hook())).await.unwrap();
        let may = breakers.most(&hook(), 5, 60);
        if may.is_some() {
            breakers.claimed(&hook(), until, 60);
        }
        breakers.write(&mut tx, 60).await.unwrap();
        tx.commit().await.unwrap();
        may
    };
    let may = futures::future::join_all((0..8).map(|node| probe(1_000 + node))).await;
    assert_eq!(may.iter().flatten().collect::<Vec<_>>(), [&1], "{may:?}");
    one_says(&db, STATE, "half_open".to_string()).await;
});
