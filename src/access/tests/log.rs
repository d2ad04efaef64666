//! What sign-ins leave in the audit log.

use super::*;
use crate::{audit, fetch, server::AppState};
use std::time::Duration;

/// Action, actor, object's id, and the address of an entry.
type Said = (String, String, String, String);

/// The entries of a log about sign-ins, once there are as many: failed ones are written behind the answer.
pub async fn said(state: &AppState, workspace: &str, wanted: usize) -> Vec<Said> {
    let all = async || {
        let sql = "select action, actor, object_id, address from audit_log
             where workspace_id = $1 and action like 'sign%' order by seq";
        fetch!(state.db, all, Said, sql, workspace).unwrap()
    };
    let there = async {
        while all().await.len() < wanted {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), there).await.expect("entries that never come");
    all().await
}

async fn user_id(app: &Harness, email: &str) -> String {
    crate::access::store::user_by_email(&app.state.db, email).await.unwrap().unwrap().id
}

on_both_databases!(every_sign_in_is_in_the_log_of_the_accounts_workspaces, |db| async move {
    let app = Harness::new(db).await;
    let shop = app.member("ada@example.com", "Shop", Preset::Marketer).await;
    let bank = app.member("ada@example.com", "Bank", Preset::Marketer).await;
    let ada = user_id(&app, "ada@example.com").await;
    let known = sign_in_from(&app, "9.9.9.9:1", "", "Ada@example.com", "not it").await;
    let unknown = sign_in_from(&app, "9.9.9.9:1", "", "eve@example.com", "not it").await;
    let no_address = sign_in_from(&app, "9.9.9.9:1", "", "my secret password", "not it").await;
    for answer in [&unknown, &no_address] {
        assert_eq!((answer.status, answer.header("location")), (known.status, known.header("location")));
    }
    for workspace in [&shop, &bank] {
        let entry = |text: &str| text.to_string();
        let failed = (entry("sign_in_failed"), entry("ada@example.com"), ada.clone(), entry("9.9.9.9"));
        assert_eq!(said(&app.state, workspace, 1).await, [failed]);
    }
    let strangers = said(&app.state, audit::ORGANIZATION, 2).await;
    let names: Vec<&str> = strangers.iter().map(|(_, actor, ..)| actor.as_str()).collect();
    assert!(names.contains(&"eve@example.com") && names.contains(&"not an e-mail address"), "{names:?}");
    assert!(strangers.iter().all(|(action, _, object, _)| action == "sign_in_failed" && object.is_empty()));

    let cookie = app.sign_in("ada@example.com").await;
    app.post("/sign-out", &cookie, "").await;
    let actions: Vec<String> = said(&app.state, &bank, 3).await.into_iter().map(|(action, ..)| action).collect();
    assert_eq!(actions, ["sign_in_failed", "signed_in", "signed_out"], "the first workspace by name");
    let out = "select actor from audit_log where workspace_id = $1 and action = 'signed_out'";
    assert_eq!(fetch!(app.state.db, all, (String,), out, &bank).unwrap(), [("Somebody".to_string(),)]);
    let all = fetch!(app.state.db, all, (String,), "select change || object || actor from audit_log").unwrap();
    assert!(all.iter().all(|(text,)| !text.contains("not it") && !text.contains("secret password")), "{all:?}");
});

on_both_databases!(a_limit_is_said_once, |db| async move {
    let app = Harness::new(db).await;
    let shop = app.member("ada@example.com", "Shop", Preset::Marketer).await;
    for n in 0..15 {
        let answer = sign_in_from(&app, "9.9.9.9:1", "", "ada@example.com", "not it").await;
        assert_eq!(problem(&answer), if n < 10 { "wrong" } else { "wait" });
    }
    let entries = said(&app.state, &shop, 11).await;
    let of = |action: &str| entries.iter().filter(|(own, ..)| own == action).count();
    assert_eq!((of("sign_in_failed"), of("sign_in_throttled"), entries.len()), (10, 1, 11));
    // 15 tries of the address are counted; 15 more of made-up accounts, and it waits.
    for n in 0..20 {
        sign_in_from(&app, "9.9.9.9:1", "", &format!("made{n}@example.com"), "not it").await;
    }
    let strangers = said(&app.state, audit::ORGANIZATION, 16).await;
    let throttled = strangers.iter().filter(|(action, ..)| action == "sign_in_throttled").count();
    assert_eq!((throttled, strangers.len()), (1, 16));
    assert_eq!(said(&app.state, &shop, 11).await.len(), 11, "nothing came after");
});

on_both_databases!(throttling_survives_a_restart, |db| async move {
    let before = Harness::new(db.clone()).await;
    before.member("ada@example.com", "Shop", Preset::Marketer).await;
    for _ in 0..10 {
        sign_in_from(&before, "9.9.9.9:1", "", "ada@example.com", "not it").await;
    }
    let after = Harness::new(db).await;
    let answer = sign_in_from(&after, "8.8.8.8:1", "", "ada@example.com", PASSWORD).await;
    assert_eq!(problem(&answer), "wait");
    after.state.clock.advance(15 * crate::clock::MINUTE);
    assert_eq!(sign_in_from(&after, "8.8.8.8:1", "", "ada@example.com", PASSWORD).await.header("location"), "/");
});
