//! The users of a send as a CSV file, written while it is read.

use super::{ActionFilter, actions};
use crate::{
    db::Db,
    delivery::model::ActionRow,
    error::{AppError, AppResult, internal},
};
use bytes::Bytes;
use futures::{Stream, stream};

const CHUNK: i64 = 2_000;
const HEADER: [&str; 8] =
    ["action_id", "customer_id", "id", "result", "reason", "sent_at", "receipt_status", "receipt_at"];

/// Pieces of the file: the header, then chunks of rows in the order of sending. Times are RFC 3339 in UTC.
pub fn csv(
    db: Db,
    workspace_id: String,
    id: String,
    filter: ActionFilter,
) -> impl Stream<Item = AppResult<Bytes>> + Send + 'static {
    let begin = Some(None);
    stream::try_unfold(begin, move |place: Option<Option<i64>>| {
        let (db, workspace_id, id, filter) = (db.clone(), workspace_id.clone(), id.clone(), filter.clone());
        async move {
            let Some(after) = place else { return Ok(None) };
            let rows = actions(&db, &workspace_id, &id, &filter, after.unwrap_or(-1), CHUNK).await?;
            let next = rows.last().map(|row| row.seq);
            let piece = write(&rows, after.is_none())?;
            Ok::<_, AppError>(if piece.is_empty() { None } else { Some((piece, next.map(Some))) })
        }
    })
}

fn write(rows: &[ActionRow], header: bool) -> AppResult<Bytes> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    if header {
        writer.write_record(HEADER).map_err(internal)?;
    }
    for row in rows {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        writer
            .write_record([
                row.action_id.clone(),
                row.customer_id.clone(),
                text(&row.target),
                row.result.clone(),
                text(&row.reason),
                time(row.sent_at),
                text(&row.receipt_status),
                time(row.receipt_at),
            ])
            .map_err(internal)?;
    }
    Ok(writer.into_inner().map_err(internal)?.into())
}

fn time(at: Option<i64>) -> String {
    at.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).map(|time| time.to_string()).unwrap_or_default()
}
