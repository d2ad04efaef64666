//! An installation that dies and is started again: the real program on a database of its own, a receiver that keeps a
//! manifest and posts receipts, and a person who is signed in.

use crate::{
    books::InFlight,
    crowd::adds_up,
    place::{MASTER_KEY, PATIENCE, Place, Server, wait},
};
use leptos::server_fn::ServerFn;
use reachwire::{
    access::{model::Preset, password, store as access},
    audiences::{
        self,
        model::{Audience, Kind},
        rules::Rules,
    },
    audit::By,
    clock::{Clock, new_id},
    crm::{Answer, Options, ReceiptOptions, Simulator},
    db::Db,
    delivery::{SendState, model::Progress, post, report},
    execute, fetch,
    secrets::MasterKey,
    server,
    tasks::{
        api::SubmitTask,
        detail::api::{ControlTask, SendFailedAgain},
    },
    wire,
};
use sqlx::AssertSqlSafe;
use std::{
    process::Command,
    time::{Duration, Instant},
};

/// Two chunks of the plan.
pub const USERS: i64 = 2_300;
/// Every tenth has no MOBILE.
pub const ELIGIBLE: i64 = USERS - USERS / 10;
pub const BATCH: i64 = 50;
pub const WEBHOOK: &str = "hook";
/// One request of many: a server that starts answers none of them, or all.
const ASK_AGAIN: Duration = Duration::from_secs(2);
const KEY: &str = "crash test key";
const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "a password of length";

pub struct House {
    /// The test's own connections.
    pub db: Db,
    pub crm: Simulator,
    pub workspace: String,
    pub place: Place,
    client: reqwest::Client,
    cookie: String,
    audience: String,
}

impl House {
    pub async fn new(database: Option<String>) -> Self {
        Self::at(Place::new(database)).await
    }

    pub async fn at(place: Place) -> Self {
        let (db, _) = server::open(&place.config, false).await.unwrap();
        let receipts = ReceiptOptions {
            url: format!("{}{}", place.config.public_url(), wire::receipt::PATH),
            delay: Duration::ZERO,
            share: 1.0,
            statuses: vec![("200".into(), 1.0)],
        };
        let options = Options {
            key: Some(KEY.into()),
            answer: Answer::Slow,
            slow: Duration::from_millis(20),
            receipts: Some(receipts),
            remember: usize::MAX,
            ..Options::default()
        };
        let crm = Simulator::start(options).await.unwrap();
        let (workspace, audience) = furnish(&db, &crm.url()).await;
        // Redirects are looked at here.
        let client = post::client().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE);
        let client = client.build().unwrap();
        Self { db, crm, workspace, place, client, cookie: String::new(), audience }
    }

    /// Starts it and waits until it answers, or has died.
    pub async fn start(&mut self, crash_at: Option<&str>) -> Server {
        self.run(self.place.command("serve", crash_at)).await
    }

    pub async fn run(&mut self, command: Command) -> Server {
        let mut server = Server::spawn(command);
        let health = format!("{}/healthz", self.place.config.public_url());
        wait("answering", async || {
            let ask = self.client.get(&health).timeout(ASK_AGAIN).send();
            let up = ask.await.is_ok_and(|answer| answer.status().is_success());
            (up || server.ended().is_some()).then_some(())
        })
        .await;
        if self.cookie.is_empty() && server.ended().is_none() {
            self.cookie = self.sign_in().await;
        }
        server
    }

    /// Waits for its death, which must have been the step's.
    pub async fn dies(&self, mut server: Server, step: &str) {
        let status = wait(&format!("dead at {step}"), async || server.ended()).await;
        self.place.died_at(status, step);
    }

    async fn sign_in(&self) -> String {
        let form = form(&[("email", EMAIL), ("password", PASSWORD)]);
        let answer = self.ask("/sign-in", form).await.unwrap();
        let cookie = answer.headers().get("set-cookie").and_then(|value| value.to_str().ok()).unwrap_or("");
        assert!(cookie.starts_with("reachwire="), "no sign-in: {answer:?}");
        cookie.split(';').next().unwrap().to_string()
    }

    /// As a browser on our own page; an error when the server dies meanwhile.
    async fn ask(&self, path: &str, form: String) -> reqwest::Result<reqwest::Response> {
        let request = self.client.post(format!("{}{path}", self.place.config.public_url()));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.header("sec-fetch-site", "same-origin").header("cookie", &self.cookie).body(form).send().await
    }

    /// Presses a button; whether the server took it. One that dies under it takes nothing.
    async fn press<F: ServerFn>(&self, fields: &[(&str, &str)]) -> bool {
        match self.ask(F::PATH, form(fields)).await {
            Ok(answer) => {
                let status = answer.status();
                let text = answer.text().await.unwrap_or_default();
                let taken = status.is_success() || status.is_redirection();
                assert!(taken, "{}: {status} {text}\n{}", F::PATH, self.place.log());
                true
            }
            Err(_) => false,
        }
    }

    /// [Submit Sending Task]: the task's id. The server may have died under it.
    pub async fn submit(&self, name: &str) -> String {
        let id = new_id();
        let fields = [
            ("id", id.as_str()),
            ("new", "true"),
            ("task[name]", name),
            ("task[audience_id]", &self.audience),
            ("task[webhook_id]", WEBHOOK),
            ("task[id_type]", "MOBILE"),
            ("task[encryption]", "none"),
            ("task[time_zone]", "UTC"),
        ];
        self.press::<SubmitTask>(&fields).await;
        id
    }

    /// "pause" or "resume".
    pub async fn control(&self, id: &str, action: &str) -> bool {
        self.press::<ControlTask>(&[("id", id), ("action", action)]).await
    }

    pub async fn send_unknown_again(&self, id: &str) {
        assert!(self.press::<SendFailedAgain>(&[("id", id), ("unknown", "true")]).await);
    }

    /// The HTML of a page.
    pub async fn page(&self, path: &str) -> String {
        let request = self.client.get(format!("{}{path}", self.place.config.public_url()));
        let answer = request.header("accept", "text/html").header("cookie", &self.cookie).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}\n{}", answer.status(), self.place.log());
        answer.text().await.unwrap()
    }

    /// What `/readyz` says is wrong; `None` when nothing is.
    pub async fn trouble(&self) -> Option<String> {
        let ready = format!("{}/readyz", self.place.config.public_url());
        let answer = self.client.get(ready).send().await.unwrap();
        let well = answer.status().is_success();
        let said = answer.text().await.unwrap();
        (!well).then_some(said)
    }

    pub async fn progress(&self, id: &str) -> Progress {
        report::progress(&self.db, &self.workspace, id).await.unwrap()
    }

    /// Until it holds; the counters are those of the batches at any moment.
    pub async fn until(&self, id: &str, what: &str, holds: impl Fn(&Progress) -> bool) -> Progress {
        let deadline = Instant::now() + PATIENCE;
        loop {
            adds_up(&self.db, id).await;
            let progress = self.progress(id).await;
            if holds(&progress) {
                return progress;
            }
            assert!(Instant::now() < deadline, "never {what}: {progress:?}\n{}", self.place.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn finished(&self, id: &str) -> Progress {
        self.until(id, "finished", |progress| progress.state == SendState::Finished).await
    }

    /// The batches that a dead server had in hand.
    pub async fn in_flight(&self, id: &str) -> InFlight {
        let sql = "select batch_no, size from send_batches where send_id = $1 and state = 'leased'";
        fetch!(self.db, all, (i64, i64), sql, id).unwrap().into_iter().collect()
    }

    /// As if the time of a dead server's leases had passed: with PostgreSQL they hold as long as they say, for other
    /// servers may live.
    pub async fn leases_end(&self) {
        if self.db.is_sqlite() {
            return;
        }
        let mut tx = self.db.begin().await.unwrap();
        // As everybody who changes batches.
        fetch!(tx, all, (String,), "select id from sends order by id for no key update").unwrap();
        execute!(tx, "update send_batches set lease_until = 0 where state = 'leased'").unwrap();
        tx.commit().await.unwrap();
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let escape = leptos_router::location::Url::escape;
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A person, customers, everybody as an audience, and a webhook that points at the receiver: the workspace's and the
/// audience's ids.
async fn furnish(db: &Db, url: &str) -> (String, String) {
    let now = Clock::System.now();
    let hash = password::hash(PASSWORD.into()).await.unwrap();
    let user = access::put_user(db, EMAIL, Some("Ada"), &hash, now).await.unwrap();
    let workspace = access::put_workspace(db, "Shop", "UTC", now).await.unwrap();
    access::put_member(db, &workspace, &user, Preset::Administrator, now).await.unwrap();
    put_customers(db, &workspace).await;
    let everybody = Audience { name: "All".into(), size: USERS, ..Audience::unsaved(Kind::All, Rules::default()) };
    let audience = audiences::store::add(db, &workspace, &everybody, &By::command_line(now)).await.unwrap();
    execute!(
        db,
        "insert into webhooks (workspace_id, id, name, name_key, enabled, url, authentication, key_cipher, id_types, \
         parameters, batch_size, concurrency, receipts_enabled, retention_days, statuses, version, created_at, updated_at) \
         values ($1, $2, 'Hook', 'hook', $3, $4, 'key', $5, '[\"MOBILE\"]', '[]', $6, 8, $3, 7, $7, 1, 0, 0)",
        &workspace,
        WEBHOOK,
        true,
        url,
        MasterKey::from_text(MASTER_KEY).unwrap().seal(KEY),
        BATCH,
        r#"[{"code":"200","value":"Success"}]"#
    )
    .unwrap();
    (workspace, audience)
}

async fn put_customers(db: &Db, workspace: &str) {
    let mut tx = db.begin().await.unwrap();
    let numbers: Vec<i64> = (0..USERS).collect();
    for some in numbers.chunks(500) {
        let rows = some.iter().map(|number| format!("('{workspace}', 'c{number:06}', '{{}}', 0, 0)"));
        let rows = rows.collect::<Vec<_>>().join(", ");
        let sql =
            format!("insert into customers (workspace_id, customer_id, tags, created_at, updated_at) values {rows}");
        execute!(tx, AssertSqlSafe(sql)).unwrap();
        let rows = some.iter().filter(|number| *number % 10 != 9);
        let rows = rows.map(|number| format!("('{workspace}', 'MOBILE', '+44{number:06}', 'c{number:06}')"));
        let rows = rows.collect::<Vec<_>>().join(", ");
        let sql = format!("insert into identities (workspace_id, id_type, value, customer_id) values {rows}");
        execute!(tx, AssertSqlSafe(sql)).unwrap();
    }
    let count = "insert into customer_counts (workspace_id, customers) values ($1, $2)";
    execute!(tx, count, workspace, USERS).unwrap();
    tx.commit().await.unwrap();
}
