//! Keys as people make them and as programs show them.

use super::{
    api::{CreateApiKey, ListApiKeys, RevokeApiKey},
    model::{ApiKey, CreatedKey, KeyPage, KeyState},
};
use crate::{
    access::model::Preset,
    audit::testing::{assert_whole, last_change, text, told},
    customers::import::store as imports,
    db::Db,
    error::AppError,
    execute, fetch, on_both_databases,
    server::testing::{Answer, Harness, encoded},
};
use axum::{body::Body, extract::ConnectInfo};
use http::{Method, Request, header};
use serde_json::Value;
use std::net::SocketAddr;

const IMPORTS: &str = "/restapi/v1/customers/imports";
const CSV: &str = "id,EMAIL,spend\nc1,a@example.com,5\nc2,b@example.com,many\n";
const MINUTE: i64 = 60_000;

struct Desk {
    server: Harness,
    workspace: String,
    cookie: String,
}

impl Desk {
    async fn new(db: Db) -> Self {
        Self::with(db, |_| ()).await
    }

    async fn with(db: Db, change: impl FnOnce(&mut crate::config::Config)) -> Self {
        let server = Harness::with(db, change).await;
        let workspace = server.member("ada@example.com", "Shop", Preset::Administrator).await;
        let cookie = server.sign_in("ada@example.com").await;
        Self { server, workspace, cookie }
    }

    async fn create(&self, cookie: &str, fields: &[(&str, &str)]) -> Answer {
        self.server.call::<CreateApiKey>(cookie, &encoded(fields)).await
    }

    /// A key with these scopes.
    async fn key(&self, name: &str, scopes: &[&str], expires: &str) -> String {
        let names: Vec<String> = (0..scopes.len()).map(|place| format!("new[scopes][{place}]")).collect();
        let mut fields = vec![("new[name]", name), ("new[expires]", expires)];
        fields.extend(names.iter().map(String::as_str).zip(scopes.iter().copied()));
        let answer = self.create(&self.cookie, &fields).await;
        serde_json::from_str::<CreatedKey>(&answer.text).unwrap_or_else(|_| panic!("{}", answer.text)).key.into()
    }

    async fn keys(&self, query: &str) -> Vec<ApiKey> {
        let query = format!("query[offset]=0&{query}");
        let answer = self.server.call::<ListApiKeys>(&self.cookie, &query).await;
        serde_json::from_str::<KeyPage>(&answer.text).unwrap_or_else(|_| panic!("{}", answer.text)).rows
    }

    async fn revoke(&self, cookie: &str, id: &str) -> Answer {
        self.server.call::<RevokeApiKey>(cookie, &encoded(&[("id", id)])).await
    }

    /// As a program asks, from an address.
    async fn ask(&self, method: Method, path: &str, key: &str, from: &str, body: &str) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::CONTENT_TYPE, "text/csv")
            .body(Body::from(body.to_string()))
            .unwrap();
        request.extensions_mut().insert(ConnectInfo(format!("{from}:1").parse::<SocketAddr>().unwrap()));
        self.server.send(request).await
    }

    async fn get(&self, path: &str, key: &str) -> Answer {
        self.ask(Method::GET, path, key, "9.9.9.9", "").await
    }

    async fn import(&self, query: &str, key: &str, body: &str) -> Answer {
        self.ask(Method::POST, &format!("{IMPORTS}{query}"), key, "9.9.9.9", body).await
    }

    /// An import that has ended.
    async fn ended(&self, id: &str, key: &str) -> Value {
        for _ in 0..1_000 {
            let answer = self.get(&format!("{IMPORTS}/{id}"), key).await;
            let import = json(&answer);
            if import["status"] != "running" {
                return import;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the import does not end");
    }
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{}: {}", answer.status, answer.text))
}

on_both_databases!(a_program_imports_customers_to_the_end, |db| async move {
    let desk = Desk::new(db.clone()).await;
    let key = desk.key("CRM", &["customers.import"], "").await;
    assert!(key.starts_with("rw_") && key.len() == 43, "{key}");
    let answer = desk.import("?name=today.csv", &key, CSV).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let begun = json(&answer);
    let id = begun["id"].as_str().unwrap();
    assert_eq!(begun["location"], format!("{IMPORTS}/{id}"));
    assert_eq!(begun["mapping"][1], serde_json::json!({"column": "EMAIL", "target": "id:EMAIL"}));
    let done = desk.ended(id, &key).await;
    let counts = (&done["status"], &done["rows_good"], &done["rows_bad"], &done["file_name"]);
    assert_eq!(counts, (&"finished".into(), &2.into(), &0.into(), &"today.csv".into()), "{done}");

    let maps = "?map=id=customer_id&map=spend=tag:number:spent";
    let begun = json(&desk.import(maps, &key, CSV).await);
    assert_eq!(begun["mapping"][1]["target"], "ignore");
    let id = begun["id"].as_str().unwrap();
    let done = desk.ended(id, &key).await;
    assert_eq!((&done["rows_good"], &done["rows_bad"]), (&1.into(), &1.into()), "{done}");
    let rows = desk.get(done["bad_rows"].as_str().unwrap(), &key).await;
    assert!(rows.text.contains("spent: many"), "{}", rows.text);
    let all = told(&db, &desk.workspace).await;
    assert_eq!(all[1..], ["API key CRM: imported customers today.csv", "API key CRM: imported customers import.csv"]);
    assert_eq!(last_change(&db, &desk.workspace).await["after"]["columns"][2], "spend → tag:number:spent");
});

on_both_databases!(what_is_no_import_is_refused_and_leaves_nothing, |db| async move {
    let desk = Desk::with(db.clone(), |config| config.upload_limit = 1_000).await;
    let key = desk.key("CRM", &["customers.import"], "").await;
    for (query, body, said) in [
        ("", "", "empty"),
        ("", "id,id\n1,2\n", "Two columns"),
        ("?map=spend", CSV, "COLUMN=TARGET"),
        ("?map=moon=customer_id", CSV, "no column"),
        ("?map=EMAIL=id:EMAIL", CSV, "customer ID"),
        ("?map=id=customer_id&map=EMAIL=id:FAX", CSV, "FAX"),
        ("?workspace=other", CSV, "no parameter"),
        ("", &"id,x\n1,2\n".repeat(200), "large"),
    ] {
        let answer = desk.import(query, &key, body).await;
        assert_eq!(answer.status, 422, "{query}: {}", answer.text);
        let error = json(&answer);
        assert_eq!(error["code"], "INVALID");
        assert!(error["message"].as_str().unwrap().contains(said), "{query}: {error}");
    }
    let html = Request::post(IMPORTS).header(header::AUTHORIZATION, format!("Bearer {key}"));
    let html = desk.server.send(html.header(header::CONTENT_TYPE, "text/html").body(Body::from(CSV)).unwrap()).await;
    assert!(html.status == 422 && html.text.contains("text/csv"), "{}", html.text);
    // A body that does not say how long it is.
    let pieces = (0..100).map(|_| Ok::<_, std::io::Error>("id,x,1234567890\n"));
    let long = Request::post(IMPORTS)
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "text/csv");
    let long = long.body(Body::from_stream(futures::stream::iter(pieces))).unwrap();
    assert_eq!(desk.server.send(long).await.status, 422);
    assert!(imports::latest(&db, &desk.workspace, 10).await.unwrap().is_empty());
    let left = std::fs::read_dir(desk.server.state.config.uploads()).map_or(0, Iterator::count);
    assert_eq!(left, 0, "files");
    assert_eq!(told(&db, &desk.workspace).await.len(), 1, "the key alone");
});

on_both_databases!(a_key_opens_what_its_scopes_say_in_its_workspace, |db| async move {
    let desk = Desk::new(db.clone()).await;
    let import = desk.key("Import", &["customers.import"], "").await;
    let read = desk.key("Read", &["tasks.read"], "").await;
    let refused = desk.import("", &read, CSV).await;
    assert_eq!((refused.status.as_u16(), json(&refused)["code"].as_str()), (403, Some("FORBIDDEN")));
    let id = json(&desk.import("", &import, CSV).await)["id"].as_str().unwrap().to_string();
    desk.ended(&id, &import).await;
    let path = format!("{IMPORTS}/{id}");
    assert_eq!(desk.get(&path, &read).await.status, 403);
    // A task: what a person may download, a key with the scope may.
    execute!(
        db,
        "insert into tasks (workspace_id, id, name, audience_id, webhook_id, id_type, encryption, inputs,
                            time_zone, created_by, created_at, updated_at)
         values ($1, 't1', 'Spring', 'a', 'w', 'MOBILE', 'none', '{}', 'UTC', 'u', 0, 0)",
        &desk.workspace
    )
    .unwrap();
    let users = desk.get("/tasks/t1/users.csv", &read).await;
    assert!(users.status == 200 && users.text.starts_with("action_id,"), "{}", users.text);
    assert_eq!(desk.get("/tasks/t1/users.csv", &import).await.status, 403);

    desk.server.member("eve@example.com", "Elsewhere", Preset::Administrator).await;
    let eve = desk.server.sign_in("eve@example.com").await;
    let fields = [("new[name]", "E"), ("new[scopes][0]", "customers.import"), ("new[scopes][1]", "tasks.read")];
    let created: CreatedKey = serde_json::from_str(&desk.create(&eve, &fields).await.text).unwrap();
    for path in [path.as_str(), "/tasks/t1/users.csv", &format!("{IMPORTS}/nothing")] {
        assert_eq!(desk.get(path, &created.key).await.status, 404, "{path}");
    }
    assert_eq!(desk.revoke(&eve, &desk.keys("").await[0].id).await.status, 404, "another workspace's key");

    // Neither pages nor server functions nor other downloads, and a cookie beside it does not help.
    for path in ["/", "/customers", "/tasks", "/api-keys", "/audit-log.csv", "/customers/import"] {
        let request = Request::get(path)
            .header(header::AUTHORIZATION, format!("Bearer {import}"))
            .header(header::COOKIE, &desk.cookie);
        let answer = desk.server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status.as_u16(), json(&answer)["code"].as_str()), (403, Some("FORBIDDEN")), "{path}");
        assert!(answer.text.contains("do not open this address"), "{}", answer.text);
        assert_eq!(desk.get(path, "rw_made-up").await.status, 401, "{path}");
    }
    let function = <ListApiKeys as leptos::server_fn::ServerFn>::PATH;
    assert_eq!(desk.ask(Method::POST, function, &import, "9.9.9.9", "").await.status, 403);
    // What is not there is told to programs as to programs.
    for path in ["/restapi/v1/moon", "/restapi/v2/x", "/moon", "/tasks/t1/users.xml"] {
        let nothing = desk.get(path, &import).await;
        assert_eq!((nothing.status.as_u16(), json(&nothing)["code"].as_str()), (404, Some("NOT_FOUND")), "{path}");
    }
    // Without a key or a cookie: no page to sign in at.
    let nobody = Request::get(&path).header(header::ACCEPT, "*/*").body(Body::empty()).unwrap();
    let nobody = desk.server.send(nobody).await;
    assert_eq!((nobody.status.as_u16(), nobody.header("www-authenticate")), (401, "Bearer"));
});

on_both_databases!(revoked_and_expired_keys_open_nothing, |db| async move {
    let desk = Desk::new(db.clone()).await;
    // The harness's clock says 2027-01-15T08:00.
    let short = desk.key("Short", &["customers.import"], "2027-01-15T09:00").await;
    let path = format!("{IMPORTS}/x");
    assert_eq!(desk.get(&path, &short).await.status, 404);
    desk.server.state.clock.advance(60 * MINUTE);
    assert_eq!(desk.get(&path, &short).await.status, 401);
    let change = last_change(&db, &desk.workspace).await;
    assert_eq!(change["after"]["reason"], "Expired");

    let long = desk.key("Long", &["customers.import"], "").await;
    assert_eq!(desk.get(&path, &long).await.status, 404);
    let keys = desk.keys("").await;
    let now = desk.server.state.clock.now();
    assert_eq!((keys[0].name.as_str(), keys[0].state(now)), ("Long", KeyState::Active));
    assert_eq!((keys[1].name.as_str(), keys[1].state(now)), ("Short", KeyState::Expired));
    assert_eq!(desk.revoke(&desk.cookie, &keys[0].id).await.status, 200);
    assert_eq!(desk.revoke(&desk.cookie, &keys[0].id).await.status, 200, "again is nothing new");
    assert_eq!(desk.get(&path, &long).await.status, 401);
    assert_eq!(last_change(&db, &desk.workspace).await["after"]["reason"], "Revoked");
    let expected = [
        "Somebody: created api_key Short",
        "API key Short: sign_in_failed api_key Short",
        "Somebody: created api_key Long",
        "Somebody: revoked api_key Long",
        "API key Long: sign_in_failed api_key Long",
    ];
    assert_eq!(told(&db, &desk.workspace).await, expected);
    assert_eq!(desk.get(&path, "rw_made-up").await.status, 401);
    assert_eq!(told(&db, crate::audit::ORGANIZATION).await, [": sign_in_failed api_key "]);
    let kept = text(&db).await;
    assert!(!kept.contains(&short) && !kept.contains(&long) && !kept.contains("made-up"), "{kept}");
    let (hashes,) = fetch!(db, one, (i64,), "select count(*) from api_keys where length(key_hash) = 64").unwrap();
    assert_eq!(hashes, 2);
    assert_whole(&db, &desk.workspace).await;
});

on_both_databases!(an_address_with_too_many_wrong_keys_waits, |db| async move {
    let desk = Desk::new(db.clone()).await;
    let key = desk.key("CRM", &["customers.import"], "").await;
    let path = format!("{IMPORTS}/x");
    let try_from = async |key: &str, from: &str| desk.ask(Method::GET, &path, key, from, "").await;
    for number in 0..30 {
        assert_eq!(try_from(&format!("rw_{number}"), "8.8.8.8").await.status, 401, "{number}");
    }
    let answer = try_from("rw_30", "8.8.8.8").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "900"), "{}", answer.text);
    assert_eq!(try_from(&key, "8.8.8.8").await.status, 429, "the right one, too, as at the sign-in");
    assert_eq!(try_from(&key, "8.8.4.4").await.status, 404, "from elsewhere it is open");
    desk.server.state.clock.advance(16 * MINUTE);
    assert_eq!(try_from(&key, "8.8.8.8").await.status, 404);
    assert_eq!(told(&db, crate::audit::ORGANIZATION).await.len(), 30, "what is throttled writes nothing");
});

on_both_databases!(the_last_use_is_shown_and_written_every_minute, |db| async move {
    let desk = Desk::new(db).await;
    let key = desk.key("CRM", &["customers.import"], "").await;
    assert!(desk.server.page("/api-keys", &desk.cookie).await.text.contains("Never"));
    let path = format!("{IMPORTS}/x");
    let used = async || {
        let key = desk.keys("").await.remove(0);
        (key.last_used_at.unwrap(), key.last_used_from)
    };
    desk.get(&path, &key).await;
    let first = used().await;
    assert_eq!(first, (desk.server.state.clock.now(), "9.9.9.9".to_string()));
    desk.server.state.clock.advance(MINUTE - 1);
    desk.ask(Method::GET, &path, &key, "8.8.8.8", "").await;
    assert_eq!(used().await, first);
    desk.server.state.clock.advance(1);
    desk.ask(Method::GET, &path, &key, "8.8.8.8", "").await;
    assert_eq!(used().await, (first.0 + MINUTE, "8.8.8.8".to_string()));
    let page = desk.server.page("/api-keys", &desk.cookie).await.text;
    let end = &key[key.len() - 4..];
    for text in ["CRM", &format!("…{end}"), "Import customers", "8.8.8.8", "just now", "Active", "Revoke"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains(&key) && !page.contains(" style="));
    assert!(desk.server.page("/api-keys?q=nothing", &desk.cookie).await.text.contains("No match"));
    assert_eq!(desk.keys("query[search]=cr&query[state]=active").await.len(), 1);
    assert_eq!(desk.keys("query[state]=revoked").await.len(), 0);
});

on_both_databases!(keys_are_made_within_one_s_own_permissions, |db| async move {
    let desk = Desk::new(db.clone()).await;
    desk.key("CRM", &["tasks.read"], "").await;
    let id = desk.keys("").await.remove(0).id;
    let shop = &desk.workspace;
    execute!(
        db,
        "insert into roles (workspace_id, id, name, name_key, description, permissions, version, created_at, updated_at)
         values ($1, 'keys', 'Keys', 'keys', '', '[\"api_keys.manage\"]', 1, 0, 0)",
        shop
    )
    .unwrap();
    desk.server.member("bob@example.com", "Shop", Preset::Marketer).await;
    let marketer = desk.server.sign_in("bob@example.com").await;
    assert_eq!(desk.server.page("/api-keys", &marketer).await.status, 403);
    execute!(db, "update member_roles set role_id = 'keys' where workspace_id = $1 and role_id = 'marketer'", shop)
        .unwrap();
    let may = async |permissions: &str| {
        execute!(db, "update roles set permissions = $2 where workspace_id = $1", shop, permissions).unwrap();
        desk.server.page("/api-keys", &marketer).await.text
    };
    let fields = [("new[name]", "Mine"), ("new[scopes][0]", "tasks.read")];
    // Who sees keys changes none.
    let page = may(r#"["api_keys.view"]"#).await;
    assert!(page.contains("CRM") && !page.contains("Create API Key") && !page.contains("Revoke API key"));
    assert_eq!(desk.create(&marketer, &fields).await.status, 403);
    assert_eq!(desk.revoke(&marketer, &id).await.status, 403);
    assert_eq!(desk.create("", &fields).await.status, 401);
    // Who manages them revokes any, and gives what they may do themselves.
    let page = may(r#"["api_keys.manage"]"#).await;
    assert!(page.contains("Revoke API key") && !page.contains("Create API Key"), "nothing to give");
    let refused = desk.create(&marketer, &fields).await;
    assert!(refused.status == 422 && refused.text.contains("your own roles"), "{}", refused.text);
    let page = may(r#"["api_keys.manage", "reach_webhook.view"]"#).await;
    assert!(page.contains("Create API Key") && page.contains("tasks.read") && !page.contains("customers.import"));
    let more = [fields[0], fields[1], ("new[scopes][1]", "customers.import")];
    assert_eq!(desk.create(&marketer, &more).await.status, 422);
    assert_eq!(desk.create(&marketer, &fields).await.status, 200);
    assert_eq!(desk.revoke(&marketer, &id).await.status, 200);
    let states: Vec<_> = desk.keys("").await.iter().map(|key| key.state(desk.server.state.clock.now())).collect();
    assert_eq!(states, [KeyState::Active, KeyState::Revoked]);
    // What is wrong stands at its field.
    let wrong = [("new[name]", " "), ("new[scopes][0]", "all"), ("new[expires]", "2020-01-01T10:00")];
    let error: AppError = serde_json::from_str(&desk.create(&desk.cookie, &wrong).await.text).unwrap();
    let of: Vec<&str> = error.fields().iter().map(|field| field.field.as_str()).collect();
    assert_eq!(of, ["name", "scopes", "expires"]);
    // A plain form could not show the key, so it makes none.
    let plain = desk.server.submit::<CreateApiKey>(&desk.cookie, &fields).await;
    assert!(plain.status == 302 || plain.status == 409, "{}", plain.status);
    assert_eq!(desk.keys("").await.len(), 2);
});
