//! `/healthz`: the process answers. `/readyz`: it can do its work.

use super::AppState;
use axum::{Json, extract::State, response::IntoResponse};
use http::StatusCode;
use serde_json::json;

pub async fn alive() -> &'static str {
    "ok"
}

/// 200 when the database takes a write and every loop of the engine is alive, otherwise 503; the body names each.
pub async fn ready(State(state): State<AppState>) -> impl IntoResponse {
    let database = crate::execute!(
        state.db,
        "insert into settings (key, value) values ('ready', $1) on conflict (key) do update set value = excluded.value",
        state.clock.now().to_string()
    )
    .is_ok();
    let engine = state.engine.alive();
    let status = if database && engine { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({"database": database, "engine": engine})))
}
