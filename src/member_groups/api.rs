//! What the pages of groups ask the server for.

use super::model::{GroupDetail, GroupForm, GroupInput, GroupPage, GroupQuery};
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
pub async fn list_member_groups(query: GroupQuery) -> AppResult<GroupPage> {
    let ctx = require(&caller()?, Permission::View(Area::MemberGroups), Resource::Workspace).await?;
    Ok(query.page(store::list(&ctx.state.db, ctx.workspace(), ctx.now()).await?, ctx.now()))
}

#[server]
pub async fn get_member_group(id: String) -> AppResult<GroupDetail> {
    let ctx = require(&caller()?, Permission::View(Area::MemberGroups), Resource::MemberGroup(&id)).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let group = store::get(db, workspace, &id, ctx.now()).await?;
    Ok(GroupDetail { group, members: store::members(db, workspace, &id).await? })
}

/// What the form starts from; without `id` a new group's.
#[server]
pub async fn get_member_group_form(id: Option<String>) -> AppResult<GroupForm> {
    let asked = id.as_deref().unwrap_or_default();
    let ctx =
        require(&caller()?, Permission::Manage(Area::MemberGroups), Resource::MemberGroup(asked).or_new()).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let group = if asked.is_empty() { None } else { Some(store::get(db, workspace, asked, ctx.now()).await?) };
    let (people, more) = store::people(db, workspace, asked).await?;
    Ok(GroupForm { group, people, more })
}

/// Creates a group (no `id`), or saves what was edited since `seen`, its last change, and leads to its page.
#[server]
pub async fn save_member_group(
    #[server(default)] id: String,
    #[server(default)] seen: i64,
    input: GroupInput,
) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::MemberGroups), Resource::MemberGroup(&id).or_new()).await?;
    let input = input.tidy();
    AppError::check(input.check())?;
    let id = if id.is_empty() {
        store::create(&ctx, &input).await?
    } else {
        store::update(&ctx, &id, seen, &input).await?;
        id
    };
    leptos_axum::redirect(&format!("/member-groups/{id}"));
    Ok(())
}

/// Deletes a group that no grant uses, and leads to the list.
#[server]
pub async fn delete_member_group(id: String) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::MemberGroups), Resource::MemberGroup(&id)).await?;
    store::delete(&ctx, &id).await?;
    leptos_axum::redirect("/member-groups");
    Ok(())
}
