//! Removing what a deleted send recorded, or one whose messages are too old, some rows in each transaction: millions at once would hold everybody up.

use crate::{db::Db, execute, fetch};

pub const CHUNK: i64 = 2_000;

const MESSAGES: [&str; 4] = [
    // A page holds some thousand users.
    "delete from send_pages where workspace_id = $1 and send_id = $2 and first_seq in \
     (select first_seq from send_pages where workspace_id = $1 and send_id = $2 order by first_seq limit 1 + $3 / 100)",
    "delete from send_attempts where workspace_id = $1 and send_id = $2 and batch_no in \
     (select batch_no from send_attempts where workspace_id = $1 and send_id = $2 order by batch_no limit $3)",
    "delete from send_batches where workspace_id = $1 and send_id = $2 and batch_no in \
     (select batch_no from send_batches where workspace_id = $1 and send_id = $2 order by batch_no limit $3)",
    "delete from receipts where workspace_id = $1 and send_id = $2 and seq in \
     (select seq from receipts where workspace_id = $1 and send_id = $2 order by seq limit $3)",
];
/// The totals of a report.
const TOTALS: [&str; 1] = ["delete from send_series where workspace_id = $1 and send_id = $2 and second in \
     (select second from send_series where workspace_id = $1 and send_id = $2 order by second limit $3)"];
/// A few rows each.
const FEW: [&str; 2] = [
    "delete from send_reasons where workspace_id = $1 and send_id = $2",
    "delete from receipt_counts where workspace_id = $1 and send_id = $2",
];
/// The mark goes last.
const MARK: &str = "delete from deleted_sends where workspace_id = $1 and send_id = $2 and keeps_totals = $3";

/// Removes at most `most` rows that a deleted send left. `false`: nothing is left of any.
pub async fn chunk(db: &Db, most: i64) -> sqlx::Result<bool> {
    let deleted = "select workspace_id, send_id, keeps_totals from deleted_sends limit 1";
    let found = fetch!(db, optional, (String, String, bool), deleted)?;
    let Some((workspace_id, send_id, keeps_totals)) = found else { return Ok(false) };
    let totals = if keeps_totals { &[][..] } else { &TOTALS };
    for sql in MESSAGES.iter().chain(totals) {
        let sql = *sql;
        if execute!(db, sql, &workspace_id, &send_id, most)? > 0 {
            return Ok(true);
        }
    }
    let mut tx = db.begin().await?;
    for sql in if keeps_totals { &[][..] } else { &FEW } {
        let sql = *sql;
        execute!(tx, sql, &workspace_id, &send_id)?;
    }
    // Deleted meanwhile, it is begun again.
    execute!(tx, MARK, &workspace_id, &send_id, keeps_totals)?;
    tx.commit().await?;
    Ok(true)
}
