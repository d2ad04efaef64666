//! What the pages of campaigns ask the server for.

use super::model::{CampaignDetail, CampaignInput, CampaignNode};
use crate::error::AppResult;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{
    model::{Campaign, CampaignKind},
    store,
};
#[cfg(feature = "ssr")]
use crate::{
    access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    },
    error::AppError,
};

/// The tree; with a search only what it finds, and the main campaigns of the sub-campaigns that it finds.
#[server]
pub async fn list_campaigns(#[server(default)] search: String) -> AppResult<Vec<CampaignNode>> {
    let ctx = require(&caller()?, Permission::View(Area::Campaigns), Resource::Workspace).await?;
    let mut nodes = store::tree(&ctx.state.db, ctx.workspace()).await?;
    let wanted = search.trim().to_lowercase();
    let found = |campaign: &Campaign| campaign.name.to_lowercase().contains(&wanted);
    nodes.retain_mut(|node| {
        if node.campaign.as_ref().is_some_and(found) {
            return true;
        }
        node.subs.retain(found);
        !node.subs.is_empty()
    });
    Ok(nodes)
}

#[server]
pub async fn get_campaign(id: String) -> AppResult<CampaignDetail> {
    let ctx = require(&caller()?, Permission::View(Area::Campaigns), Resource::Campaign(&id)).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let campaign = store::get(db, workspace, &id).await?;
    let parent = match &campaign.parent_id {
        Some(parent) => Some(store::get(db, workspace, parent).await?),
        None => None,
    };
    let subs = match campaign.kind {
        CampaignKind::Main => store::subs(db, workspace, &id).await?,
        CampaignKind::Sub => Vec::new(),
    };
    let tasks = store::tasks(db, workspace, &id).await?;
    Ok(CampaignDetail { campaign, parent, subs, tasks })
}

/// Creates a main campaign, a sub-campaign or a standalone one, and leads to its page; with a sub-campaign, to its main
/// campaign's, where it stands among the others.
#[server]
pub async fn create_campaign(new: CampaignInput) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::Campaigns), Resource::Workspace).await?;
    let new = new.tidy();
    AppError::check(new.check())?;
    let id = store::create(&ctx.state.db, ctx.workspace(), &new, &ctx.by()).await?;
    let shown = if new.parent_id.is_empty() { id } else { new.parent_id };
    leptos_axum::redirect(&format!("/campaigns/{shown}"));
    Ok(())
}

/// Saves name and dates.
#[server]
pub async fn update_campaign(id: String, edit: CampaignInput) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::Campaigns), Resource::Campaign(&id)).await?;
    let edit = edit.tidy();
    AppError::check(edit.check())?;
    Ok(store::update(&ctx.state.db, ctx.workspace(), &id, &edit, &ctx.by()).await?)
}

/// Deletes a campaign without sub-campaigns and tasks.
#[server]
pub async fn delete_campaign(id: String) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::Campaigns), Resource::Campaign(&id)).await?;
    store::delete(&ctx.state.db, ctx.workspace(), &id, &ctx.by()).await?;
    leptos_axum::redirect("/campaigns");
    Ok(())
}
