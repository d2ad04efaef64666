//! Creating, changing, enabling and disabling, deleting.

use super::{told, versions};
use crate::{
    audit::{
        By, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::{Millis, new_id},
    db::{Db, Tx, is_taken, name_key},
    delivery::wake::{self, News},
    error::{AppError, FieldError},
    execute, fetch, parameters,
    secrets::MasterKey,
    server::AppState,
    ui::format::{NAMED, first_few},
    webhooks::model::{Authentication, ReceiptStatus, WEBHOOKS_MAX, Webhook, WebhookInput, changes, check_statuses},
};
use secrecy::{ExposeSecret, SecretString};
use sqlx::AssertSqlSafe;

/// Why a webhook was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("Another webhook of this workspace has this name.")]
    NameTaken,
    #[error("Disable the webhook before editing it; sending goes on only with what was tested.")]
    Enabled,
    #[error("Disable the webhook before deleting it.")]
    EnabledDelete,
    /// With what changed.
    #[error(
        "Somebody else has changed this webhook since you opened it.{0} Nothing of yours was saved: open it again in \
         another tab and repeat your change on what stands now."
    )]
    ChangedMeanwhile(String),
    /// With the tasks' names.
    #[error("It is used by the tasks {0}. A webhook that is used can't be deleted; delete the tasks first.")]
    Used(String),
    #[error("A parameter that it calls was deleted meanwhile. Select another.")]
    CallGone,
    #[error("A workspace has at most {WEBHOOKS_MAX} webhooks.")]
    TooMany,
    #[error("receipt statuses")]
    Statuses(Vec<FieldError>),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl From<SaveError> for AppError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::NameTaken => Self::invalid("name", error.to_string()),
            SaveError::Statuses(fields) => Self::Invalid(fields),
            SaveError::Database(error) => error.into(),
            SaveError::Json(error) => error.into(),
            SaveError::Enabled
            | SaveError::EnabledDelete
            | SaveError::ChangedMeanwhile(_)
            | SaveError::Used(_)
            | SaveError::CallGone
            | SaveError::TooMany => Self::Conflict(error.to_string()),
        }
    }
}

/// The unique index on the name is the only one that a save can meet.
fn name_taken(error: sqlx::Error) -> SaveError {
    if is_taken(&error) { SaveError::NameTaken } else { error.into() }
}

/// The columns of an input that are not kept as they are typed.
struct Columns {
    id_types: String,
    parameters: String,
    statuses: String,
    users_per_second: Option<i64>,
}

impl Columns {
    /// `before`: the statuses that receipts were enabled with. The column is empty until they are for the first
    /// time; that they were is remembered by its being filled, also after they are disabled again.
    fn of(input: &WebhookInput, before: &[ReceiptStatus]) -> serde_json::Result<Self> {
        Ok(Self {
            id_types: serde_json::to_string(&input.id_types)?,
            parameters: serde_json::to_string(&input.parameters)?,
            statuses: serde_json::to_string(&stored(input, before).statuses)?,
            users_per_second: (input.users_per_second > 0).then_some(input.users_per_second),
        })
    }
}

/// Where a webhook is saved, by whom, and when.
pub struct Saving<'a> {
    pub db: &'a Db,
    pub master_key: &'a MasterKey,
    pub workspace: &'a str,
    pub by: By,
}

impl<'a> Saving<'a> {
    pub fn new(state: &'a AppState, workspace: &'a str, by: By) -> Self {
        Self { db: &state.db, master_key: &state.master_key, workspace, by }
    }
}

/// A new webhook: enabled, but a copy of another is disabled (seed 002, "Copy"). Its id. Empty keys of a copy are
/// the original's. `input` has passed [`WebhookInput::check`].
pub async fn create(saving: &Saving<'_>, input: &WebhookInput, copy_of: Option<&str>) -> Result<String, SaveError> {
    let (db, workspace) = (saving.db, saving.workspace);
    let (count,) = fetch!(db, one, (i64,), "select count(*) from webhooks where workspace_id = $1", workspace)?;
    if count >= WEBHOOKS_MAX {
        return Err(SaveError::TooMany);
    }
    let id = new_id();
    let key = match copy_of {
        _ if input.authentication == Authentication::None => None,
        Some(original) if input.key.is_empty() => super::key(db, saving.master_key, workspace, original)
            .await?
            .map(|key| saving.master_key.seal(key.expose_secret())),
        _ => Some(saving.master_key.seal(&input.key)),
    };
    let client_key = match copy_of {
        _ if input.client_certificate.is_empty() => None,
        Some(original) if input.client_key.is_empty() => {
            super::tls(db, saving.master_key, workspace, original).await?.client_key
        }
        _ => Some((*input.client_key).into()),
    };
    let client_key = client_key.map(|key: SecretString| saving.master_key.seal(key.expose_secret()));
    let columns = Columns::of(input, &[])?;
    let mut tx = db.begin().await?;
    calls_stay(&mut tx, workspace, input).await?;
    execute!(
        tx,
        "insert into webhooks (workspace_id, id, name, enabled, url, authentication, key_cipher, id_types, parameters,
                               batch_size, concurrency, users_per_second, receipts_enabled, retention_days, statuses,
                               version, created_at, updated_at, name_key, pass_environment, after_crash,
                               ca_certificate, client_certificate, client_key_cipher)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1, $16, $16, $17, $18, $19, $20,
                 $21, $22)",
        workspace,
        &id,
        &input.name,
        copy_of.is_none(),
        &input.url,
        input.authentication.code(),
        key,
        columns.id_types,
        columns.parameters,
        input.batch_size,
        input.concurrency,
        columns.users_per_second,
        input.receipts_enabled,
        input.retention_days,
        columns.statuses,
        saving.by.at,
        name_key(&input.name),
        input.pass_environment,
        &input.after_crash,
        &input.ca_certificate,
        &input.client_certificate,
        client_key
    )
    .map_err(name_taken)?;
    let kept = stored(input, &[]);
    versions::keep(&mut tx, workspace, &id, 1, &kept, &saving.by.actor.id, saving.by.at).await?;
    let entry = Entry::new(Action::Created, ObjectKind::Webhook, &id, &input.name);
    saving.by.record(&mut tx, workspace, &entry.with(told::created(&kept, copy_of))).await?;
    tx.commit().await?;
    Ok(id)
}

/// Saves what was edited from `version` on. The webhook must be disabled and as it was when the editing began; an
/// empty key keeps the one that is there, another replaces it, and the replaced one verifies receipts for `overlap`
/// ms more. A client key goes with its certificate. Without a change the version stays. `input` has passed
/// [`WebhookInput::check`].
pub async fn update(
    saving: &Saving<'_>,
    id: &str,
    version: i64,
    input: &WebhookInput,
    overlap: Millis,
) -> Result<(), SaveError> {
    let (db, workspace) = (saving.db, saving.workspace);
    let before = super::get(db, workspace, id).await?;
    may_save(db, workspace, &before, version).await?;
    let wrong = if input.receipts_enabled { check_statuses(&before.input.statuses, &input.statuses) } else { vec![] };
    if !wrong.is_empty() {
        return Err(SaveError::Statuses(wrong));
    }
    let kept = stored(input, &before.input.statuses);
    if kept == before.input {
        return Ok(());
    }
    let columns = Columns::of(input, &before.input.statuses)?;
    let keyed = input.authentication == Authentication::Key;
    let key = (keyed && !input.key.is_empty()).then(|| saving.master_key.seal(&input.key));
    let client_key = (!input.client_key.is_empty()).then(|| saving.master_key.seal(&input.client_key));
    let mut tx = db.begin().await?;
    calls_stay(&mut tx, workspace, input).await?;
    let changed = execute!(
        tx,
        "update webhooks set name = $5, url = $6, authentication = $7,
                key_cipher = case when $8 then coalesce($9, key_cipher) end,
                old_key_cipher = case when not $8 or $20 is null and $9 is not null then null
                                      when $9 is null then old_key_cipher else key_cipher end,
                old_key_until = case when not $8 or key_cipher is null then null
                                     when $9 is null then old_key_until else $20 end,
                id_types = $10, parameters = $11,
                batch_size = $12, concurrency = $13, users_per_second = $14, receipts_enabled = $15,
                retention_days = $16, statuses = $17, version = version + 1, updated_at = $18, name_key = $19,
                pass_environment = $21, after_crash = $22, ca_certificate = $23, client_certificate = $24,
                client_key_cipher = case when $24 <> '' then coalesce($25, client_key_cipher) end
         where workspace_id = $1 and id = $2 and version = $3 and enabled = $4",
        workspace,
        id,
        version,
        false,
        &input.name,
        &input.url,
        input.authentication.code(),
        keyed,
        key,
        columns.id_types,
        columns.parameters,
        input.batch_size,
        input.concurrency,
        columns.users_per_second,
        input.receipts_enabled,
        input.retention_days,
        columns.statuses,
        saving.by.at,
        name_key(&input.name),
        (overlap > 0).then_some(saving.by.at + overlap),
        input.pass_environment,
        &input.after_crash,
        &input.ca_certificate,
        &input.client_certificate,
        client_key
    )
    .map_err(name_taken)?;
    if changed == 0 {
        drop(tx);
        // Somebody was faster between the two statements: say what they did.
        may_save(db, workspace, &super::get(db, workspace, id).await?, version).await?;
        return Err(SaveError::ChangedMeanwhile(String::new()));
    }
    // Webhooks from before there were versions have none yet.
    versions::keep(&mut tx, workspace, id, version, &before.input, "", before.updated_at).await?;
    versions::keep(&mut tx, workspace, id, version + 1, &kept, &saving.by.actor.id, saving.by.at).await?;
    let change = told::changed(&before, input, &kept, (overlap > 0).then_some(saving.by.at + overlap));
    let entry = Entry::new(Action::Changed, ObjectKind::Webhook, id, &input.name).with(change);
    saving.by.record(&mut tx, workspace, &entry).await?;
    tx.commit().await?;
    Ok(())
}

/// An input as the row has it: the form sends statuses also while receipts are off.
fn stored(input: &WebhookInput, before: &[ReceiptStatus]) -> WebhookInput {
    let statuses = if input.receipts_enabled { &input.statuses } else { before };
    WebhookInput { statuses: statuses.to_vec(), ..input.clone() }
}

/// The called parameters are there, and are not deleted meanwhile.
async fn calls_stay(tx: &mut Tx, workspace: &str, input: &WebhookInput) -> Result<(), SaveError> {
    if parameters::store::hold_called(tx, workspace, input).await? { Ok(()) } else { Err(SaveError::CallGone) }
}

/// Removes a disabled webhook that no task uses (seed 002, "Delete"), with its versions, its grants
/// and the logs of its tests.
pub async fn delete(db: &Db, workspace: &str, id: &str, by: &By) -> Result<(), SaveError> {
    let webhook = super::get(db, workspace, id).await?;
    let mut tx = db.begin().await?;
    forget_health(&mut tx, workspace, id).await?;
    execute!(tx, "delete from webhook_rates where workspace_id = $1 and webhook_id = $2", workspace, id)?;
    let (enabled, _) = lock(&mut tx, workspace, id).await?.ok_or(sqlx::Error::RowNotFound)?;
    if enabled {
        return Err(SaveError::EnabledDelete);
    }
    let tasks = fetch!(
        tx,
        all,
        (String,),
        "select name from tasks where workspace_id = $1 and webhook_id = $2 order by created_at desc limit $3",
        workspace,
        id,
        NAMED as i64 + 1
    )?;
    if !tasks.is_empty() {
        return Err(SaveError::Used(first_few(tasks.into_iter().map(|(name,)| format!("“{name}”")))));
    }
    for table in ["test_sends", "webhook_versions", "webhook_grants"] {
        let sql = AssertSqlSafe(format!("delete from {table} where workspace_id = $1 and webhook_id = $2"));
        execute!(tx, sql, workspace, id)?;
    }
    execute!(tx, "delete from webhooks where workspace_id = $1 and id = $2", workspace, id)?;
    let entry = Entry::new(Action::Deleted, ObjectKind::Webhook, id, &webhook.input.name);
    by.record(&mut tx, workspace, &entry.with(Change::from(&told::settings(&webhook.input)))).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes the row until the transaction ends, so that a task and a change of its webhook can't pass each other: whether
/// it is enabled, and its version; `None` when the workspace has no such webhook.
pub async fn lock(tx: &mut Tx, workspace: &str, id: &str) -> sqlx::Result<Option<(bool, i64)>> {
    let sql = match tx {
        Tx::Sqlite(_) => "select enabled, version from webhooks where workspace_id = $1 and id = $2",
        Tx::Postgres(_) => "select enabled, version from webhooks where workspace_id = $1 and id = $2 for update",
    };
    fetch!(tx, optional, (bool, i64), sql, workspace, id)
}

async fn may_save(db: &Db, workspace: &str, webhook: &Webhook, version: i64) -> Result<(), SaveError> {
    if webhook.version != version {
        let seen = versions::version(db, workspace, &webhook.id, version).await?;
        let changes = seen.map(|seen| changes(&seen, &webhook.input)).unwrap_or_default();
        let told = changes.into_iter().take(NAMED).map(|change| {
            let or = |text: String| if text.is_empty() { "nothing".to_string() } else { format!("“{text}”") };
            format!(" {}: {} instead of {}.", change.label, or(change.after), or(change.before))
        });
        return Err(SaveError::ChangedMeanwhile(told.collect()));
    }
    if webhook.enabled { Err(SaveError::Enabled) } else { Ok(()) }
}

/// What is known of its endpoint. Before the webhook's row, as the engine takes them.
async fn forget_health(tx: &mut Tx, workspace: &str, id: &str) -> sqlx::Result<()> {
    execute!(tx, "delete from webhook_health where workspace_id = $1 and webhook_id = $2", workspace, id)?;
    Ok(())
}

/// Disabling stops new sends. Enabling begins with a clean slate: nothing is held against the endpoint, and why the
/// engine disabled it is forgotten. `RowNotFound` when the workspace has no such webhook; nothing happens when it is so
/// already.
pub async fn set_enabled(db: &Db, workspace: &str, id: &str, enabled: bool, by: &By) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    if enabled {
        forget_health(&mut tx, workspace, id).await?;
    }
    let turned = fetch!(
        tx,
        optional,
        (String,),
        "update webhooks set enabled = $3, updated_at = $4, disabled_because = case when $3 then '' else \
         disabled_because end where workspace_id = $1 and id = $2 and enabled <> $3 returning name",
        workspace,
        id,
        enabled,
        by.at
    )?;
    let Some((name,)) = turned else {
        return lock(&mut tx, workspace, id).await?.map(|_| ()).ok_or(sqlx::Error::RowNotFound);
    };
    let action = if enabled { Action::Enabled } else { Action::Disabled };
    by.record(&mut tx, workspace, &Entry::new(action, ObjectKind::Webhook, id, &name)).await?;
    wake::tell(&mut tx, News::Changed).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests;
