//! Customers, identities and tags in the database.

use crate::{customers::model::PRESET_ID_TYPES, db::Tx, execute};

pub async fn put_preset_id_types(tx: &mut Tx, workspace: &str) -> sqlx::Result<()> {
    for (position, (code, name)) in PRESET_ID_TYPES.iter().enumerate() {
        execute!(
            tx,
            "insert into id_types (workspace_id, code, name, multi_value, enabled, position)
             values ($1, $2, $3, $4, $5, $6)",
            workspace,
            *code,
            *name,
            *code != "ONEID",
            true,
            position as i64
        )?;
    }
    Ok(())
}
