//! Imports in the database.

use super::row::BadRow;
use crate::{
    audit::{
        By, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::{Millis, new_id},
    customers::{
        mapping::{Mapping, Target},
        model::{Import, ImportStatus, Reason, SILENCE_MAX},
    },
    db::{Db, Tx},
    execute, fetch,
};
use serde_json::json;
use std::collections::BTreeMap;

/// Where an import's file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// In the folder of uploads, by the import's id.
    Upload,
    /// A file of whoever called the command line.
    Command,
}

pub struct NewImport<'a> {
    pub source: Source,
    pub file_name: &'a str,
    pub bytes: i64,
    pub by: &'a str,
}

/// Where an import stands in its file. It moves in the transaction of the rows before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub bytes: i64,
    pub lines: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    source: String,
    file_name: String,
    status: String,
    bytes: i64,
    bytes_done: i64,
    rows_good: i64,
    rows_bad: i64,
    reasons: String,
    error: Option<String>,
    created_at: Millis,
    started_at: Option<Millis>,
    progress_at: Option<Millis>,
    finished_at: Option<Millis>,
}

impl From<Row> for Import {
    fn from(row: Row) -> Self {
        let counts: BTreeMap<String, i64> = serde_json::from_str(&row.reasons).unwrap_or_default();
        let mut reasons: Vec<(Reason, i64)> =
            counts.into_iter().filter_map(|(code, count)| Some((Reason::from_code(&code)?, count))).collect();
        reasons.sort_by_key(|(_, count)| -count);
        Self {
            id: row.id,
            uploaded: row.source == "upload",
            file_name: row.file_name,
            status: ImportStatus::from_code(&row.status).unwrap_or(ImportStatus::Failed),
            bytes: row.bytes,
            bytes_done: row.bytes_done,
            rows_good: row.rows_good,
            rows_bad: row.rows_bad,
            reasons,
            error: row.error,
            created_at: row.created_at,
            started_at: row.started_at,
            progress_at: row.progress_at,
            finished_at: row.finished_at,
        }
    }
}

pub async fn add(db: &Db, workspace: &str, new: &NewImport<'_>, now: Millis) -> sqlx::Result<String> {
    let id = new_id();
    add_as(db, workspace, &id, new, now).await?;
    Ok(id)
}

/// With an id that the caller made, as an upload's file already has it.
pub async fn add_as(db: &Db, workspace: &str, id: &str, new: &NewImport<'_>, now: Millis) -> sqlx::Result<()> {
    let source = match new.source {
        Source::Upload => "upload",
        Source::Command => "command",
    };
    execute!(
        db,
        "insert into imports (workspace_id, id, source, file_name, bytes, status, created_by, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        workspace,
        id,
        source,
        new.file_name,
        new.bytes,
        ImportStatus::Uploaded.code(),
        new.by,
        now
    )?;
    Ok(())
}

/// The import, or `RowNotFound`.
pub async fn get(db: &Db, workspace: &str, id: &str) -> sqlx::Result<Import> {
    let row = fetch!(
        db,
        one,
        Row,
        "select id, source, file_name, status, bytes, bytes_done, rows_good, rows_bad, reasons, error, created_at,
                started_at, progress_at, finished_at
         from imports where workspace_id = $1 and id = $2",
        workspace,
        id
    )?;
    Ok(row.into())
}

/// The latest ones.
pub async fn latest(db: &Db, workspace: &str, most: i64) -> sqlx::Result<Vec<Import>> {
    let rows = fetch!(
        db,
        all,
        Row,
        "select id, source, file_name, status, bytes, bytes_done, rows_good, rows_bad, reasons, error, created_at,
                started_at, progress_at, finished_at
         from imports where workspace_id = $1 order by id desc limit $2",
        workspace,
        most
    )?;
    Ok(rows.into_iter().map(Import::from).collect())
}

/// Workspace and id of the imports of uploaded files that run, or ran when the server stopped.
pub async fn running(db: &Db) -> sqlx::Result<Vec<(String, String)>> {
    fetch!(
        db,
        all,
        (String, String),
        "select workspace_id, id from imports where status = 'running' and source = 'upload' order by id"
    )
}

/// The mapping and position that a run goes on with, if the import is running; from now on it moves again.
pub async fn to_run(db: &Db, workspace: &str, id: &str, now: Millis) -> sqlx::Result<Option<(String, Position)>> {
    execute!(
        db,
        "update imports set progress_at = $3 where workspace_id = $1 and id = $2 and status = 'running'",
        workspace,
        id,
        now
    )?;
    let row = fetch!(
        db,
        optional,
        (String, i64, i64),
        "select mapping, bytes_done, lines_done from imports
         where workspace_id = $1 and id = $2 and status = 'running' and mapping is not null",
        workspace,
        id
    )?;
    Ok(row.map(|(mapping, bytes, lines)| (mapping, Position { bytes, lines })))
}

/// Marks the import as running with this mapping and makes its tags. False when it runs or ran already, or when one of
/// the tags has come to be of another kind meanwhile.
pub async fn start(db: &Db, workspace: &str, id: &str, mapping: &Mapping, by: &By) -> sqlx::Result<bool> {
    let text = serde_json::to_string(mapping).unwrap_or_default();
    let mut tx = db.begin().await?;
    let started = execute!(
        tx,
        "update imports set status = 'running', mapping = $3, started_at = $4, progress_at = $4
         where workspace_id = $1 and id = $2 and status = 'uploaded'",
        workspace,
        id,
        &text,
        by.at
    )?;
    for column in &mapping.columns {
        if let Target::Tag { name, kind } = &column.target {
            execute!(
                tx,
                "insert into tags (workspace_id, name, kind) values ($1, $2, $3)
                 on conflict (workspace_id, name) do nothing",
                workspace,
                name,
                kind.code()
            )?;
            let (kept,) = fetch!(
                tx,
                one,
                (String,),
                "select kind from tags where workspace_id = $1 and name = $2",
                workspace,
                name
            )?;
            if kept != kind.code() {
                return Ok(false);
            }
        }
    }
    if started == 1 {
        let columns = mapping.columns.iter().map(|column| format!("{} → {}", column.header, column.target.text()));
        let change = Change::to(&json!({"columns": columns.collect::<Vec<_>>()}));
        record(&mut tx, workspace, id, by, Action::Imported, change).await?;
        tx.commit().await?;
    }
    Ok(started == 1)
}

/// Writes down what was done to an import, under the name of its file.
async fn record(tx: &mut Tx, workspace: &str, id: &str, by: &By, action: Action, change: Change) -> sqlx::Result<()> {
    let sql = "select file_name from imports where workspace_id = $1 and id = $2";
    let (file,) = fetch!(tx, one, (String,), sql, workspace, id)?;
    by.record(tx, workspace, &Entry::new(action, ObjectKind::Customers, id, &file).with(change)).await
}

/// An import of an upload that failed or was interrupted goes on from where it stopped; false when it is neither.
pub async fn start_again(db: &Db, workspace: &str, id: &str, by: &By) -> sqlx::Result<bool> {
    let mut tx = db.begin().await?;
    let changed = execute!(
        tx,
        "update imports set status = 'running', error = null, progress_at = $3, finished_at = null
         where workspace_id = $1 and id = $2 and source = 'upload'
         and (status = 'failed' or (status = 'running' and coalesce(progress_at, 0) < $4))",
        workspace,
        id,
        by.at,
        by.at - SILENCE_MAX
    )?;
    if changed == 1 {
        record(&mut tx, workspace, id, by, Action::Resumed, Change::default()).await?;
        tx.commit().await?;
    }
    Ok(changed == 1)
}

/// Forgets an import that was not started, failed or was interrupted; false when it runs or has finished. What it
/// brought in stays. A run of it that lives after all finds that it is no more and stops.
pub async fn discard(db: &Db, workspace: &str, id: &str, by: &By) -> sqlx::Result<bool> {
    let mut tx = db.begin().await?;
    let row = fetch!(
        tx,
        optional,
        (String,),
        "delete from imports where workspace_id = $1 and id = $2
         and (status in ('uploaded', 'failed') or (status = 'running' and coalesce(progress_at, 0) < $3))
         returning file_name",
        workspace,
        id,
        by.at - SILENCE_MAX
    )?;
    let discarded = row.is_some();
    if let Some((file,)) = row {
        execute!(tx, "delete from import_errors where workspace_id = $1 and import_id = $2", workspace, id)?;
        by.record(&mut tx, workspace, &Entry::new(Action::Deleted, ObjectKind::Customers, id, &file)).await?;
        tx.commit().await?;
    }
    Ok(discarded)
}

/// Takes away an import that was not started, and of which nothing was written.
pub async fn forget(db: &Db, workspace: &str, id: &str) -> sqlx::Result<()> {
    let sql = "delete from imports where workspace_id = $1 and id = $2 and status = 'uploaded'";
    execute!(db, sql, workspace, id)?;
    Ok(())
}

/// Moves the import on by one chunk, in the chunk's transaction and before its rows. False when it does not stand
/// `from` any more: another run of it is ahead, and this one must not write. On PostgreSQL it also holds the other
/// imports of the workspace until the transaction ends, so that two of them agree on who has an identity.
pub async fn advance(
    tx: &mut Tx,
    workspace: &str,
    id: &str,
    from: Position,
    to: Position,
    now: Millis,
) -> sqlx::Result<bool> {
    if let Tx::Postgres(tx) = tx {
        sqlx::query("select pg_advisory_xact_lock(hashtextextended('import ' || $1, 0))")
            .bind(workspace)
            .execute(&mut **tx)
            .await?;
    }
    let changed = execute!(
        tx,
        "update imports set bytes_done = $4, lines_done = $5, progress_at = $6
         where workspace_id = $1 and id = $2 and bytes_done = $3 and status = 'running'",
        workspace,
        id,
        from.bytes,
        to.bytes,
        to.lines,
        now
    )?;
    Ok(changed == 1)
}

/// Counts a chunk's rows.
pub async fn count(tx: &mut Tx, workspace: &str, id: &str, good: i64, bad: &[BadRow], new: i64) -> sqlx::Result<()> {
    let (reasons,) =
        fetch!(tx, one, (String,), "select reasons from imports where workspace_id = $1 and id = $2", workspace, id)?;
    let mut counts: BTreeMap<String, i64> = serde_json::from_str(&reasons).unwrap_or_default();
    for bad in bad {
        *counts.entry(bad.reason.code().into()).or_default() += 1;
    }
    execute!(
        tx,
        "update imports set rows_good = rows_good + $3, rows_bad = rows_bad + $4, reasons = $5
         where workspace_id = $1 and id = $2",
        workspace,
        id,
        good,
        bad.len() as i64,
        serde_json::to_string(&counts).unwrap_or_default()
    )?;
    execute!(
        tx,
        "insert into customer_counts (workspace_id, customers) values ($1, $2)
         on conflict (workspace_id) do update set customers = customer_counts.customers + excluded.customers",
        workspace,
        new
    )?;
    Ok(())
}

/// Ends a running import, well or with what went wrong.
pub async fn finish(db: &Db, workspace: &str, id: &str, error: Option<&str>, now: Millis) -> sqlx::Result<()> {
    let status = if error.is_some() { ImportStatus::Failed } else { ImportStatus::Finished };
    execute!(
        db,
        "update imports set status = $3, error = $4, finished_at = $5
         where workspace_id = $1 and id = $2 and status = 'running'",
        workspace,
        id,
        status.code(),
        error,
        now
    )?;
    Ok(())
}

/// Bad rows after a line, by line.
pub async fn bad_rows(db: &Db, workspace: &str, id: &str, after: i64, most: i64) -> sqlx::Result<Vec<BadRow>> {
    let rows = fetch!(
        db,
        all,
        (i64, String, String),
        "select line, reason, detail from import_errors
         where workspace_id = $1 and import_id = $2 and line > $3 order by line limit $4",
        workspace,
        id,
        after,
        most
    )?;
    let bad = |(line, reason, detail): (i64, String, String)| {
        Some(BadRow { line, reason: Reason::from_code(&reason)?, detail })
    };
    Ok(rows.into_iter().filter_map(bad).collect())
}
