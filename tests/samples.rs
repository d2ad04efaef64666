//! The receivers in docs/samples against the real sender and the real receipt endpoint: what the guide shows works.
//! A language whose interpreter is not installed is named in the output as not run.
#![cfg(feature = "ssr")]

use reachwire::{
    audit::By,
    clock::{Clock, MINUTE, Millis, new_id},
    config::Config,
    db::Db,
    delivery::{
        Chunk, Engine, NewSend, Planned, Recipient, SendState, Sender,
        post::{Address, Poster, Prepared, Request},
        report,
        sender::ChunkFuture,
        store as sends,
        verdict::{Answer, Verdict, judge},
    },
    secrets::MasterKey,
    server::{AppState, router},
    webhooks::{
        model::{ReceiptStatus, WebhookInput},
        store as webhooks,
    },
    wire::{message::Encryption, receipt, text::Template},
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// A start may compile something on a busy machine; everything else is a matter of milliseconds.
const PATIENCE: Duration = Duration::from_secs(120);
const WORKSPACE: &str = "w";
const USERS: i64 = 25;
const NONCE: &str = "2e6eceb5737b473284c930c8ef79090e";
/// It begins with a character that stands behind an emoji by UTF-16 units, and before it by code points and bytes.
const ODD_KEY: &str = "\u{ff5e} 密钥\t\u{1f600} ";

/// A receiver's language.
struct Language {
    file: &'static str,
    /// Asked whether it is there.
    version: &'static [&'static str],
    /// What starts the receiver at a port. The folder is for what is compiled.
    start: fn(&Path, &Path, u16) -> Command,
}

fn command(program: impl AsRef<std::ffi::OsStr>, arguments: &[&Path]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

const PYTHON: Language = Language {
    file: "receiver.py",
    version: &["python3", "--version"],
    start: |file, _, _| command("python3", &[Path::new("-B"), file]),
};
const NODE: Language =
    Language { file: "receiver.mjs", version: &["node", "--version"], start: |file, _, _| command("node", &[file]) };
const JAVA: Language =
    Language { file: "Receiver.java", version: &["java", "-version"], start: |file, _, _| command("java", &[file]) };
const GO: Language = Language {
    file: "receiver.go",
    version: &["go", "version"],
    // `go run` would leave the program behind when it is ended itself.
    start: |file, folder, _| {
        let program = folder.join("receiver");
        if !program.exists() {
            let built = command("go", &[Path::new("build"), Path::new("-o"), &program, file]).status().unwrap();
            assert!(built.success(), "go build failed");
        }
        Command::new(program)
    },
};
const PHP: Language = Language {
    file: "receiver.php",
    version: &["php", "--version"],
    start: |file, _, port| command("php", &[Path::new("-q"), Path::new("-S"), &address(port), file]),
};

fn address(port: u16) -> PathBuf {
    PathBuf::from(format!("127.0.0.1:{port}"))
}

/// Polls until there is something.
async fn wait<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "never {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A receiver that runs; it is ended when this is dropped.
struct Receiver {
    child: Child,
    port: u16,
    /// What it wrote, line by line.
    output: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    async fn start(language: &Language, folder: &Path, key: &str, receipt_url: &str) -> Self {
        // Somebody may take the port between our looking and the receiver's listening.
        for _ in 0..3 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut receiver = Self::spawn(language, folder, key, receipt_url, port);
            let listens =
                wait("listening", async || match TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))) {
                    Ok(_) => Some(true),
                    Err(_) => receiver.child.try_wait().unwrap().map(|_| false),
                });
            if listens.await && receiver.child.try_wait().unwrap().is_none() {
                return receiver;
            }
        }
        panic!("{} does not start", language.file);
    }

    fn spawn(language: &Language, folder: &Path, key: &str, receipt_url: &str, port: u16) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/samples").join(language.file);
        let mut command = (language.start)(&file, folder, port);
        for proxy in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(proxy);
        }
        command
            .env("PORT", port.to_string())
            .env("WEBHOOK_KEY", key)
            .env("RECEIPT_URL", receipt_url)
            .env("RECEIVER_DATA", folder.join(port.to_string()))
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = Arc::new(Mutex::new(Vec::new()));
        collect(child.stdout.take().unwrap(), output.clone());
        collect(child.stderr.take().unwrap(), output.clone());
        Self { child, port, output }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook?own=1", self.port)
    }

    fn output(&self) -> Vec<String> {
        self.output.lock().unwrap().clone()
    }

    /// How many times an action was processed, once it was at all. The lines come in order.
    async fn processed(&self, action: &str) -> usize {
        let line = format!("processed {action}");
        wait(&line, async || {
            let count = self.output().iter().filter(|one| **one == line).count();
            (count > 0).then_some(count)
        })
        .await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("the receiver wrote: {:#?}", self.output());
        }
    }
}

fn collect(pipe: impl Read + Send + 'static, lines: Arc<Mutex<Vec<String>>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            lines.lock().unwrap().push(line);
        }
    });
}

/// Requests as the engine makes them, and as nobody should.
struct Desk {
    poster: Poster,
    key: &'static str,
    url: String,
}

impl Desk {
    fn prepared(&self, action: &str, nonce: &str, now: Millis) -> Prepared {
        let body = format!(
            r#"[{{"user_profile":{{"target_type":"OPEN_ID","target_id":"1","customer_id":"c-1"}},"params":{{"text":"\"你好\"\n😀"}},"callback_params":{{"webhook_id":"w","batchId":"b","actionId":"{action}"}},"process_info":{{}}}}]"#
        );
        Prepared::new(Request {
            url: &Address::new(&self.url),
            key: Some(self.key),
            environment: None,
            id: "batch-1",
            body: body.into(),
            now,
            nonce,
        })
    }

    async fn post(&self, prepared: Prepared) -> Answer {
        self.poster.send(prepared).await.result.unwrap()
    }

    async fn accepted(&self, action: &str, nonce: &str) {
        let answer = self.post(self.prepared(action, nonce, Clock::System.now())).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(judge(&Ok(answer), 0), Verdict::Accepted, "{text}");
    }

    async fn refused(&self, prepared: Prepared, status: u16, code: &str) {
        let answer = self.post(prepared).await;
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((answer.status, body["code"].as_str()), (status, Some(code)), "{body}");
        assert!(!body["message"].as_str().unwrap().is_empty());
    }
}

fn set(prepared: &mut Prepared, header: &str, value: &str) {
    let found = prepared.headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(header));
    found.unwrap_or_else(|| panic!("no header {header}")).1 = value.into();
}

fn config() -> Config {
    let mut config = Config::defaults();
    config.engine.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    config
}

async fn checks_signatures(language: &Language, folder: &Path, key: &'static str) {
    let receiver = Receiver::start(language, folder, key, "").await;
    let desk = Desk { poster: Poster::new(&config().engine).unwrap(), key, url: receiver.url() };
    let now = Clock::System.now();
    desk.accepted("a-1", NONCE).await;
    // An emoji as nonce, for the order of the three.
    desk.accepted("a-2", "\u{1f600}").await;

    let mut forged = desk.prepared("forged", NONCE, now);
    set(&mut forged, "X-QA-Hmac-Signature", &"0".repeat(64));
    desk.refused(forged, 401, "BAD_SIGNATURE").await;
    let mut empty = desk.prepared("forged", NONCE, now);
    set(&mut empty, "X-QA-Hmac-Signature", "");
    desk.refused(empty, 401, "BAD_SIGNATURE").await;
    let mut missing = desk.prepared("forged", NONCE, now);
    missing.headers.retain(|(name, _)| *name == "content-type");
    desk.refused(missing, 401, "BAD_SIGNATURE").await;
    let other = Desk { poster: desk.poster.clone(), key: "another key", url: desk.url.clone() };
    desk.refused(other.prepared("forged", NONCE, now), 401, "BAD_SIGNATURE").await;

    desk.refused(desk.prepared("old", NONCE, now - 10 * MINUTE), 401, "BAD_TIMESTAMP").await;
    desk.refused(desk.prepared("early", NONCE, now + 10 * MINUTE), 401, "BAD_TIMESTAMP").await;

    let mut changed = desk.prepared("changed", NONCE, now);
    changed.body = String::from_utf8(changed.body.to_vec()).unwrap().replace("c-1", "c-2").into();
    desk.refused(changed, 401, "BAD_BODY_SIGNATURE").await;
    let mut unsigned = desk.prepared("changed", NONCE, now);
    unsigned.headers.retain(|(name, _)| *name != "webhook-signature");
    desk.refused(unsigned, 401, "BAD_BODY_SIGNATURE").await;
    let mut other_id = desk.prepared("changed", NONCE, now);
    set(&mut other_id, "webhook-id", "batch-2");
    desk.refused(other_id, 401, "BAD_BODY_SIGNATURE").await;
    let url = Address::new(&desk.url);
    let request = |body: &'static str| Request {
        url: &url,
        key: Some(key),
        environment: None,
        id: "batch-1",
        body: body.into(),
        now,
        nonce: NONCE,
    };
    for broken in ["", "{", "{}", "[1]", r#"[{"callback_params":{}}]"#] {
        desk.refused(Prepared::new(request(broken)), 400, "BAD_BODY").await;
    }

    // Again, as after a lost answer: OK, and not processed a second time.
    desk.accepted("a-1", "another nonce").await;
    desk.accepted("last", NONCE).await;
    assert_eq!(receiver.processed("last").await, 1);
    assert_eq!((receiver.processed("a-1").await, receiver.processed("a-2").await), (1, 1));
    let others = ["forged", "old", "early", "changed"].map(|action| format!("processed {action}"));
    assert!(receiver.output().iter().all(|line| !others.contains(line)), "{:?}", receiver.output());
}

struct Crowd;

impl Sender for Crowd {
    fn source(&self) -> &'static str {
        "crowd"
    }

    fn chunk<'a>(&'a self, _: &'a Db, _: &'a str, _: &'a str, _: Option<&'a str>, _: i64) -> ChunkFuture<'a> {
        let recipient = |number: i64| Recipient {
            customer_id: format!("顾客 \"{number:02}\""),
            plan: Ok(Planned { target: format!("+86{number}"), values: vec![] }),
        };
        Box::pin(async move { Ok(Chunk { recipients: (0..USERS).map(recipient).collect(), next: None }) })
    }
}

/// A send of the engine to the receiver, whose receipts come back to a real server.
async fn reports_back(language: &Language, folder: &Path) {
    let data = tempfile::tempdir().unwrap();
    let db = Db::open_sqlite(data.path(), true).await.unwrap();
    let key = MasterKey::from_text("the master key of the samples' test").unwrap();
    let engine = Engine::start(&config(), db.clone(), Clock::System, key.clone(), vec![Arc::new(Crowd)]);
    let state = AppState::new(config(), db.clone(), Clock::System, key.clone(), engine.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let receipt_url = format!("http://{}{}", listener.local_addr().unwrap(), receipt::PATH);
    let router = router(state);
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let receiver = Receiver::start(language, folder, ODD_KEY, &receipt_url).await;
    let input = WebhookInput {
        name: "Sample".into(),
        key: ODD_KEY.into(),
        url: receiver.url(),
        id_types: vec!["MOBILE".into()],
        receipts_enabled: true,
        statuses: vec![ReceiptStatus { code: "200".into(), value: "Success".into() }],
        ..Default::default()
    };
    let saving =
        webhooks::Saving { db: &db, master_key: &key, workspace: WORKSPACE, by: By::command_line(Clock::System.now()) };
    let webhook = webhooks::create(&saving, &input, None).await.unwrap();
    let mut template = Template::default();
    template.push_constant("coupon", "\"二十元\" \\ \u{1f600}");
    let (send, now) = (new_id(), Clock::System.now());
    let mut tx = db.begin().await.unwrap();
    let new = NewSend {
        workspace_id: WORKSPACE,
        id: &send,
        source: "crowd",
        webhook_id: &webhook,
        webhook_version: 1,
        url: "",
        pass_environment: false,
        id_type: "MOBILE",
        encryption: Encryption::None,
        template: &template,
        batch_size: 10,
        due_at: now,
        audience_size: USERS,
        receipts_for: Some(10 * MINUTE),
        now,
    };
    sends::create(&mut tx, new).await.unwrap();
    tx.commit().await.unwrap();
    engine.wake();

    let progress = wait("finished", async || {
        let progress = report::progress(&db, WORKSPACE, &send).await.unwrap();
        matches!(progress.state, SendState::Finished | SendState::Failed).then_some(progress)
    });
    let progress = progress.await;
    assert_eq!((progress.accepted, progress.failed), (USERS, 0), "{progress:?}");
    wait("everybody's receipt", async || {
        let counts = report::receipt_counts(&db, WORKSPACE, &send).await.unwrap();
        (counts == [("200".to_string(), USERS)]).then_some(())
    })
    .await;
    drop(receiver);
    engine.stop(Duration::from_secs(12)).await;
    server.abort();
}

async fn works(language: &Language) {
    let [program, asked] = language.version else { panic!("what to ask {}", language.file) };
    let silent = Command::new(program).arg(asked).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !silent.is_ok_and(|status| status.success()) {
        // What macros print is shown of tests that fail alone.
        let told = format!("NOT RUN: {program} is not here, so {} was not tried\n", language.file);
        std::io::stderr().write_all(told.as_bytes()).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for key in ["123456789", " my secret ", ODD_KEY] {
        checks_signatures(language, folder.path(), key).await;
    }
    reports_back(language, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn java() {
    works(&JAVA).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python() {
    works(&PYTHON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node() {
    works(&NODE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn go() {
    works(&GO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn php() {
    works(&PHP).await;
}
