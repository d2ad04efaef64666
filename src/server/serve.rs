//! Running: listen, open the database, start the engine, serve, and stop in order.

use super::{AppState, assets, metrics, router};
use crate::{
    clock::{Clock, MINUTE, Millis},
    config::Config,
    db::{self, Db},
    delivery::{Engine, nodes},
    secrets::MasterKey,
};
use secrecy::ExposeSecret;
use std::time::Duration;
use tokio::{net::TcpListener, signal, sync::watch};

/// How long running POSTs and requests may take to end after a stop was asked for.
pub const GRACE: Duration = Duration::from_secs(15);
/// How long a stop waits for the collector of traces.
const FLUSH: Duration = Duration::from_secs(3);

pub async fn open(config: &Config, exclusive: bool) -> Result<(Db, MasterKey), String> {
    let master_key = match config.secret.expose_secret() {
        "" => MasterKey::from_folder(&config.data)?,
        text => MasterKey::from_text(text)?,
    };
    let db = match config.database.expose_secret() {
        "" => Db::open_sqlite(&config.data, exclusive).await,
        url => {
            let direct = Some(config.nodes.direct_url.expose_secret()).filter(|direct| !direct.is_empty());
            Db::open_pooled(url, direct.unwrap_or(url), config.database_connections).await
        }
    }
    .map_err(|error| error.to_string())?;
    db::check_master_key(&db, &master_key).await.map_err(|error| error.to_string())?;
    db::fill_name_keys(&db).await.map_err(|error| error.to_string())?;
    Ok((db, master_key))
}

/// [`open`] for commands that are about an installation that is there: they make none, not even a folder. The server
/// may run meanwhile.
pub async fn open_known(config: &Config) -> Result<(Db, MasterKey), String> {
    match config.database.expose_secret() {
        "" => db::known_sqlite(&config.data),
        url => db::known_postgres(url).await,
    }
    .map_err(|error| error.to_string())?;
    // A new key would not fit.
    if config.secret.expose_secret().is_empty() && !MasterKey::is_in(&config.data) {
        return Err(db::OpenError::WrongMasterKey.to_string());
    }
    open(config, false).await
}

/// Started: what [`serve`] runs on.
pub struct Started {
    pub state: AppState,
    listener: TcpListener,
}

impl Started {
    /// Instead of [`serve`], when something is wrong after all.
    pub async fn stop(self) {
        self.state.engine.stop(GRACE).await;
        self.state.engine.traces().stop(FLUSH).await;
        self.state.db.close().await;
    }
}

/// How long a dry run may take that another node renders.
const DRY_RUN: Millis = 10 * MINUTE;

/// Takes the port, opens everything and starts the engine: a second server at the same port sends nothing.
pub async fn start(mut config: Config, clock: Clock) -> Result<Started, String> {
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", config.listen))?;
    // Asked for any port, this is the one.
    config.listen = listener.local_addr().unwrap_or(config.listen);
    let (db, master_key) = open(&config, true).await?;
    // There before the engine counts.
    let _ = metrics::handle();
    let clock = if db.is_sqlite() { clock } else { clock.shared() };
    let joined = async {
        let asked = clock.now();
        if let Some(told) = nodes::store::time(&db).await? {
            clock.follow(asked, told, clock.now());
        }
        // The name is this machine's and the port is ours: whoever had both is dead, and holds no part of a limit.
        nodes::store::bury(&db, &config.nodes.name(config.listen)).await
    };
    joined.await.map_err(|error: sqlx::Error| error.to_string())?;
    let engine = Engine::start(&config, db.clone(), clock.clone(), master_key.clone(), crate::tasks::senders());
    Ok(Started { state: AppState::new(config, db, clock, master_key, engine), listener })
}

/// Serves until SIGINT or SIGTERM: stops taking requests and claiming batches, lets running ones end, records them.
pub async fn serve(started: Started) -> Result<(), String> {
    let Started { state, listener } = started;
    tracing::info!(address = %state.config.listen, roles = state.config.roles.text(), "listening");
    let (engine, db) = (state.engine.clone(), state.db.clone());
    if state.config.roles.web {
        if let Some(folder) = assets::missing(&state.leptos) {
            tracing::warn!(folder, "the built site is not there: pages come without styles and code");
        }
        go_on(&state).await.map_err(|error| error.to_string())?;
    }
    let upkeep = tokio::spawn(metrics::upkeep(state.metrics.clone()));
    let (stop, stopped) = watch::channel(false);
    let stopping = || {
        let mut stopped = stopped.clone();
        async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        }
    };
    let asked = {
        let stop = stop.clone();
        async move {
            asked_to_stop().await;
            tracing::info!("stopping: no new work; running POSTs may end");
            stop.send_replace(true);
        }
    };
    let server = axum::serve(listener, router(state).into_make_service_with_connect_info::<std::net::SocketAddr>())
        .with_graceful_shutdown(asked);
    let requests = async {
        let ended = tokio::select! {
            ended = server => ended.map_err(|error| error.to_string()),
            // Keep-alive connections and slow clients must not hold the stop up.
            () = async { stopping().await; tokio::time::sleep(GRACE).await } => Ok(()),
        };
        // Also when the server ended by itself.
        stop.send_replace(true);
        ended
    };
    let (ended, ()) = tokio::join!(requests, async {
        stopping().await;
        engine.stop(GRACE).await
    });
    engine.traces().stop(FLUSH).await;
    upkeep.abort();
    db.close().await;
    ended
}

/// With what a stop of the pages interrupted.
async fn go_on(state: &AppState) -> sqlx::Result<()> {
    crate::customers::import::resume(state).await;
    let now = state.clock.now();
    let others = nodes::store::another_serves(&state.db, state.engine.node(), now).await?;
    // Another node may be rendering the latest.
    let before = if others { now - DRY_RUN } else { Millis::MAX };
    crate::tasks::dry_run::store::end_interrupted(&state.db, before).await
}

async fn asked_to_stop() {
    let terminate = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut stream) => {
                stream.recv().await;
            }
            Err(error) => {
                tracing::error!(%error, "cannot listen for SIGTERM");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! { _ = signal::ctrl_c() => {}, () = terminate => {} }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_without_its_port_opens_nothing() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        (config.data, config.listen) = (folder.path().join("data"), taken.local_addr().unwrap());
        let error = start(config, Clock::System).await.err().unwrap();
        assert!(error.starts_with("cannot listen on 127.0.0.1:"), "{error}");
        assert!(!folder.path().join("data").exists(), "no database, so no engine");
    }

    #[tokio::test]
    async fn what_is_about_an_installation_makes_none() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("mistyped");
        let config = Config { data: data.clone(), ..Config::defaults() };
        let refused = open_known(&config).await.err().unwrap();
        assert!(refused.contains(&data.display().to_string()), "{refused}");
        assert!(!data.exists());

        open(&config, true).await.unwrap().0.close().await;
        open_known(&config).await.unwrap().0.close().await;
        // A key that is lost is not made anew.
        std::fs::remove_file(data.join("secret.key")).unwrap();
        assert!(open_known(&config).await.err().unwrap().contains("secret.key"));
        assert!(!data.join("secret.key").exists());
        if let Some(url) = db::testing::empty_postgres().await {
            let config =
                Config { database: url.clone().into(), secret: "a key of 16 letters".to_string().into(), ..config };
            assert!(open_known(&config).await.err().unwrap().contains("no Reachwire database"));
            assert!(db::known_postgres(&url).await.is_err(), "still empty");
            open(&config, true).await.unwrap().0.close().await;
            open_known(&config).await.unwrap().0.close().await;
        }
    }
}
