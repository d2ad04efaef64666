//! What the pages of webhooks ask the server for.

use super::model::{
    KeyOverlap, TestInput, TestOutcome, TestSends, Versions, WebhookDetail, WebhookForm, WebhookInput, WebhookPage,
    WebhookQuery,
};
use crate::error::AppResult;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{
    model::{TESTING, Version},
    rules, store, testing,
};
#[cfg(feature = "ssr")]
use crate::{
    access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    },
    clock::HOUR,
    error::AppError,
    grants, parameters,
    wire::receipt,
};

#[server]
pub async fn list_webhooks(query: WebhookQuery) -> AppResult<WebhookPage> {
    let ctx = require(&caller()?, Permission::View(Area::WebhookManagement), Resource::Workspace).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let (rows, total) = store::page(db, workspace, &query).await?;
    let standings = match ctx.info().administrator {
        true => None,
        false => Some(grants::store::standings(db, workspace, ctx.user(), ctx.now()).await?),
    };
    Ok(WebhookPage { rows, total, standings, now: ctx.now() })
}

#[server]
pub async fn get_webhook(id: String) -> AppResult<WebhookDetail> {
    let ctx = require(&caller()?, Permission::View(Area::WebhookManagement), Resource::Webhook(&id)).await?;
    let mut webhook = store::get(&ctx.state.db, ctx.workspace(), &id).await?;
    webhook.old_key_until = webhook.old_key_until.filter(|until| *until > ctx.now());
    parameters::store::fill_calls(&ctx.state.db, ctx.workspace(), vec![&mut webhook.input]).await?;
    let receipt_url = format!("{}{}", ctx.state.config.public_url(), receipt::PATH);
    Ok(WebhookDetail { webhook, receipt_url, now: ctx.now() })
}

/// The latest test sends of a webhook; an unknown one has none.
#[server]
pub async fn list_tests(webhook_id: String) -> AppResult<TestSends> {
    let ctx = require(&caller()?, Permission::View(Area::WebhookManagement), Resource::Webhook(&webhook_id)).await?;
    let rows = store::latest_tests(&ctx.state.db, ctx.workspace(), &webhook_id).await?;
    Ok(TestSends { rows, now: ctx.now() })
}

/// What the form starts from: a webhook's, that of a `copy` of one, or a new one's.
#[server]
pub async fn get_webhook_form(id: Option<String>, copy: Option<String>) -> AppResult<WebhookForm> {
    let ctx = require(
        &caller()?,
        Permission::Manage(Area::WebhookManagement),
        Resource::Webhook(id.as_deref().or(copy.as_deref()).unwrap_or_default()).or_new(),
    )
    .await?;
    let webhook = match id.or(copy) {
        Some(id) => Some(store::get(&ctx.state.db, ctx.workspace(), &id).await?),
        None => None,
    };
    let id_types = rules::id_types_to_choose(&ctx, webhook.as_ref()).await?;
    let choices = parameters::store::choices(&ctx.state.db, ctx.workspace()).await?;
    let callable = choices.into_iter().map(|choice| (choice.id, choice.name)).collect();
    Ok(WebhookForm { webhook, id_types, callable })
}

/// Creates a webhook (no `id`), a `copy` of one included, or saves what was edited from `version` on, and leads to its
/// page. A replaced key verifies receipts for the `overlap`.
#[server]
pub async fn save_webhook(
    #[server(default)] id: String,
    #[server(default)] version: i64,
    #[server(default)] copy: String,
    #[server(default)] overlap: KeyOverlap,
    input: WebhookInput,
) -> AppResult<()> {
    let ctx = require(
        &caller()?,
        Permission::Manage(Area::WebhookManagement),
        Resource::Webhook(if id.is_empty() { &copy } else { &id }).or_new(),
    )
    .await?;
    let saving = store::Saving::new(&ctx.state, ctx.workspace(), ctx.by());
    // What was there before: the webhook itself, or the one that is copied.
    let from = if id.is_empty() { &copy } else { &id };
    let before = if from.is_empty() { None } else { Some(store::get(saving.db, saving.workspace, from).await?) };
    let input = input.tidy();
    AppError::check(rules::check(&ctx, before.as_ref(), &input).await?)?;
    let id = if id.is_empty() {
        store::create(&saving, &input, before.as_ref().map(|original| original.id.as_str())).await?
    } else {
        store::update(&saving, &id, version, &input, overlap.hours() * HOUR).await?;
        id
    };
    leptos_axum::redirect(&format!("/webhooks/{id}"));
    Ok(())
}

/// Turns the switch of a webhook. Disabling stops new sends, and those under way wait until it is enabled again.
#[server]
pub async fn set_webhook_enabled(id: String, #[server(default)] enabled: bool) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::WebhookManagement), Resource::Webhook(&id)).await?;
    if enabled {
        rules::can_be_sent_to(&ctx, &store::get(&ctx.state.db, ctx.workspace(), &id).await?).await?;
    }
    store::set_enabled(&ctx.state.db, ctx.workspace(), &id, enabled, &ctx.by()).await?;
    ctx.state.engine.wake();
    Ok(())
}

/// A key that is hard to guess, for the form; nothing is saved.
#[server]
pub async fn generate_key() -> AppResult<String> {
    require(&caller()?, Permission::Manage(Area::WebhookManagement), Resource::Workspace).await?;
    Ok(crate::secrets::random_hex(32))
}

/// Deletes a disabled webhook that no task uses, and leads to the list.
#[server]
pub async fn delete_webhook(id: String) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::WebhookManagement), Resource::Webhook(&id)).await?;
    store::delete(&ctx.state.db, ctx.workspace(), &id, &ctx.by()).await?;
    tracing::info!(webhook = %id, user = %ctx.user(), "webhook deleted");
    leptos_axum::redirect("/webhooks");
    Ok(())
}

/// The versions of a webhook, the newest first.
#[server]
pub async fn list_versions(id: String) -> AppResult<Versions> {
    let ctx = require(&caller()?, Permission::View(Area::WebhookManagement), Resource::Webhook(&id)).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let webhook = store::get(db, workspace, &id).await?;
    let mut rows = store::versions(db, workspace, &id).await?;
    if rows.first().is_none_or(|latest| latest.version < webhook.version) {
        // Not changed since before versions were kept.
        let (version, input, saved_at) = (webhook.version, webhook.input.clone(), webhook.updated_at);
        rows.insert(0, Version { version, input, saved_by: String::new(), saved_at, tasks: Vec::new() });
    }
    parameters::store::fill_calls(db, workspace, rows.iter_mut().map(|row| &mut row.input).collect()).await?;
    Ok(Versions { name: webhook.input.name, rows })
}

/// "Test Send": one message to one ID, at once; what happened is kept with its log.
#[server]
pub async fn test_webhook(test: TestInput) -> AppResult<TestOutcome> {
    let caller = caller()?;
    let permission = TESTING.of(|permission| caller.may(permission));
    let ctx = require(&caller, permission, Resource::Webhook(&test.webhook_id)).await?;
    testing::run(&ctx, test).await
}
