//! Links from outside: once, in time, by one alone, and in no log.

use crate::{
    access::model::Preset,
    execute, fetch,
    mail::testing::Sink,
    members::tests::{Desk, links_in},
    on_both_databases,
    server::testing::{Harness, Log, PASSWORD, encoded},
    ui::query::Query,
};
use http::StatusCode;
use leptos::server_fn::ServerFn;

const NEW: &str = "a quite long passphrase 7";
const HOUR: i64 = 3_600_000;

on_both_databases!(a_link_is_good_once, |db| async move {
    let desk = Desk::new(db).await;
    let link = desk.invite("bob@example.com", "marketer").await;
    let page = desk.server.page(&link, "").await;
    assert_eq!(page.status, StatusCode::OK);
    for text in ["You are invited to “Shop”", "bob@example.com", "method=\"post\"", "autocomplete=\"new-password\""]
    {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    let refused = desk.accept(&link, "Bobby", "short").await;
    let query = Query::parse(refused.header("location").split_once('?').unwrap().1);
    assert!(query.text("problem") == "password.short" && query.text("name") == "Bobby");
    let back = desk.server.page(refused.header("location"), "").await.text;
    assert!(back.contains("12 characters") && back.contains("value=\"Bobby\"") && !back.contains("short"));
    let unnamed = desk.accept(&link, " ", NEW).await;
    assert!(unnamed.header("location").ends_with("?problem=name%2Eempty"), "{}", unnamed.header("location"));
    let foreign = desk.server.page(&format!("{link}?problem=Call+our+desk"), "").await.text;
    assert!(foreign.contains("bob@example.com") && !foreign.contains("our desk"), "no text of somebody else's");

    let joined = desk.accept(&link, " Bob Builder ", NEW).await;
    assert_eq!((joined.status, joined.header("location")), (StatusCode::SEE_OTHER, "/"));
    let cookie = joined.header("set-cookie").split(';').next().unwrap();
    let tasks = desk.server.page("/tasks", cookie).await;
    assert!(tasks.status == StatusCode::OK && tasks.text.contains("Bob Builder"));
    let used = desk.server.page(&link, "").await;
    assert_eq!(used.status, StatusCode::GONE);
    assert!(used.text.contains("This link is not valid") && used.text.contains("new link"));
    let again = desk.accept(&link, "Eve", "another passphrase 8").await;
    assert_eq!(desk.server.page(again.header("location"), "").await.status, StatusCode::GONE);
    assert_eq!(desk.server.try_sign_in("bob@example.com", NEW).await.header("location"), "/");
    let log = desk.log().await;
    assert_eq!(log.iter().filter(|line| line.starts_with("joined Bob Builder")).count(), 1, "{log:?}");
    let list = desk.server.page("/members?state=active", &desk.cookie).await.text;
    assert!(list.contains("Bob Builder"));
});

on_both_databases!(links_end_with_time_and_with_the_next_one, |db| async move {
    let desk = Desk::new(db).await;
    let first = desk.invite("bob@example.com", "marketer").await;
    let bob = desk.id("bob@example.com").await;
    let made = desk.make_link(&desk.cookie, &bob).await;
    let second = desk.link_behind(&made).await;
    assert_eq!(desk.server.page(&first, "").await.status, StatusCode::GONE);
    desk.server.state.clock.advance(72 * HOUR - 1);
    assert_eq!(desk.server.page(&second, "").await.status, StatusCode::OK);
    desk.server.state.clock.advance(1);
    assert_eq!(desk.server.page(&second, "").await.status, StatusCode::GONE);
    let late = desk.accept(&second, "Bob", NEW).await;
    assert!(late.header("set-cookie").is_empty() && late.header("location").starts_with(&second));
    let odd = desk.server.page("/invitation/unknown", "").await;
    assert_eq!(odd.status, StatusCode::GONE);
    let cookie = desk.server.sign_in("ada@example.com").await;
    let page = desk.server.page(&format!("/members/{bob}"), &cookie).await.text;
    assert!(page.contains("The invitation has expired"));
});

on_both_databases!(of_two_at_once_one_gets_in, |db| async move {
    let desk = Desk::new(db).await;
    let link = desk.invite("bob@example.com", "marketer").await;
    let tries = (0..4).map(|number| {
        let (name, password) = (format!("Bob {number}"), format!("{NEW} {number}"));
        let (desk, link) = (&desk, link.as_str());
        async move { desk.accept(link, &name, &password).await }
    });
    let answers = futures::future::join_all(tries).await;
    let won: Vec<usize> = answers
        .iter()
        .enumerate()
        .filter(|(_, answer)| answer.header("location") == "/")
        .map(|(place, _)| place)
        .collect();
    assert_eq!(won.len(), 1);
    let bob = desk.id("bob@example.com").await;
    assert_eq!(desk.count("select count(*) from sessions where user_id = $1", &bob).await, 1);
    let signed = desk.server.try_sign_in("bob@example.com", &format!("{NEW} {}", won[0])).await;
    assert_eq!(signed.header("location"), "/", "the password is the winner's");
    let joined = desk.log().await.iter().filter(|line| line.starts_with("joined ")).count();
    assert_eq!(joined, 1);
});

on_both_databases!(a_password_link_ends_the_sessions_when_it_is_used, |db| async move {
    let desk = Desk::new(db).await;
    desk.server.member("bob@example.com", "Shop", Preset::Marketer).await;
    let (bob, old) = (desk.id("bob@example.com").await, desk.server.sign_in("bob@example.com").await);
    let made = desk.make_link(&desk.cookie, &bob).await;
    let link = desk.link_behind(&made).await;
    let page = desk.server.page(&link, "").await.text;
    assert!(page.contains("Set a new password") && !page.contains("name=\"name\""));
    assert_eq!(desk.server.page("/tasks", &old).await.status, StatusCode::OK, "until it is used");
    desk.server.sign_in("bob@example.com").await;
    let set = desk.accept(&link, "Not asked for", NEW).await;
    assert_eq!(set.header("location"), "/");
    assert_eq!(desk.server.page("/tasks", &old).await.status, StatusCode::SEE_OTHER);
    assert_ne!(desk.server.try_sign_in("bob@example.com", PASSWORD).await.header("location"), "/");
    assert_eq!(desk.server.try_sign_in("bob@example.com", NEW).await.header("location"), "/");
    let log = desk.log().await;
    assert!(
        log.iter().any(|line| line.starts_with("link_made Somebody") && line.contains("Password reset")),
        "{log:?}"
    );
    assert!(log.iter().any(|line| line.starts_with("password_set Somebody")), "{log:?}");
});

on_both_databases!(a_link_is_no_way_around_a_second_factor_or_a_disabled_account, |db| async move {
    let desk = Desk::new(db).await;
    let (factor, everywhere, here) = (
        "update users set totp_cipher = 'x' where id = $1",
        "update users set disabled_at = 1 where id = $1",
        "update members set disabled_at = 1 where user_id = $1",
    );
    for (email, changes, to) in [
        ("bob@example.com", vec![factor], "/sign-in/code?next=%2F"),
        ("eve@example.com", vec![everywhere], "/invitation/done"),
        ("pat@example.com", vec![here], "/invitation/done"),
        ("ann@example.com", vec![factor, here], "/invitation/done"),
    ] {
        desk.server.member(email, "Shop", Preset::Marketer).await;
        let id = desk.id(email).await;
        for sql in changes {
            execute!(desk.db(), sql, &id).unwrap();
        }
        let made = desk.make_link(&desk.cookie, &id).await;
        let link = desk.link_behind(&made).await;
        let set = desk.accept(&link, "", NEW).await;
        assert_eq!(set.header("location"), to, "{email}");
        assert!(!set.header("set-cookie").starts_with("reachwire="), "{email}: no session");
        assert_eq!(desk.count("select count(*) from sessions where user_id = $1", &id).await, 0, "{email}");
    }
    let done = desk.server.page("/invitation/done", "").await;
    assert!(done.status == StatusCode::OK && done.text.contains("Your password is set"));
});

on_both_databases!(tries_of_one_address_are_bounded, |db| async move {
    let desk = Desk::new(db).await;
    let link = desk.invite("bob@example.com", "marketer").await;
    for _ in 0..30 {
        desk.accept("/invitation/guessed", "Eve", NEW).await;
    }
    let waiting = desk.accept(&link, "Bob", NEW).await;
    assert!(waiting.header("location").contains("?problem=wait"), "{}", waiting.header("location"));
    assert!(desk.server.page(waiting.header("location"), "").await.text.contains("Too many tries"));
    desk.server.state.clock.advance(HOUR);
    assert_eq!(desk.accept(&link, "Bob", NEW).await.header("location"), "/");
});

on_both_databases!(links_are_sent_by_mail_and_a_failure_is_told, |db| async move {
    let sink = Sink::start().await;
    let url = sink.url.clone();
    let server = Harness::with(db, move |config| {
        config.mail.url = url.into();
        config.mail.from = "Reachwire <reach@example.com>".into();
        config.public_url = "https://reach.example.com".into();
    });
    let server = server.await;
    // https: the cookie's name is another one, so the desk signs in by itself.
    let workspace = server.member("ada@example.com", "Shop", Preset::Administrator).await;
    let answer = server.try_sign_in("ada@example.com", PASSWORD).await;
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_string();
    let desk = Desk { server, workspace, cookie };
    let added = desk.add_as(&desk.cookie, "bob@example.com", "marketer").await;
    let page = desk.server.page(added.header("location"), &desk.cookie).await.text;
    let link = links_in(&page).remove(0);
    assert!(page.contains("Sent to bob@example.com") && page.contains(&format!("https://reach.example.com{link}")));
    let mails = sink.mails();
    assert_eq!(mails.len(), 1);
    // Long lines are folded on the way.
    let mail = mails[0].replace("=\r\n", "");
    assert!(mail.contains(&format!("https://reach.example.com{link}")) && mail.contains("72 hours"), "{mail}");

    let added = desk.add_as(&desk.cookie, "refused@example.com", "marketer").await;
    let page = desk.server.page(added.header("location"), &desk.cookie).await.text;
    assert!(page.contains("could not be sent") && links_in(&page).len() == 1, "the link is shown all the same");
    assert_eq!(sink.mails().len(), 1);
});

/// One thread, so that everything goes to this test's log.
#[tokio::test(flavor = "current_thread")]
async fn tokens_are_in_no_log_and_in_no_table() {
    let (log, _listening) = Log::of_this_thread();
    let (db, folder) = crate::db::testing::sqlite().await;
    let desk = Desk::new(db).await;
    let link = desk.invite("bob@example.com", "marketer").await;
    let token = link.rsplit('/').next().unwrap().to_string();
    desk.server.page(&link, "").await;
    desk.server.page(&format!("{link}/further"), "").await;
    desk.accept(&link, "Bob", "short").await;
    let foreign = http::Request::post(&link).header("sec-fetch-site", "cross-site");
    desk.server.send(foreign.body(axum::body::Body::empty()).unwrap()).await;
    desk.server.post(super::api::GetInvitation::PATH, "", &encoded(&[("token", &token)])).await;
    assert_eq!(desk.accept(&link, "Bob", NEW).await.header("location"), "/");
    let logged = log.text();
    assert!(logged.contains("/invitation/{token}") && logged.contains("signed in"), "{logged}");
    assert!(!logged.contains(&token) && !logged.contains(NEW));

    let sql = "select change, object, search_key from audit_log";
    let rows = fetch!(desk.db(), all, (String, String, String), sql).unwrap();
    assert!(rows.len() >= 3);
    assert!(
        rows.iter().all(|(change, object, key)| ![change, object, key].into_iter().any(|text| text.contains(&token)))
    );
    desk.db().close().await;
    let mut files = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        // Closing takes the files beside the database away.
        let Ok(bytes) = std::fs::read(entry.unwrap().path()) else { continue };
        files += 1;
        assert!(!bytes.windows(token.len()).any(|part| part == token.as_bytes()));
    }
    assert!(files > 0);
}

on_both_databases!(a_link_is_worth_what_its_maker_is, |db| async move {
    let desk = Desk::new(db.clone()).await;
    desk.server.member("bob@example.com", "Shop", Preset::Marketer).await;
    let bob = desk.id("bob@example.com").await;
    let made = desk.make_link(&desk.cookie, &bob).await;
    let link = desk.link_behind(&made).await;
    let opens = async || desk.server.page(&link, "").await.status == StatusCode::OK;
    assert!(opens().await);
    // The account becomes more than its maker's workspace may touch, and less again.
    let elsewhere = desk.server.member("eve@example.com", "Elsewhere", Preset::Administrator).await;
    let sql = "insert into members (workspace_id, user_id) values ($1, $2)";
    execute!(db, sql, &elsewhere, &bob).unwrap();
    assert!(!opens().await, "a member of another workspace too");
    assert!(desk.accept(&link, "", NEW).await.header("set-cookie").is_empty());
    execute!(db, "delete from members where workspace_id = $1 and user_id = $2", &elsewhere, &bob).unwrap();
    assert!(opens().await);
    execute!(db, "update users set organization_admin = $2 where id = $1", &bob, true).unwrap();
    assert!(!opens().await, "an organization administrator");
    execute!(db, "update users set organization_admin = $2 where id = $1", &bob, false).unwrap();
    // The maker becomes less.
    let ada = desk.id("ada@example.com").await;
    for change in [
        "update members set disabled_at = 1 where user_id = $1",
        "update users set disabled_at = 1 where id = $1",
        "update member_roles set role_id = 'marketer' where user_id = $1",
    ] {
        execute!(db, change, &ada).unwrap();
        assert!(!opens().await, "{change}");
        execute!(db, "update members set disabled_at = null where user_id = $1", &ada).unwrap();
        execute!(db, "update users set disabled_at = null where id = $1", &ada).unwrap();
    }
    execute!(db, "update member_roles set role_id = 'administrator' where user_id = $1", &ada).unwrap();
    assert_eq!(desk.accept(&link, "", NEW).await.header("location"), "/");
});
