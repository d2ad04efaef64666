//! How long sessions last, and what ends them at once.

use super::*;
use crate::{
    access::store,
    clock::{DAY, HOUR, MINUTE},
    execute,
};

async fn is_in(app: &Harness, cookie: &str) -> bool {
    app.page("/campaigns", cookie).await.status == 200
}

on_both_databases!(sessions_end_when_nobody_comes_and_in_any_case, |db| async move {
    let app = Harness::new(db).await;
    app.member("ada@example.com", "Shop", Preset::Marketer).await;
    let clock = &app.state.clock;
    let idle = app.sign_in("ada@example.com").await;
    clock.advance(71 * HOUR);
    assert!(is_in(&app, &idle).await);
    clock.advance(71 * HOUR);
    assert!(is_in(&app, &idle).await, "it came back in time");
    clock.advance(72 * HOUR);
    assert!(!is_in(&app, &idle).await);

    let busy = app.sign_in("ada@example.com").await;
    for _ in 0..14 {
        clock.advance(2 * DAY);
        assert!(is_in(&app, &busy).await);
    }
    clock.advance(2 * DAY);
    assert!(!is_in(&app, &busy).await, "30 days are over");
});

on_both_databases!(the_settings_say_how_long_a_session_lasts, |db| async move {
    let app = Harness::with(db, |config| (config.sessions.idle_hours, config.sessions.days) = (1, 1)).await;
    app.member("ada@example.com", "Shop", Preset::Marketer).await;
    let answer = app.try_sign_in("ada@example.com", PASSWORD).await;
    assert!(answer.header("set-cookie").contains("Max-Age=86400"), "{}", answer.header("set-cookie"));
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_string();
    app.state.clock.advance(59 * MINUTE);
    assert!(is_in(&app, &cookie).await);
    app.state.clock.advance(HOUR);
    assert!(!is_in(&app, &cookie).await);
});

on_both_databases!(a_sign_in_replaces_the_session_that_the_browser_had, |db| async move {
    let app = Harness::new(db).await;
    app.member("ada@example.com", "Shop", Preset::Marketer).await;
    let old = app.sign_in("ada@example.com").await;
    let fields = encoded(&[("email", "ada@example.com"), ("password", PASSWORD)]);
    let new = app.post("/sign-in", &old, &fields).await;
    let new = new.header("set-cookie").split(';').next().unwrap().to_string();
    assert_ne!(new, old);
    assert!(is_in(&app, &new).await && !is_in(&app, &old).await);
});

on_both_databases!(who_is_disabled_is_out_at_once_and_told_so_after_the_right_password, |db| async move {
    let app = Harness::new(db.clone()).await;
    let shop = app.member("ada@example.com", "Shop", Preset::Marketer).await;
    let cookie = app.sign_in("ada@example.com").await;
    let ada = store::user_by_email(&db, "ada@example.com").await.unwrap().unwrap().id;
    execute!(db, "update members set disabled_at = 1 where workspace_id = $1", &shop).unwrap();
    assert!(!is_in(&app, &cookie).await);
    assert_eq!(problem(&app.try_sign_in("ada@example.com", PASSWORD).await), "disabled");
    execute!(db, "update members set disabled_at = null where workspace_id = $1", &shop).unwrap();
    execute!(db, "update users set disabled_at = 1 where id = $1", &ada).unwrap();
    assert!(!is_in(&app, &cookie).await);
    assert_eq!(problem(&app.try_sign_in("ada@example.com", PASSWORD).await), "disabled");
    let wrong = app.try_sign_in("ada@example.com", "not it").await;
    assert_eq!(problem(&wrong), "wrong");
    assert!(!wrong.header("location").contains("ada"), "{}", wrong.header("location"));
    let typed = wrong.header("set-cookie").split(';').next().unwrap().to_string();
    assert!(app.page("/sign-in?problem=wrong", &typed).await.text.contains("value=\"ada@example.com\""));
    assert!(!app.page("/sign-in?problem=wrong", "").await.text.contains("ada@"));
    log::said(&app.state, &shop, 4).await;
    let sql = "select change from audit_log where workspace_id = $1 and action = 'sign_in_failed'";
    let failed = crate::fetch!(db, all, (String,), sql, &shop).unwrap();
    assert_eq!(failed.iter().filter(|(change,)| change.contains("disabled")).count(), 2, "{failed:?}");
    execute!(db, "update users set disabled_at = null where id = $1", &ada).unwrap();
    assert!(is_in(&app, &app.sign_in("ada@example.com").await).await);
    // Who was never a member is told so: the password was right.
    execute!(db, "delete from members where user_id = $1", &ada).unwrap();
    assert_eq!(problem(&app.try_sign_in("ada@example.com", PASSWORD).await), "nowhere");
    // An account without a password yet has none that is right.
    execute!(db, "update users set password_hash = '' where id = $1", &ada).unwrap();
    assert_eq!(problem(&app.try_sign_in("ada@example.com", "").await), "wrong");
});
