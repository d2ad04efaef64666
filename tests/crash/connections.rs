//! PostgreSQL ends our connections, and is itself killed and started again, while it sends. The server lives on.

use crate::{
    books::{self, InFlight, all_accepted},
    house::House,
    place::{self, Server},
};
use reachwire::fetch;
use sqlx::Connection;
use std::{
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

/// Ends all connections of the house's database but the one that asks; how many.
async fn end_connections(url: &str) -> i64 {
    let mut admin = sqlx::PgConnection::connect(url).await.unwrap();
    let sql = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
               where datname = current_database() and pid <> pg_backend_pid()";
    let (ended,): (i64,) = sqlx::query_as(sql).fetch_one(&mut admin).await.unwrap();
    admin.close().await.unwrap();
    ended
}

/// Waits for the end. A commit whose answer was lost may leave batches leased that nobody holds: their time passes.
async fn to_the_end(house: &House, id: &str) {
    place::wait("finished", async || {
        // Of a batch that the server does hold, only the server's own result counts.
        house.leases_end().await;
        let progress = house.progress(id).await;
        (progress.waiting() == 0 && progress.finished_at.is_some()).then_some(())
    })
    .await;
}

/// Those whose outcome nobody knew for a time.
async fn hidden(house: &House, id: &str) -> InFlight {
    let sql = "select distinct b.batch_no, b.size from send_attempts a join send_batches b \
               on b.send_id = a.send_id and b.batch_no = a.batch_no where a.send_id = $1 and a.outcome = 'unknown'";
    fetch!(house.db, all, (i64, i64), sql, id).unwrap().into_iter().collect()
}

async fn still_lives(house: &House, mut server: Server) {
    assert!(server.ended().is_none(), "it died: {}", house.place.log());
    server.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_ended_in_the_middle() {
    let Some(url) = place::empty_database().await else { return };
    let mut house = House::new(Some(url.clone())).await;
    let server = house.start(None).await;
    let id = house.submit("ended connections").await;
    let mut ended = 0;
    for accepted in [1, 300, 600, 900, 1_200, 1_500] {
        place::wait("far enough", async || (house.progress(&id).await.accepted >= accepted).then_some(())).await;
        ended += end_connections(&url).await;
    }
    assert!(ended > 6, "only {ended} connections");
    to_the_end(&house, &id).await;
    books::agree(&house, &id, &hidden(&house, &id).await, &all_accepted()).await;
    books::receipts(&house, &id).await;
    still_lives(&house, server).await;
}

/// A PostgreSQL of its own; stopped and removed when this is dropped.
struct Cluster {
    folder: tempfile::TempDir,
    port: u16,
}

impl Cluster {
    /// `None` when its programs are not installed, which is said.
    fn start() -> Option<Self> {
        if !script(&["find"]) {
            eprintln!("no programs of PostgreSQL found: it is not restarted");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Self { folder, port };
        cluster.up();
        Some(cluster)
    }

    fn up(&self) {
        assert!(script(&["up", text(self.folder.path()), &self.port.to_string()]), "PostgreSQL does not start");
    }

    /// As if it had crashed: nothing is finished.
    fn down(&self) -> bool {
        script(&["down", text(self.folder.path())])
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
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

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_restarted_in_the_middle() {
    let Some(cluster) = Cluster::start() else { return };
    let mut house = House::new(Some(cluster.url())).await;
    let server = house.start(None).await;
    let id = house.submit("restarted").await;
    for accepted in [300, 1_000] {
        place::wait("far enough", async || (house.progress(&id).await.accepted >= accepted).then_some(())).await;
        assert!(cluster.down());
        cluster.up();
    }
    to_the_end(&house, &id).await;
    books::agree(&house, &id, &hidden(&house, &id).await, &all_accepted()).await;
    books::receipts(&house, &id).await;
    still_lives(&house, server).await;
}
