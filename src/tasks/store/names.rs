//! What tasks, and those who made them, are called.

use crate::{db::Db, error::AppResult, fetch};
use std::collections::HashMap;

/// The names of tasks and of their webhooks, by the tasks' ids.
pub async fn names(db: &Db, workspace: &str, ids: &[&str]) -> AppResult<HashMap<String, (String, String)>> {
    let sql = match db {
        Db::Sqlite(_) => {
            "select t.id, t.name, coalesce(w.name, '(deleted)') as webhook from tasks t
             left join webhooks w on w.workspace_id = t.workspace_id and w.id = t.webhook_id
             where t.workspace_id = $1 and t.id in (select value from json_each($2))"
        }
        Db::Postgres(_) => {
            "select t.id, t.name, coalesce(w.name, '(deleted)') as webhook from tasks t
             left join webhooks w on w.workspace_id = t.workspace_id and w.id = t.webhook_id
             where t.workspace_id = $1 and t.id in (select json_array_elements_text($2::json))"
        }
    };
    let rows = fetch!(db, all, (String, String, String), sql, workspace, serde_json::to_string(ids)?)?;
    Ok(rows.into_iter().map(|(id, name, webhook)| (id, (name, webhook))).collect())
}

/// A member's name; the id of one who is gone.
pub async fn user_name(db: &Db, id: &str) -> sqlx::Result<String> {
    let row = fetch!(db, optional, (String,), "select name from users where id = $1", id)?;
    Ok(row.map_or_else(|| id.to_string(), |(name,)| name))
}
