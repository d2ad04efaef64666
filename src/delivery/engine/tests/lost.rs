//! Rounds whose commit is not answered: the connection to PostgreSQL breaks before it, under it, or before its answer.

use super::*;
use crate::db::testing::empty_postgres;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Every so many rounds.
const EVERY: usize = 3;
/// Two of each kind. The dispatcher waits longer after each.
const CUTS: usize = 6;

/// Between the engine and PostgreSQL.
#[derive(Default)]
struct Line {
    rounds: AtomicUsize,
    cuts: AtomicUsize,
}

impl Line {
    /// The address that leads over it.
    async fn start(self: &Arc<Self>, url: &str) -> String {
        let mut url = reqwest::Url::parse(url).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        // What is said must be readable.
        url.query_pairs_mut().append_pair("sslmode", "disable");
        let line = self.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                let line = line.clone();
                tokio::spawn(async move { line.carry(client, server).await });
            }
        });
        url.into()
    }

    /// Which cut is due, if this is the time for one.
    fn cut(&self) -> Option<usize> {
        let due = self.rounds.fetch_add(1, Ordering::SeqCst) % EVERY == EVERY - 1;
        let next = |cuts| (cuts < CUTS).then_some(cuts + 1);
        due.then(|| self.cuts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).ok())?
    }

    async fn carry(&self, mut client: TcpStream, mut server: TcpStream) -> std::io::Result<()> {
        let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        let mut said = Vec::new();
        loop {
            tokio::select! {
                read = client.read(&mut up) => {
                    let some = &up[..read?];
                    if some.is_empty() {
                        return Ok(());
                    }
                    said.extend_from_slice(some);
                    if has(&said, b"COMMIT\0") {
                        // A round of the dispatcher names leases.
                        let cut = if has(&said, b"\"lease_no\":") { self.cut() } else { None };
                        said.clear();
                        match cut.map(|cut| cut % 3) {
                            Some(0) => return Ok(()),
                            Some(1) => return server.write_all(some).await,
                            Some(_) => {
                                server.write_all(some).await?;
                                // It is done, and nobody hears of it.
                                return server.read(&mut down).await.map(|_| ());
                            }
                            None => {}
                        }
                    }
                    server.write_all(some).await?;
                }
                read = server.read(&mut down) => {
                    let read = read?;
                    if read == 0 {
                        return Ok(());
                    }
                    client.write_all(&down[..read]).await?;
                }
            }
        }
    }
}

fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|some| some == part)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_unknown_or_counted_twice_when_a_commit_is_not_answered() {
    const USERS: usize = 2_000;
    let Some(url) = empty_postgres().await else { return };
    let db = Db::open_postgres(&url, 3).await.unwrap();
    let slow = Duration::from_millis(5);
    let crm = simulator(crm::Options { answer: Answer::Slow, slow, ..Default::default() }).await;
    put_webhook(&db, &crm.url(), 4).await;
    put_send(&db, "s", USERS, 5, 0).await;
    let mut config = config();
    config.engine.breaker.window_seconds = 3_600;
    let line = Arc::<Line>::default();
    let over_the_line = Db::open_postgres(&line.start(&url).await, 5).await.unwrap();
    let engine = engine(&over_the_line, &config, Crowd { users: USERS, gaps: false });
    // No lease has time to end.
    let progress = until(&db, "s", ended).await;
    assert_eq!(line.cuts.load(Ordering::SeqCst), CUTS, "the test shows less than it says");
    assert_eq!((progress.state, progress.accepted), (SendState::Finished, USERS as i64));
    let unknown = "select count(*) from send_attempts where outcome = 'unknown'";
    assert_eq!(fetch!(db, one, (i64,), unknown).unwrap().0, 0);
    let rows = crm.rows();
    let users: BTreeSet<_> = rows.iter().map(|row| &row.action_id).collect();
    assert_eq!((rows.len(), users.len()), (USERS, USERS), "everybody once");
    let heard = fetch!(db, one, (i64, i64), "select window_ok, window_failed from webhook_health").unwrap();
    assert_eq!(heard, (progress.batches, 0), "the breaker heard of each batch once");
    engine.stop(GRACE).await;
}
