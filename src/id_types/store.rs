//! ID types in the database.

use super::model::{ID_TYPES_MAX, IdTypeInput, ManagedIdType};
use crate::{
    audit::{
        By, Change, Entry,
        model::{Action, ObjectKind},
    },
    db::Db,
    error::{AppError, AppResult},
    execute, fetch,
    ui::format::first_few,
    webhooks::{self, model::Webhook},
};

/// All of them, in their order.
pub async fn list(db: &Db, workspace: &str) -> sqlx::Result<Vec<ManagedIdType>> {
    let rows = fetch!(
        db,
        all,
        (String, String, bool, bool),
        "select code, name, multi_value, enabled from id_types where workspace_id = $1 order by position, code",
        workspace
    )?;
    let all = webhooks::store::list(db, workspace).await?;
    let used = |code: &String| all.iter().filter(|webhook| webhook.input.id_types.contains(code)).count();
    let managed = |(code, name, multi_value, enabled): (String, String, bool, bool)| {
        let webhooks = used(&code);
        ManagedIdType { code, name, multi_value, enabled, webhooks }
    };
    Ok(rows.into_iter().map(managed).collect())
}

/// A custom type, enabled, at the end. `input` has passed [`IdTypeInput::check`].
pub async fn add(db: &Db, workspace: &str, input: &IdTypeInput, by: &By) -> AppResult<()> {
    let (count,) = fetch!(db, one, (i64,), "select count(*) from id_types where workspace_id = $1", workspace)?;
    if count >= ID_TYPES_MAX {
        return Err(AppError::conflict(format!("A workspace has at most {ID_TYPES_MAX} ID types.")));
    }
    let mut tx = db.begin().await?;
    let added = execute!(
        tx,
        "insert into id_types (workspace_id, code, name, multi_value, enabled, position)
         select $1, $2, $3, $4, $5, coalesce(max(position), 0) + 1 from id_types where workspace_id = $1
         on conflict (workspace_id, code) do nothing",
        workspace,
        &input.code,
        &input.name,
        input.multi_value,
        true
    )?;
    if added == 0 {
        return Err(AppError::invalid("code", format!("There is an ID type {} already.", input.code)));
    }
    let entry = Entry::new(Action::Created, ObjectKind::IdType, &input.code, &input.name).with(Change::to(input));
    by.record(&mut tx, workspace, &entry).await?;
    Ok(tx.commit().await?)
}

/// `NotFound` when the workspace has no such type; `Conflict`, naming the webhooks, when enabled ones would be left
/// without any enabled type. Nothing happens when it is so already.
pub async fn set_enabled(db: &Db, workspace: &str, code: &str, enabled: bool, by: &By) -> AppResult<()> {
    if !enabled {
        let types = list(db, workspace).await?;
        let stays = |own: &String| types.iter().any(|known| known.enabled && known.code == *own && known.code != code);
        let left_without = |webhook: &&Webhook| {
            webhook.enabled
                && webhook.input.id_types.iter().any(|own| own == code)
                && !webhook.input.id_types.iter().any(stays)
        };
        let all = webhooks::store::list(db, workspace).await?;
        let named: Vec<String> =
            all.iter().filter(left_without).map(|webhook| format!("“{}”", webhook.input.name)).collect();
        if !named.is_empty() {
            return Err(AppError::conflict(format!(
                "{code} can't be disabled: the enabled webhooks that allow only it are {}. Disable them, or allow \
                 another type, first.",
                first_few(named)
            )));
        }
    }
    let mut tx = db.begin().await?;
    let turned = fetch!(
        tx,
        optional,
        (String,),
        "update id_types set enabled = $3 where workspace_id = $1 and code = $2 and enabled <> $3 returning name",
        workspace,
        code,
        enabled
    )?;
    let Some((name,)) = turned else {
        let sql = "select name from id_types where workspace_id = $1 and code = $2";
        fetch!(tx, one, (String,), sql, workspace, code)?;
        return Ok(());
    };
    let action = if enabled { Action::Enabled } else { Action::Disabled };
    by.record(&mut tx, workspace, &Entry::new(action, ObjectKind::IdType, code, &name)).await?;
    Ok(tx.commit().await?)
}
