//! Audiences in the database, and the customers in them.

mod recipients;

pub use recipients::{Recipient, recipients};

use super::{
    model::{Audience, AudienceSummary, Kind, name_problem},
    rules::Test,
    rules_sql,
};
use crate::{
    audit::{
        By, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::{Millis, new_id},
    customers::{self, model::Tag, store::tags_of},
    db::{Db, Tx, from_json, like_pattern, name_key},
    error::FieldError,
    execute, fetch,
};
use serde_json::{Map, Value, json};
use sqlx::AssertSqlSafe;

/// A customer of an audience, as pages show him.
#[derive(Clone, Debug, PartialEq)]
pub struct AudienceMember {
    pub customer_id: String,
    /// The customer's smallest value of the ID type that was asked for.
    pub target: Option<String>,
    pub tags: Map<String, Value>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    kind: String,
    rules: String,
    size: i64,
    unmatched: i64,
    created_at: Millis,
    updated_at: Millis,
}

fn kind_of(code: &str) -> sqlx::Result<Kind> {
    Kind::from_code(code).ok_or_else(|| sqlx::Error::Decode(format!("an audience of the kind {code}").into()))
}

/// By name, at most `most`, after a name.
pub async fn page(
    db: &Db,
    workspace: &str,
    search: &str,
    after: &str,
    most: i64,
) -> sqlx::Result<Vec<AudienceSummary>> {
    let rows = fetch!(
        db,
        all,
        (String, String, String, i64, Millis),
        "select id, name, kind, size, updated_at from audiences
         where workspace_id = $1 and ($2 = '' or name_key like $2 escape '!') and name > $3 order by name limit $4",
        workspace,
        like_pattern(&name_key(search.trim())),
        after,
        most
    )?;
    let summary = |(id, name, kind, size, updated_at): (String, String, String, i64, Millis)| {
        Ok(AudienceSummary { id, name, kind: kind_of(&kind)?, size, updated_at })
    };
    rows.into_iter().map(summary).collect()
}

/// For selects: all of them, by name.
pub async fn summaries(db: &Db, workspace: &str) -> sqlx::Result<Vec<AudienceSummary>> {
    page(db, workspace, "", "", i64::MAX).await
}

/// How many there are.
pub async fn count(db: &Db, workspace: &str) -> sqlx::Result<i64> {
    let (count,) = fetch!(db, one, (i64,), "select count(*) from audiences where workspace_id = $1", workspace)?;
    Ok(count)
}

/// The audience, or `RowNotFound`.
pub async fn get(db: &Db, workspace: &str, id: &str) -> sqlx::Result<Audience> {
    let row = fetch!(
        db,
        one,
        Row,
        "select id, name, kind, rules, size, unmatched, created_at, updated_at from audiences
         where workspace_id = $1 and id = $2",
        workspace,
        id
    )?;
    row.try_into()
}

/// As [`get`]; until the transaction ends nobody else changes it.
async fn hold(tx: &mut Tx, workspace: &str, id: &str) -> sqlx::Result<Audience> {
    let row = fetch!(
        tx,
        one,
        Row,
        "update audiences set name = name where workspace_id = $1 and id = $2
         returning id, name, kind, rules, size, unmatched, created_at, updated_at",
        workspace,
        id
    )?;
    row.try_into()
}

impl TryFrom<Row> for Audience {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        Ok(Self {
            kind: kind_of(&row.kind)?,
            rules: from_json(&row.rules)?,
            id: row.id,
            name: row.name,
            size: row.size,
            unmatched: row.unmatched,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

pub const NAME_TAKEN: &str = "Another audience has this name already.";

/// What is wrong with a name for the audience `id` ("" for a new one).
pub async fn name_errors(db: &Db, workspace: &str, name: &str, id: &str) -> sqlx::Result<Vec<FieldError>> {
    if let Some(message) = name_problem(name) {
        return Ok(vec![FieldError::new("name", message)]);
    }
    let other = fetch!(
        db,
        optional,
        (String,),
        "select id from audiences where workspace_id = $1 and name = $2 and id <> $3",
        workspace,
        name.trim(),
        id
    )?;
    Ok(other.map(|_| FieldError::new("name", NAME_TAKEN)).into_iter().collect())
}

/// Why an audience cannot be counted: its rules do not fit the tags.
pub fn problem(audience: &Audience, tags: &[Tag]) -> Option<String> {
    if audience.kind != Kind::Rules {
        return None;
    }
    let errors = audience.rules.resolve(tags).err()?;
    Some(errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join(" "))
}

/// Adds it with the size and unmatched that it says; its id. A taken name is a unique violation.
pub async fn add(db: &Db, workspace: &str, audience: &Audience, by: &By) -> sqlx::Result<String> {
    let id = if audience.id.is_empty() { new_id() } else { audience.id.clone() };
    let mut tx = db.begin().await?;
    execute!(
        tx,
        "insert into audiences (workspace_id, id, name, kind, rules, size, unmatched, created_at, updated_at, name_key)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)",
        workspace,
        &id,
        &audience.name,
        audience.kind.code(),
        serde_json::to_string(&audience.rules).unwrap_or_default(),
        audience.size,
        audience.unmatched,
        by.at,
        name_key(&audience.name)
    )?;
    let entry = Entry::new(Action::Created, ObjectKind::Audience, &id, &audience.name);
    by.record(&mut tx, workspace, &entry.with(Change::to(&told(audience)))).await?;
    tx.commit().await?;
    Ok(id)
}

/// Changes name, rules and size. A taken name is a unique violation.
pub async fn update(db: &Db, workspace: &str, audience: &Audience, by: &By) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    let before = hold(&mut tx, workspace, &audience.id).await?;
    execute!(
        tx,
        "update audiences set name = $3, rules = $4, size = $5, updated_at = $6, name_key = $7
         where workspace_id = $1 and id = $2",
        workspace,
        &audience.id,
        &audience.name,
        serde_json::to_string(&audience.rules).unwrap_or_default(),
        audience.size,
        by.at,
        name_key(&audience.name)
    )?;
    let change = Change::between(&told(&before), &told(audience));
    let entry = Entry::new(Action::Changed, ObjectKind::Audience, &audience.id, &audience.name).with(change);
    by.record(&mut tx, workspace, &entry).await?;
    tx.commit().await
}

/// Counts the audience and keeps the figure.
pub async fn recount(db: &Db, workspace: &str, audience: &mut Audience, now: Millis) -> sqlx::Result<()> {
    audience.size = size_of(db, workspace, audience).await?;
    audience.updated_at = now;
    execute!(
        db,
        "update audiences set size = $3, updated_at = $4 where workspace_id = $1 and id = $2",
        workspace,
        &audience.id,
        audience.size,
        now
    )?;
    Ok(())
}

/// Names of tasks that are not finished and send to the audience, at most 5.
pub async fn used_by(db: &Db, workspace: &str, id: &str) -> sqlx::Result<Vec<String>> {
    let rows = fetch!(
        db,
        all,
        (String,),
        "select t.name from tasks t join sends s on s.workspace_id = t.workspace_id and s.id = t.id
         where t.workspace_id = $1 and t.audience_id = $2 and s.state in ('scheduled', 'missed', 'sending', 'paused')
         order by t.name limit 5",
        workspace,
        id
    )?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// IDs of an uploaded list that no customer has, with their lines, after a line.
pub async fn unmatched(db: &Db, workspace: &str, id: &str, after: i64, most: i64) -> sqlx::Result<Vec<(i64, String)>> {
    fetch!(
        db,
        all,
        (i64, String),
        "select line, value from audience_unmatched
         where workspace_id = $1 and audience_id = $2 and line > $3 order by line limit $4",
        workspace,
        id,
        after,
        most
    )
}

/// Its members go too; the customers stay.
pub async fn delete(db: &Db, workspace: &str, id: &str, by: &By) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    let audience = hold(&mut tx, workspace, id).await?;
    delete_rows(&mut tx, workspace, id).await?;
    execute!(tx, "delete from audiences where workspace_id = $1 and id = $2", workspace, id)?;
    let entry = Entry::new(Action::Deleted, ObjectKind::Audience, id, &audience.name);
    by.record(&mut tx, workspace, &entry.with(Change::from(&told(&audience)))).await?;
    tx.commit().await
}

/// Takes away the rows of one that was never added.
pub async fn forget(db: &Db, workspace: &str, id: &str) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    delete_rows(&mut tx, workspace, id).await?;
    tx.commit().await
}

async fn delete_rows(tx: &mut Tx, workspace: &str, id: &str) -> sqlx::Result<()> {
    execute!(tx, "delete from audience_members where workspace_id = $1 and audience_id = $2", workspace, id)?;
    execute!(tx, "delete from audience_unmatched where workspace_id = $1 and audience_id = $2", workspace, id)?;
    Ok(())
}

/// What the audit log says of it; whose IDs are in a list it does not.
fn told(audience: &Audience) -> Value {
    let mut told = json!({"name": audience.name, "kind": audience.kind.label(), "size": audience.size});
    match audience.kind {
        Kind::All => {}
        Kind::Rules => told["conditions"] = json!(audience.rules),
        Kind::List => told["unmatched"] = audience.unmatched.into(),
    }
    told
}

/// Where an audience's customers come from: a table to walk, a condition, and the text that the condition binds: the
/// audience's id or the array of its rules' values.
struct Members {
    from: &'static str,
    walked: &'static str,
    condition: String,
    bind: String,
}

/// `place` is the number of the bind.
async fn members(db: &Db, workspace: &str, audience: &Audience, place: usize) -> sqlx::Result<Members> {
    let everybody = |tests: &[Test]| {
        let condition = rules_sql::where_all(tests, db.is_sqlite(), place);
        Members { from: "customers c", walked: "c", condition: condition.sql, bind: condition.values }
    };
    Ok(match audience.kind {
        Kind::All => everybody(&[]),
        Kind::Rules => {
            let tags = customers::store::tags(db, workspace).await?;
            let tests = audience.rules.resolve(&tags).map_err(|errors| {
                let said: Vec<String> = errors.into_iter().map(|error| error.message).collect();
                sqlx::Error::Decode(format!("the audience {}: {}", audience.id, said.join(" ")).into())
            })?;
            everybody(&tests)
        }
        Kind::List => Members {
            from: "audience_members m cross join customers c",
            walked: "m",
            condition: format!(
                "m.audience_id = ${place} and c.workspace_id = m.workspace_id and c.customer_id = m.customer_id"
            ),
            bind: audience.id.clone(),
        },
    })
}

/// Customers of the audience in the order of their ids, strictly after `after`.
pub async fn page_of(
    db: &Db,
    workspace: &str,
    audience: &Audience,
    id_type: &str,
    after: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<AudienceMember>> {
    let Members { from, walked, condition, bind } = members(db, workspace, audience, 4).await?;
    let sql = format!(
        "select c.customer_id,
                (select min(i.value) from identities i
                 where i.workspace_id = c.workspace_id and i.customer_id = c.customer_id and i.id_type = $5) as target,
                cast(c.tags as text) as tags
         from {from} where {walked}.workspace_id = $1 and {walked}.customer_id > $2 and {condition}
         order by {walked}.customer_id limit $3"
    );
    let rows = fetch!(
        db,
        all,
        (String, Option<String>, String),
        AssertSqlSafe(sql),
        workspace,
        after.unwrap_or(""),
        limit,
        bind,
        id_type
    )?;
    let member = |(customer_id, target, tags): (String, Option<String>, String)| AudienceMember {
        customer_id,
        target,
        tags: tags_of(&tags),
    };
    Ok(rows.into_iter().map(member).collect())
}

/// Has somebody in the audience an ID of the type?
pub async fn has_id_type(db: &Db, workspace: &str, audience: &Audience, id_type: &str) -> sqlx::Result<bool> {
    let Members { from, walked, condition, bind } = members(db, workspace, audience, 2).await?;
    let sql = format!(
        "select 1 from {from} where {walked}.workspace_id = $1 and {condition}
         and exists (select 1 from identities i where i.workspace_id = c.workspace_id
                     and i.customer_id = c.customer_id and i.id_type = $3) limit 1"
    );
    Ok(fetch!(db, optional, (i32,), AssertSqlSafe(sql), workspace, bind, id_type)?.is_some())
}

/// How many customers the audience has now, exactly.
pub async fn size_of(db: &Db, workspace: &str, audience: &Audience) -> sqlx::Result<i64> {
    if audience.kind == Kind::All {
        return customers::store::total(db, workspace).await;
    }
    let Members { from, walked, condition, bind } = members(db, workspace, audience, 2).await?;
    let sql = format!("select count(*) from {from} where {walked}.workspace_id = $1 and {condition}");
    let (size,) = fetch!(db, one, (i64,), AssertSqlSafe(sql), workspace, bind)?;
    Ok(size)
}

#[cfg(test)]
mod tests;
