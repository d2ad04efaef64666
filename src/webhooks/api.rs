//! What the pages of webhooks ask the server for.

use super::model::{
    TestInput, TestOutcome, TestSends, WebhookDetail, WebhookForm, WebhookInput, WebhookPage, WebhookQuery,
};
use crate::error::AppResult;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{rules, store, testing};
#[cfg(feature = "ssr")]
use crate::{
    access::{self, model::Permission},
    error::AppError,
    wire::receipt,
};

#[server]
pub async fn list_webhooks(query: WebhookQuery) -> AppResult<WebhookPage> {
    let ctx = access::require(Permission::View)?;
    let (rows, total) = store::page(&ctx.state.db, ctx.workspace(), &query).await?;
    Ok(WebhookPage { rows, total, now: ctx.now() })
}

#[server]
pub async fn get_webhook(id: String) -> AppResult<WebhookDetail> {
    let ctx = access::require(Permission::View)?;
    let webhook = store::get(&ctx.state.db, ctx.workspace(), &id).await?;
    let receipt_url = format!("{}{}", ctx.state.config.public_url(), receipt::PATH);
    Ok(WebhookDetail { webhook, receipt_url })
}

/// The latest test sends of a webhook; an unknown one has none.
#[server]
pub async fn list_tests(webhook_id: String) -> AppResult<TestSends> {
    let ctx = access::require(Permission::View)?;
    let rows = store::latest_tests(&ctx.state.db, ctx.workspace(), &webhook_id).await?;
    Ok(TestSends { rows, now: ctx.now() })
}

/// What the form starts from; without `id` a new webhook's.
#[server]
pub async fn get_webhook_form(id: Option<String>) -> AppResult<WebhookForm> {
    let ctx = access::require(Permission::ManageWebhooks)?;
    let webhook = match id {
        Some(id) => Some(store::get(&ctx.state.db, ctx.workspace(), &id).await?),
        None => None,
    };
    let id_types = rules::id_types_to_choose(&ctx, webhook.as_ref()).await?;
    Ok(WebhookForm { webhook, id_types })
}

/// Creates a webhook (no `id`), or saves what was edited from `version` on, and leads to its page.
#[server]
pub async fn save_webhook(
    #[server(default)] id: String,
    #[server(default)] version: i64,
    input: WebhookInput,
) -> AppResult<()> {
    let ctx = access::require(Permission::ManageWebhooks)?;
    let (db, key) = (&ctx.state.db, &ctx.state.master_key);
    let before = if id.is_empty() { None } else { Some(store::get(db, ctx.workspace(), &id).await?) };
    let input = input.tidy();
    AppError::check(rules::check(&ctx, before.as_ref(), &input).await?)?;
    let id = match before {
        None => store::create(db, key, ctx.workspace(), &input, ctx.now()).await?,
        Some(webhook) => {
            store::update(db, key, ctx.workspace(), &webhook.id, version, &input, ctx.now()).await?;
            webhook.id
        }
    };
    leptos_axum::redirect(&format!("/webhooks/{id}"));
    Ok(())
}

/// Turns the switch of a webhook. Disabling stops new sends, and those under way wait until it is enabled again.
#[server]
pub async fn set_webhook_enabled(id: String, #[server(default)] enabled: bool) -> AppResult<()> {
    let ctx = access::require(Permission::ManageWebhooks)?;
    Ok(store::set_enabled(&ctx.state.db, ctx.workspace(), &id, enabled, ctx.now()).await?)
}

/// "Test Send": one message to one ID, at once; what happened is kept with its log.
#[server]
pub async fn test_webhook(test: TestInput) -> AppResult<TestOutcome> {
    let ctx = access::require(Permission::ReachMarketing)?;
    testing::run(&ctx, &test).await
}
