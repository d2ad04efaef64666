//! A PostgreSQL of a test's own, for what cannot be done to one that others use.

use crate::disk::Small;
use sqlx::Connection;
use std::{
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

/// Stopped and removed when this is dropped.
pub struct Cluster {
    /// Its disk goes before the folder that it is in.
    disk: Option<Small>,
    folder: tempfile::TempDir,
    port: u16,
}

impl Cluster {
    /// `None` when its programs are not installed, which is said.
    pub fn start() -> Option<Self> {
        Self::there_are_programs().then(|| Self::start_in(tempfile::tempdir().unwrap(), None))
    }

    /// On a file system of so many MB. `None` when mounting one is not allowed either, which is said.
    pub fn start_on_disk(megabytes: u32) -> Option<Self> {
        if !Self::there_are_programs() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let disk = Small::mount(folder.path(), megabytes)?;
        Some(Self::start_in(folder, Some(disk)))
    }

    fn there_are_programs() -> bool {
        let found = script(&["find"]);
        if !found {
            eprintln!("no programs of PostgreSQL found: nothing is done to one");
        }
        found
    }

    fn start_in(folder: tempfile::TempDir, disk: Option<Small>) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Self { disk, folder, port };
        cluster.up();
        cluster
    }

    /// Starts it when it does not run.
    pub fn up(&self) {
        assert!(self.try_up(), "PostgreSQL does not start");
    }

    /// Whether it runs.
    pub fn try_up(&self) -> bool {
        self.runs() || script(&["up", text(self.folder.path()), &self.port.to_string()])
    }

    pub async fn answers(&self) -> bool {
        match sqlx::PgConnection::connect(&self.url()).await {
            Ok(connection) => connection.close().await.is_ok(),
            Err(_) => false,
        }
    }

    /// As if it had crashed: nothing is finished.
    pub fn down(&self) -> bool {
        script(&["down", text(self.folder.path())])
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The small file system that it is on.
    pub fn disk(&self) -> Option<&Small> {
        self.disk.as_ref()
    }

    fn runs(&self) -> bool {
        let file = std::fs::read_to_string(self.folder.path().join("data/postmaster.pid"));
        let process = file.ok().and_then(|file| file.lines().next()?.parse::<u32>().ok());
        process.is_some_and(|process| Path::new(&format!("/proc/{process}")).exists())
    }

    /// It may write so many bytes of each file, or "unlimited".
    pub fn limit(&self, bytes: &str) {
        // It may end meanwhile.
        let _ = self.runs() && script(&["limit", text(self.folder.path()), bytes]);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.down();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn script(arguments: &[&str]) -> bool {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/postgres.sh");
    Command::new(script).args(arguments).stdout(Stdio::null()).status().unwrap().success()
}
