//! Uploading an ID list, and downloading the IDs that nobody has: plain routes.

use super::{
    api::name_taken,
    id_list::{self, IdKind, ListError},
    model::{Audience, Kind},
    rules::Rules,
    store,
};
use crate::{
    access::{
        Caller, Ctx, Resource,
        model::{Area, Permission},
        require,
    },
    clock::new_id,
    customers::{
        self,
        upload::{Upload, broken, check_length, text_of},
    },
    error::{AppError, AppResult, FieldError, internal},
    server::{AppState, csv},
    ui::query::to_query,
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Multipart, Path},
    response::{IntoResponse, Redirect, Response},
    routing,
};
use http::HeaderMap;

pub fn routes(upload_limit: u64) -> Router<AppState> {
    let limit = usize::try_from(upload_limit).unwrap_or(usize::MAX);
    Router::new()
        .route(super::form::UPLOAD, routing::post(upload))
        .layer(DefaultBodyLimit::max(limit))
        .route("/audiences/{id}/unmatched.csv", routing::get(unmatched))
}

/// What the form says, as far as it came.
#[derive(Default)]
struct Form {
    name: String,
    id_type: String,
    file: Option<Upload>,
}

/// Makes the audience and leads to its page; what is wrong leads back to the form with what was typed.
async fn upload(caller: Caller, headers: HeaderMap, multipart: Multipart) -> Response {
    let mut form = Form::default();
    match create(caller, &headers, multipart, &mut form).await {
        Ok(id) => Redirect::to(&format!("/audiences/{id}")).into_response(),
        Err(AppError::Unauthenticated) => {
            Redirect::to("/sign-in?next=%2Faudiences%2Fnew%3Fkind%3Dlist").into_response()
        }
        Err(error) => {
            let field = error.fields().first().map_or("", |error| error.field.as_str());
            // An address has its limits: what is longer than any name is not brought back whole.
            let short = |text: &str| text.chars().take(200).collect::<String>();
            let query = to_query([
                ("kind", "list".to_string()),
                ("name", short(&form.name)),
                ("id_type", short(&form.id_type)),
                ("field", field.to_string()),
                ("problem", error.to_string()),
            ]);
            Redirect::to(&format!("/audiences/new{query}")).into_response()
        }
    }
}

async fn create(caller: Caller, headers: &HeaderMap, mut multipart: Multipart, form: &mut Form) -> AppResult<String> {
    let ctx = require(&caller, Permission::Manage(Area::Audiences), Resource::Workspace).await?;
    check_length(headers, ctx.state.config.upload_limit)?;
    let id = new_id();
    while let Some(field) = multipart.next_field().await.map_err(broken)? {
        match field.name() {
            Some("name") => form.name = text_of(field).await?,
            Some("id_type") => form.id_type = text_of(field).await?,
            Some("file") => {
                form.file = Some(Upload::receive(&ctx.state.config.uploads(), &id, field).await?);
            }
            _ => {}
        }
    }
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    AppError::check(store::name_errors(db, workspace, &form.name, "").await?)?;
    let kind = match form.id_type.as_str() {
        "customer_id" => IdKind::Customer,
        code => {
            let known = customers::store::enabled_id_types(db, workspace).await?;
            let known = known.into_iter().find(|id_type| id_type.code == code);
            IdKind::Type(known.ok_or_else(|| AppError::invalid("id_type", "Choose what the IDs are."))?.code)
        }
    };
    let file = form.file.as_ref().filter(|file| file.bytes > 0 || !file.file_name.is_empty());
    let file = file.ok_or_else(|| AppError::invalid("file", "Choose a file with one ID in each line."))?;
    let added = add(&ctx, &id, &form.name, &kind, file).await;
    if added.is_err() {
        id_list::forget(db, workspace, &id).await;
    }
    added.map(|()| id)
}

async fn add(ctx: &Ctx, id: &str, name: &str, kind: &IdKind, file: &Upload) -> AppResult<()> {
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let counted = id_list::read_into(db, workspace, id, kind, file.path()).await;
    let (size, unmatched) = counted.map_err(|error| match error {
        ListError::NotText | ListError::Empty => AppError::Invalid(vec![FieldError::new("file", error.to_string())]),
        ListError::Read(error) => internal(error),
        ListError::Sql(error) => error.into(),
    })?;
    let audience = Audience {
        id: id.to_string(),
        name: name.trim().to_string(),
        size,
        unmatched,
        ..Audience::unsaved(Kind::List, Rules::default())
    };
    store::add(db, workspace, &audience, &ctx.by()).await.map_err(name_taken)?;
    Ok(())
}

/// Rows of a download that are in memory at a time.
const PIECE: i64 = 5_000;

/// The IDs of the list that no customer has, with their lines.
async fn unmatched(caller: Caller, Path(id): Path<String>) -> AppResult<Response> {
    let ctx = require(&caller, Permission::View(Area::Audiences), Resource::Audience(&id)).await?;
    let audience = store::get(&ctx.state.db, ctx.workspace(), &id).await?;
    csv::download(&format!("unmatched-{id}.csv"), &["line", "id"], move |lines| async move {
        let mut after = 0;
        loop {
            let rows = store::unmatched(&ctx.state.db, ctx.workspace(), &audience.id, after, PIECE).await?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            after = *last;
            let mut chunk = Vec::new();
            for (line, value) in &rows {
                chunk.extend(csv::line(&[&line.to_string(), value])?);
            }
            if !lines.send(chunk).await {
                return Ok(());
            }
        }
    })
}
