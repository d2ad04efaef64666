//! `/healthz`: the process answers. `/readyz`: it can do its work, and does.

use super::AppState;
use crate::{
    clock::{Millis, SECOND},
    format::duration_ms,
};
use axum::{Json, extract::State, response::IntoResponse};
use http::StatusCode;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Mutex, time::timeout};

/// How long an answer of the database holds: whoever asks more often costs no writes.
const HOLDS: Millis = 3 * SECOND;

/// How long it may take to answer. Whoever asks for our health does not wait longer.
const PATIENCE: Duration = Duration::from_secs(3);

/// When the database was last asked, and what it said.
#[derive(Clone, Default)]
pub struct Readiness(Arc<Mutex<Option<(Millis, Answer)>>>);

/// What is wrong, if anything is, in words without anybody's data: no sign-in is asked for here.
#[derive(Clone)]
struct Answer {
    database: Option<String>,
    due: Option<String>,
}

pub async fn alive() -> &'static str {
    "ok"
}

/// 200 when the database takes a write, every loop of the engine runs, and what could be sent moves; otherwise 503. The
/// body says of each check what is wrong.
pub async fn ready(State(state): State<AppState>) -> impl IntoResponse {
    let answer = ask(&state).await;
    let loops = state.engine.loops().map(|(name, trouble)| (format!("loop {name}"), trouble));
    let checks: Vec<_> = [("database".to_string(), answer.database), ("due batches".into(), answer.due)]
        .into_iter()
        .chain(loops)
        .collect();
    let ready = checks.iter().all(|(_, trouble)| trouble.is_none());
    let told = |trouble: Option<String>| {
        trouble.map_or_else(|| json!({"ok": true}), |why| json!({"ok": false, "reason": why}))
    };
    let checks: serde_json::Map<String, Value> =
        checks.into_iter().map(|(name, trouble)| (name, told(trouble))).collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({"ready": ready, "checks": checks})))
}

async fn ask(state: &AppState) -> Answer {
    // Held over the questions: those who ask meanwhile wait for the answer.
    let mut last = state.readiness.0.lock().await;
    let now = state.clock.now();
    if let Some((at, answer)) = &*last
        && (*at..at + HOLDS).contains(&now)
    {
        return answer.clone();
    }
    let (database, due) = tokio::join!(takes_writes(state, now), stands_still(state));
    let answer = Answer { database, due };
    // It holds from when it is there: asking may have taken as long as it holds.
    *last = Some((state.clock.now(), answer.clone()));
    answer
}

async fn takes_writes(state: &AppState, now: Millis) -> Option<String> {
    let sql =
        "insert into settings (key, value) values ('ready', $1) on conflict (key) do update set value = excluded.value";
    let Ok(written) = timeout(PATIENCE, async { crate::execute!(state.db, sql, now.to_string()) }).await else {
        tracing::warn!("the database has not taken a write in time");
        return Some("it has not taken a write within 3 s".into());
    };
    let error = written.err()?;
    tracing::warn!(%error, "the database takes no write");
    Some("it takes no write; the log says why".into())
}

async fn stands_still(state: &AppState) -> Option<String> {
    let due = match timeout(PATIENCE, state.engine.due()).await {
        Ok(Ok(due)) => due,
        Err(_) => return Some("they could not be read within 3 s".into()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "cannot tell what is due");
            return Some("they can't be read; the log says why".into());
        }
    };
    let (webhook, still) = due.stuck?;
    let most = state.config.engine.ready_due_seconds * SECOND;
    (still > most).then(|| {
        let (still, most) = (duration_ms(still), duration_ms(most));
        format!("those of webhook {webhook} could go, and nothing of it has moved for {still}; at most {most}")
    })
}

#[cfg(test)]
mod tests;
