//! The receipt log of a webhook.

use super::model::Problem;
use crate::error::AppError;
use leptos::prelude::*;

/// The latest receipts of a webhook that were not taken, newest first.
#[server]
pub async fn receipt_problems(webhook_id: String) -> Result<Vec<Problem>, AppError> {
    const SHOWN: i64 = 20;
    use crate::access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    };
    let ctx = require(&caller()?, Permission::View(Area::WebhookManagement), Resource::Webhook(&webhook_id)).await?;
    Ok(super::store::problems(&ctx.state.db, ctx.workspace(), &webhook_id, SHOWN).await?)
}
