//! A settled chunk's SQL: written twice, because the two databases take many rows at once in different words.

use super::{
    row::Row,
    settle::{Key, Settled},
};
use crate::{clock::Millis, db::Tx};
use std::collections::HashMap;

/// The customers of the identities that the rows name, and of the single-valued ones that their customers have.
pub async fn owners(
    tx: &mut Tx,
    workspace: &str,
    rows: &[Row],
    id_types: &[String],
    single: &[bool],
) -> sqlx::Result<HashMap<Key, String>> {
    let named: Vec<(&str, &str)> =
        rows.iter().flat_map(|row| &row.identities).map(|(place, value)| (id_types[*place].as_str(), value.as_str())).collect();
    let single: Vec<&str> =
        id_types.iter().zip(single).filter(|(_, single)| **single).map(|(id_type, _)| id_type.as_str()).collect();
    let mut found: Vec<(String, String, String)> = Vec::new();
    if !named.is_empty() {
        found.extend(owners_of(tx, workspace, &named).await?);
    }
    if !single.is_empty() {
        let customers: Vec<&str> = rows.iter().map(|row| row.customer_id.as_str()).collect();
        found.extend(held_by(tx, workspace, &customers, &single).await?);
    }
    let key = |(id_type, value, customer): (String, String, String)| {
        id_types.iter().position(|known| *known == id_type).map(|place| ((place, value), customer))
    };
    Ok(found.into_iter().filter_map(key).collect())
}

async fn owners_of(tx: &mut Tx, workspace: &str, named: &[(&str, &str)]) -> sqlx::Result<Vec<(String, String, String)>> {
    match tx {
        Tx::Sqlite(tx) => {
            sqlx::query_as(
                "select i.id_type, i.value, i.customer_id from json_each($2) n cross join identities i
                 where i.workspace_id = $1 and i.id_type = n.value ->> 0 and i.value = n.value ->> 1",
            )
            .bind(workspace)
            .bind(json(named))
            .fetch_all(&mut **tx)
            .await
        }
        Tx::Postgres(tx) => {
            let (id_types, values): (Vec<&str>, Vec<&str>) = named.iter().copied().unzip();
            sqlx::query_as(
                "select i.id_type, i.value, i.customer_id from unnest($2::text[], $3::text[]) n (id_type, value)
                 join identities i on i.workspace_id = $1 and i.id_type = n.id_type and i.value = n.value",
            )
            .bind(workspace)
            .bind(id_types)
            .bind(values)
            .fetch_all(&mut **tx)
            .await
        }
    }
}

async fn held_by(
    tx: &mut Tx,
    workspace: &str,
    customers: &[&str],
    id_types: &[&str],
) -> sqlx::Result<Vec<(String, String, String)>> {
    match tx {
        Tx::Sqlite(tx) => {
            sqlx::query_as(
                "select i.id_type, i.value, i.customer_id
                 from json_each($2) c cross join json_each($3) t cross join identities i indexed by identities_of_customer
                 where i.workspace_id = $1 and i.customer_id = c.value and i.id_type = t.value",
            )
            .bind(workspace)
            .bind(json(customers))
            .bind(json(id_types))
            .fetch_all(&mut **tx)
            .await
        }
        Tx::Postgres(tx) => {
            sqlx::query_as(
                "select i.id_type, i.value, i.customer_id from identities i
                 where i.workspace_id = $1 and i.customer_id = any($2) and i.id_type = any($3)",
            )
            .bind(workspace)
            .bind(customers)
            .bind(id_types)
            .fetch_all(&mut **tx)
            .await
        }
    }
}

/// Writes the chunk; how many customers are new.
pub async fn write(
    tx: &mut Tx,
    workspace: &str,
    settled: &Settled,
    id_types: &[String],
    now: Millis,
) -> sqlx::Result<i64> {
    let identity = |(place, value): &Key| (id_types[*place].clone(), value.clone());
    let removed: Vec<(String, String)> = settled.removed.iter().map(identity).collect();
    let added: Vec<(String, String, &str)> = settled
        .added
        .iter()
        .map(|(key, customer)| (identity(key), customer))
        .map(|((id_type, value), customer)| (id_type, value, customer.as_str()))
        .collect();
    match tx {
        Tx::Sqlite(tx) => {
            let customers = json(&settled.customers);
            let (known,): (i64,) = sqlx::query_as(
                "select count(*) from json_each($2) n cross join customers c
                 where c.workspace_id = $1 and c.customer_id = n.value ->> 0",
            )
            .bind(workspace)
            .bind(&customers)
            .fetch_one(&mut **tx)
            .await?;
            sqlx::query(
                "insert into customers (workspace_id, customer_id, tags, created_at, updated_at)
                 select $1, n.value ->> 0, n.value -> 1, $3, $3 from json_each($2) n where true
                 on conflict (workspace_id, customer_id) do update
                 set tags = json_patch(customers.tags, excluded.tags), updated_at = excluded.updated_at",
            )
            .bind(workspace)
            .bind(&customers)
            .bind(now)
            .execute(&mut **tx)
            .await?;
            if !removed.is_empty() {
                sqlx::query(
                    "delete from identities where workspace_id = $1
                     and (id_type, value) in (select n.value ->> 0, n.value ->> 1 from json_each($2) n)",
                )
                .bind(workspace)
                .bind(json(&removed))
                .execute(&mut **tx)
                .await?;
            }
            if !added.is_empty() {
                sqlx::query(
                    "insert into identities (workspace_id, id_type, value, customer_id)
                     select $1, n.value ->> 0, n.value ->> 1, n.value ->> 2 from json_each($2) n",
                )
                .bind(workspace)
                .bind(json(&added))
                .execute(&mut **tx)
                .await?;
            }
            Ok(settled.customers.len() as i64 - known)
        }
        Tx::Postgres(tx) => {
            let (ids, tags): (Vec<&str>, Vec<String>) =
                settled.customers.iter().map(|(id, tags)| (id.as_str(), json(tags))).unzip();
            let (known,): (i64,) =
                sqlx::query_as("select count(*) from customers where workspace_id = $1 and customer_id = any($2)")
                    .bind(workspace)
                    .bind(&ids)
                    .fetch_one(&mut **tx)
                    .await?;
            sqlx::query(
                "insert into customers (workspace_id, customer_id, tags, created_at, updated_at)
                 select $1, n.id, n.tags::jsonb, $4, $4 from unnest($2::text[], $3::text[]) n (id, tags)
                 on conflict (workspace_id, customer_id) do update
                 set tags = customers.tags || excluded.tags, updated_at = excluded.updated_at",
            )
            .bind(workspace)
            .bind(&ids)
            .bind(tags)
            .bind(now)
            .execute(&mut **tx)
            .await?;
            if !removed.is_empty() {
                let (id_types, values): (Vec<String>, Vec<String>) = removed.into_iter().unzip();
                sqlx::query(
                    "delete from identities i using unnest($2::text[], $3::text[]) n (id_type, value)
                     where i.workspace_id = $1 and i.id_type = n.id_type and i.value = n.value",
                )
                .bind(workspace)
                .bind(id_types)
                .bind(values)
                .execute(&mut **tx)
                .await?;
            }
            if !added.is_empty() {
                let (mut id_types, mut values, mut owners) = (Vec::new(), Vec::new(), Vec::new());
                for (id_type, value, owner) in added {
                    id_types.push(id_type);
                    values.push(value);
                    owners.push(owner);
                }
                sqlx::query(
                    "insert into identities (workspace_id, id_type, value, customer_id)
                     select $1, n.* from unnest($2::text[], $3::text[], $4::text[]) n",
                )
                .bind(workspace)
                .bind(id_types)
                .bind(values)
                .bind(owners)
                .execute(&mut **tx)
                .await?;
            }
            Ok(ids.len() as i64 - known)
        }
    }
}

/// Rows that were left out, for the page and the download.
pub async fn write_bad(tx: &mut Tx, workspace: &str, import: &str, bad: &[super::row::BadRow]) -> sqlx::Result<()> {
    match tx {
        Tx::Sqlite(tx) => {
            let rows: Vec<_> = bad.iter().map(|bad| (bad.line, bad.reason.code(), &bad.detail)).collect();
            sqlx::query(
                "insert into import_errors (workspace_id, import_id, line, reason, detail)
                 select $1, $2, n.value ->> 0, n.value ->> 1, n.value ->> 2 from json_each($3) n",
            )
            .bind(workspace)
            .bind(import)
            .bind(json(&rows))
            .execute(&mut **tx)
            .await?;
        }
        Tx::Postgres(tx) => {
            let lines: Vec<i64> = bad.iter().map(|bad| bad.line).collect();
            let reasons: Vec<&str> = bad.iter().map(|bad| bad.reason.code()).collect();
            let details: Vec<&str> = bad.iter().map(|bad| bad.detail.as_str()).collect();
            sqlx::query(
                "insert into import_errors (workspace_id, import_id, line, reason, detail)
                 select $1, $2, n.* from unnest($3::bigint[], $4::text[], $5::text[]) n",
            )
            .bind(workspace)
            .bind(import)
            .bind(lines)
            .bind(reasons)
            .bind(details)
            .execute(&mut **tx)
            .await?;
        }
    }
    Ok(())
}

/// Strings, numbers and maps with string keys always serialise.
fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
