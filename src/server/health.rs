//! `/healthz`: the process answers. `/readyz`: it can do its work.

use super::AppState;
use crate::clock::{Millis, SECOND};
use axum::{Json, extract::State, response::IntoResponse};
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Mutex;

/// How long an answer of the database holds: whoever asks more often costs no writes.
const HOLDS: Millis = 3 * SECOND;

/// When the database was last asked, and whether it took the write.
#[derive(Clone, Default)]
pub struct Readiness(Arc<Mutex<Option<(Millis, bool)>>>);

pub async fn alive() -> &'static str {
    "ok"
}

/// 200 when the database takes a write and every loop of the engine is alive, otherwise 503; the body names each.
pub async fn ready(State(state): State<AppState>) -> impl IntoResponse {
    let database = takes_writes(&state).await;
    let engine = state.engine.alive();
    let status = if database && engine { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({"database": database, "engine": engine})))
}

async fn takes_writes(state: &AppState) -> bool {
    // Held over the write: those who ask meanwhile wait for its answer.
    let mut last = state.readiness.0.lock().await;
    let now = state.clock.now();
    if let Some((at, ok)) = *last
        && (at..at + HOLDS).contains(&now)
    {
        return ok;
    }
    let written = crate::execute!(
        state.db,
        "insert into settings (key, value) values ('ready', $1) on conflict (key) do update set value = excluded.value",
        now.to_string()
    );
    *last = Some((now, written.is_ok()));
    written.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{on_both_databases, server::testing::Harness};

    on_both_databases!(asking_often_costs_one_write, |db| async move {
        let app = Harness::new(db).await;
        let clock = &app.state.clock;
        let written = async || {
            let sql = "select value from settings where key = 'ready'";
            crate::fetch!(app.state.db, one, (String,), sql).unwrap().0
        };
        assert_eq!(app.page("/readyz", "").await.status, StatusCode::OK);
        let first = written().await;
        clock.advance(HOLDS - 1);
        assert_eq!(app.page("/readyz", "").await.status, StatusCode::OK);
        assert_eq!(written().await, first);
        clock.advance(1);
        assert_eq!(app.page("/readyz", "").await.status, StatusCode::OK);
        assert_eq!(written().await, clock.now().to_string());
    });
}
