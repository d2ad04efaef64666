//! The server functions of tasks.

use super::model::{CustomerMessage, DryRun, TaskDetail, TaskForm, TaskInput, TaskList, TaskLive};
use crate::{
    delivery::model::{ActionRow, AttemptRow, BatchRow},
    error::AppError,
};
use leptos::server;

#[cfg(feature = "ssr")]
use {
    super::{
        dry_run,
        model::{AudienceChoice, DryRunResult, changes, field},
        prepare, sender, store,
    },
    crate::{
        access::{Ctx, model::Permission, require},
        audiences,
        clock::{DAY, Millis, new_id},
        customers, delivery,
        delivery::model::{Progress, SeriesPoint},
        delivery::report,
        error::AppResult,
        webhooks,
    },
};

/// Rows of the list's page.
pub const PAGE: i64 = 20;
/// Users and batches on a page of the detail.
pub const ROWS: i64 = 50;
/// Reasons that the detail tells apart, and points of its line.
#[cfg(feature = "ssr")]
const REASONS: i64 = 50;
#[cfg(feature = "ssr")]
const POINTS: i64 = 600;

/// The list: `page` from 1.
#[server]
pub async fn list_tasks(
    search: String,
    state: String,
    webhook: String,
    sort: String,
    page: i64,
) -> Result<TaskList, AppError> {
    let ctx = require(Permission::View)?;
    let query = store::ListQuery {
        search: search.chars().take(100).collect(),
        state,
        webhook,
        sort: store::Sort::from_key(&sort),
        limit: PAGE,
        offset: page.clamp(1, 10_000).saturating_sub(1) * PAGE,
    };
    let (rows, total) = store::list(&ctx.state.db, ctx.workspace(), &query).await?;
    Ok(TaskList { rows, total, now: ctx.now() })
}

/// What the form offers; `id` prefills it with an existing task (empty: a new one).
#[server]
pub async fn load_task_form(id: String) -> Result<TaskForm, AppError> {
    let ctx = require(Permission::ReachMarketing)?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let input = if id.is_empty() {
        let time_zone = ctx.signed.info.time_zone.clone();
        TaskInput { encryption: "none".into(), time_zone, ..Default::default() }
    } else {
        editable(&ctx, &id).await?.input()?
    };
    let audiences = audiences::store::summaries(db, workspace).await?;
    let audiences = audiences
        .into_iter()
        .map(|audience| AudienceChoice {
            id: audience.id,
            name: audience.name,
            size: audience.size,
            updated_at: audience.updated_at,
        })
        .collect();
    Ok(TaskForm {
        id: if id.is_empty() { new_id() } else { id },
        input,
        audiences,
        webhooks: prepare::choices(&ctx).await?,
        campaigns: prepare::sub_campaigns(&ctx).await?,
        tags: customers::store::tags(db, workspace).await?.into_iter().map(|tag| tag.name).collect(),
        now: ctx.now(),
    })
}

/// Starts a dry run; poll [`dry_run`] with its id.
#[server]
pub async fn start_dry_run(task: TaskInput) -> Result<String, AppError> {
    // Who gets what does not hang on the name; it is typed last as often as first.
    let task = TaskInput { name: "-".into(), ..task };
    dry_run::start(require(Permission::ReachMarketing)?, task).await
}

#[server]
pub async fn dry_run_state(id: String) -> Result<DryRun, AppError> {
    let ctx = require(Permission::ReachMarketing)?;
    let record = store::dry_run(&ctx.state.db, ctx.workspace(), ctx.user(), &id).await?;
    let (result, error) = match (record.status.as_str(), record.result) {
        ("done", Some(json)) => (Some(serde_json::from_str::<DryRunResult>(&json)?), None),
        ("failed", text) => (None, Some(text.unwrap_or_default())),
        ("replaced", _) => (None, Some("A newer dry run has taken this one's place.".into())),
        _ => (None, None),
    };
    Ok(DryRun { id: record.id, done: record.done, total: record.total, result, error })
}

/// "Submit Sending Task": checks everything again and hands the task to the engine. A `new` form that comes again (a
/// second click, an answer that was lost) leads to the task that it made the first time.
#[server]
pub async fn submit_task(id: String, #[server(default)] new: bool, task: TaskInput) -> Result<(), AppError> {
    let ctx = require(Permission::ReachMarketing)?;
    if new && !crate::clock::is_id(&id) {
        return Err(AppError::invalid("", "The form is incomplete. Reload the page."));
    }
    submit(&ctx, &id, new, task).await?;
    leptos_axum::redirect(&format!("/tasks/{id}"));
    Ok(())
}

#[cfg(feature = "ssr")]
pub async fn submit(ctx: &Ctx, id: &str, new: bool, mut input: TaskInput) -> AppResult<()> {
    let (db, workspace, now) = (&ctx.state.db, ctx.workspace(), ctx.now());
    input.name = input.name.trim().into();
    if !new {
        editable(ctx, id).await?;
    } else if let Some(made) = missing(store::get(db, workspace, id).await)? {
        return submitted_already(&made, &input);
    }
    let prepared = prepare::prepare(ctx, &input).await?;
    let audience_size = audiences::store::size_of(db, workspace, &prepared.audience).await?;
    if audience_size == 0 {
        return Err(AppError::invalid(&field("audience_id"), "Nobody is in this audience."));
    }
    let record = store::TaskRecord {
        id: id.into(),
        name: input.name.clone(),
        audience_id: input.audience_id.clone(),
        webhook_id: input.webhook_id.clone(),
        id_type: input.id_type.clone(),
        inputs: serde_json::to_string(&input)?,
        scheduled_at: prepared.due_at,
        time_zone: input.time_zone.clone(),
        created_by: ctx.user().into(),
        created_at: now,
    };
    let due_at: Millis = prepared.due_at.unwrap_or(now);
    let webhook = &prepared.webhook.input;
    let receipts_for = webhook.receipts_enabled.then_some(webhook.retention_days * DAY);
    let mut tx = db.begin().await?;
    if !store::put(&mut tx, workspace, ctx.user(), &record, new, now).await? {
        drop(tx);
        return submitted_already(&store::get(db, workspace, id).await?, &input);
    }
    let send = delivery::store::NewSend {
        workspace_id: workspace,
        id: &record.id,
        source: sender::SOURCE,
        webhook_id: &record.webhook_id,
        id_type: &record.id_type,
        encryption: input.encryption(),
        template: &prepared.template,
        batch_size: webhook.batch_size,
        due_at,
        audience_size,
        receipts_for,
        now,
    };
    if new {
        delivery::store::create(&mut tx, send).await?;
    } else if !delivery::store::reschedule(&mut tx, send).await? {
        return Err(AppError::conflict("The task has begun in the meantime; it can no longer be edited."));
    }
    tx.commit().await?;
    ctx.state.engine.wake();
    tracing::info!(task = %record.id, user = %ctx.user(), audience_size, "task submitted");
    Ok(())
}

/// The same form again is the same task; another one must not vanish behind it.
#[cfg(feature = "ssr")]
fn submitted_already(made: &store::TaskRecord, input: &TaskInput) -> AppResult<()> {
    if made.input()? == *input {
        return Ok(());
    }
    Err(AppError::conflict(format!(
        "This form was submitted already, as “{}”. Nothing was sent now: open Create Sending Task anew for another task.",
        made.name
    )))
}

/// The task, if it may still be edited.
#[cfg(feature = "ssr")]
async fn editable(ctx: &Ctx, id: &str) -> AppResult<store::TaskRecord> {
    let task = store::get(&ctx.state.db, ctx.workspace(), id).await?;
    let progress = report::progress(&ctx.state.db, ctx.workspace(), id).await?;
    if changes(&progress, ctx.now()).edit {
        Ok(task)
    } else {
        Err(AppError::conflict("Only Pending tasks that are due in more than 10 minutes can be edited."))
    }
}

#[server]
pub async fn delete_task(id: String) -> Result<(), AppError> {
    let ctx = require(Permission::ReachMarketing)?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    store::get(db, workspace, &id).await?;
    let progress = report::progress(db, workspace, &id).await?;
    if !changes(&progress, ctx.now()).delete {
        return Err(AppError::conflict(
            "Finished, Failed and Stopped tasks can be deleted, and Pending ones due in more than 10 minutes.",
        ));
    }
    store::delete(db, workspace, &id).await?;
    leptos_axum::redirect("/tasks");
    Ok(())
}

#[server]
pub async fn load_task(id: String) -> Result<TaskDetail, AppError> {
    let ctx = require(Permission::View)?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let task = store::get(db, workspace, &id).await?;
    let input = task.input()?;
    let webhook = missing(webhooks::store::get(db, workspace, &task.webhook_id).await)?;
    let audience = missing(audiences::store::get(db, workspace, &task.audience_id).await)?;
    let campaigns = store::campaigns_of(db, workspace, std::slice::from_ref(&task.id)).await?.remove(&task.id);
    let display = |name: &str| {
        let parameters = webhook.iter().flat_map(|webhook| &webhook.input.parameters);
        parameters.clone().find(|parameter| parameter.name == name).map_or(name.to_string(), |p| p.display_name.clone())
    };
    let values = input.values.iter().map(|value| (display(&value.name), value.name.clone(), value.value.clone()));
    let variables = input.variables.clone();
    Ok(TaskDetail {
        values: values.collect(),
        variables,
        campaigns: campaigns.unwrap_or_default(),
        encryption: input.encryption(),
        audience: audience.map_or_else(|| "(deleted)".into(), |audience| audience.name),
        created_by: store::user_name(db, &task.created_by).await?,
        receipts_enabled: webhook.as_ref().is_some_and(|webhook| webhook.input.receipts_enabled),
        statuses: webhook
            .iter()
            .flat_map(|webhook| &webhook.input.statuses)
            .map(|status| (status.code.clone(), status.value.clone()))
            .collect(),
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

#[cfg(feature = "ssr")]
fn missing<T>(result: sqlx::Result<T>) -> AppResult<Option<T>> {
    match result {
        Ok(row) => Ok(Some(row)),
        Err(sqlx::Error::RowNotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What moves: asked for every second while the task runs.
#[server]
pub async fn load_task_live(id: String) -> Result<TaskLive, AppError> {
    let ctx = require(Permission::View)?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let progress = report::progress(db, workspace, &id).await?;
    let series = report::series(db, workspace, &id, POINTS).await?;
    let now = ctx.now();
    Ok(TaskLive {
        rate: rate(&series, &progress, now),
        reasons: report::reasons(db, workspace, &id, REASONS).await?,
        receipts: report::receipt_counts(db, workspace, &id).await?,
        progress,
        series,
        now,
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
    let ctx = require(Permission::View)?;
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
    let ctx = require(Permission::View)?;
    report::batches(&ctx.state.db, ctx.workspace(), &id, after, ROWS).await
}

#[server]
pub async fn batch_attempts(id: String, batch_no: i64) -> Result<Vec<AttemptRow>, AppError> {
    let ctx = require(Permission::View)?;
    report::attempts(&ctx.state.db, ctx.workspace(), &id, batch_no).await
}

/// "pause", "resume" or "stop".
#[server]
pub async fn control_task(id: String, action: String) -> Result<(), AppError> {
    let ctx = require(Permission::ReachMarketing)?;
    let (engine, workspace) = (&ctx.state.engine, ctx.workspace());
    store::get(&ctx.state.db, workspace, &id).await?;
    match action.as_str() {
        "pause" => engine.pause(workspace, &id).await?,
        "resume" => engine.resume(workspace, &id).await?,
        "stop" => engine.stop_send(workspace, &id).await?,
        _ => return Err(AppError::invalid("action", "pause, resume or stop")),
    }
    tracing::info!(task = %id, user = %ctx.user(), action, "task controlled");
    Ok(())
}

/// "Send failed again": all failures, or those with a reason; or, when a person says so, the `unknown` ones.
#[server]
pub async fn send_failed_again(
    id: String,
    #[server(default)] reason: String,
    #[server(default)] unknown: bool,
) -> Result<(), AppError> {
    let ctx = require(Permission::ReachMarketing)?;
    store::get(&ctx.state.db, ctx.workspace(), &id).await?;
    let reason = Some(reason.as_str()).filter(|reason| !reason.is_empty());
    if unknown {
        ctx.state.engine.resend_unknown(ctx.workspace(), &id).await?;
    } else {
        ctx.state.engine.resend_failed(ctx.workspace(), &id, reason).await?;
    }
    tracing::info!(task = %id, user = %ctx.user(), unknown, "users are sent again");
    Ok(())
}

/// The latest messages of a customer, the newest first.
#[server]
pub async fn messages_to_customer(customer_id: String) -> Result<Vec<CustomerMessage>, AppError> {
    let ctx = require(Permission::View)?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let found = report::messages_of_customer(db, workspace, &customer_id, ROWS).await?;
    let mut messages = Vec::new();
    for message in found.into_iter().filter(|message| message.source == sender::SOURCE) {
        let task = store::get(db, workspace, &message.send_id).await?;
        let webhook = missing(webhooks::store::get(db, workspace, &task.webhook_id).await)?;
        let receipt = message.action.receipt_status.clone().map(|code| {
            let mut statuses = webhook.iter().flat_map(|webhook| &webhook.input.statuses);
            statuses.find(|status| status.code == code).map_or(code.clone(), |status| status.value.clone())
        });
        messages.push(CustomerMessage { task_id: task.id, task: task.name, action: message.action, receipt });
    }
    Ok(messages)
}

/// Which of the ID types that webhooks take somebody in the audience has: a webhook without one of these does not fit.
#[server]
pub async fn fitting_id_types(audience_id: String) -> Result<Vec<String>, AppError> {
    let ctx = require(Permission::ReachMarketing)?;
    if audience_id.is_empty() {
        return Ok(vec![]);
    }
    let audience = audiences::store::get(&ctx.state.db, ctx.workspace(), &audience_id).await?;
    prepare::fitting(&ctx, &audience).await
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::delivery::model::SendState;

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
        };
        let point = |second, accepted| SeriesPoint { second, accepted, failed: 0 };
        let series = [point(90, 1_000), point(97, 100), point(98, 100), point(99, 100)];
        assert_eq!(rate(&series, &progress(Some(80_000)), 100_000), 60.0);
        assert_eq!(rate(&series[1..], &progress(Some(97_000)), 100_000), 100.0);
        assert_eq!(rate(&[point(60, 400)], &progress(Some(0)), 100_000), 10.0);
        assert_eq!(rate(&[], &progress(None), 100_000), 0.0);
    }
}
