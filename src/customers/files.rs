//! Uploading a file to import, and downloading the rows that were left out: plain routes.

use super::{
    import::{
        self,
        inspect::{Inspected, Refusal, inspect},
        store::{self, NewImport, Source},
    },
    upload::{Upload, broken, check_length, wants_json},
};
use crate::{
    access::{
        Caller, Ctx, Resource,
        model::{Area, Permission},
        require,
    },
    clock::new_id,
    error::{AppError, AppResult, internal},
    server::{AppState, csv},
    ui::query::to_query,
};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Multipart, Path, multipart::Field},
    response::{IntoResponse, Redirect, Response},
    routing,
};
use http::HeaderMap;

pub fn routes(upload_limit: u64) -> Router<AppState> {
    let limit = usize::try_from(upload_limit).unwrap_or(usize::MAX);
    Router::new()
        .route(super::upload_page::UPLOAD, routing::post(upload))
        .layer(DefaultBodyLimit::max(limit))
        .route("/customers/imports/{id}/bad-rows.csv", routing::get(bad_rows))
}

/// Takes the file of a form, refuses what is no CSV file, and leads to the page that maps its columns.
async fn upload(caller: Caller, headers: HeaderMap, form: Multipart) -> Response {
    match (receive(caller, &headers, form).await, wants_json(&headers)) {
        (Ok(id), true) => Json(serde_json::json!({"location": format!("/customers/imports/{id}")})).into_response(),
        (Ok(id), false) => Redirect::to(&format!("/customers/imports/{id}")).into_response(),
        (Err(error), true) => error.into_response(),
        (Err(AppError::Unauthenticated), false) => Redirect::to("/sign-in?next=%2Fcustomers%2Fimport").into_response(),
        (Err(error), false) => {
            let query = to_query([("problem", error.to_string())]);
            Redirect::to(&format!("/customers/import{query}")).into_response()
        }
    }
}

async fn receive(caller: Caller, headers: &HeaderMap, mut form: Multipart) -> AppResult<String> {
    let ctx = require(&caller, Permission::Manage(Area::Customers), Resource::Workspace).await?;
    check_length(headers, ctx.state.config.upload_limit)?;
    while let Some(field) = form.next_field().await.map_err(broken)? {
        if field.name() == Some("file") {
            return take(&ctx, field).await;
        }
    }
    Err(AppError::invalid("file", "Choose a CSV file."))
}

async fn take(ctx: &Ctx, field: Field<'_>) -> AppResult<String> {
    let id = new_id();
    let upload = Upload::receive(&ctx.state.config.uploads(), &id, field).await?;
    keep(ctx, &id, upload).await?;
    Ok(id)
}

/// Makes an import of an upload; what is no CSV file is refused and leaves nothing.
pub(super) async fn keep(ctx: &Ctx, id: &str, upload: Upload) -> AppResult<Inspected> {
    if upload.file_name.is_empty() && upload.bytes == 0 {
        return Err(AppError::invalid("file", "Choose a CSV file."));
    }
    let path = upload.path().to_path_buf();
    let inspected = match tokio::task::spawn_blocking(move || inspect(&path)).await.map_err(internal)? {
        Ok(inspected) => inspected,
        Err(Refusal::Unreadable(error)) => return Err(internal(error)),
        Err(refusal) => return Err(AppError::invalid("file", refusal.to_string())),
    };
    let name = upload.file_name.clone();
    let new = NewImport { source: Source::Upload, file_name: &name, bytes: upload.bytes, by: ctx.user() };
    let path = import::file_of(&ctx.state, id);
    upload.keep(&path).await?;
    store::add_as(&ctx.state.db, ctx.workspace(), id, &new, ctx.now()).await?;
    Ok(inspected)
}

/// Rows of a download that are in memory at a time.
const PIECE: i64 = 5_000;

/// All rows that were left out, with their line numbers.
async fn bad_rows(caller: Caller, Path(id): Path<String>) -> AppResult<Response> {
    let ctx = require(&caller, Permission::View(Area::Customers), Resource::Import(&id)).await?;
    let import = store::get(&ctx.state.db, ctx.workspace(), &id).await?;
    csv::download(&format!("bad-rows-{id}.csv"), &["line", "reason", "detail"], move |lines| async move {
        let mut after = 0;
        loop {
            let rows = store::bad_rows(&ctx.state.db, ctx.workspace(), &import.id, after, PIECE).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.line;
            let mut chunk = Vec::new();
            for row in &rows {
                chunk.extend(csv::line(&[&row.line.to_string(), row.reason.label(), &row.detail])?);
            }
            if !lines.send(chunk).await {
                return Ok(());
            }
        }
    })
}

#[cfg(test)]
mod tests;
