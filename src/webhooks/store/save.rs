//! Creating, changing, enabling and disabling.

use crate::{
    clock::{Millis, new_id},
    db::{Db, name_key},
    error::{AppError, FieldError},
    execute, fetch,
    secrets::MasterKey,
    webhooks::model::{Authentication, ReceiptStatus, WEBHOOKS_MAX, Webhook, WebhookInput, check_statuses},
};

/// Why a webhook was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("Another webhook of this workspace has this name.")]
    NameTaken,
    #[error("Disable the webhook before editing it; sending goes on only with what was tested.")]
    Enabled,
    #[error(
        "Somebody else has changed this webhook since you opened it. Nothing of yours was saved: open it again in \
         another tab and repeat your change on what stands now."
    )]
    ChangedMeanwhile,
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
            SaveError::Enabled | SaveError::ChangedMeanwhile | SaveError::TooMany => Self::Conflict(error.to_string()),
        }
    }
}

/// The unique index on the name is the only one that a save can meet.
fn name_taken(error: sqlx::Error) -> SaveError {
    match &error {
        sqlx::Error::Database(cause) if cause.is_unique_violation() => SaveError::NameTaken,
        _ => error.into(),
    }
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
        let statuses = if input.receipts_enabled { &input.statuses } else { before };
        Ok(Self {
            id_types: serde_json::to_string(&input.id_types)?,
            parameters: serde_json::to_string(&input.parameters)?,
            statuses: serde_json::to_string(statuses)?,
            users_per_second: (input.users_per_second > 0).then_some(input.users_per_second),
        })
    }
}

/// A new webhook, enabled (seed 002, "Enable or disable"); its id. `input` has passed [`WebhookInput::check`].
pub async fn create(
    db: &Db,
    master_key: &MasterKey,
    workspace: &str,
    input: &WebhookInput,
    now: Millis,
) -> Result<String, SaveError> {
    let (count,) = fetch!(db, one, (i64,), "select count(*) from webhooks where workspace_id = $1", workspace)?;
    if count >= WEBHOOKS_MAX {
        return Err(SaveError::TooMany);
    }
    let id = new_id();
    let key = (input.authentication == Authentication::Key).then(|| master_key.seal(&input.key));
    let columns = Columns::of(input, &[])?;
    execute!(
        db,
        "insert into webhooks (workspace_id, id, name, enabled, url, authentication, key_cipher, id_types, parameters,
                               batch_size, concurrency, users_per_second, receipts_enabled, retention_days, statuses,
                               version, created_at, updated_at, name_key)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1, $16, $16, $17)",
        workspace,
        &id,
        &input.name,
        true,
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
        now,
        name_key(&input.name)
    )
    .map_err(name_taken)?;
    Ok(id)
}

/// Saves what was edited from `version` on. The webhook must be disabled and as it was when the editing began; an
/// empty key keeps the one that is there. `input` has passed [`WebhookInput::check`].
pub async fn update(
    db: &Db,
    master_key: &MasterKey,
    workspace: &str,
    id: &str,
    version: i64,
    input: &WebhookInput,
    now: Millis,
) -> Result<(), SaveError> {
    let before = super::get(db, workspace, id).await?;
    may_save(&before, version)?;
    let wrong = if input.receipts_enabled { check_statuses(&before.input.statuses, &input.statuses) } else { vec![] };
    if !wrong.is_empty() {
        return Err(SaveError::Statuses(wrong));
    }
    let columns = Columns::of(input, &before.input.statuses)?;
    let keyed = input.authentication == Authentication::Key;
    let key = (keyed && !input.key.is_empty()).then(|| master_key.seal(&input.key));
    let changed = execute!(
        db,
        "update webhooks set name = $5, url = $6, authentication = $7,
                key_cipher = case when $8 then coalesce($9, key_cipher) end, id_types = $10, parameters = $11,
                batch_size = $12, concurrency = $13, users_per_second = $14, receipts_enabled = $15,
                retention_days = $16, statuses = $17, version = version + 1, updated_at = $18, name_key = $19
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
        now,
        name_key(&input.name)
    )
    .map_err(name_taken)?;
    if changed == 0 {
        // Somebody was faster between the two statements: say what they did.
        may_save(&super::get(db, workspace, id).await?, version)?;
        return Err(SaveError::ChangedMeanwhile);
    }
    Ok(())
}

fn may_save(webhook: &Webhook, version: i64) -> Result<(), SaveError> {
    if webhook.version != version {
        return Err(SaveError::ChangedMeanwhile);
    }
    if webhook.enabled { Err(SaveError::Enabled) } else { Ok(()) }
}

/// Disabling stops new sends; `RowNotFound` when the workspace has no such webhook.
pub async fn set_enabled(db: &Db, workspace: &str, id: &str, enabled: bool, now: Millis) -> sqlx::Result<()> {
    let changed = execute!(
        db,
        "update webhooks set enabled = $3, updated_at = $4 where workspace_id = $1 and id = $2",
        workspace,
        id,
        enabled,
        now
    )?;
    if changed == 0 { Err(sqlx::Error::RowNotFound) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::{
        get, key,
        tests::{NOW, created, input, master_key},
    };
    use super::*;
    use crate::on_both_databases;
    use secrecy::ExposeSecret;

    async fn save(db: &Db, id: &str, version: i64, input: &WebhookInput) -> Result<(), SaveError> {
        update(db, &master_key(), "w", id, version, input, NOW + 1).await
    }

    async fn key_of(db: &Db, id: &str) -> Option<String> {
        key(db, &master_key(), "w", id).await.unwrap().map(|key| key.expose_secret().to_string())
    }

    on_both_databases!(only_a_disabled_webhook_is_edited, |db| async move {
        let id = created(&db, "w", &input("Coupons")).await;
        assert!(matches!(save(&db, &id, 1, &input("New")).await, Err(SaveError::Enabled)));
        set_enabled(&db, "w", &id, false, NOW).await.unwrap();
        save(&db, &id, 1, &input("New")).await.unwrap();
        let webhook = get(&db, "w", &id).await.unwrap();
        assert_eq!((webhook.input.name.as_str(), webhook.version, webhook.enabled), ("New", 2, false));
    });

    on_both_databases!(the_second_of_two_editors_is_refused, |db| async move {
        let id = created(&db, "w", &input("Coupons")).await;
        set_enabled(&db, "w", &id, false, NOW).await.unwrap();
        save(&db, &id, 1, &input("First")).await.unwrap();
        assert!(matches!(save(&db, &id, 1, &input("Second")).await, Err(SaveError::ChangedMeanwhile)));
        assert_eq!(get(&db, "w", &id).await.unwrap().input.name, "First");
    });

    on_both_databases!(names_are_unique_in_their_workspace, |db| async move {
        created(&db, "w", &input("Coupons")).await;
        created(&db, "elsewhere", &input("Coupons")).await;
        let again = create(&db, &master_key(), "w", &input("Coupons"), NOW).await;
        assert!(matches!(again, Err(SaveError::NameTaken)));
        let other = created(&db, "w", &input("Other")).await;
        set_enabled(&db, "w", &other, false, NOW).await.unwrap();
        assert!(matches!(save(&db, &other, 1, &input("Coupons")).await, Err(SaveError::NameTaken)));
    });

    on_both_databases!(an_empty_key_keeps_the_key_and_none_removes_it, |db| async move {
        let id = created(&db, "w", &input("Coupons")).await;
        set_enabled(&db, "w", &id, false, NOW).await.unwrap();
        save(&db, &id, 1, &WebhookInput { key: String::new(), ..input("Coupons") }).await.unwrap();
        assert_eq!(key_of(&db, &id).await.as_deref(), Some(" my secret "));
        save(&db, &id, 2, &WebhookInput { key: "new".into(), ..input("Coupons") }).await.unwrap();
        assert_eq!(key_of(&db, &id).await.as_deref(), Some("new"));
        let none = WebhookInput { authentication: Authentication::None, ..input("Coupons") };
        save(&db, &id, 3, &none).await.unwrap();
        assert_eq!(key_of(&db, &id).await, None);
        assert!(!get(&db, "w", &id).await.unwrap().has_key);
    });

    on_both_databases!(statuses_are_kept_once_receipts_were_enabled, |db| async move {
        let status = |code: &str| ReceiptStatus { code: code.into(), value: format!("is {code}") };
        let with = |enabled: bool, codes: &[&str]| WebhookInput {
            receipts_enabled: enabled,
            statuses: codes.iter().map(|code| status(code)).collect(),
            ..input("Coupons")
        };
        let id = created(&db, "w", &with(true, &["200", "500"])).await;
        set_enabled(&db, "w", &id, false, NOW).await.unwrap();
        let refused = save(&db, &id, 1, &with(true, &["200"])).await;
        assert!(matches!(refused, Err(SaveError::Statuses(fields)) if fields[0].field == "statuses"));
        save(&db, &id, 1, &with(true, &["200", "500", "404"])).await.unwrap();
        // Disabled, they stay; enabled again, they still can't change.
        save(&db, &id, 2, &with(false, &[])).await.unwrap();
        assert_eq!(get(&db, "w", &id).await.unwrap().input.statuses.len(), 3);
        assert!(matches!(save(&db, &id, 3, &with(true, &["1"])).await, Err(SaveError::Statuses(_))));
    });
}
