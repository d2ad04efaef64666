//! The room from outside.

use super::{
    api::{GetAccount, GetSetup},
    model::{Account, Setup},
};
use crate::{
    access::{model::Preset, second_factor},
    audit,
    db::Db,
    execute, fetch, on_both_databases,
    server::testing::{Answer, Harness, PASSWORD, encoded},
};
use axum::body::Body;
use http::{Request, header};

const EMAIL: &str = "ada@example.com";
const NEW: &str = "violet marmalade 47 trains";

struct Desk {
    app: Harness,
    shop: String,
    cookie: String,
}

fn cookie_of(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap_or("").to_string()
}

impl Desk {
    async fn new(db: Db) -> Self {
        let app = Harness::new(db).await;
        let shop = app.member(EMAIL, "Shop", Preset::Analyst).await;
        let cookie = app.sign_in(EMAIL).await;
        Self { app, shop, cookie }
    }

    async fn post(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> String {
        self.app.post(path, cookie, &encoded(fields)).await.header("location").to_string()
    }

    async fn account(&self, cookie: &str) -> Account {
        let answer = self.app.call::<GetAccount>(cookie, "").await;
        serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {}", answer.text))
    }

    async fn change_password(&self, cookie: &str, current: &str, new: &str, again: &str) -> Answer {
        let fields = [("current_password", current), ("new_password", new), ("again", again)];
        self.app.post("/account/password", cookie, &encoded(&fields)).await
    }

    /// The actions in the workspace's log, without sign-ins.
    async fn log(&self) -> Vec<String> {
        let sql = "select action from audit_log where workspace_id = $1 and action not like 'sign_%in%' order by seq";
        let rows = fetch!(self.app.state.db, all, (String,), sql, &self.shop).unwrap();
        rows.into_iter().map(|(action,)| action).collect()
    }

    fn code(&self, secret: &str) -> String {
        second_factor::code_at(secret, self.app.state.clock.now())
    }

    /// Turns the second factor on; its secret.
    async fn turn_on(&self) -> String {
        let begun = self.app.post("/account/second-factor/begin", &self.cookie, "").await;
        assert_eq!(begun.header("location"), "/account/second-factor");
        let cookies = format!("{}; {}", self.cookie, cookie_of(&begun));
        let answer = self.app.call::<GetSetup>(&cookies, "").await;
        let secret: String = serde_json::from_str::<Option<Setup>>(&answer.text).unwrap().unwrap().secret.into();
        let code = self.code(&secret);
        let fields = [("factor_password", PASSWORD), ("factor_code", code.as_str())];
        assert_eq!(self.post("/account/second-factor/on", &cookies, &fields).await, "/account?done=factor%2Don");
        secret
    }
}

on_both_databases!(a_profile_is_kept_and_shown_from_the_first_paint_on, |db| async move {
    let desk = Desk::new(db).await;
    let page = desk.app.page("/account", &desk.cookie).await.text;
    assert!(page.contains("<html lang=\"en\" data-account-theme=\"\">"), "{}", &page[..200]);
    for text in
        ["My account", EMAIL, "Europe/Berlin", "Contributors add translations", "Sign out everywhere", "This one"]
    {
        assert!(page.contains(text), "{text}");
    }
    let profile = |name: &'static str, zone: &'static str, theme: &'static str| {
        [("name", name), ("time_zone", zone), ("theme", theme), ("language", "en")]
    };
    let save = async |fields: [(&str, &str); 4]| desk.post("/account/profile", &desk.cookie, &fields).await;
    assert_eq!(save(profile(" Ada  Lovelace ", "Europe/Berlin", "dark")).await, "/account?done=profile");
    let page = desk.app.page("/account?done=profile", &desk.cookie).await.text;
    assert!(page.contains("<html lang=\"en\" data-theme=\"dark\" data-account-theme=\"dark\">"), "{}", &page[..200]);
    for text in ["Ada Lovelace", "Your profile is saved.", "Analyst · Europe/Berlin"] {
        assert!(page.contains(text) || page.replace("<!>", "").contains(text), "{text}");
    }
    let key = fetch!(desk.app.state.db, one, (String,), "select name_key from users where email = $1", EMAIL);
    assert_eq!(key.unwrap().0, "ada lovelace");
    assert_eq!(save(profile("", "", "")).await, "/account?problem=name%2Eempty");
    assert_eq!(save(profile("Ada", "Moon/Base", "")).await, "/account?problem=time%5Fzone%2Eunknown");
    let page = desk.app.page("/account?problem=time%5Fzone%2Eunknown", &desk.cookie).await.text;
    assert!(page.contains("Choose a time zone of the list."));
    save(profile("Ada Lovelace", "Europe/Berlin", "dark")).await;
    assert_eq!(desk.log().await, ["changed"], "nothing changed, nothing is written");
    let sign_in = desk.app.page("/sign-in", "").await.text;
    assert!(sign_in.contains("<html lang=\"en\">"), "of a stranger nothing is known");
});

on_both_databases!(what_a_signed_in_person_mistypes_is_theirs_in_the_log, |db| async move {
    let desk = Desk::new(db.clone()).await;
    desk.change_password(&desk.cookie, "not it", NEW, NEW).await;
    let begun = desk.app.post("/account/second-factor/begin", &desk.cookie, "").await;
    let cookies = format!("{}; {}", desk.cookie, cookie_of(&begun));
    let fields = [("factor_password", PASSWORD), ("factor_code", "not it")];
    let told = desk.post("/account/second-factor/on", &cookies, &fields).await;
    assert_eq!(told, "/account/second-factor?problem=factor%5Fcode%2Ewrong");
    let sql = "select action, actor_kind, actor, change from audit_log where workspace_id = $1 order by seq";
    let log = fetch!(db, all, (String, String, String, String), sql, &desk.shop).unwrap();
    let said: Vec<_> =
        log.iter().map(|(action, kind, who, _)| (action.as_str(), kind.as_str(), who.as_str())).collect();
    let wrong = ("check_failed", "person", "Somebody");
    assert_eq!(said, [("signed_in", "person", "Somebody"), wrong, wrong]);
    assert!(log[1].3.contains("change of the password") && log[2].3.contains("code"), "{log:?}");
});

on_both_databases!(a_new_password_ends_every_session_and_a_stolen_cookie, |db| async move {
    let desk = Desk::new(db.clone()).await;
    let elsewhere = desk.app.sign_in(EMAIL).await;
    let link = "insert into account_links (token_hash, user_id, purpose, created_by, created_at, expires_at)
         select 'hash', id, 'password', '', 0, 1900000000000 from users";
    execute!(db, link).unwrap();
    let changed = desk.change_password(&desk.cookie, PASSWORD, NEW, NEW).await;
    assert_eq!(changed.header("location"), "/account?done=password");
    let new = cookie_of(&changed);
    assert_ne!(new, desk.cookie);
    assert_eq!(desk.app.page("/account", &new).await.status, 200);
    for ended in [&desk.cookie, &elsewhere] {
        assert_eq!(desk.app.page("/account", ended).await.status, 303);
    }
    assert_eq!(desk.account(&new).await.sessions.len(), 1);
    assert_eq!(fetch!(db, one, (i64,), "select count(*) from account_links").unwrap().0, 0);
    assert!(desk.app.try_sign_in(EMAIL, PASSWORD).await.header("location").contains("problem=wrong"));
    assert_eq!(desk.app.try_sign_in(EMAIL, NEW).await.header("location"), "/");
    assert_eq!(desk.log().await, ["password_set"]);
    let all = fetch!(db, all, (String,), "select change || object || actor from audit_log").unwrap();
    assert!(all.iter().all(|(text,)| !text.contains(NEW) && !text.contains("argon2")), "{all:?}");
});

on_both_databases!(a_password_is_changed_by_who_knows_it_and_to_a_good_one, |db| async move {
    let desk = Desk::new(db).await;
    let word = async |current: &str, new: &str, again: &str| {
        let answer = desk.change_password(&desk.cookie, current, new, again).await;
        answer.header("location").replace("%2E", ".").replace("%5F", "_").replace("/account?problem=", "")
    };
    assert_eq!(word(PASSWORD, NEW, "other").await, "again.differs");
    assert_eq!(word(PASSWORD, "short", "short").await, "new_password.short");
    assert_eq!(word(PASSWORD, "password1234", "password1234").await, "new_password.common");
    assert_eq!(word(PASSWORD, "ada@example.com", "ada@example.com").await, "new_password.personal");
    assert_eq!(word(PASSWORD, PASSWORD, PASSWORD).await, "new_password.same");
    for _ in 0..10 {
        assert_eq!(word("not it", NEW, NEW).await, "current_password.wrong");
    }
    assert_eq!(word(PASSWORD, NEW, NEW).await, ".wait", "tries are counted as those of a sign-in");
    assert!(desk.app.try_sign_in(EMAIL, PASSWORD).await.header("location").contains("problem=wait"));
    assert_eq!(desk.app.page("/account", &desk.cookie).await.status, 200, "the session goes on");
    let page = desk.app.page("/account?problem=new_password.common", &desk.cookie).await.text;
    assert!(page.contains("among the common ones"));
    assert_eq!(desk.log().await, ["check_failed"; 10]);
});

on_both_databases!(sessions_are_listed_and_ended, |db| async move {
    let desk = Desk::new(db).await;
    let request = Request::post("/sign-in")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
        .header("sec-fetch-site", "same-origin");
    let fields = encoded(&[("email", EMAIL), ("password", PASSWORD)]);
    desk.app.state.clock.advance(1_000);
    let other = cookie_of(&desk.app.send(request.body(Body::from(fields)).unwrap()).await);
    let sessions = desk.account(&desk.cookie).await.sessions;
    let shown: Vec<_> = sessions.iter().map(|session| (session.browser.as_str(), session.this)).collect();
    assert_eq!(shown, [("Firefox on Linux", false), ("Unknown browser", true)]);
    let hashes = fetch!(desk.app.state.db, all, (String,), "select token_hash from sessions").unwrap();
    assert!(hashes.iter().all(|(hash,)| sessions.iter().all(|session| !hash.contains(&session.id))));

    // Nobody ends another's.
    desk.app.member("bob@example.com", "Shop", Preset::Administrator).await;
    let bob = desk.app.sign_in("bob@example.com").await;
    let end = [("session", sessions[0].id.as_str())];
    assert_eq!(desk.post("/account/sessions/end", &bob, &end).await, "/account?problem=%2Egone");
    assert_eq!(desk.post("/account/sessions/end", &desk.cookie, &end).await, "/account?done=session");
    assert_eq!(desk.app.page("/account", &other).await.status, 303);
    let third = desk.app.sign_in(EMAIL).await;
    let answer = desk.app.post("/account/sessions/end-all", &desk.cookie, "").await;
    assert_eq!(answer.header("location"), "/sign-in?problem=everywhere");
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    for ended in [&third, &desk.cookie] {
        assert_eq!(desk.app.page("/account", ended).await.status, 303);
    }
    assert_eq!(desk.app.page("/account", &bob).await.status, 200);
    assert_eq!(desk.log().await, ["signed_out", "signed_out"]);
    assert_eq!(desk.post("/account/sessions/end-all", &third, &[]).await, "/sign-in?next=%2Faccount");
});

on_both_databases!(a_second_factor_is_turned_on_and_off_by_password_and_code, |db| async move {
    let desk = Desk::new(db.clone()).await;
    let begun = desk.app.post("/account/second-factor/begin", &desk.cookie, "").await;
    let cookies = format!("{}; {}", desk.cookie, cookie_of(&begun));
    let page = desk.app.page("/account/second-factor", &cookies).await.text;
    assert!(page.contains("class=\"qr\"") && page.contains("M4 4h7v1h-7z"), "{page}");
    let answer = desk.app.call::<GetSetup>(&cookies, "").await;
    let secret: String = serde_json::from_str::<Option<Setup>>(&answer.text).unwrap().unwrap().secret.into();
    assert!(page.contains(&secret[..4]), "as text too");
    let code = desk.code(&secret);
    let on = async |password: &str, code: &str| {
        let fields = [("factor_password", password), ("factor_code", code)];
        desk.post("/account/second-factor/on", &cookies, &fields).await.replace("%2E", ".").replace("%5F", "_")
    };
    assert_eq!(on("not it", &code).await, "/account/second-factor?problem=factor_password.wrong");
    assert_eq!(on(PASSWORD, "12345").await, "/account/second-factor?problem=factor_code.wrong");
    assert!(desk.app.try_sign_in(EMAIL, PASSWORD).await.header("location") == "/", "it does not count yet");
    assert!(on(PASSWORD, &code).await.contains("done="));
    let sealed = fetch!(db, one, (String, i64), "select totp_cipher, totp_step from users where email = $1", EMAIL);
    let (sealed, step) = sealed.unwrap();
    assert!(!sealed.contains(&secret) && desk.app.state.master_key.open(&sealed).unwrap() == secret);
    assert_eq!(step, desk.app.state.clock.now() / 30_000, "the code is used");
    assert_eq!(desk.app.try_sign_in(EMAIL, PASSWORD).await.header("location"), "/sign-in/code?next=%2F");
    assert_eq!(on(PASSWORD, &code).await, "/account?problem=.on");

    let off = async |password: &str, code: &str| {
        let fields = [("factor_password", password), ("factor_code", code)];
        desk.post("/account/second-factor/off", &desk.cookie, &fields).await.replace("%2E", ".").replace("%5F", "_")
    };
    assert_eq!(off(PASSWORD, &code).await, "/account?problem=factor_code.wrong", "used");
    desk.app.state.clock.advance(30_000);
    assert_eq!(off("not it", &desk.code(&secret)).await, "/account?problem=factor_password.wrong");
    assert!(off(PASSWORD, &desk.code(&secret)).await.contains("done="));
    assert_eq!(desk.app.try_sign_in(EMAIL, PASSWORD).await.header("location"), "/");
    let wrong = "check_failed";
    let done = [wrong, wrong, "second_factor_on", wrong, wrong, "second_factor_off"];
    assert_eq!(desk.log().await, done);
    let all = fetch!(db, all, (String,), "select change from audit_log").unwrap();
    assert!(all.iter().all(|(text,)| !text.contains(&secret)));
});

on_both_databases!(a_secret_that_waits_is_its_owners_and_not_forever, |db| async move {
    let desk = Desk::new(db).await;
    let begun = desk.app.post("/account/second-factor/begin", &desk.cookie, "").await;
    assert!(begun.header("set-cookie").contains("HttpOnly"));
    desk.app.member("bob@example.com", "Shop", Preset::Analyst).await;
    let bob = format!("{}; {}", desk.app.sign_in("bob@example.com").await, cookie_of(&begun));
    assert_eq!(desk.app.call::<GetSetup>(&bob, "").await.text, "null");
    let own = format!("{}; {}", desk.cookie, cookie_of(&begun));
    assert_ne!(desk.app.call::<GetSetup>(&own, "").await.text, "null");
    desk.app.state.clock.advance(15 * crate::clock::MINUTE);
    assert_eq!(desk.app.call::<GetSetup>(&own, "").await.text, "null");
    let page = desk.app.page("/account/second-factor", &own).await.text;
    assert!(page.contains("Nothing to confirm"));
    let fields = [("factor_password", PASSWORD), ("factor_code", "123456")];
    assert_eq!(desk.post("/account/second-factor/on", &own, &fields).await, "/account?problem=%2Elate");
});

on_both_databases!(the_command_line_turns_a_second_factor_off, |db| async move {
    let desk = Desk::new(db.clone()).await;
    desk.turn_on().await;
    crate::commands::user::tests::add(&db, EMAIL, true).await;
    assert_eq!(desk.app.try_sign_in(EMAIL, PASSWORD).await.header("location"), "/");
    assert_eq!(desk.log().await.last().unwrap(), "second_factor_off");
    let actor = "select actor_kind from audit_log where action = 'second_factor_off'";
    assert!(fetch!(db, all, (String,), actor).unwrap().iter().all(|(kind,)| kind == "command_line"));
    let logs = "select count(*) from audit_log where action = 'second_factor_off' and workspace_id = $1";
    assert_eq!(fetch!(db, one, (i64,), logs, audit::ORGANIZATION).unwrap().0, 1);
});

on_both_databases!(an_account_is_its_owners, |db| async move {
    let desk = Desk::new(db).await;
    assert_eq!(desk.app.call::<GetAccount>("", "").await.status, 401);
    assert_eq!(desk.app.call::<GetSetup>("", "").await.status, 401);
    for path in ["profile", "password", "second-factor/begin", "second-factor/on", "second-factor/off", "sessions/end"]
    {
        let fields = [
            ("name", "x"),
            ("current_password", "x"),
            ("new_password", "x"),
            ("again", "x"),
            ("factor_password", "x"),
            ("factor_code", "x"),
            ("session", "x"),
        ];
        assert_eq!(desk.post(&format!("/account/{path}"), "", &fields).await, "/sign-in?next=%2Faccount", "{path}");
    }
    let long = "x".repeat(20_000);
    assert_eq!(desk.change_password(&desk.cookie, &long, &long, &long).await.status, 413);
});
