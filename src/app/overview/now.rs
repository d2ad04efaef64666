//! What moves on Overview, asked for every few seconds.

use crate::{
    delivery::{health::Standing, model::Progress},
    error::AppError,
    tasks::model::TaskRow,
};
use leptos::server;
use serde::{Deserialize, Serialize};

/// At this moment. What the reader's roles do not open is not there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    /// Of sending tasks.
    pub tasks: Option<Tasks>,
    /// Slow, failing or held by their breaker.
    pub webhooks: Option<Vec<IllWebhook>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tasks {
    /// Those that are being sent, the newest first, and how many there are.
    pub sending: Vec<SendingTask>,
    pub sending_in_all: i64,
    /// Those that missed their time.
    pub missed: Vec<Named>,
    pub missed_in_all: i64,
    /// Those that have ended and have users whose outcome is unknown.
    pub unknown: Vec<Named>,
    pub unknown_in_all: i64,
    pub users_unknown: i64,
    /// Why users failed in the last hour: reasons and users, the most frequent first.
    pub failures: Vec<(String, i64)>,
    /// Failed requests that were looked at when there are more.
    pub looked_at: Option<i64>,
    /// The newest tasks.
    pub recent: Vec<TaskRow>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SendingTask {
    pub id: String,
    pub name: String,
    pub webhook: String,
    pub progress: Progress,
    /// Users per second over the last seconds.
    pub rate: f64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IllWebhook {
    pub id: String,
    pub name: String,
    pub standing: Standing,
}

#[server]
pub async fn load_now() -> Result<Now, AppError> {
    use crate::access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    };
    /// Webhooks of the list.
    const WEBHOOKS: usize = 8;
    let ctx = require(&caller()?, Permission::View(Area::Overview), Resource::Workspace).await?;
    let seen = ctx.info().may(Permission::View(Area::ReachWebhook));
    let known = seen || ctx.info().may(Permission::View(Area::WebhookManagement));
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let webhooks = if known {
        let ill = crate::webhooks::store::ill(db, workspace, WEBHOOKS, ctx.now()).await?;
        Some(ill.into_iter().map(|(id, name, standing)| IllWebhook { id, name, standing }).collect())
    } else {
        None
    };
    let tasks = if seen { Some(tasks(db, workspace, ctx.now()).await?) } else { None };
    Ok(Now { tasks, webhooks })
}

#[cfg(feature = "ssr")]
async fn tasks(db: &crate::db::Db, workspace: &str, now: crate::clock::Millis) -> Result<Tasks, AppError> {
    use crate::delivery::report;
    /// Rows of a list.
    const ROWS: i64 = 8;
    let (sending, sending_in_all) = report::now::sending(db, workspace, ROWS, now).await?;
    let waiting = report::now::waiting(db, workspace, ROWS).await?;
    let failures = report::now::failures(db, workspace, ROWS.unsigned_abs() as usize, now).await?;
    let unknown = waiting.unknown.iter().map(|(id, _)| id.as_str());
    let ids = sending.iter().map(|one| one.id.as_str()).chain(waiting.missed.iter().map(String::as_str)).chain(unknown);
    let query = crate::tasks::store::ListQuery { limit: ROWS, ..Default::default() };
    let recent = crate::tasks::store::rows(db, workspace, &query).await?;
    let names = crate::tasks::store::names(db, workspace, &ids.collect::<Vec<_>>()).await?;
    // One that was deleted in between is left out.
    let named = |id: &String| Some(Named { id: id.clone(), name: names.get(id)?.0.clone() });
    Ok(Tasks {
        missed: waiting.missed.iter().filter_map(named).collect(),
        missed_in_all: waiting.missed_in_all,
        unknown: waiting.unknown.iter().filter_map(|(id, _)| named(id)).collect(),
        unknown_in_all: waiting.unknown_in_all,
        users_unknown: waiting.users_unknown,
        failures: failures.reasons,
        looked_at: failures.more.then_some(failures.batches),
        sending: sending
            .into_iter()
            .filter_map(|one| {
                let (name, webhook) = names.get(&one.id)?.clone();
                Some(SendingTask { id: one.id, name, webhook, progress: one.progress, rate: one.rate })
            })
            .collect(),
        sending_in_all,
        recent,
    })
}
