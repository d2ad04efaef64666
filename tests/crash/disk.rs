//! The disk is full while it sends: nothing that was not written counts, and when there is room again it goes on by
//! itself. SQLite, whose file fills with what is sent.

use crate::{
    books::{self, InFlight, all_accepted},
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
    fn fill(&self, server: &Server);
    fn make_room(&self, server: &Server);
}

fn run(program: &str, arguments: &[&str]) -> bool {
    let command = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    command.is_ok_and(|status| status.success())
}

/// A small file system of its own, where mounting one is allowed.
struct Small(PathBuf);

impl Small {
    fn mount(folder: &Path) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let mounted = run("mount", &["-t", "tmpfs", "-o", "size=32m", "tmpfs", folder.to_str()?]);
        mounted.then(|| Self(folder.into()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        run("umount", &["-l", self.0.to_str().unwrap()]);
    }
}

impl Disk for Small {
    fn fill(&self, _: &Server) {
        let mut ballast = std::fs::File::create(self.0.join("ballast")).unwrap();
        // Smaller and smaller pieces: not a page is left.
        for size in [1 << 20, 1 << 12, 1] {
            let piece = vec![0; size];
            while ballast.write_all(&piece).is_ok() {}
        }
    }

    fn make_room(&self, _: &Server) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
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
    fn fill(&self, server: &Server) {
        Self::set(server, "1");
    }

    fn make_room(&self, server: &Server) {
        Self::set(server, "unlimited");
    }
}

async fn full_in_the_middle(house: &mut House, mut server: Server, disk: &impl Disk) {
    let id = house.submit("full").await;
    wait("far enough", async || (house.progress(&id).await.accepted >= 300).then_some(())).await;
    disk.fill(&server);
    // It says so, and those who ask for its health hear it.
    wait("unready", async || (!house.is_ready().await).then_some(())).await;
    let progress = house.progress(&id).await;
    crowd::adds_up(&house.db, &id).await;
    assert!(progress.waiting() > 0, "it was done before the disk was full: {progress:?}");
    assert!(server.ended().is_none(), "it died: {}", house.place.log());
    disk.make_room(&server);
    wait("ready again", async || house.is_ready().await.then_some(())).await;
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
    let Some(disk) = Small::mount(&place.config.data) else {
        return eprintln!("no right to mount: the quota is tried");
    };
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
