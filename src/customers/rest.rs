//! Importing customers by programs: `/restapi/v1/customers/imports`, described in docs/api.md.

use super::{
    files,
    import::{self, guess::guess, inspect::Inspected, store},
    mapping::{Column, Mapping, from_maps},
    model::Import,
    store as customers,
    upload::{Upload, check_length},
};
use crate::{
    access::{
        Caller, Ctx, Resource,
        model::{Area, Permission},
        require,
    },
    api_keys::bearer::told,
    clock::new_id,
    error::{AppError, AppResult},
    server::AppState,
    ui::time::iso,
};
use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing,
};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};

const IMPORTS: &str = "/restapi/v1/customers/imports";
/// Of a file whose name nobody said.
const NAMELESS: &str = "import.csv";

pub fn routes() -> Router<AppState> {
    Router::new()
        .route(IMPORTS, routing::post(begin))
        .route(&format!("{IMPORTS}/{{id}}"), routing::get(show))
        .route("/restapi/v1/{*rest}", routing::any(|| async { told(AppError::NotFound) }))
}

/// Takes the file, maps its columns and starts the import; it goes on by itself.
async fn begin(
    caller: Caller,
    State(state): State<AppState>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match receive(caller, &state, query, &headers, body).await {
        Ok(answer) => (StatusCode::ACCEPTED, Json(answer)).into_response(),
        Err(error) => told(error),
    }
}

async fn receive(
    caller: Caller,
    state: &AppState,
    query: Vec<(String, String)>,
    headers: &HeaderMap,
    body: Body,
) -> AppResult<Value> {
    let ctx = require(&caller, Permission::Manage(Area::Customers), Resource::Workspace).await?;
    let limit = state.config.upload_limit;
    check_length(headers, limit)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    if !kind.to_ascii_lowercase().starts_with("text/csv") {
        return Err(AppError::invalid("content-type", "Send the CSV file itself, with Content-Type: text/csv."));
    }
    let mut maps = Vec::new();
    let mut name = NAMELESS.to_string();
    for (key, value) in query {
        match key.as_str() {
            "map" => maps.push(value),
            "name" if !value.trim().is_empty() => name = value.replace('\0', ""),
            "name" => {}
            _ => return Err(AppError::invalid(&key, format!("There is no parameter “{key}”: give map or name."))),
        }
    }
    let id = new_id();
    let upload = Upload::of_body(&state.config.uploads(), &id, &name, body, limit).await?;
    let inspected = files::keep(&ctx, &id, upload).await?;
    let started = start(&ctx, &id, &inspected, &maps).await;
    if started.is_err() {
        forget(&ctx, &id).await;
    }
    let mapping = started?;
    import::spawn(&ctx.state, ctx.workspace().to_string(), id.clone());
    let column = |column: &Column| json!({"column": column.header, "target": column.target.text()});
    Ok(json!({
        "id": id,
        "status": "running",
        "mapping": mapping.columns.iter().map(column).collect::<Vec<_>>(),
        "location": format!("{IMPORTS}/{id}"),
    }))
}

/// Without maps, the columns are guessed as the mapping page does.
async fn start(ctx: &Ctx, id: &str, inspected: &Inspected, maps: &[String]) -> AppResult<Mapping> {
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let (id_types, tags) = (customers::enabled_id_types(db, workspace).await?, customers::tags(db, workspace).await?);
    let mapping = if maps.is_empty() {
        guess(inspected, &id_types, &tags)
    } else {
        from_maps(&inspected.header, maps).map_err(|problem| AppError::invalid("map", problem))?
    };
    AppError::check(mapping.check(&id_types, &tags))?;
    if !store::start(db, workspace, id, &mapping, &ctx.by()).await? {
        return Err(AppError::conflict("A tag of this name and another kind has just been made. Send the file again."));
    }
    Ok(mapping)
}

/// An import that was refused leaves neither file nor row; nothing was written of it.
async fn forget(ctx: &Ctx, id: &str) {
    if let Err(error) = store::forget(&ctx.state.db, ctx.workspace(), id).await {
        tracing::warn!(%error, import = id, "an import that was refused is left");
    }
    if let Err(error) = tokio::fs::remove_file(import::file_of(&ctx.state, id)).await {
        tracing::warn!(%error, import = id, "a refused upload could not be removed");
    }
}

async fn show(caller: Caller, Path(id): Path<String>) -> Response {
    match found(caller, &id).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => told(error),
    }
}

async fn found(caller: Caller, id: &str) -> AppResult<Value> {
    let ctx = require(&caller, Permission::View(Area::Customers), Resource::Import(id)).await?;
    Ok(shown(&store::get(&ctx.state.db, ctx.workspace(), id).await?.at(ctx.now())))
}

/// Times are in UTC; `reasons` counts why rows were left out.
fn shown(import: &Import) -> Value {
    let reasons: Map<String, Value> =
        import.reasons.iter().map(|(reason, rows)| (reason.code().to_string(), (*rows).into())).collect();
    json!({
        "id": import.id,
        "status": import.status.code(),
        "file_name": import.file_name,
        "bytes": import.bytes,
        "bytes_done": import.bytes_done,
        "rows_good": import.rows_good,
        "rows_bad": import.rows_bad,
        "reasons": reasons,
        "error": import.error,
        "created_at": iso(import.created_at),
        "finished_at": import.finished_at.map(iso),
        "bad_rows": format!("/customers/imports/{}/bad-rows.csv", import.id),
    })
}
