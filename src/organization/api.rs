//! What the pages of the organization ask the server for.

use super::model::{AccountChange, AccountPage, AccountQuery, WorkspaceInput, WorkspacePage, WorkspaceQuery};
use crate::error::AppResult;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::store;
#[cfg(feature = "ssr")]
use crate::{
    access::{Resource, caller, model::Permission, require, zones},
    clock::DAY,
    delivery::retention,
    error::{AppError, FieldError},
};

#[server]
pub async fn list_workspaces(query: WorkspaceQuery) -> AppResult<WorkspacePage> {
    let ctx = require(&caller()?, Permission::Organization, Resource::Workspace).await?;
    Ok(store::list(&ctx.state.db, &query).await?)
}

/// The time zones to choose from.
#[server]
pub async fn list_zones() -> AppResult<Vec<String>> {
    require(&caller()?, Permission::Organization, Resource::Workspace).await?;
    Ok(zones::all())
}

#[cfg(feature = "ssr")]
fn checked(input: WorkspaceInput) -> AppResult<WorkspaceInput> {
    let input = input.tidy();
    let mut errors = input.check();
    if !zones::is_zone(&input.time_zone) {
        errors.push(FieldError::new("time_zone", "Choose a time zone of the list."));
    }
    AppError::check(errors)?;
    Ok(input)
}

/// Makes a workspace; its id.
#[server]
pub async fn create_workspace(new: WorkspaceInput) -> AppResult<String> {
    let ctx = require(&caller()?, Permission::Organization, Resource::Workspace).await?;
    store::create(&ctx, &checked(new)?).await
}

/// Changes a workspace's name, its time zone, or for how long it keeps messages.
#[server]
pub async fn edit_workspace(id: String, edited: WorkspaceInput) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Organization, Resource::Workspace).await?;
    store::edit(&ctx, &id, &checked(edited)?).await
}

/// How many tasks of a workspace have messages that it would delete if it kept them for so many days (0: for ever).
#[server]
pub async fn count_older(id: String, days: i64) -> AppResult<i64> {
    let ctx = require(&caller()?, Permission::Organization, Resource::Workspace).await?;
    if days <= 0 {
        return Ok(0);
    }
    Ok(retention::ended_before(&ctx.state.db, &id, ctx.now() - days.saturating_mul(DAY)).await?)
}

#[server]
pub async fn list_accounts(query: AccountQuery) -> AppResult<AccountPage> {
    let ctx = require(&caller()?, Permission::Organization, Resource::Workspace).await?;
    let (rows, total) = store::page(&ctx.state.db, &query, ctx.user()).await?;
    Ok(AccountPage { rows, total, now: ctx.now() })
}

/// Makes or unmakes an organization administrator, disables or enables an account everywhere, or turns its second
/// factor off.
#[server]
pub async fn change_account(id: String, change: AccountChange) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Organization, Resource::Workspace).await?;
    store::change(&ctx, &id, change).await
}
