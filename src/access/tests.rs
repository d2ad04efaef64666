//! Signing in, as strangers and members do, on both databases.

mod codes;
mod log;
mod sessions;

use super::model::Preset;
use crate::{
    on_both_databases,
    server::testing::{Answer, Harness, PASSWORD, encoded},
    ui::query::Query,
};
use axum::{body::Body, extract::ConnectInfo};
use http::{Request, header};
use std::net::SocketAddr;

/// From a peer, with what a proxy says of where it comes from.
async fn sign_in_from(app: &Harness, peer: &str, forwarded: &str, email: &str, password: &str) -> Answer {
    let request = Request::post("/sign-in")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .header("x-forwarded-for", forwarded);
    let mut request = request.body(Body::from(encoded(&[("email", email), ("password", password)]))).unwrap();
    request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
    app.send(request).await
}

fn problem(answer: &Answer) -> String {
    Query::parse(answer.header("location").split_once('?').unwrap_or_default().1).text("problem")
}

const PROXY: &str = "10.0.0.2:4711";

on_both_databases!(a_stranger_behind_the_proxy_locks_only_himself_out, |db| async move {
    let app = Harness::with(db, |config| config.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()]).await;
    app.member("ada@example.com", "Shop", Preset::Marketer).await;
    for n in 0..31 {
        sign_in_from(&app, PROXY, "9.9.9.9", &format!("made{n}@up.example"), "not it").await;
    }
    assert_eq!(problem(&sign_in_from(&app, PROXY, "9.9.9.9", "ada@example.com", PASSWORD).await), "wait");
    // What he writes himself stands left of what the proxy adds.
    assert_eq!(problem(&sign_in_from(&app, PROXY, "8.8.8.8, 9.9.9.9", "ada@example.com", PASSWORD).await), "wait");
    let answer = sign_in_from(&app, PROXY, "8.8.8.8", "ada@example.com", PASSWORD).await;
    assert_eq!(answer.header("location"), "/");
});

on_both_databases!(tries_at_the_same_time_count_too, |db| async move {
    let app = Harness::new(db).await;
    app.member("ada@example.com", "Shop", Preset::Marketer).await;
    // White space and case make no other account of it.
    let emails = ["ada@example.com", " ada@example.com", "ADA@example.com\t", "ada@example.com  "];
    let tries = (0..13).map(|n| sign_in_from(&app, "9.9.9.9:1", "", emails[n % emails.len()], "not it"));
    let problems: Vec<String> = futures::future::join_all(tries).await.iter().map(problem).collect();
    assert_eq!(problems.iter().filter(|problem| *problem == "wrong").count(), 10, "{problems:?}");
    assert_eq!(problem(&sign_in_from(&app, "8.8.8.8:1", "", "ada@example.com", PASSWORD).await), "wait");
    let subjects = crate::fetch!(app.state.db, all, (String, i64), "select subject, failures from sign_in_failures");
    assert_eq!(subjects.unwrap().len(), 3, "one account, two addresses");
});

on_both_databases!(a_right_password_forgets_the_tries, |db| async move {
    let app = Harness::new(db).await;
    app.member("ada@example.com", "Shop", Preset::Marketer).await;
    for _ in 0..40 {
        let answer = sign_in_from(&app, "9.9.9.9:1", "", "ada@example.com", PASSWORD).await;
        assert_eq!(answer.header("location"), "/");
    }
    let long = format!("{}@example.com", "x".repeat(10_000));
    sign_in_from(&app, "9.9.9.9:1", "", &long, "not it").await;
    // What strangers left in the log is counted behind the answer.
    let rows = "select subject, failures from sign_in_failures where subject <> 'strangers'";
    let rows = crate::fetch!(app.state.db, all, (String, i64), rows);
    let huge = format!("{}@example.com", "x".repeat(100_000));
    assert_eq!(sign_in_from(&app, "9.9.9.9:1", "", &huge, "not it").await.status, 413);
    let mut rows = rows.unwrap();
    rows.sort();
    assert_eq!(rows.len(), 2);
    assert!(rows[0].0.len() < 300, "what is kept of an address is bounded");
    assert_eq!(rows[1], ("address 9.9.9.9".to_string(), 1));
});

on_both_databases!(after_the_sign_in_the_page_that_was_asked_for_comes, |db| async move {
    let app = Harness::new(db).await;
    app.member("ada@example.com", "Shop", Preset::Marketer).await;
    let wanted = "/customers/view/acme%252F0001?x=a%26b&q=1+1";
    let answer = app.page(wanted, "").await;
    let form = app.page(answer.header("location"), "").await;
    assert!(form.text.contains(&format!("value=\"{}\"", wanted.replace('&', "&amp;"))), "{}", form.text);
    let fields = [("email", "ada@example.com"), ("password", "not it"), ("next", wanted)];
    let answer = app.post("/sign-in", "", &encoded(&fields)).await;
    assert_eq!(Query::parse(answer.header("location").split_once('?').unwrap().1).get("next"), Some(wanted));
    let fields = [("email", "ada@example.com"), ("password", PASSWORD), ("next", wanted)];
    assert_eq!(app.post("/sign-in", "", &encoded(&fields)).await.header("location"), wanted);
    for elsewhere in ["/\t/evil.example", "//evil.example", "/\\evil.example", "/%09/evil.example\n"] {
        let fields = [("email", "ada@example.com"), ("password", PASSWORD), ("next", elsewhere)];
        assert_eq!(app.post("/sign-in", "", &encoded(&fields)).await.header("location"), "/", "{elsewhere:?}");
    }
});
