//! [Download Logs]: a plain route.

use super::{model::TESTS_SEEN, store};
use crate::{
    access::{Caller, Resource, require},
    error::AppError,
    server::AppState,
};
use axum::{Router, extract::Path, response::IntoResponse, routing};
use http::header;

/// Where the log of a test send is downloaded.
pub fn routes() -> Router<AppState> {
    Router::new().route("/files/test-sends/{id}", routing::get(download_log))
}

async fn download_log(caller: Caller, Path(id): Path<String>) -> Result<impl IntoResponse, AppError> {
    let permission = TESTS_SEEN.of(|permission| caller.may(permission));
    let ctx = require(&caller, permission, Resource::TestSend(&id)).await?;
    let log = store::test_log(&ctx.state.db, ctx.workspace(), &id).await?;
    Ok((
        [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_string()),
            // The id is one of ours, or the log would not have been found.
            (header::CONTENT_DISPOSITION, format!("attachment; filename=\"test-send-{id}.txt\"")),
        ],
        log,
    ))
}
