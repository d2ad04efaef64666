//! Downloads: the users of a task, and those that a dry run would skip, as CSV. Written while they are read, so that a
//! million rows need no more memory than a thousand.

use super::{dry_run, store};
use crate::{
    access::{Ctx, model::Permission},
    delivery::report,
    error::{AppError, AppResult},
    server::AppState,
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Query},
    response::{IntoResponse, Response},
    routing,
};
use futures::StreamExt;
use http::header;
use serde::Deserialize;
use tokio::sync::mpsc;

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

async fn users(ctx: Ctx, Path(id): Path<String>, Query(query): Query<UsersQuery>) -> AppResult<Response> {
    let ctx = ctx.require(Permission::View)?;
    let task = store::get(&ctx.state.db, ctx.workspace(), &id).await?;
    let filter = report::ActionFilter { search: query.q, result: query.result, receipt: query.receipt };
    let head = ["customer_id", &task.id_type, "result", "reason", "sent_at", "receipt", "receipt_at", "action_id"];
    let name = format!("{}-users.csv", task.id);
    let head = row(&head)?;
    Ok(stream(&name, head, move |lines| async move {
        let mut after = 0;
        loop {
            let actions =
                report::actions(&ctx.state.db, ctx.workspace(), &id, &filter, after, CHUNK).await?;
            let Some(last) = actions.last() else { return Ok(()) };
            after = last.seq;
            let mut chunk = Vec::new();
            for action in actions {
                chunk.extend(row(&[
                    &action.customer_id,
                    action.target.as_deref().unwrap_or(""),
                    &action.result,
                    action.reason.as_deref().unwrap_or(""),
                    &iso(action.sent_at),
                    action.receipt_status.as_deref().unwrap_or(""),
                    &iso(action.receipt_at),
                    &action.action_id,
                ])?);
            }
            if lines.send(chunk.into()).await.is_err() {
                return Ok(());
            }
        }
    }))
}

async fn skipped(ctx: Ctx, Path(id): Path<String>) -> AppResult<Response> {
    let ctx = ctx.require(Permission::ReachMarketing)?;
    let (input, prepared) = dry_run::again(&ctx, &id).await?;
    let head = row(&["customer_id", "reason"])?;
    Ok(stream("skipped.csv", head, move |lines| async move {
        let mut users = dry_run::Users::new(&ctx, &input, &prepared);
        while let Some(recipients) = users.next().await? {
            let mut chunk = Vec::new();
            for recipient in recipients {
                if let Err(reason) = recipient.plan {
                    chunk.extend(row(&[&recipient.customer_id, &reason])?);
                }
            }
            if lines.send(chunk.into()).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }))
}

fn iso(at: Option<i64>) -> String {
    at.and_then(|at| jiff::Timestamp::from_millisecond(at).ok()).map_or_else(String::new, |at| at.to_string())
}

/// One CSV line. Spreadsheets run what begins with these characters as a formula, so such cells get a `'`.
fn row(cells: &[&str]) -> AppResult<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let cells = cells.iter().map(|cell| {
        if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { (*cell).to_string() }
    });
    writer.write_record(cells).map_err(crate::error::internal)?;
    writer.into_inner().map_err(crate::error::internal)
}

/// A download whose lines `write` sends as it has them. An error in the middle breaks the connection off, so that half
/// a file is never taken for a whole one.
fn stream<F, W>(name: &str, head: Vec<u8>, write: W) -> Response
where
    W: FnOnce(mpsc::Sender<Bytes>) -> F,
    F: Future<Output = Result<(), AppError>> + Send + 'static,
{
    let (lines, received) = mpsc::channel::<Bytes>(4);
    let writing = tokio::spawn(write(lines));
    let head = futures::stream::once(async move { Ok(Bytes::from(head)) });
    let rest = futures::stream::unfold(received, |mut received| async move {
        received.recv().await.map(|chunk| (Ok(chunk), received))
    });
    let end = futures::stream::once(async move {
        match writing.await {
            Ok(Ok(())) => Ok(Bytes::new()),
            Ok(Err(error)) => Err(std::io::Error::other(error)),
            Err(error) => Err(std::io::Error::other(error)),
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, Body::from_stream(head.chain(rest).chain(end))).into_response()
}
