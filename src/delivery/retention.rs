//! Retention: what a workspace's tasks sent is deleted when it is as old as the workspace keeps it. The totals of a report
//! stay: its counters, reasons, receipts by status and deliveries over time.

mod pace;

pub use pace::Pace;

use super::{SendState, ids::SendKey, store};
use crate::{
    clock::{DAY, Millis},
    db::{Db, Tx},
    error::{AppError, AppResult},
    execute, fetch,
};

/// Hands the oldest send whose time is over to [`super::purge`]. `false`: there is none. A send whose receipts may still
/// come waits for their end. `now` as [`Pace::time`] has it.
pub async fn next(db: &Db, now: Millis) -> sqlx::Result<bool> {
    let due = fetch!(
        db,
        optional,
        (String, String),
        "select s.workspace_id, s.id from workspaces w join sends s on s.workspace_id = w.id \
         and s.emptied_at is null and s.finished_at is not null and s.finished_at < $1 - w.keep_days * $2 \
         where w.keep_days > 0 and s.state in ('stopped', 'finished', 'failed') \
         and coalesce(s.receipts_until, 0) < $1 order by s.finished_at, s.id limit 1",
        now,
        DAY
    )?;
    let Some((workspace_id, id)) = due else { return Ok(false) };
    let key = SendKey::new(workspace_id, id);
    let mut tx = db.begin().await?;
    let ended =
        matches!(store::lock(&mut tx, &key).await?, Some(SendState::Stopped | SendState::Finished | SendState::Failed));
    // Somebody may have sent it again meanwhile, or another node was first.
    let sql = "update sends set emptied_at = $3 where workspace_id = $1 and id = $2 and emptied_at is null";
    if !ended || execute!(tx, sql, &key.workspace_id, &key.send_id, now)? == 0 {
        return Ok(true);
    }
    let mark = "insert into deleted_sends (workspace_id, send_id, keeps_totals) values ($1, $2, true)";
    execute!(tx, mark, &key.workspace_id, &key.send_id)?;
    tx.commit().await?;
    Ok(true)
}

/// How many sends of a workspace have ended before `then` and have their messages still.
pub async fn ended_before(db: &Db, workspace_id: &str, then: Millis) -> sqlx::Result<i64> {
    let sql = "select count(*) from sends where workspace_id = $1 and emptied_at is null and finished_at < $2 \
               and state in ('stopped', 'finished', 'failed')";
    Ok(fetch!(db, one, (i64,), sql, workspace_id, then)?.0)
}

/// `Conflict` when the messages of a send, whose row the caller holds, are deleted.
pub async fn check(tx: &mut Tx, key: &SendKey) -> AppResult<()> {
    let sql = "select emptied_at from sends where workspace_id = $1 and id = $2";
    match fetch!(tx, optional, (Option<i64>,), sql, &key.workspace_id, &key.send_id)? {
        Some((Some(_),)) => {
            Err(AppError::conflict("The messages of this task are deleted: the workspace keeps them no longer."))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        delivery::{
            purge,
            record::End,
            report,
            resend::{self, Which},
            testing::{WORKSPACE, claim, note, progress, put_planned, put_webhook, record},
        },
        on_both_databases,
    };

    const NOW: Millis = 31 * DAY;

    async fn ended(db: &Db) -> SendKey {
        put_webhook(db, "http://127.0.0.1:9/", 1).await;
        let key = put_planned(db, "s", &[10, 5]).await;
        let claims = claim(db, &key, 5, 1_000).await;
        record(db, &claims[0], End::Accepted, 2_000).await;
        record(db, &claims[1], End::Failed("HTTP 400".into()), DAY).await;
        execute!(db, "update sends set receipts_until = null").unwrap();
        key
    }

    async fn keep(db: &Db, days: i64) {
        let sql = "insert into workspaces (id, name, time_zone, created_at, keep_days) values ($1, 'w', 'UTC', 0, $2) \
                   on conflict (id) do update set keep_days = excluded.keep_days";
        execute!(db, sql, WORKSPACE, days).unwrap();
    }

    async fn rows(db: &Db) -> i64 {
        let mut rows = 0;
        for table in ["send_pages", "send_batches", "send_attempts", "receipts", "deleted_sends"] {
            let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
            rows += fetch!(db, one, (i64,), sql).unwrap().0;
        }
        rows
    }

    on_both_databases!(messages_go_when_their_time_is_over_and_totals_stay, |db| async move {
        let key = ended(&db).await;
        let sql = "insert into receipts (workspace_id, send_id, seq, msg_id, status, sent_at, received_at) \
                   values ($1, 's', 1, 'm', '200', 3000, 3000)";
        execute!(db, sql, WORKSPACE).unwrap();
        let before = (progress(&db, "s").await, report::reasons(&db, WORKSPACE, "s", 9).await.unwrap());
        let series = report::series(&db, WORKSPACE, "s", 9).await.unwrap();
        assert!(!next(&db, NOW).await.unwrap(), "a workspace that says nothing keeps them");
        keep(&db, 30).await;
        assert!(!next(&db, NOW).await.unwrap(), "thirty days to the millisecond");
        let told = async |then| ended_before(&db, WORKSPACE, then).await.unwrap();
        assert_eq!((told(DAY).await, told(DAY + 1).await), (0, 1), "before they go");
        assert!(next(&db, NOW + 1).await.unwrap());
        assert!(!next(&db, NOW + 1).await.unwrap(), "once");
        assert_eq!(told(DAY + 1).await, 0);
        let again = resend::again(&db, &key, Which::Failed(None), &note(), NOW + 2).await.unwrap_err();
        assert!(again.to_string().contains("deleted"), "{again}");
        while purge::chunk(&db, 1).await.unwrap() {}
        assert_eq!(rows(&db).await, 0);
        let after = (
            report::progress(&db, WORKSPACE, "s").await.unwrap(),
            report::reasons(&db, WORKSPACE, "s", 9).await.unwrap(),
        );
        assert_eq!(after.0.emptied_at, Some(NOW + 1));
        assert_eq!(after.1, before.1);
        let counters = |progress: &crate::delivery::model::Progress| {
            (progress.state, progress.planned, progress.accepted, progress.failed, progress.batches)
        };
        assert_eq!(counters(&after.0), counters(&before.0));
        assert_eq!(report::series(&db, WORKSPACE, "s", 9).await.unwrap(), series);
    });

    on_both_databases!(who_runs_or_waits_for_receipts_is_left_alone, |db| async move {
        ended(&db).await;
        keep(&db, 1).await;
        execute!(db, "update sends set receipts_until = $1", NOW).unwrap();
        assert!(!next(&db, NOW).await.unwrap());
        execute!(db, "update sends set state = 'sending', receipts_until = null").unwrap();
        assert!(!next(&db, NOW).await.unwrap());
        execute!(db, "update sends set state = 'finished'").unwrap();
        assert!(next(&db, NOW).await.unwrap());
    });

    on_both_databases!(a_send_deleted_while_it_is_emptied_goes_whole, |db| async move {
        ended(&db).await;
        keep(&db, 1).await;
        assert!(next(&db, NOW).await.unwrap());
        assert!(purge::chunk(&db, 1).await.unwrap());
        let mut tx = db.begin().await.unwrap();
        assert!(store::delete(&mut tx, WORKSPACE, "s").await.unwrap());
        tx.commit().await.unwrap();
        while purge::chunk(&db, 1).await.unwrap() {}
        assert_eq!(rows(&db).await, 0);
        assert!(report::reasons(&db, WORKSPACE, "s", 9).await.unwrap().is_empty());
    });
}
