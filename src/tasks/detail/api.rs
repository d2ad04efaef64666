//! The server functions of a task's page.

use crate::{
    delivery::model::{ActionRow, BatchDetail, BatchRow},
    error::AppError,
    tasks::model::{TaskDetail, TaskLive},
};
use leptos::server;

#[cfg(feature = "ssr")]
use crate::{
    access::{
        Caller, Ctx, Resource, caller,
        model::{Area, Permission},
        require,
    },
    audiences,
    audit::{
        Change, Entry, Note,
        model::{Action, ObjectKind},
    },
    clock::Millis,
    delivery::{
        CountAs,
        health::Standing,
        model::{Progress, SendState, SeriesPoint},
        report,
    },
    error::AppResult,
    receipts,
    tasks::{api::missing, model::Held, store},
    webhooks,
};

/// Users and batches on a page.
pub const ROWS: i64 = 50;
/// Reasons that are told apart, and points of the line.
#[cfg(feature = "ssr")]
const REASONS: i64 = 50;
#[cfg(feature = "ssr")]
const POINTS: i64 = 600;

#[server]
pub async fn load_task(id: String) -> Result<TaskDetail, AppError> {
    let ctx = require(&caller()?, Permission::View(Area::ReachWebhook), Resource::Task(&id)).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let task = store::get(db, workspace, &id).await?;
    let input = task.input()?;
    let webhook = missing(webhooks::store::get(db, workspace, &task.webhook_id).await)?;
    let webhook_version = store::webhook_version(db, workspace, &task.id).await?;
    // What the webhook said when the task was submitted.
    let then = webhooks::store::version(db, workspace, &task.webhook_id, webhook_version).await?;
    let then = then.or_else(|| webhook.as_ref().map(|webhook| webhook.input.clone())).unwrap_or_default();
    let audience = missing(audiences::store::get(db, workspace, &task.audience_id).await)?;
    let campaigns = store::campaigns_of(db, workspace, std::slice::from_ref(&task.id)).await?.remove(&task.id);
    let display = |name: &str| {
        then.parameters
            .iter()
            .find(|parameter| parameter.name == name)
            .map_or(name.to_string(), |p| p.display_name.clone())
    };
    let values = input.values.iter().map(|value| {
        let shown = if value.shown.is_empty() || value.shown == value.value {
            value.value.clone()
        } else {
            format!("{} ({})", value.shown, value.value)
        };
        (display(&value.name), value.name.clone(), shown)
    });
    let variables = input.variables.clone();
    let progress = report::progress(db, workspace, &task.id).await?;
    Ok(TaskDetail {
        emptied_at: progress.emptied_at,
        passed: task.passed()?,
        values: values.collect(),
        variables,
        campaigns: campaigns.unwrap_or_default(),
        encryption: input.encryption(),
        audience: audience.map_or_else(|| "(deleted)".into(), |audience| audience.name),
        created_by: store::user_name(db, &task.created_by).await?,
        receipts_enabled: then.receipts_enabled,
        statuses: webhook
            .iter()
            .flat_map(|webhook| &webhook.input.statuses)
            .map(|status| (status.code.clone(), status.value.clone()))
            .collect(),
        webhook_version,
        current_version: webhook.as_ref().map_or(0, |webhook| webhook.version),
        webhook: webhook.map_or_else(|| "(deleted)".into(), |webhook| webhook.input.name),
        id: task.id,
        name: task.name,
        audience_id: task.audience_id,
        webhook_id: task.webhook_id,
        id_type: task.id_type,
        scheduled_at: task.scheduled_at,
        time_zone: task.time_zone,
        created_at: task.created_at,
    })
}

/// What moves: asked for every second while the task runs.
#[server]
pub async fn load_task_live(id: String) -> Result<TaskLive, AppError> {
    let ctx = require(&caller()?, Permission::View(Area::ReachWebhook), Resource::Task(&id)).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let progress = report::progress(db, workspace, &id).await?;
    let series = report::series(db, workspace, &id, POINTS).await?;
    let now = ctx.now();
    let held = held(&ctx, &progress, &id).await?;
    Ok(TaskLive {
        held,
        rate: rate(&series, &progress, now),
        reasons: report::reasons(db, workspace, &id, REASONS).await?,
        receipts: report::receipt_counts(db, workspace, &id).await?,
        not_taken: receipts::store::not_taken(db, workspace, &id).await?,
        progress,
        series,
        now,
    })
}

/// Why nothing goes out of a task that is sending.
#[cfg(feature = "ssr")]
async fn held(ctx: &Ctx, progress: &Progress, id: &str) -> AppResult<Option<Held>> {
    if progress.state != SendState::Sending {
        return Ok(None);
    }
    let webhook = store::get(&ctx.state.db, ctx.workspace(), id).await?.webhook_id;
    let Some(webhook) = missing(webhooks::store::get(&ctx.state.db, ctx.workspace(), &webhook).await)? else {
        return Ok(None);
    };
    let standing = webhook.standing(ctx.now());
    Ok(match standing {
        Standing::Disabled { .. } => Some(Held::Ill(standing)),
        // Its breaker's time, if it has one, is not what it waits for.
        _ if !webhook.enabled => Some(Held::Disabled),
        standing => standing.holds().then_some(Held::Ill(standing)),
    })
}

/// Users per second over the last seconds, or over the last point of a long series.
#[cfg(feature = "ssr")]
fn rate(series: &[SeriesPoint], progress: &Progress, now: Millis) -> f64 {
    const WINDOW: i64 = 5;
    // A task that began a moment ago has run for less than the window.
    let began = progress.started_at.unwrap_or(now) / 1_000;
    let from = series.last().map_or(began, |last| last.second).min(now / 1_000 - WINDOW).max(began);
    let users: i64 =
        series.iter().filter(|point| point.second >= from).map(|point| point.accepted + point.failed).sum();
    users as f64 / (now / 1_000 - from).max(1) as f64
}

/// Users of a task, `after` the sequence number of the last one seen.
#[server]
pub async fn list_task_users(
    id: String,
    search: String,
    result: String,
    receipt: String,
    after: i64,
) -> Result<Vec<ActionRow>, AppError> {
    let ctx = require(&caller()?, Permission::View(Area::ReachWebhook), Resource::Task(&id)).await?;
    let filter = user_filter(&search, &result, &receipt);
    report::actions(&ctx.state.db, ctx.workspace(), &id, &filter, after, ROWS).await
}

/// The filter of the users' list and of its download: empty is no filter, a receipt of "none" is none yet.
#[cfg(feature = "ssr")]
pub fn user_filter(search: &str, result: &str, receipt: &str) -> report::ActionFilter {
    let some = |text: &str| Some(text.trim().chars().take(128).collect::<String>()).filter(|text| !text.is_empty());
    let receipt = some(receipt).map(|receipt| if receipt == "none" { String::new() } else { receipt });
    report::ActionFilter { search: some(search), result: some(result), receipt }
}

#[server]
pub async fn list_task_batches(id: String, after: i64) -> Result<Vec<BatchRow>, AppError> {
    let ctx = require(&caller()?, Permission::View(Area::ReachWebhook), Resource::Task(&id)).await?;
    report::batches(&ctx.state.db, ctx.workspace(), &id, after, ROWS).await
}

#[server]
pub async fn load_batch(id: String, batch_no: i64) -> Result<BatchDetail, AppError> {
    let ctx = require(&caller()?, Permission::View(Area::ReachWebhook), Resource::Task(&id)).await?;
    report::batch(&ctx.state.db, ctx.workspace(), &id, batch_no).await
}

/// "pause", "resume", "stop", or "send_now" for one that missed its time.
#[server]
pub async fn control_task(id: String, action: String) -> Result<(), AppError> {
    let caller = caller()?;
    let ctx = require(&caller, Permission::Manage(Area::ReachWebhook), Resource::Task(&id)).await?;
    let (engine, workspace) = (&ctx.state.engine, ctx.workspace());
    let task = store::get(&ctx.state.db, workspace, &id).await?;
    if matches!(action.as_str(), "resume" | "send_now") {
        // Whoever makes it send must be permitted to; whoever makes it stop need not.
        require_webhook_of(&caller, &task).await?;
    }
    let by = ctx.by();
    let note = |action| Note { by: &by, entry: Entry::new(action, ObjectKind::Task, &id, &task.name) };
    match action.as_str() {
        "pause" => engine.pause(workspace, &id, &note(Action::Paused)).await?,
        "resume" => engine.resume(workspace, &id, &note(Action::Resumed)).await?,
        "stop" => engine.stop_send(workspace, &id, &note(Action::Stopped)).await?,
        "send_now" => engine.send_now(workspace, &id, &note(Action::SentNow)).await?,
        _ => return Err(AppError::invalid("action", "pause, resume, stop or send_now")),
    }
    tracing::info!(task = %id, user = %ctx.user(), action, "task controlled");
    Ok(())
}

/// Refuses who may not use the webhook of the task.
#[cfg(feature = "ssr")]
async fn require_webhook_of(caller: &Caller, task: &store::TaskRecord) -> AppResult<()> {
    require(caller, Permission::Manage(Area::ReachWebhook), Resource::Webhook(&task.webhook_id)).await?;
    Ok(())
}

/// "Send failed again": all failures, or those with a reason; or, when a person says so, the `unknown` ones.
#[server]
pub async fn send_failed_again(
    id: String,
    #[server(default)] reason: String,
    #[server(default)] unknown: bool,
) -> Result<(), AppError> {
    let caller = caller()?;
    let ctx = require(&caller, Permission::Manage(Area::ReachWebhook), Resource::Task(&id)).await?;
    let task = store::get(&ctx.state.db, ctx.workspace(), &id).await?;
    require_webhook_of(&caller, &task).await?;
    let reason = Some(reason.as_str()).filter(|reason| !reason.is_empty());
    let by = ctx.by();
    let which = match reason {
        _ if unknown => "Unknown ones",
        None => "All failed ones",
        Some(reason) => reason,
    };
    let entry = Entry::new(Action::SentAgain, ObjectKind::Task, &id, &task.name);
    let note = Note { by: &by, entry: entry.with(Change::to(&serde_json::json!({"which": which}))) };
    if unknown {
        ctx.state.engine.resend_unknown(ctx.workspace(), &id, &note).await?;
    } else {
        ctx.state.engine.resend_failed(ctx.workspace(), &id, reason, &note).await?;
    }
    tracing::info!(task = %id, user = %ctx.user(), unknown, "users are sent again");
    Ok(())
}

/// What nobody knows counts as "sent" or as "not_sent"; `users` is how many the page said there are.
#[server]
pub async fn count_unknown(id: String, count_as: String, users: i64) -> Result<(), AppError> {
    let caller = caller()?;
    let ctx = require(&caller, Permission::Manage(Area::ReachWebhook), Resource::Task(&id)).await?;
    let task = store::get(&ctx.state.db, ctx.workspace(), &id).await?;
    require_webhook_of(&caller, &task).await?;
    let (as_what, told) = match count_as.as_str() {
        "sent" => (CountAs::Sent, "Unknown ones as sent"),
        "not_sent" => (CountAs::NotSent, "Unknown ones as not sent"),
        _ => return Err(AppError::invalid("count_as", "sent or not_sent")),
    };
    let by = ctx.by();
    let entry = Entry::new(Action::Decided, ObjectKind::Task, &id, &task.name);
    let entry = entry.with(Change::to(&serde_json::json!({"counted": told, "users": users})));
    let note = Note { by: &by, entry };
    ctx.state.engine.count_unknown(ctx.workspace(), &id, as_what, users, &note).await?;
    tracing::info!(task = %id, user = %ctx.user(), count_as, users, "unknown ones are decided");
    Ok(())
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let progress = |started_at| Progress {
            state: SendState::Sending,
            audience: 0,
            planned: 0,
            planning_done: true,
            accepted: 0,
            failed: 0,
            skipped: 0,
            unknown: 0,
            batches: 0,
            error: None,
            due_at: 0,
            started_at,
            finished_at: None,
            receipts_until: None,
            emptied_at: None,
        };
        let point = |second, accepted| SeriesPoint { second, accepted, failed: 0 };
        let series = [point(90, 1_000), point(97, 100), point(98, 100), point(99, 100)];
        assert_eq!(rate(&series, &progress(Some(80_000)), 100_000), 60.0);
        assert_eq!(rate(&series[1..], &progress(Some(97_000)), 100_000), 100.0);
        assert_eq!(rate(&[point(60, 400)], &progress(Some(0)), 100_000), 10.0);
        assert_eq!(rate(&[], &progress(None), 100_000), 0.0);
    }
}
