//! Downloads: the users of a task, and those that a dry run would skip, as CSV. Written while they are read, so that a
//! million rows need no more memory than a thousand.

use super::{api::user_filter, dry_run, store};
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
    let filter = user_filter(&query.q, &query.result, &query.receipt);
    let pieces = report::csv(ctx.state.db.clone(), ctx.workspace().to_string(), task.id.clone(), filter);
    // An error in the middle breaks the connection off, so that half a file is never taken for a whole one.
    Ok(attachment(&format!("{}-users.csv", task.id), Body::from_stream(pieces)))
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
    attachment(name, Body::from_stream(head.chain(rest).chain(end)))
}

fn attachment(name: &str, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, body).into_response()
}
