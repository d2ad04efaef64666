//! What holds for every page and server function, on both databases.

use super::testing::Harness;
use crate::{
    access::model::Preset,
    audiences::api::{DeleteAudience, GetAudience},
    campaigns::api as campaigns,
    customers::api::GetCustomer,
    on_both_databases,
    tasks::{
        api::{DeleteTask, ListTasks, SubmitTask},
        detail::api::{ControlTask, LoadTask, LoadTaskLive},
    },
    webhooks::api as webhooks,
};
use axum::body::Body;
use http::{Request, StatusCode, header};
use leptos::server_fn::ServerFn;

on_both_databases!(strangers_see_the_sign_in_and_nothing_else, |db| async move {
    let server = Harness::new(db).await;
    for path in ["/", "/customers", "/tasks/123", "/webhooks/new?x=1"] {
        let answer = server.page(path, "").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert!(answer.header("location").starts_with("/sign-in?next="), "{path}");
    }
    for path in ["/tasks/123/users.csv", "/tasks/dry-run/1/skipped.csv"] {
        let request = Request::get(path).header(header::ACCEPT, "text/csv").body(Body::empty()).unwrap();
        assert_eq!(server.send(request).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(server.call::<ListTasks>("", "search=&state=&webhook=&sort=&page=1").await.status, 401);
    assert_eq!(server.call::<ControlTask>("reachwire=made-up", "id=1&action=stop").await.status, 401);
    assert_eq!(server.page("/sign-in", "").await.status, StatusCode::OK);
    assert_eq!(server.page("/healthz", "").await.text, "ok");
    assert_eq!(server.page("/readyz", "").await.status, StatusCode::OK);
});

on_both_databases!(sign_in_tells_nothing_and_tires, |db| async move {
    let server = Harness::new(db).await;
    server.member("ada@example.com", "Shop", Preset::Marketer).await;
    let wrong = server.try_sign_in("ada@example.com", "not it").await;
    let nobody = server.try_sign_in("nobody@example.com", "not it").await;
    assert_eq!(wrong.header("location"), nobody.header("location"), "whether the account exists stays unknown");
    for answer in [&wrong, &nobody] {
        let cookies: Vec<_> = answer.head.headers().get_all("set-cookie").iter().collect();
        assert!(cookies.len() == 1 && answer.header("set-cookie").starts_with("reachwire-typed="), "{cookies:?}");
    }
    for _ in 0..10 {
        server.try_sign_in("ada@example.com", "not it").await;
    }
    let answer = server.try_sign_in("ada@example.com", crate::server::testing::PASSWORD).await;
    assert!(answer.header("location").contains("problem=wait"), "even the right password waits");
    server.state.clock.advance(16 * crate::clock::MINUTE);
    server.sign_in("ada@example.com").await;
});

on_both_databases!(a_session_ends, |db| async move {
    let server = Harness::new(db).await;
    server.member("ada@example.com", "Shop", Preset::Marketer).await;
    let cookie = server.sign_in("ada@example.com").await;
    assert_eq!(server.page("/tasks", &cookie).await.status, StatusCode::OK);
    // In the middle of a form: the server function says so, and the page keeps what was typed.
    server.state.clock.advance(4 * crate::clock::DAY);
    let answer =
        server.call::<SubmitTask>(&cookie, "id=0123456789abcdef0123456789abcdef&new=true&task[name]=Spring").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.text.contains("Unauthenticated"));
    let cookie = server.sign_in("ada@example.com").await;
    server.post("/sign-out", &cookie, "").await;
    assert_eq!(server.page("/tasks", &cookie).await.status, StatusCode::SEE_OTHER);
});

on_both_databases!(things_of_other_workspaces_do_not_exist, |db| async move {
    let server = Harness::new(db).await;
    let shop = server.member("ada@example.com", "Shop", Preset::Administrator).await;
    server.member("eve@example.com", "Elsewhere", Preset::Administrator).await;
    let (db, now) = (&server.state.db, server.state.clock.now());
    for statement in [
        "insert into customers (workspace_id, customer_id, tags, created_at, updated_at) values ($1, 'thing', '{}', $2, $2)",
        "insert into audiences (workspace_id, id, name, kind, rules, size, created_at, updated_at) values ($1, 'thing', 'Thing', 'all', '{\"all\":[]}', 1, $2, $2)",
        "insert into campaigns (workspace_id, id, kind, name, created_at) values ($1, 'thing', 'main', 'Thing', $2)",
        "insert into tasks (workspace_id, id, name, audience_id, webhook_id, id_type, encryption, inputs, time_zone, created_by, created_at, updated_at) values ($1, 'thing', 'Thing', 'thing', 'thing', 'ONEID', 'none', '{}', 'UTC', 'u', $2, $2)",
        "insert into sends (workspace_id, id, source, webhook_id, id_type, encryption, template, batch_size, state, due_at, created_at) values ($1, 'thing', 'task', 'thing', 'ONEID', 'none', '{\"params\":[],\"variables\":[]}', 100, 'finished', $2, $2)",
        "insert into webhooks (workspace_id, id, name, enabled, url, authentication, id_types, parameters, batch_size, concurrency, receipts_enabled, retention_days, statuses, version, created_at, updated_at) values ($1, 'thing', 'Thing', false, 'https://crm.example.com', 'none', '[\"ONEID\"]', '[]', 100, 4, false, 7, '[]', 1, $2, $2)",
    ] {
        crate::execute!(db, statement, &shop, now).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    let own = server.sign_in("ada@example.com").await;
    let other = server.sign_in("eve@example.com").await;
    for path in ["/customers/view/thing", "/audiences/thing", "/campaigns/thing", "/tasks/thing", "/webhooks/thing"] {
        assert_eq!(server.page(path, &own).await.status, StatusCode::OK, "{path} of one's own");
        let answer = server.page(path, &other).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path} of another workspace");
        assert!(!answer.text.contains("Thing"), "{path} tells nothing");
    }
    assert_eq!(server.page("/tasks/thing/users.csv", &other).await.status, StatusCode::NOT_FOUND);
    let id = "id=thing";
    assert_eq!(server.call::<LoadTask>(&other, id).await.status, 404);
    assert_eq!(server.call::<LoadTaskLive>(&other, id).await.status, 404);
    assert_eq!(server.call::<DeleteTask>(&other, id).await.status, 404);
    assert_eq!(server.call::<ControlTask>(&other, "id=thing&action=stop").await.status, 404);
    assert_eq!(server.call::<GetAudience>(&other, id).await.status, 404);
    assert_eq!(server.call::<DeleteAudience>(&other, id).await.status, 404);
    assert_eq!(server.call::<GetCustomer>(&other, id).await.status, 404);
    assert_eq!(server.call::<campaigns::DeleteCampaign>(&other, id).await.status, 404);
    assert_eq!(server.call::<webhooks::SetWebhookEnabled>(&other, "id=thing&enabled=true").await.status, 404);
});

on_both_databases!(a_marketer_configures_no_webhooks, |db| async move {
    let server = Harness::new(db).await;
    server.member("max@example.com", "Shop", Preset::Marketer).await;
    let cookie = server.sign_in("max@example.com").await;
    assert_eq!(server.page("/webhooks", &cookie).await.status, StatusCode::OK);
    let answer = server.call::<webhooks::GenerateKey>(&cookie, "").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
});

on_both_databases!(pages_are_safe_by_default, |db| async move {
    let server = Harness::new(db).await;
    server.member("ada@example.com", "Shop", Preset::Administrator).await;
    let cookie = server.sign_in("ada@example.com").await;
    for path in [
        "/",
        "/customers",
        "/customers/import",
        "/audiences",
        "/audiences/new",
        "/campaigns",
        "/tasks",
        "/tasks/new",
        "/webhooks",
        "/webhooks/new",
        "/webhook-parameters",
        "/webhook-parameters/new",
    ] {
        let answer = server.page(path, &cookie).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("nonce-") && !policy.contains("unsafe-inline"), "{path}: {policy}");
        assert!(!answer.text.contains(" style="), "{path} has a style attribute, which the policy blocks");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert_eq!(server.page("/no/such/page", &cookie).await.status, StatusCode::NOT_FOUND);
    // Another site's page asks a signed-in browser for a change.
    let request = Request::post("/sign-out")
        .header(header::COOKIE, &cookie)
        .header(header::ORIGIN, "https://evil.example")
        .header(header::HOST, "127.0.0.1:3000")
        .body(Body::empty())
        .unwrap();
    assert_eq!(server.send(request).await.status, StatusCode::FORBIDDEN);
    assert_eq!(server.page("/tasks", &cookie).await.status, StatusCode::OK, "still signed in");
    // A body without bounds.
    let huge = "x".repeat(3 << 20);
    let post = || {
        Request::post(SubmitTask::PATH)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, &cookie)
            .header("sec-fetch-site", "same-origin")
    };
    let told = post().header(header::CONTENT_LENGTH, huge.len()).body(Body::from(huge.clone())).unwrap();
    assert_eq!(server.send(told).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let untold = server.send(post().body(Body::from(huge)).unwrap()).await;
    assert_eq!(untold.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", untold.text);
    // PostgreSQL keeps no NUL; neither database is asked.
    assert_eq!(server.page("/tasks?q=a%00b", &cookie).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(server.call::<LoadTask>(&cookie, "id=a%00b").await.status, StatusCode::UNPROCESSABLE_ENTITY);
});

on_both_databases!(a_node_answers_for_its_roles_alone, |db| async move {
    use crate::config::Roles;
    let receipts = crate::wire::receipt::PATH;
    for (roles, page, receipt) in [
        (Roles { worker: false, intake: false, ..Roles::ALL }, StatusCode::OK, StatusCode::NOT_FOUND),
        (Roles { web: false, worker: false, ..Roles::ALL }, StatusCode::NOT_FOUND, StatusCode::UNAUTHORIZED),
        (Roles { web: false, intake: false, ..Roles::ALL }, StatusCode::NOT_FOUND, StatusCode::NOT_FOUND),
    ] {
        let server = Harness::with(db.clone(), |config| config.roles = roles).await;
        for always in ["/healthz", "/readyz", "/metrics"] {
            assert_eq!(server.page(always, "").await.status, StatusCode::OK, "{always} of {roles:?}");
        }
        assert_eq!(server.page("/sign-in", "").await.status, page, "{roles:?}");
        assert_eq!(server.post(receipts, "", "no receipt").await.status, receipt, "{roles:?}");
        assert_eq!(server.post("/api/nothing", "", "").await.status, StatusCode::NOT_FOUND, "{roles:?}");
    }
});
