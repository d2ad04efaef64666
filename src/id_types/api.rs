//! What the page of ID types asks the server for.

use super::model::{IdTypeInput, ManagedIdType};
use crate::error::AppResult;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::store;
#[cfg(feature = "ssr")]
use crate::{
    access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    },
    error::AppError,
};

#[server]
pub async fn list_id_types() -> AppResult<Vec<ManagedIdType>> {
    let ctx = require(&caller()?, Permission::View(Area::IdTypes), Resource::Workspace).await?;
    Ok(store::list(&ctx.state.db, ctx.workspace()).await?)
}

/// Adds a custom type and leads back to the list.
#[server]
pub async fn add_id_type(new: IdTypeInput) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::IdTypes), Resource::Workspace).await?;
    let new = new.tidy();
    AppError::check(new.check())?;
    store::add(&ctx.state.db, ctx.workspace(), &new, &ctx.by()).await?;
    leptos_axum::redirect("/id-types");
    Ok(())
}

#[server]
pub async fn set_id_type_enabled(code: String, #[server(default)] enabled: bool) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::IdTypes), Resource::IdType(&code)).await?;
    store::set_enabled(&ctx.state.db, ctx.workspace(), &code, enabled, &ctx.by()).await
}
