//! Overview on both databases: what is shown, and to whom.

use super::now::LoadNow;
use crate::{
    access::model::Preset,
    clock::SECOND,
    db::Db,
    on_both_databases,
    server::testing::{Answer, Harness},
};

/// A webhook, and a task with its send in a state.
async fn put(db: &Db, workspace: &str, task: &str, state: &str, counters: (i64, i64), now: i64) {
    let hook = "insert into webhooks (workspace_id, id, name, enabled, url, authentication, id_types, parameters, batch_size, concurrency, receipts_enabled, retention_days, statuses, version, created_at, updated_at) values ($1, $2, 'Coupons', $3, 'https://crm.example.com', 'none', '[\"ONEID\"]', '[]', 100, 4, $3, 7, '[]', 1, $4, $4) on conflict do nothing";
    crate::execute!(db, hook, workspace, format!("hook-{workspace}"), true, now).unwrap();
    let row = "insert into tasks (workspace_id, id, name, audience_id, webhook_id, id_type, encryption, inputs, time_zone, created_by, created_at, updated_at) values ($1, $2, $2, 'a', $3, 'ONEID', 'none', '{}', 'UTC', 'u', $4, $4)";
    crate::execute!(db, row, workspace, task, format!("hook-{workspace}"), now).unwrap();
    let send = "insert into sends (workspace_id, id, source, webhook_id, id_type, encryption, template, batch_size, state, due_at, created_at, started_at, audience_size, planned, planning_done, accepted, unknown) values ($1, $2, 'task', $3, 'ONEID', 'none', '{\"params\":[],\"variables\":[]}', 100, $4, $5, $5, $5, 100, 100, $6, $7, $8)";
    let started = now - 60 * SECOND;
    let (accepted, unknown) = counters;
    crate::execute!(db, send, workspace, task, format!("hook-{workspace}"), state, started, true, accepted, unknown)
        .unwrap();
}

async fn put_all(app: &Harness, workspace: &str) {
    let (db, now) = (&app.state.db, app.state.clock.now());
    for (task, state, counters) in [
        ("Spring", "sending", (40, 0)),
        ("Autumn", "missed", (0, 0)),
        ("Winter", "finished", (93, 7)),
        ("Summer", "finished", (100, 0)),
    ] {
        put(db, workspace, task, state, counters, now).await;
    }
    let second =
        "insert into send_series (workspace_id, send_id, second, accepted, failed) values ($1, 'Spring', $2, 90, 10)";
    crate::execute!(db, second, workspace, now / SECOND - 1).unwrap();
    let failed = "insert into send_batches (workspace_id, send_id, batch_no, first_seq, last_seq, size, state, run_at, finished_at, reason) values ($1, 'Spring', 0, 0, 9, 10, 'failed', 0, $2, 'refused: NO-COUPON')";
    crate::execute!(db, failed, workspace, now - SECOND).unwrap();
    let open = "insert into webhook_health (workspace_id, webhook_id, state, open_until, reason) values ($1, $2, 'open', $3, 'HTTP 503')";
    crate::execute!(db, open, workspace, format!("hook-{workspace}"), now + 600 * SECOND).unwrap();
}

fn shows(page: &Answer, wanted: &[&str]) {
    for wanted in wanted {
        assert!(page.text.contains(wanted), "{wanted}: {}", page.text);
    }
}

fn hides(page: &Answer, unwanted: &[&str]) {
    for unwanted in unwanted {
        assert!(!page.text.contains(unwanted), "{unwanted}: {}", page.text);
    }
}

on_both_databases!(what_goes_on_is_shown_to_those_of_the_workspace, |db| async move {
    let app = Harness::new(db).await;
    let shop = app.member("ada@example.com", "Shop", Preset::Administrator).await;
    app.member("eve@example.com", "Elsewhere", Preset::Administrator).await;
    let (ada, eve) = (app.sign_in("ada@example.com").await, app.sign_in("eve@example.com").await);
    let nothing = ["Nothing is being sent", "Nothing has failed", "All webhooks are well"];
    let before = app.page("/", &ada).await;
    shows(&before, &nothing);
    hides(&before, &["Waiting for a person"]);
    put_all(&app, &shop).await;
    let page = app.page("/", &ada).await;
    shows(&page, &["Sending now", "40 of 100", "20 users/s", "about 3 s left", "href=\"/tasks/Spring\""]);
    shows(&page, &["Waiting for a person", "1 task missed the time", "href=\"/tasks?state=missed\""]);
    shows(&page, &["The outcome for 7 users is unknown", "href=\"/tasks/Winter\""]);
    shows(&page, &["Failures of the last hour", "refused: NO-COUPON"]);
    shows(&page, &["Recent sending tasks", "Summer", "100 of 100"]);
    shows(&page, &["Slow and paused webhooks", "Coupons", "Paused by the breaker", "HTTP 503"]);
    hides(&page, &nothing);
    crate::execute!(&app.state.db, "update webhooks set enabled = $1", false).unwrap();
    let disabled = app.page("/", &ada).await;
    shows(&disabled, &["All webhooks are well"]);
    hides(&disabled, &["Paused by the breaker"]);
    let other = app.page("/", &eve).await;
    shows(&other, &nothing);
    hides(&other, &["Spring", "Autumn", "Coupons", "NO-COUPON", "Waiting for a person"]);
});

on_both_databases!(what_a_role_does_not_open_is_not_told, |db| async move {
    let app = Harness::new(db).await;
    let shop = app.member_who_may("max@example.com", "Shop", &["overview.view"]).await;
    app.member_who_may("eva@example.com", "Shop", &["overview.view", "webhook_management.view"]).await;
    app.member_who_may("tom@example.com", "Shop", &["reach_webhook.view"]).await;
    put_all(&app, &shop).await;
    let names = ["Spring", "Autumn", "Winter", "NO-COUPON", "Coupons"];
    let max = app.sign_in("max@example.com").await;
    let told = app.call::<LoadNow>(&max, "").await;
    assert_eq!((told.status.as_u16(), told.text.as_str()), (200, r#"{"tasks":null,"webhooks":null}"#));
    hides(&app.page("/", &max).await, &names);
    let eva = app.sign_in("eva@example.com").await;
    let told = app.call::<LoadNow>(&eva, "").await;
    shows(&told, &["Coupons", "\"tasks\":null"]);
    let tom = app.sign_in("tom@example.com").await;
    assert_eq!(app.call::<LoadNow>(&tom, "").await.status, 403);
});
