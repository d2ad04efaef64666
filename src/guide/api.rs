//! What the guide's page asks the server for.

use super::model::{Guide, Language};
use crate::error::AppResult;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{examples, files, model::Subject};
#[cfg(feature = "ssr")]
use crate::{
    access::{
        Caller, Ctx, Resource, caller,
        model::{Area, Permission},
        require,
    },
    error::{AppError, internal},
    server::AppState,
    webhooks::store,
};

/// The guide with the values of a webhook of the reader's workspace; "" is none.
#[server]
pub async fn get_guide(webhook: String) -> AppResult<Guide> {
    let (state, reader) = reader().await?;
    let (subject, found) = match reader {
        _ if webhook.is_empty() => (Subject::General, None),
        None => (Subject::Stranger, None),
        Some(ctx) if !ctx.info().may(Permission::View(Area::WebhookManagement)) => (Subject::Unknown, None),
        Some(ctx) => match store::get(&state.db, ctx.workspace(), &webhook).await {
            Ok(found) => (Subject::Webhook(found.input.name.clone()), Some(found)),
            Err(sqlx::Error::RowNotFound) => (Subject::Unknown, None),
            Err(error) => return Err(error.into()),
        },
    };
    Ok(examples::guide(&state.config, subject, found.as_ref()))
}

/// A receiver's source.
#[server]
pub async fn get_sample(language: Language) -> AppResult<String> {
    reader().await?;
    Ok(files::text(language).to_string())
}

/// Who reads: a member, or where everybody may read, a stranger (`None`).
#[cfg(feature = "ssr")]
async fn reader() -> AppResult<(AppState, Option<Ctx>)> {
    let state = use_context::<AppState>().ok_or_else(|| internal("a server function outside the router"))?;
    let reader = reader_of(&state, caller()?).await?;
    Ok((state, reader))
}

#[cfg(feature = "ssr")]
pub(super) async fn reader_of(state: &AppState, caller: Caller) -> AppResult<Option<Ctx>> {
    match require(&caller, Permission::SignedIn, Resource::Workspace).await {
        Ok(ctx) => Ok(Some(ctx)),
        Err(AppError::Unauthenticated) if state.config.public_guide => Ok(None),
        Err(error) => Err(error),
    }
}
