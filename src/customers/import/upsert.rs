//! A settled chunk in SQL: a handful of statements, however many rows.

use super::{
    row::{BadRow, Row},
    settle::{Key, Settled},
};
use crate::{
    bulk,
    clock::Millis,
    db::{Tx, bulk::rows as json},
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

#[derive(Serialize)]
struct Identity<'a> {
    id_type: &'a str,
    value: &'a str,
    /// Empty where it is what is asked for.
    customer_id: &'a str,
}

#[derive(Serialize)]
struct Customer<'a> {
    customer_id: &'a str,
    tags: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct Bad<'a> {
    line: i64,
    reason: &'a str,
    detail: &'a str,
}

/// The customers of the identities that the rows name, and of the single-valued ones that their customers have.
pub async fn owners(
    tx: &mut Tx,
    workspace: &str,
    rows: &[Row],
    id_types: &[String],
    single: &[bool],
) -> sqlx::Result<HashMap<Key, String>> {
    let named = rows.iter().flat_map(|row| &row.identities);
    let named: Vec<Identity> =
        named.map(|(place, value)| Identity { id_type: &id_types[*place], value, customer_id: "" }).collect();
    let customers: HashSet<&str> = rows.iter().map(|row| row.customer_id.as_str()).collect();
    let single = id_types.iter().zip(single).filter(|(_, single)| **single);
    let held: Vec<Identity> = single
        .flat_map(|(id_type, _)| customers.iter().map(move |customer_id| Identity { id_type, value: "", customer_id }))
        .collect();
    let mut found: Vec<(String, String, String)> = Vec::new();
    if !named.is_empty() {
        found.extend(bulk!(
            tx,
            fetch (String, String, String),
            json(&named)?,
            (id_type text, value text),
            "select i.id_type, i.value, i.customer_id from ",
            " cross join identities i where i.workspace_id = $2 and i.id_type = r.id_type and i.value = r.value",
            workspace,
        )?);
    }
    if !held.is_empty() {
        found.extend(bulk!(
            tx,
            fetch (String, String, String),
            json(&held)?,
            (id_type text, customer_id text),
            "select i.id_type, i.value, i.customer_id from ",
            " cross join identities i
             where i.workspace_id = $2 and i.customer_id = r.customer_id and i.id_type = r.id_type",
            workspace,
        )?);
    }
    let key = |(id_type, value, customer): (String, String, String)| {
        id_types.iter().position(|known| *known == id_type).map(|place| ((place, value), customer))
    };
    Ok(found.into_iter().filter_map(key).collect())
}

/// Writes the chunk; how many customers are new.
pub async fn write(
    tx: &mut Tx,
    workspace: &str,
    settled: &Settled,
    id_types: &[String],
    now: Millis,
) -> sqlx::Result<i64> {
    let new = write_customers(tx, workspace, &settled.customers, now).await?;
    if !settled.removed.is_empty() {
        let removed = settled.removed.iter();
        let removed: Vec<Identity> =
            removed.map(|(place, value)| Identity { id_type: &id_types[*place], value, customer_id: "" }).collect();
        bulk!(
            tx,
            execute,
            json(&removed)?,
            (id_type text, value text),
            "delete from identities where workspace_id = $2 and (id_type, value) in (select r.id_type, r.value from ",
            ")",
            workspace,
        )?;
    }
    if !settled.added.is_empty() {
        let added = settled.added.iter();
        let added: Vec<Identity> = added
            .map(|((place, value), customer_id)| Identity { id_type: &id_types[*place], value, customer_id })
            .collect();
        bulk!(
            tx,
            execute,
            json(&added)?,
            (id_type text, value text, customer_id text),
            "insert into identities (workspace_id, id_type, value, customer_id)
             select $2, r.id_type, r.value, r.customer_id from ",
            "",
            workspace,
        )?;
    }
    Ok(new)
}

/// New values replace old ones, tags that the chunk does not name stay.
async fn write_customers(
    tx: &mut Tx,
    workspace: &str,
    customers: &[(String, Map<String, Value>)],
    now: Millis,
) -> sqlx::Result<i64> {
    let rows: Vec<Customer> = customers.iter().map(|(customer_id, tags)| Customer { customer_id, tags }).collect();
    let rows = json(&rows)?;
    let known = bulk!(
        tx,
        fetch (i64,),
        &rows,
        (customer_id text),
        "select count(*) from ",
        " cross join customers c where c.workspace_id = $2 and c.customer_id = r.customer_id",
        workspace,
    )?;
    match tx {
        Tx::Sqlite(_) => bulk!(
            tx,
            execute,
            &rows,
            (customer_id text, tags jsonb),
            "insert into customers (workspace_id, customer_id, tags, created_at, updated_at)
             select $2, r.customer_id, r.tags, $3, $3 from ",
            " where true on conflict (workspace_id, customer_id) do update
             set tags = json_patch(customers.tags, excluded.tags), updated_at = excluded.updated_at",
            workspace,
            now,
        )?,
        Tx::Postgres(_) => bulk!(
            tx,
            execute,
            &rows,
            (customer_id text, tags jsonb),
            "insert into customers (workspace_id, customer_id, tags, created_at, updated_at)
             select $2, r.customer_id, r.tags, $3, $3 from ",
            " where true on conflict (workspace_id, customer_id) do update
             set tags = customers.tags || excluded.tags, updated_at = excluded.updated_at",
            workspace,
            now,
        )?,
    };
    Ok(customers.len() as i64 - known.first().map_or(0, |(known,)| *known))
}

/// Rows that were left out, for the page and the download.
pub async fn write_bad(tx: &mut Tx, workspace: &str, import: &str, bad: &[BadRow]) -> sqlx::Result<()> {
    let rows: Vec<Bad> =
        bad.iter().map(|bad| Bad { line: bad.line, reason: bad.reason.code(), detail: &bad.detail }).collect();
    bulk!(
        tx,
        execute,
        json(&rows)?,
        (line bigint, reason text, detail text),
        "insert into import_errors (workspace_id, import_id, line, reason, detail)
         select $2, $3, r.line, r.reason, r.detail from ",
        "",
        workspace,
        import,
    )?;
    Ok(())
}
