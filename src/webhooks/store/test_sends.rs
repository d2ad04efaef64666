//! Test sends and their logs.

use crate::{
    audit::{
        By, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::{Millis, new_id},
    db::Db,
    execute, fetch,
    webhooks::model::{TestResult, TestSend},
};

/// Logs kept of one webhook; older ones go when a new one comes.
const KEPT: i64 = 20;

/// Keeps the log of a test and shows its result as the webhook's latest; the test's id. Every webhook that is tested
/// has been read before, so an unknown one is a `RowNotFound`.
pub async fn record_test(
    db: &Db,
    workspace: &str,
    webhook: &str,
    by: &By,
    result: &TestResult,
    log: &str,
) -> sqlx::Result<String> {
    let id = new_id();
    let mut tx = db.begin().await?;
    let (name,) = fetch!(
        tx,
        one,
        (String,),
        "update webhooks set tested_at = $3, test_ok = $4, test_reason = $5 where workspace_id = $1 and id = $2
         returning name",
        workspace,
        webhook,
        result.at,
        result.ok,
        &result.reason
    )?;
    execute!(
        tx,
        "insert into test_sends (workspace_id, id, webhook_id, ok, reason, log, created_by, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        workspace,
        &id,
        webhook,
        result.ok,
        &result.reason,
        log,
        &by.actor.id,
        result.at
    )?;
    execute!(
        tx,
        "delete from test_sends where workspace_id = $1 and webhook_id = $2 and id not in (
             select id from test_sends where workspace_id = $1 and webhook_id = $2 order by id desc limit $3)",
        workspace,
        webhook,
        KEPT
    )?;
    let outcome = Change::to(&serde_json::json!({"successful": result.ok, "reason": result.reason}));
    let entry = Entry::new(Action::Tested, ObjectKind::Webhook, webhook, &name).with(outcome);
    by.record(&mut tx, workspace, &entry).await?;
    tx.commit().await?;
    Ok(id)
}

/// The webhook's latest tests, newest first.
pub async fn latest_tests(db: &Db, workspace: &str, webhook: &str) -> sqlx::Result<Vec<TestSend>> {
    let rows = fetch!(
        db,
        all,
        (String, bool, String, Millis, Option<String>),
        "select t.id, t.ok, t.reason, t.created_at, u.name from test_sends t left join users u on u.id = t.created_by
         where t.workspace_id = $1 and t.webhook_id = $2 order by t.id desc limit $3",
        workspace,
        webhook,
        KEPT
    )?;
    let test = |(id, ok, reason, at, by): (String, bool, String, Millis, Option<String>)| TestSend {
        id,
        result: TestResult { ok, reason, at },
        by: by.unwrap_or_default(),
    };
    Ok(rows.into_iter().map(test).collect())
}

/// The log of one test, for [Download Logs].
pub async fn test_log(db: &Db, workspace: &str, id: &str) -> sqlx::Result<String> {
    fetch!(db, one, (String,), "select log from test_sends where workspace_id = $1 and id = $2", workspace, id)
        .map(|(log,)| log)
}

#[cfg(test)]
mod tests {
    use super::super::{
        get,
        tests::{NOW, created, input},
    };
    use super::*;
    use crate::on_both_databases;

    on_both_databases!(the_latest_test_shows_and_older_logs_go, |db| async move {
        let id = created(&db, "w", &input("Coupons")).await;
        let mut first = String::new();
        for turn in 0..=KEPT {
            let result = TestResult { ok: turn == KEPT, reason: format!("turn {turn}"), at: NOW + turn };
            let test =
                record_test(&db, "w", &id, &By::command_line(NOW), &result, &format!("log {turn}")).await.unwrap();
            if turn == 0 {
                first = test;
            }
        }
        let latest = TestResult { ok: true, reason: format!("turn {KEPT}"), at: NOW + KEPT };
        assert_eq!(get(&db, "w", &id).await.unwrap().test, Some(latest.clone()));
        let tests = latest_tests(&db, "w", &id).await.unwrap();
        assert_eq!((tests.len() as i64, &tests[0].result), (KEPT, &latest));
        assert_eq!(test_log(&db, "w", &tests[0].id).await.unwrap(), format!("log {KEPT}"));
        assert!(matches!(test_log(&db, "w", &first).await, Err(sqlx::Error::RowNotFound)));
        assert!(matches!(test_log(&db, "other", &tests[0].id).await, Err(sqlx::Error::RowNotFound)));
        assert!(matches!(
            record_test(&db, "other", &id, &By::command_line(NOW), &latest, "").await,
            Err(sqlx::Error::RowNotFound)
        ));
    });
}
