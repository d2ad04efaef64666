//! Downloads: the users of a task, and those that a dry run would skip, as CSV.

use super::{detail::api::user_filter, dry_run, store};
use crate::{
    access::{
        Caller, Resource,
        model::{Area, Permission},
        require,
    },
    delivery::report,
    error::AppResult,
    server::{AppState, csv},
};
use axum::{
    Router,
    extract::{Path, Query},
    response::Response,
    routing,
};
use serde::Deserialize;

/// Rows of a download that are in memory at a time.
const CHUNK: i64 = 2_000;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/tasks/{id}/users.csv", routing::get(users))
        .route("/tasks/dry-run/{id}/skipped.csv", routing::get(skipped))
}

#[derive(Deserialize)]
struct UsersQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    result: String,
    #[serde(default)]
    receipt: String,
}

/// In the order of sending. Times are RFC 3339 in UTC.
async fn users(caller: Caller, Path(id): Path<String>, Query(query): Query<UsersQuery>) -> AppResult<Response> {
    let ctx = require(&caller, Permission::View(Area::ReachWebhook), Resource::Task(&id)).await?;
    let task = store::get(&ctx.state.db, ctx.workspace(), &id).await?;
    let filter = user_filter(&query.q, &query.result, &query.receipt);
    let head = ["action_id", "customer_id", "id", "result", "reason", "sent_at", "receipt_status", "receipt_at"];
    csv::download(&format!("{}-users.csv", task.id), &head, move |lines| async move {
        let mut after = -1;
        loop {
            let rows = report::actions(&ctx.state.db, ctx.workspace(), &task.id, &filter, after, CHUNK).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.seq;
            let mut chunk = Vec::new();
            for row in &rows {
                let text = |value: &Option<String>| value.clone().unwrap_or_default();
                chunk.extend(csv::line(&[
                    &row.action_id,
                    &row.customer_id,
                    &text(&row.target),
                    &row.result,
                    &text(&row.reason),
                    &time(row.sent_at),
                    &text(&row.receipt_status),
                    &time(row.receipt_at),
                ])?);
            }
            if !lines.send(chunk).await {
                return Ok(());
            }
        }
    })
}

async fn skipped(caller: Caller, Path(id): Path<String>) -> AppResult<Response> {
    let ctx = require(&caller, Permission::Manage(Area::ReachWebhook), Resource::DryRun(&id)).await?;
    let (input, prepared) = dry_run::again(&ctx, &id).await?;
    csv::download("skipped.csv", &["customer_id", "reason"], move |lines| async move {
        let mut users = dry_run::Users::new(&ctx, &input, &prepared);
        while let Some(recipients) = users.next().await? {
            let mut chunk = Vec::new();
            for recipient in recipients {
                if let Err(reason) = recipient.plan {
                    chunk.extend(csv::line(&[&recipient.customer_id, &reason])?);
                }
            }
            if !lines.send(chunk).await {
                return Ok(());
            }
        }
        Ok(())
    })
}

fn time(at: Option<i64>) -> String {
    at.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).map(|time| time.to_string()).unwrap_or_default()
}
