//! The server functions of tasks.

use super::model::{CustomerMessages, DryRun, TaskForm, TaskInput, TaskList};
use crate::error::AppError;
use leptos::server;

#[cfg(feature = "ssr")]
use {
    super::{
        dry_run,
        model::{AudienceChoice, CustomerMessage, DryRunResult, PassedCall, ValueInput, changes, field},
        prepare, sender, store,
    },
    crate::{
        access::{
            Ctx, Resource, caller,
            model::{Area, Permission},
            require,
        },
        audiences,
        audit::{
            Change, Entry,
            model::{Action, ObjectKind},
        },
        campaigns,
        clock::{DAY, Millis, new_id},
        customers, delivery,
        delivery::report,
        error::AppResult,
        webhooks,
    },
    serde_json::{Map, Value},
};

/// Rows of the list's page.
pub const PAGE: i64 = 20;
/// Messages on a customer's page.
#[cfg(feature = "ssr")]
const MESSAGES: i64 = 50;

/// The list: `page` from 1.
#[server]
pub async fn list_tasks(
    search: String,
    state: String,
    webhook: String,
    sort: String,
    page: i64,
) -> Result<TaskList, AppError> {
    let ctx = require(&caller()?, Permission::View(Area::ReachWebhook), Resource::Workspace).await?;
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
    let ctx = require(&caller()?, Permission::Manage(Area::ReachWebhook), Resource::Task(&id).or_new()).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let input = if id.is_empty() {
        let time_zone = ctx.info().time_zone.clone();
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
    let task = TaskInput { name: "-".into(), ..task.tidy() };
    dry_run::start(require(&caller()?, Permission::Manage(Area::ReachWebhook), Resource::Workspace).await?, task).await
}

#[server]
pub async fn dry_run_state(id: String) -> Result<DryRun, AppError> {
    let ctx = require(&caller()?, Permission::Manage(Area::ReachWebhook), Resource::DryRun(&id)).await?;
    let record = dry_run::store::get(&ctx.state.db, ctx.workspace(), ctx.user(), &id).await?;
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
    let task_there = if new { Resource::Workspace } else { Resource::Task(&id) };
    let ctx = require(&caller()?, Permission::Manage(Area::ReachWebhook), task_there).await?;
    if new && !crate::clock::is_id(&id) {
        return Err(AppError::invalid("", "The form is incomplete. Reload the page."));
    }
    submit(&ctx, &id, new, task).await?;
    leptos_axum::redirect(&format!("/tasks/{id}"));
    Ok(())
}

#[cfg(feature = "ssr")]
pub async fn submit(ctx: &Ctx, id: &str, new: bool, input: TaskInput) -> AppResult<()> {
    let (db, workspace, now) = (&ctx.state.db, ctx.workspace(), ctx.now());
    let input = input.tidy();
    let mut before = None;
    if !new {
        before = Some(editable(ctx, id).await?.input()?);
    } else if let Some(made) = missing(store::get(db, workspace, id).await)? {
        return submitted_already(&made, &input);
    }
    let prepared = prepare::prepare(ctx, &input, true).await?;
    let input = prepared.kept(input);
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
        inputs: serde_json::to_string(&TaskInput { values: shown(&input.values, &prepared.passed), ..input.clone() })?,
        passed: serde_json::to_string(&prepared.passed)?,
        scheduled_at: prepared.due_at,
        time_zone: input.time_zone.clone(),
        created_by: ctx.user().into(),
        submitted_by: ctx.user().into(),
        created_at: now,
    };
    let due_at: Millis = prepared.due_at.unwrap_or(now);
    let webhook = &prepared.webhook.input;
    let receipts_for = webhook.receipts_enabled.then_some(webhook.retention_days * DAY);
    let after = told(ctx, &record.input()?).await?;
    let (action, change) = match &before {
        None => (Action::Submitted, Change::to(&after)),
        Some(before) => match Change::between(&told(ctx, before).await?, &after) {
            // As it was, it takes over the webhook's version, and who submitted it last is whose grant counts.
            same if same.is_empty() => (Action::Submitted, same),
            change => (Action::Changed, change),
        },
    };
    let mut tx = db.begin().await?;
    let locked = webhooks::store::lock(&mut tx, workspace, &record.webhook_id).await?;
    if locked != Some((true, prepared.webhook.version)) {
        return Err(AppError::conflict(
            "The webhook was changed, disabled or deleted while you submitted. Nothing was sent: check the form and \
             submit it again.",
        ));
    }
    if !store::put(&mut tx, workspace, ctx.user(), &record, new, now).await? {
        drop(tx);
        return submitted_already(&store::get(db, workspace, id).await?, &input);
    }
    let send = delivery::store::NewSend {
        workspace_id: workspace,
        id: &record.id,
        source: sender::SOURCE,
        webhook_id: &record.webhook_id,
        webhook_version: prepared.webhook.version,
        url: &webhook.url,
        pass_environment: webhook.pass_environment,
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
    let entry = Entry::new(action, ObjectKind::Task, &record.id, &record.name).with(change);
    ctx.by().record(&mut tx, workspace, &entry).await?;
    tx.commit().await?;
    ctx.state.engine.wake();
    tracing::info!(task = %record.id, user = %ctx.user(), audience_size, "task submitted");
    Ok(())
}

/// What the audit log says of a task: what was filled in, things by their names.
#[cfg(feature = "ssr")]
async fn told(ctx: &Ctx, input: &TaskInput) -> AppResult<Map<String, Value>> {
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let mut fields = store::told(input);
    let audience = missing(audiences::store::get(db, workspace, &input.audience_id).await)?;
    let webhook = missing(webhooks::store::get(db, workspace, &input.webhook_id).await)?;
    let mut campaigns = Vec::new();
    for id in &input.campaigns {
        campaigns.extend(missing(campaigns::store::get(db, workspace, id).await)?.map(|campaign| campaign.name));
    }
    fields.remove("audience_id");
    fields.remove("webhook_id");
    fields.insert("audience".into(), audience.map_or_else(|| input.audience_id.clone(), |one| one.name).into());
    fields.insert("webhook".into(), webhook.map_or_else(|| input.webhook_id.clone(), |one| one.input.name).into());
    fields.insert("campaigns".into(), campaigns.into());
    Ok(fields)
}

/// The same form again is the same task; another one must not vanish behind it.
#[cfg(feature = "ssr")]
fn submitted_already(made: &store::TaskRecord, input: &TaskInput) -> AppResult<()> {
    let made_of = made.input()?;
    let known = |name: &str| made_of.values.iter().any(|value| value.name == name);
    // What people saw of a value may have been renamed since, and what belonged to no parameter was not kept.
    let told = |input: TaskInput| {
        let input = input.only(known);
        TaskInput { values: shown(&input.values, &[]), ..input }
    };
    if told(made_of.clone()) == told(input.clone()) {
        return Ok(());
    }
    Err(AppError::conflict(format!(
        "This form was submitted already, as “{}”. Nothing was sent now: open Create Sending Task anew for another task.",
        made.name
    )))
}

/// The values with the labels that those who gave them have for them.
#[cfg(feature = "ssr")]
fn shown(values: &[ValueInput], passed: &[PassedCall]) -> Vec<ValueInput> {
    let label = |name: &str| passed.iter().find(|one| one.name == name).map(|one| one.shown.clone());
    let told = |value: &ValueInput| ValueInput { shown: label(&value.name).unwrap_or_default(), ..value.clone() };
    values.iter().map(told).collect()
}

/// The task, if it may still be edited.
#[cfg(feature = "ssr")]
async fn editable(ctx: &Ctx, id: &str) -> AppResult<store::TaskRecord> {
    let task = store::get(&ctx.state.db, ctx.workspace(), id).await?;
    let progress = report::progress(&ctx.state.db, ctx.workspace(), id).await?;
    if changes(&progress, ctx.now()).edit {
        Ok(task)
    } else {
        Err(AppError::conflict(
            "Only Pending tasks that are due in more than 10 minutes can be edited, and Missed ones.",
        ))
    }
}

#[server]
pub async fn delete_task(id: String) -> Result<(), AppError> {
    let ctx = require(&caller()?, Permission::Manage(Area::ReachWebhook), Resource::Task(&id)).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let task = store::get(db, workspace, &id).await?;
    let progress = report::progress(db, workspace, &id).await?;
    if !changes(&progress, ctx.now()).delete {
        return Err(AppError::conflict(
            "Finished, Failed, Stopped and Missed tasks can be deleted, and Pending ones due in more than 10 minutes.",
        ));
    }
    let change = Change::from(&told(&ctx, &task.input()?).await?);
    store::delete(db, workspace, &task, change, &ctx.by()).await?;
    leptos_axum::redirect("/tasks");
    Ok(())
}

#[cfg(feature = "ssr")]
pub fn missing<T>(result: sqlx::Result<T>) -> AppResult<Option<T>> {
    match result {
        Ok(row) => Ok(Some(row)),
        Err(sqlx::Error::RowNotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The latest messages of a customer, the newest first.
#[server]
pub async fn messages_to_customer(customer_id: String) -> Result<CustomerMessages, AppError> {
    let ctx = require(&caller()?, Permission::View(Area::Customers), Resource::Customer(&customer_id)).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let found = report::messages_of_customer(db, workspace, &customer_id, MESSAGES).await?;
    let mut rows = Vec::new();
    for message in found.into_iter().filter(|message| message.source == sender::SOURCE) {
        let task = store::get(db, workspace, &message.send_id).await?;
        let webhook = missing(webhooks::store::get(db, workspace, &task.webhook_id).await)?;
        let receipt = message.action.receipt_status.clone().map(|code| {
            let mut statuses = webhook.iter().flat_map(|webhook| &webhook.input.statuses);
            statuses.find(|status| status.code == code).map_or(code.clone(), |status| status.value.clone())
        });
        rows.push(CustomerMessage { task_id: task.id, task: task.name, action: message.action, receipt });
    }
    Ok(CustomerMessages { rows, among: report::messages_are_among(db, workspace).await? })
}

/// Which of the ID types that webhooks take somebody in the audience has: a webhook without one of these does not fit.
#[server]
pub async fn fitting_id_types(audience_id: String) -> Result<Vec<String>, AppError> {
    let ctx =
        require(&caller()?, Permission::Manage(Area::ReachWebhook), Resource::Audience(&audience_id).or_new()).await?;
    if audience_id.is_empty() {
        return Ok(vec![]);
    }
    let audience = audiences::store::get(&ctx.state.db, ctx.workspace(), &audience_id).await?;
    prepare::fitting(&ctx, &audience).await
}
