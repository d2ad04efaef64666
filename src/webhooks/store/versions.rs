//! What a webhook said each time it was saved.

use crate::{
    clock::Millis,
    db::{Db, Tx, from_json},
    execute, fetch,
    hidden::Hidden,
    webhooks::model::{Version, WebhookInput},
};
use std::collections::HashMap;

/// Versions, and tasks of them, that a page shows.
const SHOWN: i64 = 50;

/// Keeps a version, without its keys; one that is kept already stays.
pub(super) async fn keep(
    tx: &mut Tx,
    workspace: &str,
    webhook: &str,
    version: i64,
    input: &WebhookInput,
    user: &str,
    now: Millis,
) -> Result<(), super::SaveError> {
    let input = serde_json::to_string(&WebhookInput {
        key: Hidden::default(),
        client_key: Hidden::default(),
        ..input.clone()
    })?;
    execute!(
        tx,
        "insert into webhook_versions (workspace_id, webhook_id, version, input, saved_by, saved_at)
         values ($1, $2, $3, $4, $5, $6) on conflict (workspace_id, webhook_id, version) do nothing",
        workspace,
        webhook,
        version,
        input,
        user,
        now
    )?;
    Ok(())
}

/// What one version said; `None` when it is not kept.
pub async fn version(db: &Db, workspace: &str, webhook: &str, version: i64) -> sqlx::Result<Option<WebhookInput>> {
    let row = fetch!(
        db,
        optional,
        (String,),
        "select input from webhook_versions where workspace_id = $1 and webhook_id = $2 and version = $3",
        workspace,
        webhook,
        version
    )?;
    row.map(|(json,)| from_json(&json)).transpose()
}

/// The latest versions, the newest first, each with the open tasks that were submitted with it.
pub async fn versions(db: &Db, workspace: &str, webhook: &str) -> sqlx::Result<Vec<Version>> {
    let mut tasks: HashMap<i64, Vec<(String, String)>> = HashMap::new();
    let open = fetch!(
        db,
        all,
        (i64, String, String),
        "select s.webhook_version, t.id, t.name from sends s
         join tasks t on t.workspace_id = s.workspace_id and t.id = s.id
         where s.workspace_id = $1 and s.webhook_id = $2 and s.state in ('scheduled', 'missed', 'sending', 'paused')
         order by s.created_at desc limit $3",
        workspace,
        webhook,
        SHOWN
    )?;
    for (version, id, name) in open {
        tasks.entry(version).or_default().push((id, name));
    }
    let rows = fetch!(
        db,
        all,
        (i64, String, Option<String>, Millis),
        "select v.version, v.input, u.name, v.saved_at from webhook_versions v left join users u on u.id = v.saved_by
         where v.workspace_id = $1 and v.webhook_id = $2 order by v.version desc limit $3",
        workspace,
        webhook,
        SHOWN
    )?;
    rows.into_iter()
        .map(|(version, json, saved_by, saved_at)| {
            let saved_by = saved_by.unwrap_or_default();
            let tasks = tasks.remove(&version).unwrap_or_default();
            Ok(Version { version, input: from_json(&json)?, saved_by, saved_at, tasks })
        })
        .collect()
}
