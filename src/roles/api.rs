//! What the pages of roles ask the server for.

use super::model::{RoleDetail, RoleForm, RoleInput, RolePage, RoleQuery};
use crate::error::AppResult;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{model::Holders, store};
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
pub async fn list_roles(query: RoleQuery) -> AppResult<RolePage> {
    let ctx = require(&caller()?, Permission::View(Area::Roles), Resource::Workspace).await?;
    Ok(query.page(store::list(&ctx.state.db, ctx.workspace()).await?, ctx.now()))
}

#[server]
pub async fn get_role(id: String) -> AppResult<RoleDetail> {
    let ctx = require(&caller()?, Permission::View(Area::Roles), Resource::Role(&id)).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let role = store::get(db, workspace, &id).await?;
    Ok(RoleDetail { role, holders: store::holders(db, workspace, &id).await? })
}

/// What the form starts from: a role's, that of a `copy` of one, or a new one's.
#[server]
pub async fn get_role_form(id: Option<String>, copy: Option<String>) -> AppResult<RoleForm> {
    let asked = id.as_deref().or(copy.as_deref()).unwrap_or_default();
    let ctx = require(&caller()?, Permission::Manage(Area::Roles), Resource::Role(asked).or_new()).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let role = if asked.is_empty() { None } else { Some(store::get(db, workspace, asked).await?) };
    let holders = match &id {
        Some(id) => {
            store::may_change(role.as_ref(), ctx.info().permissions)?;
            store::holders(db, workspace, id).await?
        }
        None => Holders::default(),
    };
    Ok(RoleForm { role, holders })
}

/// Creates a role (no `id`), or saves what was edited from `version` on, and leads to its page.
#[server]
pub async fn save_role(
    #[server(default)] id: String,
    #[server(default)] version: i64,
    input: RoleInput,
) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::Roles), Resource::Role(&id).or_new()).await?;
    let input = input.tidy();
    AppError::check(input.check(ctx.info().permissions))?;
    let id = if id.is_empty() {
        store::create(&ctx, &input).await?
    } else {
        store::update(&ctx, &id, version, &input).await?;
        id
    };
    leptos_axum::redirect(&format!("/roles/{id}"));
    Ok(())
}

/// Deletes a role that no member holds, and leads to the list.
#[server]
pub async fn delete_role(id: String) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::Roles), Resource::Role(&id)).await?;
    store::delete(&ctx, &id).await?;
    leptos_axum::redirect("/roles");
    Ok(())
}
