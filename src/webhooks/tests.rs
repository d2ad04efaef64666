//! The room from outside: forms and pages as a browser without wasm sends and gets them.

mod audited;
mod health;
mod secrets;

use super::{
    api::{DeleteWebhook, GenerateKey, SaveWebhook, SetWebhookEnabled, TestWebhook},
    model::TestOutcome,
    store,
    test_send::log_href,
};
use crate::{
    access::model::Preset,
    db::Db,
    error::AppError,
    on_both_databases,
    server::testing::{Answer, Harness, encoded},
};
use http::StatusCode;

const KEY: &str = " a key & more ";

/// The server and somebody who is signed in.
struct Desk {
    server: Harness,
    workspace: String,
    cookie: String,
}

impl Desk {
    async fn new(db: Db) -> Self {
        let allow = |config: &mut crate::config::Config| {
            config.engine.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        };
        let server = Harness::with(db, allow).await;
        let workspace = server.member("ada@example.com", "Spring Store", Preset::Administrator).await;
        let cookie = server.sign_in("ada@example.com").await;
        Self { server, workspace, cookie }
    }

    async fn page(&self, path: &str) -> Answer {
        self.server.page(path, &self.cookie).await
    }

    async fn save(&self, changes: &[(&str, &str)]) -> Answer {
        self.server.call::<SaveWebhook>(&self.cookie, &encoded(&form(changes))).await
    }

    async fn turn_off(&self, id: &str) -> Answer {
        self.server.submit::<SetWebhookEnabled>(&self.cookie, &[("id", id)]).await
    }

    /// A webhook by a plain form; its id.
    async fn created(&self, changes: &[(&str, &str)]) -> String {
        let answer = self.server.submit::<SaveWebhook>(&self.cookie, &form(changes)).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text);
        answer.header("location").rsplit('/').next().unwrap().to_string()
    }
}

fn error(answer: &Answer) -> AppError {
    serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {}", answer.text))
}

fn wrong_fields(answer: &Answer) -> Vec<String> {
    error(answer).fields().iter().map(|error| error.field.clone()).collect()
}

/// A complete form with `changes`; an empty name takes the field out.
fn form<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("id", ""),
        ("version", "0"),
        ("input[name]", " Coupon service "),
        ("input[authentication]", "Key"),
        ("input[key]", KEY),
        ("input[url]", "https://crm.example.com/hook"),
        ("input[id_types][2]", "MOBILE"),
        ("input[id_types][13]", "OPEN_ID"),
        ("input[parameters][0][name]", "coupon"),
        ("input[parameters][0][display_name]", "优惠券"),
        ("input[parameters][0][kind]", "Text"),
        ("input[parameters][0][required]", "true"),
        ("input[batch_size]", "50"),
        ("input[concurrency]", "4"),
        ("input[users_per_second]", "0"),
        ("input[receipts_enabled]", "true"),
        ("input[retention_days]", "7"),
        ("input[statuses][0][code]", "200"),
        ("input[statuses][0][value]", "Success"),
    ];
    fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    fields.extend(changes);
    fields
}

on_both_databases!(a_webhook_is_created_by_a_plain_form_and_shown, |db| async move {
    let desk = Desk::new(db).await;
    let empty = desk.page("/webhooks").await;
    assert_eq!(empty.status, StatusCode::OK);
    assert!(empty.text.contains("No webhooks yet") && empty.text.contains("Create Webhook"));
    for label in ["Webhook Name", "Authentication Method", "Request URL", "Send ID Type", "Add Template Parameter"] {
        assert!(desk.page("/webhooks/new").await.text.contains(label), "{label}");
    }

    let id = desk.created(&[]).await;
    let saved = store::get(&desk.server.state.db, &desk.workspace, &id).await.unwrap();
    assert_eq!((saved.input.name.as_str(), saved.input.batch_size), ("Coupon service", 50));
    assert_eq!(saved.input.id_types, ["MOBILE", "OPEN_ID"]);
    assert!(saved.enabled && saved.input.parameters[0].required);

    let list = desk.page("/webhooks?q=coupon&id_type=MOBILE&sort=-tested").await.text;
    assert!(list.contains("Coupon service") && list.contains("MOBILE, OPEN_ID"));
    assert!(desk.page("/webhooks?q=nothing").await.text.contains("No match"));
    let detail = desk.page(&format!("/webhooks/{id}")).await.text;
    for text in ["receiveWebHookCallBack", "openssl dgst", "Preview Message Format", "Test Send", "优惠券"] {
        assert!(detail.contains(text), "{text}");
    }
    for page in [&list, &detail] {
        assert!(!page.contains("a key &"), "the key is never sent to a browser");
        assert!(!page.contains(" style="), "the content security policy forbids it");
    }
});

on_both_databases!(what_is_wrong_is_told_at_its_field, |db| async move {
    let desk = Desk::new(db).await;
    desk.created(&[]).await;
    for (name, value, field) in [
        ("input[name]", "Coupon service", "name"),
        ("input[url]", "http://10.0.0.1/hook", "url"),
        ("input[url]", "ftp://crm.example.com", "url"),
        ("input[key]", "", "key"),
        ("input[id_types][13]", "SHOE_SIZE", "id_types"),
        ("input[batch_size]", "many", "batch_size"),
        ("input[retention_days]", "", "retention_days"),
        ("input[parameters][0][name]", "no name", "parameters[0][name]"),
    ] {
        let page = desk.save(&[(name, value)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}={value}");
        assert_eq!(wrong_fields(&page), [field], "{name}={value}");
    }
});

on_both_databases!(editing_needs_a_disabled_webhook_and_the_latest_version, |db| async move {
    let desk = Desk::new(db).await;
    let id = desk.created(&[]).await;
    let edit = [("id", id.as_str()), ("version", "1"), ("input[key]", ""), ("input[name]", "Edited")];
    let page = desk.save(&edit).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(error(&page).to_string().starts_with("Disable the webhook"), "{}", page.text);
    assert!(desk.page(&format!("/webhooks/{id}/edit")).await.text.contains("before editing it"));

    assert_eq!(desk.turn_off(&id).await.status, StatusCode::FOUND);
    let form = desk.page(&format!("/webhooks/{id}/edit")).await.text;
    assert!(form.contains("can no longer be changed or removed"));
    let page = desk.save(&edit).await;
    assert_eq!((page.status, page.header("location")), (StatusCode::OK, &*format!("/webhooks/{id}")), "{}", page.text);
    let page = desk.save(&edit).await;
    assert_eq!(page.status, StatusCode::CONFLICT, "{}", page.text);
    let page = desk.save(&[("id", &id), ("version", "2"), ("input[statuses][0][value]", "Fine")]).await;
    assert_eq!(wrong_fields(&page), ["statuses"]);
});

on_both_databases!(only_those_who_may_change_webhooks, |db| async move {
    let desk = Desk::new(db).await;
    let id = desk.created(&[]).await;
    desk.server.member("bob@example.com", "Spring Store", Preset::Marketer).await;
    let marketer = desk.server.sign_in("bob@example.com").await;
    for (path, button) in [("/webhooks", "Create Webhook"), (&format!("/webhooks/{id}"), "/edit\"")] {
        assert!(!desk.server.page(path, &marketer).await.text.contains(button), "{button} on {path}");
    }
    let save = desk.server.call::<SaveWebhook>(&marketer, &encoded(&form(&[]))).await;
    let turn = desk.server.call::<SetWebhookEnabled>(&marketer, &encoded(&[("id", &id)])).await;
    assert_eq!((save.status, turn.status), (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN));

    desk.server.member("eve@example.com", "Elsewhere", Preset::Administrator).await;
    let stranger = desk.server.sign_in("eve@example.com").await;
    assert!(!desk.server.page("/webhooks", &stranger).await.text.contains("Coupon service"));
    let save = desk.server.call::<SaveWebhook>(&stranger, &encoded(&form(&[("id", &id)]))).await;
    let turn = desk.server.call::<SetWebhookEnabled>(&stranger, &encoded(&[("id", &id)])).await;
    assert_eq!((save.status, turn.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
});

on_both_databases!(a_test_is_sent_logged_and_downloaded, |db| async move {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let receiver = axum::Router::new().route("/hook", axum::routing::post(async || r#"{"code":"OK"}"#));
    tokio::spawn(async move { axum::serve(listener, receiver).await.unwrap() });

    let desk = Desk::new(db).await;
    let id = desk.created(&[("input[url]", url.as_str())]).await;
    let fields = [
        ("test[webhook_id]", id.as_str()),
        ("test[encryption]", "None"),
        ("test[id_type]", "MOBILE"),
        ("test[test_id]", "13800000000"),
        ("test[values][0][name]", "coupon"),
        ("test[values][0][value]", "二十元"),
    ];
    let page = desk.server.call::<TestWebhook>(&desk.cookie, &encoded(&fields)).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let outcome: TestOutcome = serde_json::from_str(&page.text).unwrap();
    assert!(outcome.result.ok, "{}", outcome.log);
    for text in ["> POST http://127.0.0.1", "二十元", "13800000000", "< HTTP 200", r#"{"code":"OK"}"#] {
        assert!(outcome.log.contains(text), "{text}: {}", outcome.log);
    }
    let download = desk.page(&log_href(&outcome.id)).await;
    assert_eq!((download.status, download.text), (StatusCode::OK, outcome.log));
    assert!(desk.page("/webhooks").await.text.contains("OK"));
    desk.server.member("eve@example.com", "Elsewhere", Preset::Administrator).await;
    let stranger = desk.server.sign_in("eve@example.com").await;
    let answer = desk.server.page(&log_href(&outcome.id), &stranger).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);

    let page = desk.server.call::<TestWebhook>(&desk.cookie, &encoded(&fields[..4])).await;
    assert_eq!(wrong_fields(&page), ["values[0][value]"]);
});

on_both_databases!(a_copy_opens_with_the_original_s_settings_and_is_disabled, |db| async move {
    let desk = Desk::new(db).await;
    let id = desk.created(&[("input[pass_environment]", "true")]).await;
    let form = desk.page(&format!("/webhooks/new?copy={id}")).await.text;
    for text in ["Coupon service copy", "https://crm.example.com/hook", "优惠券", "A copy of “Coupon service”"] {
        assert!(form.contains(text), "{text}");
    }
    assert!(!form.contains("a key &"));
    let copied = desk.created(&[("copy", &id), ("input[name]", "Second"), ("input[key]", "")]).await;
    let copy = store::get(&desk.server.state.db, &desk.workspace, &copied).await.unwrap();
    assert!(!copy.enabled && copy.has_key && copied != id);
    assert_eq!(desk.page("/webhooks/new?copy=elsewhere").await.status, StatusCode::NOT_FOUND);
});

on_both_databases!(a_webhook_is_deleted_by_whoever_may, |db| async move {
    let desk = Desk::new(db).await;
    let id = desk.created(&[]).await;
    let refused = desk.server.call::<DeleteWebhook>(&desk.cookie, &encoded(&[("id", &id)])).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(error(&refused).to_string().contains("Disable the webhook"));
    desk.turn_off(&id).await;
    desk.server.member("bob@example.com", "Spring Store", Preset::Marketer).await;
    let marketer = desk.server.sign_in("bob@example.com").await;
    let stranger = desk.server.member("eve@example.com", "Elsewhere", Preset::Administrator).await;
    assert_ne!(stranger, desk.workspace);
    let stranger = desk.server.sign_in("eve@example.com").await;
    for (cookie, status) in [(&marketer, StatusCode::FORBIDDEN), (&stranger, StatusCode::NOT_FOUND)] {
        assert_eq!(desk.server.call::<DeleteWebhook>(cookie, &encoded(&[("id", &id)])).await.status, status);
    }
    let gone = desk.server.submit::<DeleteWebhook>(&desk.cookie, &[("id", &id)]).await;
    assert_eq!((gone.status, gone.header("location")), (StatusCode::FOUND, "/webhooks"));
    assert_eq!(desk.page(&format!("/webhooks/{id}")).await.status, StatusCode::NOT_FOUND);
});

on_both_databases!(versions_are_listed_and_compared, |db| async move {
    let desk = Desk::new(db).await;
    let id = desk.created(&[]).await;
    desk.turn_off(&id).await;
    let edit = [("id", id.as_str()), ("version", "1"), ("input[batch_size]", "7"), ("input[key]", "")];
    desk.created(&edit).await;
    let page = desk.page(&format!("/webhooks/{id}/versions?from=1&to=2")).await.text;
    for text in ["Version 2 (current)", "Version 1", "Users per request", "What changed"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(desk.page(&format!("/webhooks/{id}/versions?from=1&to=9")).await.text.contains("No such version"));
    let second = desk.save(&edit).await;
    assert!(error(&second).to_string().contains("Users per request: “7” instead of “50”"), "{}", second.text);
    desk.server.member("eve@example.com", "Elsewhere", Preset::Administrator).await;
    let stranger = desk.server.sign_in("eve@example.com").await;
    let answer = desk.server.page(&format!("/webhooks/{id}/versions"), &stranger).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
});

on_both_databases!(a_key_is_made_for_whoever_may_change_webhooks, |db| async move {
    let desk = Desk::new(db).await;
    let made = async || {
        let answer = desk.server.call::<GenerateKey>(&desk.cookie, "").await;
        serde_json::from_str::<String>(&answer.text).unwrap()
    };
    let (one, other) = (made().await, made().await);
    assert!(one.len() == 64 && one != other);
    desk.server.member("bob@example.com", "Spring Store", Preset::Marketer).await;
    let marketer = desk.server.sign_in("bob@example.com").await;
    assert_eq!(desk.server.call::<GenerateKey>(&marketer, "").await.status, StatusCode::FORBIDDEN);
});
