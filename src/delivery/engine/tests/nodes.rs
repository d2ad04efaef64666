//! Several engines on one PostgreSQL, each with a pool of its own, as nodes have.

use super::*;
use crate::{clock::SECOND, delivery::testing::master_key};
use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Instant,
};

/// A receiver that counts how many POSTs are inside at once.
#[derive(Clone, Default)]
struct Receiver(Arc<Inside>);

#[derive(Default)]
struct Inside {
    now: AtomicUsize,
    most: AtomicUsize,
    /// So many must be inside once before the first is let out.
    together: usize,
    /// Nobody is let out.
    shut: AtomicBool,
    fails: AtomicBool,
    changed: Notify,
    posts: std::sync::Mutex<Vec<(Instant, Bytes)>>,
}

impl Receiver {
    fn of(together: usize) -> Self {
        Self(Arc::new(Inside { together, ..Inside::default() }))
    }

    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().route("/", post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn posts(&self) -> usize {
        self.0.posts.lock().unwrap().len()
    }

    fn most(&self) -> usize {
        self.0.most.load(Ordering::SeqCst)
    }

    fn open(&self) {
        self.0.shut.store(false, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }

    /// Everybody got one message, in one POST.
    fn everybody_once(&self, users: usize) {
        let posts = self.0.posts.lock().unwrap();
        let mut actions = BTreeSet::new();
        for (_, body) in &*posts {
            let messages: Vec<serde_json::Value> = serde_json::from_slice(body).unwrap();
            for message in messages {
                let action = message["callback_params"]["actionId"].as_str().unwrap().to_string();
                assert!(actions.insert(action.clone()), "{action} twice");
            }
        }
        assert_eq!(actions.len(), users);
    }
}

async fn take(State(Receiver(inside)): State<Receiver>, body: Bytes) -> (StatusCode, &'static str) {
    inside.posts.lock().unwrap().push((Instant::now(), body));
    let now = inside.now.fetch_add(1, Ordering::SeqCst) + 1;
    inside.most.fetch_max(now, Ordering::SeqCst);
    inside.changed.notify_waiters();
    loop {
        let mut changed = std::pin::pin!(inside.changed.notified());
        changed.as_mut().enable();
        let out = inside.most.load(Ordering::SeqCst) >= inside.together && !inside.shut.load(Ordering::SeqCst);
        if out {
            break;
        }
        changed.await;
    }
    inside.now.fetch_sub(1, Ordering::SeqCst);
    let status = if inside.fails.load(Ordering::SeqCst) { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, r#"{"code":"OK"}"#)
}

/// A node with connections of its own.
async fn node(db: &Db, config: &Config, clock: &Clock, users: usize) -> Engine {
    crate::server::testing::warnings();
    let Db::Postgres(pool) = db else { panic!("several nodes are PostgreSQL's") };
    let options = sqlx::postgres::PgPoolOptions::new().max_connections(4);
    let own = Db::Postgres(options.connect_with((*pool.connect_options()).clone()).await.unwrap());
    let crowd: Arc<dyn Sender> = Arc::new(Crowd { users, gaps: false });
    Engine::start(config, own, clock.clone(), master_key(), vec![crowd])
}

async fn nodes(db: &Db, config: &Config, clock: &Clock, many: usize, users: usize) -> Vec<Engine> {
    let mut nodes = Vec::new();
    for _ in 0..many {
        nodes.push(node(db, config, clock, users).await);
    }
    all_know(db, many).await;
    nodes
}

async fn until_true(what: &str, holds: impl AsyncFn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// So many have joined, and each has made room for all.
async fn all_know(db: &Db, many: usize) {
    let sql = "select count(*) from nodes where knows = (select max(joined_no) from nodes)";
    until_true("all know each other", async || fetch!(db, one, (i64,), sql).unwrap().0 == many as i64).await;
}

async fn stop(nodes: Vec<Engine>) {
    for node in nodes {
        node.stop(GRACE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_share_a_send_and_keep_to_the_webhooks_posts_at_once() {
    let Some(db) = crate::db::testing::postgres().await else { return };
    // None has more than two of the six, so six at once are all three.
    let receiver = Receiver::of(6);
    put_webhook(&db, &receiver.start().await, 6).await;
    let nodes = nodes(&db, &config(), &Clock::System, 3, 3_000).await;
    put_send(&db, "s", 3_000, 10, 0).await;
    let end = until(&db, "s", ended).await;
    assert_eq!((end.state, end.accepted, end.unknown), (SendState::Finished, 3_000, 0));
    receiver.everybody_once(3_000);
    assert_eq!(receiver.most(), 6);
    let twice = "select (select count(*) from send_attempts) + (select count(*) from send_batches where attempts > 1)";
    assert_eq!(fetch!(db, one, (i64,), twice).unwrap().0, 0, "each batch under one lease");
    stop(nodes).await;
    assert_eq!(fetch!(db, one, (i64,), "select count(*) from nodes").unwrap().0, 0, "they left in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_waits_until_the_others_have_made_room() {
    let Some(db) = crate::db::testing::postgres().await else { return };
    let receiver = Receiver::of(1);
    receiver.0.shut.store(true, Ordering::SeqCst);
    put_webhook(&db, &receiver.start().await, 2).await;
    put_send(&db, "s", 100, 1, 0).await;
    let first = node(&db, &config(), &Clock::System, 100).await;
    until_true("both POSTs run", async || receiver.posts() == 2).await;
    let second = node(&db, &config(), &Clock::System, 100).await;
    let joined = "select count(*) from nodes where joined_no = 2 and knows = 2";
    until_true("it has joined", async || fetch!(db, one, (i64,), joined).unwrap().0 == 1).await;
    let known = "select knows from nodes where joined_no = 1";
    assert_eq!(fetch!(db, one, (i64,), known).unwrap().0, 1, "two run, and only one may");
    // What waits for the second place goes back when the first leaves it.
    assert_eq!(receiver.posts(), 2);
    receiver.open();
    all_know(&db, 2).await;
    let end = until(&db, "s", ended).await;
    assert_eq!((end.accepted, receiver.most()), (100, 2));
    receiver.everybody_once(100);
    stop(vec![first, second]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_with_less_than_one_post_for_each_node_is_sent_by_some() {
    let Some(db) = crate::db::testing::postgres().await else { return };
    let receiver = Receiver::of(1);
    put_webhook(&db, &receiver.start().await, 1).await;
    let nodes = nodes(&db, &config(), &Clock::System, 3, 100).await;
    put_send(&db, "s", 100, 1, 0).await;
    assert_eq!(until(&db, "s", ended).await.accepted, 100);
    receiver.everybody_once(100);
    assert_eq!(receiver.most(), 1);
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_per_second_hold_over_three_nodes() {
    let Some(db) = crate::db::testing::postgres().await else { return };
    let receiver = Receiver::of(1);
    put_webhook(&db, &receiver.start().await, 12).await;
    execute!(db, "update webhooks set users_per_second = 200").unwrap();
    let nodes = nodes(&db, &config(), &Clock::System, 3, 400).await;
    put_send(&db, "s", 400, 10, 0).await;
    assert_eq!(until(&db, "s", ended).await.accepted, 400);
    receiver.everybody_once(400);
    let at: Vec<Instant> = receiver.0.posts.lock().unwrap().iter().map(|(at, _)| *at).collect();
    let (first, last) = (at[0], at[at.len() - 1]);
    // But for the first batch, and a tenth of a second that may be saved up; and POSTs that took a while to arrive.
    let least = Duration::from_millis((400 - 10) * 1_000 / 200 - 100 - 100);
    assert!(last - first >= least, "{:?}", last - first);
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breaker_opens_for_all_nodes_and_one_of_them_probes() {
    let Some(db) = crate::db::testing::postgres().await else { return };
    let receiver = Receiver::of(1);
    receiver.0.fails.store(true, Ordering::SeqCst);
    put_webhook(&db, &receiver.start().await, 6).await;
    let mut config = config();
    (config.engine.tries, config.engine.breaker.least_batches) = (2, 5);
    (config.engine.breaker.open_first_seconds, config.engine.breaker.open_longest_seconds) = (600, 1_200);
    let clock = Clock::Ahead(Arc::default());
    let nodes = nodes(&db, &config, &clock, 3, 200).await;
    put_send(&db, "s", 200, 1, 0).await;
    let state = async |wanted: &str| {
        let sql = "select state, trips from webhook_health";
        fetch!(db, optional, (String, i64), sql)
            .unwrap()
            .is_some_and(|(state, trips)| format!("{state} {trips}") == wanted)
    };
    until_true("open", async || state("open 1").await).await;
    let leased = "select count(*) from send_batches where state = 'leased'";
    let none_leased = async || fetch!(db, one, (i64,), leased).unwrap().0 == 0;
    until_true("nothing in hand", none_leased).await;
    let posts = receiver.posts();
    assert!((5..=5 + 2 * 6).contains(&posts), "{posts}: five, and those that had begun on three nodes");
    clock.advance(601 * SECOND);
    nodes.iter().for_each(Engine::wake);
    until_true("probed", async || state("open 2").await).await;
    until_true("nothing in hand", none_leased).await;
    assert_eq!(receiver.posts(), posts + 1);
    stop(nodes).await;
}

/// Counts statements as sqlx tells of them.
#[derive(Clone, Default)]
struct Statements(Arc<AtomicUsize>);

impl tracing::Subscriber for Statements {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// In one thread, so that all statements are this node's.
#[tokio::test]
async fn an_idle_node_asks_less_than_twice_a_second() {
    const SECONDS: usize = 12;
    let Some(db) = crate::db::testing::postgres().await else { return };
    put_webhook(&db, "http://127.0.0.1:9/", 4).await;
    put_send(&db, "later", 10, 5, i64::MAX).await;
    let statements = Statements::default();
    let _counting = tracing::subscriber::set_default(statements.clone());
    let node = nodes(&db, &config(), &Clock::System, 1, 10).await;
    let before = statements.0.load(Ordering::SeqCst);
    // What is counted is time itself.
    tokio::time::sleep(Duration::from_secs(SECONDS as u64)).await;
    let asked = statements.0.load(Ordering::SeqCst) - before;
    assert!((5..2 * SECONDS).contains(&asked), "{asked} statements in {SECONDS} s");
    stop(node).await;
}
