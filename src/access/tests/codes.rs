//! Signing in with a second factor.

use super::{log::said, *};
use crate::{
    access::{second_factor, store},
    clock::MINUTE,
    execute, fetch,
};

const EMAIL: &str = "ada@example.com";
const STEP: i64 = 30_000;

/// A member with a second factor: the workspace and the secret.
async fn member(app: &Harness) -> (String, String) {
    let shop = app.member(EMAIL, "Shop", Preset::Marketer).await;
    let secret = second_factor::new_secret().unwrap();
    let sealed = app.state.master_key.seal(&secret);
    execute!(app.state.db, "update users set totp_cipher = $2 where email = $1", EMAIL, sealed).unwrap();
    (shop, secret)
}

/// Shows the password: the cookie of the step that waits for the code.
async fn step(app: &Harness) -> String {
    let fields = encoded(&[("email", EMAIL), ("password", PASSWORD), ("next", "/campaigns")]);
    let answer = app.post("/sign-in", "", &fields).await;
    assert_eq!(answer.header("location"), "/sign-in/code?next=%2Fcampaigns");
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("reachwire-step=") && cookie.contains("Max-Age=300") && cookie.contains("HttpOnly"));
    cookie.split(';').next().unwrap().to_string()
}

async fn try_code(app: &Harness, step: &str, code: &str) -> Answer {
    app.post("/sign-in/code", step, &encoded(&[("code", code), ("next", "/campaigns")])).await
}

fn session(answer: &Answer) -> Option<String> {
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_string();
    cookie.starts_with("reachwire=").then_some(cookie)
}

on_both_databases!(a_password_alone_does_not_sign_in, |db| async move {
    let app = Harness::new(db).await;
    let (shop, secret) = member(&app).await;
    let page = app.page("/sign-in/code", "").await;
    assert!(page.status == 200 && page.text.contains("Second factor"), "{}", page.status);
    let waiting = step(&app).await;
    let sessions = async || fetch!(app.state.db, one, (i64,), "select count(*) from sessions").unwrap().0;
    assert_eq!(sessions().await, 0);
    assert_eq!(app.page("/campaigns", &waiting).await.status, 303);
    let wrong = try_code(&app, &waiting, "000000x").await;
    assert_eq!(wrong.header("location"), "/sign-in/code?problem=wrong&next=%2Fcampaigns");
    assert_eq!(said(&app.state, &shop, 1).await[0].0, "sign_in_failed");
    assert_eq!(sessions().await, 0);
    let code = second_factor::code_at(&secret, app.state.clock.now());
    let right = try_code(&app, &waiting, &code).await;
    assert_eq!(right.header("location"), "/campaigns");
    assert_eq!(app.page("/campaigns", &session(&right).unwrap()).await.status, 200);
    assert_eq!(said(&app.state, &shop, 2).await[1].0, "signed_in");
    let tries = fetch!(app.state.db, all, (String, i64), "select subject, failures from sign_in_failures").unwrap();
    assert!(tries.iter().all(|(subject, _)| !subject.starts_with("account")), "forgotten: {tries:?}");
    // The step is over, and so is the code.
    assert_eq!(problem(&try_code(&app, &waiting, &code).await), "again");
    assert_eq!(problem(&try_code(&app, &step(&app).await, &code).await), "wrong");
});

on_both_databases!(a_code_works_once_also_when_two_come_at_once, |db| async move {
    let app = Harness::new(db).await;
    let (_, secret) = member(&app).await;
    let (one, other) = (step(&app).await, step(&app).await);
    let code = second_factor::code_at(&secret, app.state.clock.now());
    let tries = [&one, &other, &one, &other].map(|step| try_code(&app, step, &code));
    let answers = futures::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| session(answer).is_some()).count(), 1);
    // A later code does; an earlier one, though its time is not over, does not.
    let before = second_factor::code_at(&secret, app.state.clock.now() - STEP);
    assert!(session(&try_code(&app, &step(&app).await, &before).await).is_none());
    app.state.clock.advance(STEP);
    let next = second_factor::code_at(&secret, app.state.clock.now());
    assert!(session(&try_code(&app, &step(&app).await, &next).await).is_some());
});

on_both_databases!(codes_are_few_and_their_time_is_short, |db| async move {
    let app = Harness::new(db).await;
    let (_, secret) = member(&app).await;
    let now = || second_factor::code_at(&secret, app.state.clock.now());
    let late = step(&app).await;
    app.state.clock.advance(5 * MINUTE);
    assert_eq!(problem(&try_code(&app, &late, &now()).await), "again");
    app.state.clock.advance(15 * MINUTE);

    let waiting = step(&app).await;
    for n in 1..=5 {
        let answer = try_code(&app, &waiting, "not it").await;
        assert_eq!(problem(&answer), if n < 5 { "wrong" } else { "again" });
    }
    assert_eq!(problem(&try_code(&app, &waiting, &now()).await), "again", "the sixth is not looked at");
    // The right password does not make more of them free: 6 tries until here, 10 there are.
    let again = step(&app).await;
    for _ in 0..3 {
        assert_eq!(problem(&try_code(&app, &again, "not it").await), "wrong");
    }
    assert_eq!(problem(&try_code(&app, &again, &now()).await), "wait");
    assert_eq!(problem(&app.try_sign_in(EMAIL, PASSWORD).await), "wait");
});

on_both_databases!(a_new_password_or_a_disabled_account_ends_the_wait_for_a_code, |db| async move {
    let app = Harness::new(db.clone()).await;
    let (_, secret) = member(&app).await;
    let code = second_factor::code_at(&secret, app.state.clock.now());
    let waiting = step(&app).await;
    execute!(db, "update users set disabled_at = 1 where email = $1", EMAIL).unwrap();
    assert_eq!(problem(&try_code(&app, &waiting, &code).await), "disabled", "the password was right");
    execute!(db, "update users set disabled_at = null where email = $1", EMAIL).unwrap();
    let waiting = step(&app).await;
    let ada = store::user_by_email(&db, EMAIL).await.unwrap().unwrap().id;
    let mut tx = db.begin().await.unwrap();
    store::end_sessions(&mut tx, &ada).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(problem(&try_code(&app, &waiting, &code).await), "again");
    for stranger in ["", "reachwire-step=", "reachwire-step=0123"] {
        assert_eq!(problem(&try_code(&app, stranger, &code).await), "again");
    }
});
