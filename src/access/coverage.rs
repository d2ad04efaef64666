//! Who gets what from every address that the router has: strangers, members of another workspace, members without a
//! role, with the role but without a grant, administrators. An address that stands in no table fails the test.

mod endpoints;
mod things;

use super::model::Preset;
use crate::{
    clock::new_id,
    db::Db,
    execute, on_both_databases,
    server::testing::{Answer, Harness},
};
use axum::body::Body;
use endpoints::{Endpoint, Needs, endpoints};
use http::{Request, header};
use std::collections::BTreeSet;
use things::put_things;

/// What the router answers to: "GET /tasks/{id}". It has no list of its own, but shows everything to the debugger.
fn addresses(router: &axum::Router) -> BTreeSet<String> {
    let shown = format!("{router:?}");
    let (methods, paths) = shown.split_once("node: Node").expect("routes, then their paths");
    let part = |text: &str, before: &str, after: &str| {
        text.split_once(before).and_then(|(_, rest)| rest.split_once(after)).map(|(found, _)| found.to_string())
    };
    let mut found = BTreeSet::new();
    for of_route in methods.split("RouteId(").skip(1) {
        let number = of_route.split(')').next().unwrap_or_default();
        let Some(path) = part(paths, &format!("RouteId({number}): \""), "\"") else { continue };
        for method in ["get", "post", "put", "patch", "delete"] {
            if !of_route.contains(&format!(" {method}: None")) {
                found.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    found.retain(|address| !address.contains("{*__private__"));
    found
}

async fn ask(server: &Harness, endpoint: &Endpoint, cookie: &str) -> Answer {
    let path = endpoint
        .path
        .replace("{id}", "thing")
        .replace("{file}", "receiver.py")
        .replace("{token}", "thing")
        .replace("{key}", "thing");
    match endpoint.method {
        "GET" => {
            let query = if endpoint.with.is_empty() { String::new() } else { format!("?{}", endpoint.with) };
            let accept = if endpoint.page { "text/html" } else { "text/csv" };
            let request = Request::get(format!("{path}{query}")).header(header::ACCEPT, accept);
            server.send(request.header(header::COOKIE, cookie).body(Body::empty()).unwrap()).await
        }
        _ if endpoint.with == endpoints::MULTIPART => {
            let request = Request::post(path).header(header::COOKIE, cookie).header("sec-fetch-site", "same-origin");
            let request = request
                .header(header::ACCEPT, "application/json")
                .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
                .body(Body::from("--x--\r\n"));
            server.send(request.unwrap()).await
        }
        _ => server.post(&path, cookie, endpoint.with).await,
    }
}

/// Somebody with every permission by a role of the workspace's own: no administrator, so nothing without a grant.
async fn ungranted(server: &Harness, workspace: &str) -> String {
    server.member("una@example.com", "Shop", Preset::Analyst).await;
    let (db, id) = (&server.state.db, new_id());
    let codes = serde_json::to_string(&super::model::Permissions::all().codes()).unwrap();
    execute!(
        db,
        "insert into roles (workspace_id, id, name, name_key, description, permissions, version, created_at, updated_at)
         values ($1, $2, 'Everything', 'everything', '', $3, 1, 0, 0)",
        workspace,
        &id,
        codes
    )
    .unwrap();
    let user = super::store::user_by_email(db, "una@example.com").await.unwrap().unwrap().id;
    execute!(db, "update member_roles set role_id = $2 where user_id = $1", &user, &id).unwrap();
    user
}

async fn user(db: &Db, email: &str) -> String {
    super::store::user_by_email(db, email).await.unwrap().unwrap().id
}

on_both_databases!(every_address_is_decided, |db| async move {
    let server = Harness::new(db).await;
    let table = endpoints();
    let named: BTreeSet<String> = table.iter().map(Endpoint::address).collect();
    let there = addresses(&server.router);
    assert!(there.len() > 90, "the router was read: {there:?}");
    let missing: Vec<_> = there.difference(&named).collect();
    assert!(missing.is_empty(), "who may ask for these? {missing:#?}");
    let gone: Vec<_> = named.difference(&there).collect();
    assert!(gone.is_empty(), "no longer there: {gone:#?}");

    let db = server.state.db.clone();
    let shop = server.member("ada@example.com", "Shop", Preset::Administrator).await;
    server.member("eve@example.com", "Elsewhere", Preset::Administrator).await;
    server.member("bob@example.com", "Shop", Preset::Analyst).await;
    execute!(db, "delete from member_roles where user_id = $1", user(&db, "bob@example.com").await).unwrap();
    let una = ungranted(&server, &shop).await;
    let ada = user(&db, "ada@example.com").await;
    put_things(&db, &shop, &ada).await;
    let (other, bare) = (server.sign_in("eve@example.com").await, server.sign_in("bob@example.com").await);
    let without_grant = server.sign_in("una@example.com").await;

    let mut wrong = Vec::new();
    let mut check = |endpoint: &Endpoint, who: &str, answer: &Answer, wanted: &[u16]| {
        let status = match answer.header("location") {
            _ if !endpoint.redirects => answer.status.as_u16(),
            to if to.starts_with("/sign-in?next=") => 401,
            to if to.contains("Your%20role%20does%20not") || to.contains("Your+role+does+not") => 403,
            _ => answer.status.as_u16(),
        };
        if !wanted.contains(&status) {
            let text: String = answer.text.chars().take(200).collect();
            wrong.push(format!("{} for {who}: {status}, not {wanted:?}: {text}", endpoint.address()));
        }
        if who == "another workspace" && answer.text.contains("Thing") {
            wrong.push(format!("{} shows {who} the thing", endpoint.address()));
        }
    };
    // Nobody of these changes anything.
    for endpoint in &table {
        let stranger = ask(&server, endpoint, "").await;
        match endpoint.needs {
            Needs::Nothing => check(endpoint, "a stranger", &stranger, endpoint.open),
            _ if endpoint.page => {
                check(endpoint, "a stranger", &stranger, &[303]);
                assert!(stranger.header("location").starts_with("/sign-in"), "{}", endpoint.address());
            }
            _ => check(endpoint, "a stranger", &stranger, &[401]),
        }
        match endpoint.needs {
            Needs::Nothing | Needs::SignedIn => {}
            Needs::Has(_) | Needs::UseOfForm => {
                check(endpoint, "no role", &ask(&server, endpoint, &bare).await, &[403]);
            }
            Needs::Of(_) | Needs::SendingOf => {
                check(endpoint, "another workspace", &ask(&server, endpoint, &other).await, &[404]);
                check(endpoint, "no role", &ask(&server, endpoint, &bare).await, &[403]);
            }
            Needs::Organization => {
                check(endpoint, "an administrator", &ask(&server, endpoint, &other).await, &[403]);
                check(endpoint, "no role", &ask(&server, endpoint, &bare).await, &[403]);
            }
        }
        match endpoint.needs {
            Needs::SendingOf => {
                put_things(&db, &shop, &una).await;
                check(endpoint, "no grant", &ask(&server, endpoint, &without_grant).await, &[403]);
            }
            Needs::UseOfForm => {
                let answer = ask(&server, endpoint, &without_grant).await;
                check(endpoint, "no grant", &answer, &[422]);
                assert!(answer.text.contains("not granted to you"), "{}: {}", endpoint.address(), answer.text);
            }
            _ => {}
        }
    }
    // Those who may: each begins with all things there, and a session of its own.
    for (email, id) in [("una@example.com", &una), ("ada@example.com", &ada)] {
        for endpoint in &table {
            let grant = matches!(endpoint.needs, Needs::SendingOf | Needs::UseOfForm);
            let organization = endpoint.needs == Needs::Organization;
            if matches!(endpoint.needs, Needs::Nothing) || (email.starts_with("una") && (grant || organization)) {
                continue;
            }
            if organization {
                execute!(db, "update users set organization_admin = true where id = $1", &ada).unwrap();
            }
            put_things(&db, &shop, id).await;
            let cookie = server.sign_in(email).await;
            check(endpoint, email, &ask(&server, endpoint, &cookie).await, endpoint.done);
            execute!(db, "update users set organization_admin = false where id = $1", &ada).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
});
