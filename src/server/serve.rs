//! Running: listen, open the database, start the engine, serve, and stop in order.

use super::{AppState, router};
use crate::{
    clock::Clock,
    config::Config,
    db::{self, Db},
    delivery::Engine,
    secrets::MasterKey,
};
use secrecy::ExposeSecret;
use std::time::Duration;
use tokio::{net::TcpListener, signal, sync::watch};

/// How long running POSTs and requests may take to end after a stop was asked for.
pub const GRACE: Duration = Duration::from_secs(15);

pub async fn open(config: &Config, exclusive: bool) -> Result<(Db, MasterKey), String> {
    let master_key = match config.secret.expose_secret() {
        "" => MasterKey::from_folder(&config.data)?,
        text => MasterKey::from_text(text)?,
    };
    let db = match config.database.expose_secret() {
        "" => Db::open_sqlite(&config.data, exclusive).await,
        url => Db::open_postgres(url, config.database_connections).await,
    }
    .map_err(|error| error.to_string())?;
    db::check_master_key(&db, &master_key).await.map_err(|error| error.to_string())?;
    db::fill_name_keys(&db).await.map_err(|error| error.to_string())?;
    Ok((db, master_key))
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
        self.state.db.close().await;
    }
}

/// Takes the port, opens everything and starts the engine: a second server at the same port sends nothing.
pub async fn start(config: Config, clock: Clock) -> Result<Started, String> {
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", config.listen))?;
    let (db, master_key) = open(&config, true).await?;
    let engine = Engine::start(&config, db.clone(), clock.clone(), master_key.clone(), crate::tasks::senders());
    Ok(Started { state: AppState::new(config, db, clock, master_key, engine), listener })
}

/// Serves until SIGINT or SIGTERM: stops taking requests and claiming batches, lets running ones end, records them.
pub async fn serve(started: Started) -> Result<(), String> {
    let Started { state, listener } = started;
    tracing::info!(address = %state.config.listen, "listening");
    let (engine, db) = (state.engine.clone(), state.db.clone());
    crate::customers::import::resume(&state).await;
    crate::tasks::dry_run::store::end_interrupted(&state.db).await.map_err(|error| error.to_string())?;
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
    db.close().await;
    ended
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
}
