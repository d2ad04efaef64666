//! The receivers: the very files that the tests run, for the page and for downloads.

use super::{api::reader_of, model::Language};
use crate::{access::Caller, error::AppError, server::AppState};
use axum::{
    Router,
    extract::{Path, State},
    response::IntoResponse,
    routing,
};
use http::header;

pub fn text(language: Language) -> &'static str {
    match language {
        Language::Java => include_str!("../../docs/samples/Receiver.java"),
        Language::Python => include_str!("../../docs/samples/receiver.py"),
        Language::Node => include_str!("../../docs/samples/receiver.mjs"),
        Language::Go => include_str!("../../docs/samples/receiver.go"),
        Language::Php => include_str!("../../docs/samples/receiver.php"),
    }
}

/// Where a receiver is downloaded: `/guide/samples/receiver.py`.
pub fn routes() -> Router<AppState> {
    Router::new().route("/guide/samples/{file}", routing::get(download))
}

async fn download(
    State(state): State<AppState>,
    caller: Caller,
    Path(file): Path<String>,
) -> Result<impl IntoResponse, AppError> {
    reader_of(&state, caller).await?;
    let language = Language::from_file(&file).ok_or(AppError::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", language.file())),
    ];
    Ok((headers, text(language)))
}
