//! The audit log as CSV: a plain route.

use super::{
    api::chain,
    model::LogQuery,
    object,
    store::{self, Row},
};
use crate::{
    access::Caller,
    error::AppResult,
    server::{AppState, csv},
    ui::time,
};
use axum::{Router, extract::Query, response::Response, routing};
use serde::Deserialize;
use serde_json::Value;

/// Rows of a download that are in memory at a time.
const PIECE: i64 = 2_000;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/audit-log.csv", routing::get(workspace))
        .route("/organization/audit-log.csv", routing::get(organization))
}

/// The list's own query; its page does not matter.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Asked {
    q: String,
    action: String,
    kind: String,
    person: String,
    from: String,
    until: String,
}

async fn workspace(caller: Caller, Query(asked): Query<Asked>) -> AppResult<Response> {
    download(caller, asked, false).await
}

async fn organization(caller: Caller, Query(asked): Query<Asked>) -> AppResult<Response> {
    download(caller, asked, true).await
}

/// The newest first. Times are in UTC; `hash` is that of the entry in its chain.
async fn download(caller: Caller, asked: Asked, organization: bool) -> AppResult<Response> {
    let (ctx, chain) = chain(&caller, organization).await?;
    let Asked { q: search, action, kind, person, from, until } = asked;
    let query = LogQuery { search, action, kind, person, from, until, after: String::new() };
    let filter = object::filter(&query, &ctx.info().time_zone)?;
    let head = [
        "number",
        "time",
        "actor_kind",
        "actor_id",
        "actor",
        "action",
        "object_kind",
        "object_id",
        "object",
        "address",
        "before",
        "after",
        "hash",
    ];
    csv::download("audit-log.csv", &head, move |lines| async move {
        let mut older_than = i64::MAX;
        loop {
            let rows = store::page(&ctx.state.db, &chain, &filter, older_than, PIECE).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            older_than = last.row.seq;
            let mut chunk = Vec::new();
            for hashed in &rows {
                chunk.extend(line(&hashed.row, &hashed.hash)?);
            }
            if !lines.send(chunk).await {
                return Ok(());
            }
        }
    })
}

fn line(row: &Row, hash: &str) -> AppResult<Vec<u8>> {
    let change = serde_json::from_str::<Value>(&row.change).unwrap_or_default();
    let side = |name: &str| change.get(name).map(Value::to_string).unwrap_or_default();
    csv::line(&[
        &row.seq.to_string(),
        &time::iso(row.at),
        &row.actor_kind,
        &row.actor_id,
        &row.actor,
        &row.action,
        &row.object_kind,
        &row.object_id,
        &row.object,
        &row.address,
        &side("before"),
        &side("after"),
        hash,
    ])
}
