//! Customers, identities and tags in the database.

use crate::{
    clock::Millis,
    customers::model::{Customer, IdType, Identity, PRESET_ID_TYPES, Tag, TagKind},
    db::{Db, Tx},
    execute, fetch,
};
use serde_json::{Map, Value};

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

/// In the order that people put them in.
pub async fn enabled_id_types(db: &Db, workspace: &str) -> sqlx::Result<Vec<IdType>> {
    let rows = fetch!(
        db,
        all,
        (String, String),
        "select code, name from id_types where workspace_id = $1 and enabled order by position, code",
        workspace
    )?;
    Ok(rows.into_iter().map(|(code, name)| IdType { code, name }).collect())
}

/// By name.
pub async fn tags(db: &Db, workspace: &str) -> sqlx::Result<Vec<Tag>> {
    let rows = fetch!(
        db,
        all,
        (String, String),
        "select name, kind from tags where workspace_id = $1 order by name",
        workspace
    )?;
    Ok(rows.into_iter().filter_map(|(name, kind)| Some(Tag { name, kind: TagKind::from_code(&kind)? })).collect())
}

/// How many customers the workspace has: a counter that imports keep.
pub async fn total(db: &Db, workspace: &str) -> sqlx::Result<i64> {
    let row = fetch!(db, optional, (i64,), "select customers from customer_counts where workspace_id = $1", workspace)?;
    Ok(row.map_or(0, |(customers,)| customers))
}

/// The customer, or `RowNotFound`.
pub async fn one(db: &Db, workspace: &str, customer_id: &str) -> sqlx::Result<Customer> {
    let (tags, created_at, updated_at) = fetch!(
        db,
        one,
        (String, Millis, Millis),
        "select cast(tags as text), created_at, updated_at from customers where workspace_id = $1 and customer_id = $2",
        workspace,
        customer_id
    )?;
    let identities = identities_of(db, workspace, customer_id).await?;
    Ok(Customer { customer_id: customer_id.into(), identities, tags: tags_of(&tags), created_at, updated_at })
}

/// At most 100: a customer with more is a fault of the data, and pages stay bounded.
async fn identities_of(db: &Db, workspace: &str, customer_id: &str) -> sqlx::Result<Vec<Identity>> {
    let rows = fetch!(
        db,
        all,
        (String, String),
        "select id_type, value from identities where workspace_id = $1 and customer_id = $2
         order by id_type, value limit 100",
        workspace,
        customer_id
    )?;
    Ok(rows.into_iter().map(|(id_type, value)| Identity { id_type, value }).collect())
}

/// The column `tags` as the object that it always is.
pub fn tags_of(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{execute, on_both_databases};

    on_both_databases!(disabled_id_types_are_left_out, |db| async move {
        let mut tx = db.begin().await.unwrap();
        put_preset_id_types(&mut tx, "w").await.unwrap();
        tx.commit().await.unwrap();
        execute!(&db, "update id_types set enabled = $1 where code = 'EMAIL'", false).unwrap();
        let types = enabled_id_types(&db, "w").await.unwrap();
        assert_eq!(types.len(), 13);
        assert_eq!(types[1].code, "MOBILE");
    });
}
