//! What sign-ins leave in the audit log.

use super::*;
use crate::{
    access::{
        attempt::{WINDOW, note_stranger},
        store,
    },
    audit::{
        self, Actor, Entry,
        model::{Action, ObjectKind},
    },
    execute, fetch,
    members::tests::Desk,
    organization::api::ChangeAccount,
    server::AppState,
};
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

on_both_databases!(what_happens_to_an_account_stands_in_the_same_logs_whoever_does_it, |db| async move {
    let desk = Desk::new(db.clone()).await;
    desk.organization_administrator("ada@example.com").await;
    desk.server.member("bob@example.com", "Shop", Preset::Marketer).await;
    let bank = desk.server.member("bob@example.com", "Bank", Preset::Marketer).await;
    let (bob, cookie) = (desk.id("bob@example.com").await, desk.server.sign_in("bob@example.com").await);
    // The person, a workspace's administrator, who has the link, the organization, the command line.
    desk.server.post("/account/profile", &cookie, "name=Bob").await;
    let made = desk.make_link(&desk.cookie, &bob).await;
    let link = desk.link_behind(&made).await;
    assert_eq!(desk.accept(&link, "", "a quite long passphrase 7").await.header("location"), "/");
    execute!(db, "update users set totp_cipher = 'x' where id = $1", &bob).unwrap();
    let off = encoded(&[("id", &bob), ("change", "TurnOffSecondFactor")]);
    assert_eq!(desk.server.call::<ChangeAccount>(&desk.cookie, &off).await.status, 200);
    crate::commands::user::tests::add(&db, "bob@example.com", false).await;
    for log in [audit::ORGANIZATION, &desk.workspace, &bank] {
        let sql = "select action from audit_log where workspace_id = $1 and object_id = $2 and object_kind = 'account'
                   and action not like 'sign%' order by seq";
        let actions = fetch!(db, all, (String,), sql, log, &bob).unwrap();
        let actions: Vec<&str> = actions.iter().map(|(action,)| action.as_str()).collect();
        let expected = ["changed", "link_made", "password_set", "second_factor_off", "password_set"];
        assert_eq!(actions, expected, "{log:?}");
        audit::testing::assert_whole(&db, log).await;
    }
    // However many there are, the logs that are told are bounded; the organization's is always one of them.
    for number in 0..60 {
        let id = format!("w{number}");
        execute!(db, "insert into workspaces (id, name, time_zone, created_at) values ($1, $1, 'UTC', 0)", &id)
            .unwrap();
        execute!(db, "insert into members (workspace_id, user_id) values ($1, $2)", &id, &bob).unwrap();
    }
    let mut tx = db.begin().await.unwrap();
    let logs = store::account_logs(&mut tx, &bob).await.unwrap();
    assert_eq!((logs.len(), logs[0].as_str()), (51, audit::ORGANIZATION));
});

on_both_databases!(strangers_do_not_fill_the_log_from_however_many_addresses, |db| async move {
    let app = Harness::new(db.clone()).await;
    let began = app.state.clock.now();
    let note = async |number: u32| {
        let address = format!("10.0.{}.{}", number / 250, number % 250);
        let entry = Entry::new(Action::SignInFailed, ObjectKind::ApiKey, "", "");
        note_stranger(&app.state, &Actor::stranger("", address), &entry).await.unwrap();
    };
    let count = async |action: &str| {
        let sql = "select count(*) from audit_log where workspace_id = '' and action = $1";
        fetch!(db, one, (i64,), sql, action).unwrap().0
    };
    for number in 0..98 {
        note(number).await;
    }
    // Accounts and keys count together.
    for number in 0..2 {
        sign_in_from(&app, &format!("9.9.9.{number}:1"), "", &format!("made{number}@example.com"), "not it").await;
    }
    said(&app.state, audit::ORGANIZATION, 100).await;
    app.state.clock.advance(WINDOW - 1);
    for number in 100..200 {
        note(number).await;
    }
    assert_eq!((count("sign_in_failed").await, count("sign_in_throttled").await), (100, 1));
    let told = audit::testing::last_change(&db, audit::ORGANIZATION).await;
    assert!(told["after"]["reason"].as_str().unwrap().contains("more are not recorded"), "{told}");
    assert_eq!(told["after"]["recorded_again_at"], began + WINDOW);
    // Those of accounts that there are go on, in their own logs.
    let shop = app.member("ada@example.com", "Shop", Preset::Marketer).await;
    sign_in_from(&app, "9.9.9.9:1", "", "ada@example.com", "not it").await;
    assert_eq!(said(&app.state, &shop, 1).await.len(), 1);
    app.state.clock.advance(1);
    note(0).await;
    assert_eq!(count("sign_in_failed").await, 101, "the window is over");
});
