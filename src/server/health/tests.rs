use super::*;
use crate::{
    delivery::testing::{WEBHOOK, put_planned, put_webhook},
    on_both_databases,
    server::testing::{Answer as Page, Harness},
};
use std::time::Duration;

fn reason<'a>(said: &'a Value, check: &str) -> Option<&'a str> {
    let check = &said["checks"][check];
    assert_eq!(check["ok"].as_bool(), Some(check["reason"].is_null()), "{said}");
    check["reason"].as_str()
}

fn said(page: &Page) -> Value {
    let said: Value = serde_json::from_str(&page.text).unwrap();
    let status = if said["ready"].as_bool().unwrap() { 200 } else { 503 };
    assert_eq!(page.status, status, "{said}");
    said
}

on_both_databases!(asking_often_costs_one_write, |db| async move {
    let app = Harness::new(db).await;
    let clock = &app.state.clock;
    let written = async || {
        let sql = "select value from settings where key = 'ready'";
        crate::fetch!(app.state.db, one, (String,), sql).unwrap().0
    };
    assert_eq!(app.page("/readyz", "").await.status, StatusCode::OK);
    let first = written().await;
    clock.advance(HOLDS - 1);
    assert_eq!(app.page("/readyz", "").await.status, StatusCode::OK);
    assert_eq!(written().await, first);
    clock.advance(1);
    assert_eq!(app.page("/readyz", "").await.status, StatusCode::OK);
    assert_eq!(written().await, clock.now().to_string());
});

on_both_databases!(what_could_go_and_does_not_makes_it_fail, |db| async move {
    let app = Harness::with(db, |config| config.engine.ready_due_seconds = 60).await;
    let (state, ask) = (&app.state, async || said(&app.page("/readyz", "").await));
    let well = ask().await;
    let checks: Vec<_> = well["checks"].as_object().unwrap().keys().cloned().collect();
    let all = ["database", "due batches", "loop dispatch", "loop plan", "loop recover", "loop watch"];
    assert_eq!(checks, all);
    // Nothing claims any more; the loops' last rounds are not old yet.
    state.engine.stop(Duration::from_secs(10)).await;
    put_webhook(&state.db, "http://127.0.0.1:9/", 1).await;
    put_planned(&state.db, "s", &[10]).await;
    state.clock.advance(60 * SECOND);
    assert_eq!(reason(&ask().await, "due batches"), None, "not for longer than the setting says");
    state.clock.advance(HOLDS);
    let ill = ask().await;
    let why = reason(&ill, "due batches").unwrap();
    assert!(why.contains(WEBHOOK) && why.contains("1 min 3 s"), "{why}");
    assert_eq!(reason(&ill, "loop dispatch"), None);
    crate::execute!(state.db, "update webhooks set enabled = $1", false).unwrap();
    state.clock.advance(HOLDS);
    assert_eq!(ask().await["ready"], true, "a person holds it");
});

on_both_databases!(a_loop_that_stands_still_makes_it_fail, |db| async move {
    let app = Harness::new(db).await;
    app.state.engine.stop(Duration::from_secs(10)).await;
    app.state.clock.advance(crate::delivery::STILL);
    let ill = said(&app.page("/readyz", "").await);
    for name in ["dispatch", "plan", "recover", "watch"] {
        let why = reason(&ill, &format!("loop {name}")).unwrap().to_string();
        assert!(why.contains("stands still"), "{name}: {why}");
    }
    assert_eq!(reason(&ill, "database"), None);
});

on_both_databases!(a_database_that_takes_no_write_makes_it_fail, |db| async move {
    let app = Harness::new(db).await;
    app.state.engine.stop(Duration::from_secs(10)).await;
    crate::execute!(app.state.db, "drop table settings").unwrap();
    let ill = said(&app.page("/readyz", "").await);
    assert!(reason(&ill, "database").unwrap().contains("no write"));
});

on_both_databases!(a_database_that_does_not_answer_holds_nobody_up, |db| async move {
    let app = Harness::new(db).await;
    assert_eq!(app.page("/readyz", "").await.status, StatusCode::OK);
    let mut tx = app.state.db.begin().await.unwrap();
    crate::execute!(tx, "update settings set value = value where key = 'ready'").unwrap();
    app.state.clock.advance(HOLDS);
    let ill = said(&app.page("/readyz", "").await);
    assert_eq!(reason(&ill, "database"), Some("it has not taken a write within 3 s"));
    drop(tx);
    app.state.clock.advance(HOLDS);
    assert_eq!(app.page("/readyz", "").await.status, StatusCode::OK);
});
