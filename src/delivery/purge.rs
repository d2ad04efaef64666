//! Removing what a deleted send recorded, some rows in each transaction: millions at once would hold everybody up.

use crate::{db::Db, execute, fetch};

pub const CHUNK: i64 = 2_000;

const ROWS: [&str; 5] = [
    // A page holds some thousand users.
    "delete from send_pages where workspace_id = $1 and send_id = $2 and first_seq in \
     (select first_seq from send_pages where workspace_id = $1 and send_id = $2 order by first_seq limit 1 + $3 / 100)",
    "delete from send_attempts where workspace_id = $1 and send_id = $2 and batch_no in \
     (select batch_no from send_attempts where workspace_id = $1 and send_id = $2 order by batch_no limit $3)",
    "delete from send_batches where workspace_id = $1 and send_id = $2 and batch_no in \
     (select batch_no from send_batches where workspace_id = $1 and send_id = $2 order by batch_no limit $3)",
    "delete from receipts where workspace_id = $1 and send_id = $2 and seq in \
     (select seq from receipts where workspace_id = $1 and send_id = $2 order by seq limit $3)",
    "delete from send_series where workspace_id = $1 and send_id = $2 and second in \
     (select second from send_series where workspace_id = $1 and send_id = $2 order by second limit $3)",
];
/// A few rows each; the mark goes with them.
const LAST: [&str; 3] = [
    "delete from send_reasons where workspace_id = $1 and send_id = $2",
    "delete from receipt_counts where workspace_id = $1 and send_id = $2",
    "delete from deleted_sends where workspace_id = $1 and send_id = $2",
];

/// Removes at most `most` rows that a deleted send left. `false`: nothing is left of any.
pub async fn chunk(db: &Db, most: i64) -> sqlx::Result<bool> {
    let deleted = "select workspace_id, send_id from deleted_sends limit 1";
    let Some((workspace_id, send_id)) = fetch!(db, optional, (String, String), deleted)? else { return Ok(false) };
    for sql in ROWS {
        if execute!(db, sql, &workspace_id, &send_id, most)? > 0 {
            return Ok(true);
        }
    }
    let mut tx = db.begin().await?;
    for sql in LAST {
        execute!(tx, sql, &workspace_id, &send_id)?;
    }
    tx.commit().await?;
    Ok(true)
}
