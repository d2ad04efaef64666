//! The disk is full while it sends: nothing that was not written counts, and when there is room again it goes on by
//! itself. That of SQLite's file, which fills with what is sent, and that of a PostgreSQL.

use crate::{
    books::{self, InFlight, all_accepted},
    cluster::Cluster,
    crowd,
    house::House,
    place::{Place, Server, wait},
};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What fills the disk, and makes room again.
trait Disk {
    /// What the server's log says of it, if that can be written.
    const SAYS: Option<&'static str>;
    /// Whether the database can be read while it is full.
    const READS: bool = true;

    fn fill(&self, server: &Server);
    async fn make_room(&self, server: &Server);
}

fn run(program: &str, arguments: &[&str]) -> bool {
    let command = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    command.is_ok_and(|status| status.success())
}

/// A small file system of its own, where mounting one is allowed.
pub struct Small(PathBuf);

impl Small {
    /// `None` when it is not, which is said.
    pub fn mount(folder: &Path, megabytes: u32) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let size = format!("size={megabytes}m");
        let mounted = run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", folder.to_str()?]);
        if !mounted {
            eprintln!("no right to mount: the quota is tried");
        }
        mounted.then(|| Self(folder.into()))
    }

    fn fill(&self) {
        let mut ballast = std::fs::File::create(self.0.join("ballast")).unwrap();
        // Smaller and smaller pieces: not a page is left.
        for size in [1 << 20, 1 << 12, 1] {
            let piece = vec![0; size];
            while ballast.write_all(&piece).is_ok() {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        run("umount", &["-l", self.0.to_str().unwrap()]);
    }
}

impl Disk for Small {
    const SAYS: Option<&'static str> = Some("database or disk is full");

    fn fill(&self, _: &Server) {
        self.fill();
    }

    async fn make_room(&self, _: &Server) {
        self.make_room();
    }
}

/// A limit on the size of the server's files, which anybody may set: every write fails.
struct Quota;

impl Quota {
    fn set(server: &Server, limit: &str) {
        let (process, limit) = (server.id().to_string(), format!("--fsize={limit}:"));
        assert!(run("prlimit", &["--pid", &process, &limit]), "prlimit {limit}");
    }
}

impl Disk for Quota {
    const SAYS: Option<&'static str> = None;

    fn fill(&self, server: &Server) {
        Self::set(server, "1");
    }

    async fn make_room(&self, server: &Server) {
        Self::set(server, "unlimited");
    }
}

/// A PostgreSQL's: it goes on as long as it need not write more than before.
struct OfCluster<'a>(&'a Cluster);

impl Disk for OfCluster<'_> {
    const SAYS: Option<&'static str> = Some("No space left on device");

    fn fill(&self, _: &Server) {
        self.0.disk().unwrap().fill();
    }

    async fn make_room(&self, _: &Server) {
        self.0.disk().unwrap().make_room();
    }
}

/// A PostgreSQL that may write nothing, not even its log of changes: it ends all connections, tries to start anew, and
/// gives up. Somebody starts it when there is room.
struct QuotaOfCluster<'a>(&'a Cluster);

impl Disk for QuotaOfCluster<'_> {
    const SAYS: Option<&'static str> = Some("a loop of the engine died");
    const READS: bool = false;

    fn fill(&self, _: &Server) {
        self.0.limit("1");
    }

    async fn make_room(&self, _: &Server) {
        wait("PostgreSQL answers", async || {
            self.0.limit("unlimited");
            (self.0.try_up() && self.0.answers().await).then_some(())
        })
        .await;
    }
}

async fn full_in_the_middle<D: Disk>(house: &mut House, mut server: Server, disk: &D) {
    let id = house.submit("full").await;
    wait("far enough", async || (house.progress(&id).await.accepted >= 300).then_some(())).await;
    disk.fill(&server);
    // It says so, and those who ask for its health hear it.
    let trouble = wait("unready", async || house.trouble().await).await;
    assert!(trouble.contains("reason"), "{trouble}");
    wait("said", async || D::SAYS.is_none_or(|why| house.place.log().contains(why)).then_some(())).await;
    if D::READS {
        let progress = house.progress(&id).await;
        crowd::adds_up(&house.db, &id).await;
        assert!(progress.waiting() > 0, "it was done before the disk was full: {progress:?}");
    }
    assert!(server.ended().is_none(), "it died: {}", house.place.log());
    disk.make_room(&server).await;
    wait("ready again", async || house.trouble().await.is_none().then_some(())).await;
    house.finished(&id).await;
    // The server held what it had in flight until it could be recorded: nothing was unknown, nobody was sent to twice.
    books::agree(house, &id, &InFlight::new(), &all_accepted()).await;
    books::receipts(house, &id).await;
    assert!(server.ended().is_none());
    server.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_disk_is_full() {
    let mut place = Place::new(None);
    place.config.data = place.folder.path().join("small");
    let Some(disk) = Small::mount(&place.config.data, 32) else { return };
    let mut house = House::at(place).await;
    let server = house.start(None).await;
    full_in_the_middle(&mut house, server, &disk).await;
    house.db.close().await;
    // Before the folder that it is in.
    drop(disk);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_used_up() {
    let mut house = House::new(None).await;
    // Past the limit a process gets a signal that ends it, unless it is ignored when it begins.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" serve", env!("CARGO_BIN_EXE_reachwire")]);
    house.place.settings(&mut command, None);
    let server = house.run(command).await;
    full_in_the_middle(&mut house, server, &Quota).await;
}

/// Of messages of their own, so that tables must grow.
async fn one_by_one(house: &House) {
    reachwire::execute!(house.db, "update webhooks set batch_size = 1").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_disk_of_postgres_is_full() {
    let Some(cluster) = Cluster::start_on_disk(192) else { return };
    let mut house = House::new(Some(cluster.url())).await;
    one_by_one(&house).await;
    let server = house.start(None).await;
    full_in_the_middle(&mut house, server, &OfCluster(&cluster)).await;
    house.db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_of_postgres_is_used_up() {
    let Some(cluster) = Cluster::start() else { return };
    let mut house = House::new(Some(cluster.url())).await;
    one_by_one(&house).await;
    let server = house.start(None).await;
    full_in_the_middle(&mut house, server, &QuotaOfCluster(&cluster)).await;
}
