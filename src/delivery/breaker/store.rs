//! The table `webhook_health`, and the disabling of a webhook by the engine.

use super::super::health::{Breaker, Health};
use crate::{
    audit::{
        Actor, By, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::Millis,
    db::{Tx, bulk},
    fetch,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A webhook in its workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hook {
    pub workspace_id: String,
    pub webhook_id: String,
}

#[derive(Serialize)]
struct Key<'a> {
    workspace_id: &'a str,
    webhook_id: &'a str,
}

#[derive(sqlx::FromRow)]
struct Row {
    workspace_id: String,
    webhook_id: String,
    #[sqlx(flatten)]
    health: HealthRow,
}

/// The columns of a [`Health`].
#[derive(sqlx::FromRow)]
pub struct HealthRow {
    breaker: String,
    window_from: Millis,
    window_ok: i64,
    window_failed: i64,
    window_ms: Millis,
    failures_in_row: i64,
    trips: i64,
    opened_at: Option<Millis>,
    open_until: Millis,
    health_reason: String,
}

impl From<HealthRow> for Health {
    fn from(row: HealthRow) -> Self {
        Self {
            // Only the engine writes states, and it writes codes.
            breaker: Breaker::from_code(&row.breaker).unwrap_or_default(),
            window_from: row.window_from,
            ok: row.window_ok,
            failed: row.window_failed,
            took: row.window_ms,
            failed_in_row: row.failures_in_row,
            trips: row.trips,
            opened_at: row.opened_at,
            open_until: row.open_until,
            reason: row.health_reason,
        }
    }
}

/// Takes the rows of these webhooks until the transaction ends, in order, so that nodes neither lose each other's
/// counts nor both probe. One that is not there is made, for what is not there can't be held.
pub async fn take<'a>(tx: &mut Tx, hooks: impl Iterator<Item = &'a Hook>) -> sqlx::Result<BTreeMap<Hook, Health>> {
    let keys: Vec<_> =
        hooks.map(|hook| Key { workspace_id: &hook.workspace_id, webhook_id: &hook.webhook_id }).collect();
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = crate::bulk!(
        tx,
        fetch Row,
        &bulk::rows(&keys)?,
        (workspace_id text, webhook_id text),
        "insert into webhook_health (workspace_id, webhook_id) select r.workspace_id, r.webhook_id from ",
        " where true on conflict (workspace_id, webhook_id) do update set state = webhook_health.state \
         returning workspace_id, webhook_id, state as breaker, window_from, window_ok, window_failed, \
         window_ms, failures_in_row, trips, opened_at, open_until, reason as health_reason",
    )?;
    let hook = |row: &Row| Hook { workspace_id: row.workspace_id.clone(), webhook_id: row.webhook_id.clone() };
    Ok(rows.into_iter().map(|row| (hook(&row), row.health.into())).collect())
}

#[derive(Serialize)]
struct Written<'a> {
    workspace_id: &'a str,
    webhook_id: &'a str,
    state: &'static str,
    window_from: Millis,
    window_ok: i64,
    window_failed: i64,
    window_ms: Millis,
    failures_in_row: i64,
    trips: i64,
    opened_at: Option<Millis>,
    open_until: Millis,
    reason: &'a str,
}

/// Writes rows that the caller holds.
pub async fn write<'a>(tx: &mut Tx, changed: impl Iterator<Item = (&'a Hook, &'a Health)>) -> sqlx::Result<()> {
    let rows: Vec<_> = changed
        .map(|(hook, health)| Written {
            workspace_id: &hook.workspace_id,
            webhook_id: &hook.webhook_id,
            state: health.breaker.code(),
            window_from: health.window_from,
            window_ok: health.ok,
            window_failed: health.failed,
            window_ms: health.took,
            failures_in_row: health.failed_in_row,
            trips: health.trips,
            opened_at: health.opened_at,
            open_until: health.open_until,
            reason: &health.reason,
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    crate::bulk!(
        tx,
        execute,
        &bulk::rows(&rows)?,
        (workspace_id text, webhook_id text, state text, window_from bigint, window_ok bigint, window_failed bigint, window_ms bigint,
         failures_in_row bigint, trips bigint, opened_at bigint, open_until bigint, reason text),
        "update webhook_health set state = r.state, window_from = r.window_from, window_ok = r.window_ok, \
         window_failed = r.window_failed, window_ms = r.window_ms, failures_in_row = r.failures_in_row, trips = r.trips, \
         opened_at = r.opened_at, open_until = r.open_until, reason = r.reason from ",
        " where webhook_health.workspace_id = r.workspace_id and webhook_health.webhook_id = r.webhook_id",
    )?;
    Ok(())
}

/// Disables a webhook with a reason; its name. `None`: it was disabled already, or is gone.
pub async fn disable(tx: &mut Tx, hook: &Hook, because: &str, now: Millis) -> sqlx::Result<Option<String>> {
    let found = fetch!(
        tx,
        optional,
        (String,),
        "update webhooks set enabled = $3, disabled_because = $4, updated_at = $5 \
         where workspace_id = $1 and id = $2 and enabled returning name",
        &hook.workspace_id,
        &hook.webhook_id,
        false,
        because,
        now
    )?;
    Ok(found.map(|(name,)| name))
}

/// Writes to the audit log that a webhook was disabled: the last thing before the commit.
pub async fn record_disabled(tx: &mut Tx, hook: &Hook, name: &str, because: &str, now: Millis) -> sqlx::Result<()> {
    let change = Change::to(&serde_json::json!({ "because": because }));
    let entry = Entry::new(Action::Disabled, ObjectKind::Webhook, &hook.webhook_id, name).with(change);
    By::new(Actor::engine(), now).record(tx, &hook.workspace_id, &entry).await
}
