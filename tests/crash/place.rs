//! Where an installation stands, and its program while it runs.

use reachwire::{clock::new_id, config::Config};
use secrecy::ExposeSecret;
use sqlx::AssertSqlSafe;
use std::{
    fs::File,
    net::TcpListener,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// For what takes seconds at the most, on a machine that does much else.
pub const PATIENCE: Duration = Duration::from_secs(90);

pub const MASTER_KEY: &str = "the master key of the crash test";
/// What [`std::process::abort`] ends with.
const SIGABRT: i32 = 6;

/// Polls until there is something.
pub async fn wait<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "never {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The address of a new PostgreSQL database: not a schema, so that its connections can be told from others'. `None`
/// without a server to test with, which is said.
pub async fn empty_database() -> Option<String> {
    let Ok(url) = std::env::var("TEST_POSTGRES_URL") else {
        assert!(std::env::var("CI").is_err(), "CI must set TEST_POSTGRES_URL");
        eprintln!("TEST_POSTGRES_URL is not set: only SQLite is tested");
        return None;
    };
    let name = format!("t{}", new_id());
    let admin = sqlx::PgPool::connect(&url).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&admin).await.unwrap();
    admin.close().await;
    let (address, options) = url.split_once('?').map_or((url.as_str(), None), |(url, options)| (url, Some(options)));
    let (host, _) = address.rsplit_once('/').unwrap();
    Some(options.map_or(format!("{host}/{name}"), |options| format!("{host}/{name}?{options}")))
}

/// The program while it runs; it is killed when this is dropped.
pub struct Server(Child);

impl Server {
    pub fn spawn(mut command: Command) -> Self {
        Self(command.spawn().unwrap())
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where an installation stands: its folder, database and settings.
pub struct Place {
    pub folder: tempfile::TempDir,
    pub config: Config,
}

impl Place {
    /// On SQLite in a folder, or on a PostgreSQL database.
    pub fn new(database: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        config.listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        config.data = folder.path().join("data");
        config.database = database.unwrap_or_default().into();
        config.secret = MASTER_KEY.to_string().into();
        Self { folder, config }
    }

    /// A command of the program, "serve" or "migrate", that dies at a step (`reachwire::steps`) or does not.
    pub fn command(&self, name: &str, crash_at: Option<&str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reachwire"));
        command.arg(name);
        self.settings(&mut command, crash_at);
        command
    }

    /// The settings, for a command that comes to the program by a way of its own.
    pub fn settings(&self, command: &mut Command, crash_at: Option<&str>) {
        let log = File::options().create(true).append(true).open(self.log_file()).unwrap();
        command
            .current_dir(self.folder.path())
            .env("REACHWIRE_LISTEN", self.config.listen.to_string())
            .env("REACHWIRE_DATA", &self.config.data)
            .env("REACHWIRE_DATABASE", self.config.database.expose_secret())
            .env("REACHWIRE_SECRET", MASTER_KEY)
            .env("REACHWIRE_ENGINE__ALLOW_NETWORKS", "[\"127.0.0.0/8\"]")
            .env("REACHWIRE_ENGINE__LEASE_MS", "25000")
            .env("REACHWIRE_ENGINE__RETRY_FIRST_MS", "50")
            .env("RUST_LOG", "info,sqlx=error")
            .env_remove("REACHWIRE_CRASH_AT")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        if let Some(step) = crash_at {
            command.env("REACHWIRE_CRASH_AT", step);
        }
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The end of what was written by all that ran here.
    pub fn log(&self) -> String {
        let log = std::fs::read_to_string(self.log_file()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// It must have died at the step, and of nothing else.
    pub fn died_at(&self, status: ExitStatus, step: &str) {
        assert_eq!(status.signal(), Some(SIGABRT), "{step}: {status}\n{}", self.log());
        let said = format!("the process dies at {}", step.split(':').next().unwrap());
        assert!(self.log().lines().last().is_some_and(|line| line.ends_with(&said)), "{step}: {}", self.log());
    }
}

/// What its programs wrote says more than "never answering".
impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("what was logged in {}:\n{}", self.folder.path().display(), self.log());
        }
    }
}
