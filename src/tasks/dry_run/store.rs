//! Dry runs in the database.

use crate::{clock::Millis, db::Db, execute, fetch};

#[derive(sqlx::FromRow)]
pub struct DryRunRecord {
    pub id: String,
    pub input: String,
    /// "running", "done", "failed" or "replaced".
    pub status: String,
    pub done: i64,
    pub total: i64,
    /// A `DryRunResult` as JSON, or the error's text.
    pub result: Option<String>,
}

pub async fn add(
    db: &Db,
    workspace: &str,
    user: &str,
    record: &DryRunRecord,
    now: Millis,
    forget_before: Millis,
) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    execute!(
        tx,
        "update dry_runs set status = 'replaced' where workspace_id = $1 and created_by = $2 and status = 'running'",
        workspace,
        user
    )?;
    execute!(tx, "delete from dry_runs where workspace_id = $1 and created_at < $2", workspace, forget_before)?;
    execute!(
        tx,
        "insert into dry_runs (workspace_id, id, input, status, done, total, created_by, created_at)
         values ($1, $2, $3, $4, 0, $5, $6, $7)",
        workspace,
        &record.id,
        &record.input,
        &record.status,
        record.total,
        user,
        now
    )?;
    tx.commit().await
}

pub async fn get(db: &Db, workspace: &str, user: &str, id: &str) -> sqlx::Result<DryRunRecord> {
    fetch!(
        db,
        one,
        DryRunRecord,
        "select id, input, status, done, total, result from dry_runs
         where workspace_id = $1 and id = $2 and created_by = $3",
        workspace,
        id,
        user
    )
}

/// Notes how far it is; false when it has been replaced and should stop.
pub async fn progress(db: &Db, workspace: &str, id: &str, done: i64) -> sqlx::Result<bool> {
    let changed = execute!(
        db,
        "update dry_runs set done = $3 where workspace_id = $1 and id = $2 and status = 'running'",
        workspace,
        id,
        done
    )?;
    Ok(changed == 1)
}

pub async fn end(db: &Db, workspace: &str, id: &str, status: &str, result: &str) -> sqlx::Result<()> {
    execute!(
        db,
        "update dry_runs set status = $3, result = $4 where workspace_id = $1 and id = $2 and status = 'running'",
        workspace,
        id,
        status,
        result
    )?;
    Ok(())
}

/// Ends those from before a moment that a restart has cut off: nobody renders them any more.
pub async fn end_interrupted(db: &Db, before: Millis) -> sqlx::Result<()> {
    execute!(
        db,
        "update dry_runs set status = 'failed', result = 'Reachwire was restarted in the meantime. Change something \
         in the form to run it again.' where status = 'running' and created_at < $1",
        before
    )?;
    Ok(())
}
