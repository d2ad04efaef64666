//! What the page of a webhook's grants asks the server for.

use super::model::{GrantHead, GrantInput, GrantQuery, GrantsPage};
use crate::error::AppResult;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{model::GrantForm, period::period, store};
#[cfg(feature = "ssr")]
use crate::{
    access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    },
    error::AppError,
    member_groups,
};

/// The current, future and expired grants of a webhook.
#[server]
pub async fn list_grants(webhook_id: String, query: GrantQuery) -> AppResult<GrantsPage> {
    let ctx = require(&caller()?, Permission::View(Area::WebhookManagement), Resource::Webhook(&webhook_id)).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let webhook = store::webhook_name(db, workspace, &webhook_id).await?;
    let (rows, total) = query.page(store::list(db, workspace, &webhook_id, ctx.now()).await?);
    Ok(GrantsPage { webhook, rows, total, now: ctx.now() })
}

/// The webhook's name, and for whoever may grant it what the form starts from.
#[server]
pub async fn get_grant_head(webhook_id: String) -> AppResult<GrantHead> {
    let caller = caller()?;
    let manages = caller.may(Permission::Manage(Area::WebhookManagement));
    let ctx = require(&caller, Permission::View(Area::WebhookManagement), Resource::Webhook(&webhook_id)).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let form = if manages {
        let (people, more) = member_groups::store::offered(db, workspace).await?;
        let groups = member_groups::store::list(db, workspace, ctx.now()).await?;
        let groups = groups.into_iter().map(|group| (group.id, group.name, group.members)).collect();
        Some(GrantForm { people, more, groups, standing: store::standing(db, workspace, &webhook_id).await? })
    } else {
        None
    };
    Ok(GrantHead { webhook: store::webhook_name(db, workspace, &webhook_id).await?, form })
}

/// Grants the webhook to each who was picked; how many they are. Grants by the other method are revoked, when the
/// input says how many there are.
#[server]
pub async fn grant_webhook(webhook_id: String, input: GrantInput) -> AppResult<i64> {
    let ctx = require(&caller()?, Permission::Manage(Area::WebhookManagement), Resource::Webhook(&webhook_id)).await?;
    let input = input.tidy();
    let mut errors = input.check();
    let period = period(&input, ctx.now());
    errors.extend(period.as_ref().err().cloned());
    AppError::check(errors)?;
    let period = period.map_err(|error| AppError::Invalid(vec![error]))?;
    let granted = store::grant(&ctx, &webhook_id, &input, period).await?;
    leptos_axum::redirect(&format!("/webhooks/{webhook_id}/grants"));
    Ok(granted)
}

/// "Remove": at once.
#[server]
pub async fn remove_grant(webhook_id: String, id: String) -> AppResult<()> {
    let caller = caller()?;
    let manage = Permission::Manage(Area::WebhookManagement);
    require(&caller, manage, Resource::Webhook(&webhook_id)).await?;
    let ctx = require(&caller, manage, Resource::Grant(&id)).await?;
    store::remove(&ctx, &webhook_id, &id).await?;
    leptos_axum::redirect(&format!("/webhooks/{webhook_id}/grants"));
    Ok(())
}
