//! How nodes hear of each other's changes: PostgreSQL's NOTIFY, in the transaction that changes something, wakes whoever
//! listens. It is never the guarantee: every loop looks by itself after a while, so what was not heard is found then.

use super::{gate::Changes, supervise::Stopping};
use crate::db::{Db, Tx};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use std::{str::FromStr, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// How long the engine's loops sleep when nothing is known to become due.
pub fn poll(db: &Db) -> Duration {
    match db {
        // One process: nobody else is asked.
        Db::Sqlite(_) => Duration::from_millis(500),
        Db::Postgres(_) => Duration::from_secs(3),
    }
}

/// One channel for each schema: several installations may share a server.
const CHANNEL: &str = "left('reachwire_' || coalesce(current_schema(), 'public'), 63)";
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// What the others are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// A person, or a breaker, changed a send or a webhook: look, and ask anew before each POST.
    Changed,
    /// There are batches to claim.
    Batches,
    /// A node has joined, made room or left.
    Nodes,
}

impl News {
    const ALL: [Self; 3] = [Self::Changed, Self::Batches, Self::Nodes];

    fn code(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Batches => "batches",
            Self::Nodes => "nodes",
        }
    }
}

/// Tells all nodes, this one too, when the transaction is committed.
pub async fn tell(tx: &mut Tx, news: News) -> sqlx::Result<()> {
    if let Tx::Postgres(tx) = tx {
        let sql = format!("select pg_notify({CHANNEL}, $1)");
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(news.code()).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Hears the others.
pub struct Listener {
    pub db: Db,
    /// Where to listen; empty: where the database is.
    pub url: SecretString,
    pub changes: Arc<Changes>,
    pub plan: Arc<Notify>,
    pub dispatch: Arc<Notify>,
    pub nodes: Arc<Notify>,
}

impl Listener {
    /// Until a stop is asked for. Without a connection it tries again, each time later; the loops look by themselves
    /// meanwhile.
    pub async fn run(self, stopping: Stopping) {
        let mut wait = FIRST;
        loop {
            let heard = tokio::select! {
                () = stopping.wait() => return,
                heard = self.listen(&mut wait) => heard,
            };
            if let Err(error) = heard {
                tracing::warn!(%error, again_in_ms = wait.as_millis() as u64, "cannot listen to the other nodes");
            }
            tokio::select! {
                () = stopping.wait() => return,
                () = tokio::time::sleep(wait) => {}
            }
            wait = (wait * 2).min(LONGEST);
        }
    }

    /// Until the connection breaks.
    async fn listen(&self, wait: &mut Duration) -> sqlx::Result<()> {
        let Db::Postgres(pool) = &self.db else { return std::future::pending().await };
        let channel = format!("select {CHANNEL}");
        let (channel,): (String,) = sqlx::query_as(sqlx::AssertSqlSafe(channel)).fetch_one(pool).await?;
        let options = match self.url.expose_secret() {
            "" => PgConnectOptions::clone(&pool.connect_options()),
            url => PgConnectOptions::from_str(url)?,
        };
        // A pool of its own: this connection is never given back.
        let own = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let mut listener = PgListener::connect_with(&own.connect_with(options).await?).await?;
        listener.eager_reconnect(false);
        listener.listen(&channel).await?;
        *wait = FIRST;
        // Whatever was told before is looked for.
        News::ALL.into_iter().for_each(|news| self.hear(news));
        while let Some(told) = listener.try_recv().await? {
            if let Some(news) = News::ALL.into_iter().find(|news| news.code() == told.payload()) {
                self.hear(news);
            }
        }
        Ok(())
    }

    fn hear(&self, news: News) {
        match news {
            News::Changed => {
                self.changes.add();
                self.plan.notify_one();
                self.dispatch.notify_one();
            }
            News::Batches => self.dispatch.notify_one(),
            News::Nodes => self.nodes.notify_one(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commits news.
    async fn told(db: &Db, news: News) {
        let mut tx = db.begin().await.unwrap();
        tell(&mut tx, news).await.unwrap();
        tx.commit().await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_committed_is_heard_also_after_the_connection_broke() {
        let (Some(db), Some(other)) = (crate::db::testing::postgres().await, crate::db::testing::postgres().await)
        else {
            return;
        };
        let (_asking, stopping) = Stopping::channel();
        let [plan, dispatch, nodes] = [(); 3].map(|()| Arc::<Notify>::default());
        let listener = Listener {
            db: db.clone(),
            url: String::new().into(),
            changes: Arc::default(),
            plan: plan.clone(),
            dispatch: dispatch.clone(),
            nodes: nodes.clone(),
        };
        let changes = listener.changes.clone();
        let running = tokio::spawn(listener.run(stopping));
        let heard = async |what: &Notify| tokio::time::timeout(Duration::from_secs(20), what.notified()).await.is_ok();
        // It looks at once when it has begun to listen.
        assert!(heard(&plan).await && heard(&dispatch).await && heard(&nodes).await);
        told(&other, News::Nodes).await;
        told(&db, News::Batches).await;
        assert!(heard(&dispatch).await);
        let before = changes.count();
        told(&db, News::Changed).await;
        assert!(heard(&dispatch).await && heard(&plan).await);
        assert_eq!(changes.count(), before + 1);
        let quiet = futures::FutureExt::now_or_never(nodes.notified());
        assert_eq!(quiet, None, "another schema is another installation");
        // Rolled back: never said.
        let mut tx = db.begin().await.unwrap();
        tell(&mut tx, News::Nodes).await.unwrap();
        drop(tx);
        let cut = "select pg_terminate_backend(pid) from pg_stat_activity where query like 'LISTEN%' and query like \
                   '%' || current_schema() || '%' and pid <> pg_backend_pid()";
        let Db::Postgres(pool) = &db else { return };
        assert_eq!(sqlx::query(cut).execute(pool).await.unwrap().rows_affected(), 1);
        assert!(heard(&nodes).await, "it listens again, and has looked at everything");
        assert_eq!(changes.count(), before + 2);
        running.abort();
    }
}
