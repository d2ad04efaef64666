//! The room from outside: forms and pages as a browser without wasm sends and gets them.

pub(crate) mod browser;

use super::{
    api::{SaveWebhook, SetWebhookEnabled, TestWebhook},
    model::TestOutcome,
    store,
    test_send::log_href,
};
use crate::{access::model::Role, on_both_databases};
use browser::{Browser, Page};
use http::StatusCode;
use leptos::server_fn::ServerFn;

const KEY: &str = " a key & more ";

impl Browser {
    async fn save(&self, changes: &[(&str, &str)]) -> Page {
        self.post(SaveWebhook::PATH, &form(changes), "application/json").await
    }

    async fn created(&self, changes: &[(&str, &str)]) -> String {
        let page = self.post(SaveWebhook::PATH, &form(changes), "text/html").await;
        assert_eq!(page.status, StatusCode::FOUND, "{}", page.text);
        page.location.rsplit('/').next().unwrap().to_string()
    }
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
    let browser = Browser::new(db, Role::Administrator).await;
    let empty = browser.get("/webhooks").await;
    assert_eq!(empty.status, StatusCode::OK);
    assert!(empty.text.contains("No webhooks yet") && empty.text.contains("Create Webhook"));
    for label in ["Webhook Name", "Authentication Method", "Request URL", "Send ID Type", "Add Template Parameter"] {
        assert!(browser.get("/webhooks/new").await.text.contains(label), "{label}");
    }

    let id = browser.created(&[]).await;
    let saved = store::get(&browser.state.db, &browser.workspace, &id).await.unwrap();
    assert_eq!((saved.input.name.as_str(), saved.input.batch_size), ("Coupon service", 50));
    assert_eq!(saved.input.id_types, ["MOBILE", "OPEN_ID"]);
    assert!(saved.enabled && saved.input.parameters[0].required);

    let list = browser.get("/webhooks?q=coupon&id_type=MOBILE&sort=-tested").await.text;
    assert!(list.contains("Coupon service") && list.contains("MOBILE, OPEN_ID"));
    assert!(browser.get("/webhooks?q=nothing").await.text.contains("No match"));
    let detail = browser.get(&format!("/webhooks/{id}")).await.text;
    for text in ["receiveWebHookCallBack", "openssl dgst", "Preview Message Format", "Test Send", "优惠券"] {
        assert!(detail.contains(text), "{text}");
    }
    for page in [list, detail] {
        assert!(!page.contains("a key &"), "the key is never sent to a browser");
        assert!(!page.contains(" style="), "the content security policy forbids it");
    }
});

on_both_databases!(what_is_wrong_is_told_at_its_field, |db| async move {
    let browser = Browser::new(db, Role::Administrator).await;
    browser.created(&[]).await;
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
        let page = browser.save(&[(name, value)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}={value}");
        assert_eq!(page.wrong_fields(), [field], "{name}={value}");
    }
});

on_both_databases!(editing_needs_a_disabled_webhook_and_the_latest_version, |db| async move {
    let browser = Browser::new(db, Role::Administrator).await;
    let id = browser.created(&[]).await;
    let edit = [("id", id.as_str()), ("version", "1"), ("input[key]", ""), ("input[name]", "Edited")];
    let page = browser.save(&edit).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.error().to_string().starts_with("Disable the webhook"), "{}", page.text);
    assert!(browser.get(&format!("/webhooks/{id}/edit")).await.text.contains("before editing it"));

    let page = browser.post(SetWebhookEnabled::PATH, &[("id", &id)], "text/html").await;
    assert_eq!((page.status, page.location.as_str()), (StatusCode::FOUND, "/webhooks"));
    let form = browser.get(&format!("/webhooks/{id}/edit")).await.text;
    assert!(form.contains("can no longer be changed or removed"));
    let page = browser.save(&edit).await;
    assert_eq!((page.status, page.location), (StatusCode::OK, format!("/webhooks/{id}")), "{}", page.text);
    let page = browser.save(&edit).await;
    assert_eq!(page.status, StatusCode::CONFLICT, "{}", page.text);
    let page = browser.save(&[("id", &id), ("version", "2"), ("input[statuses][0][value]", "Fine")]).await;
    assert_eq!(page.wrong_fields(), ["statuses"]);
});

on_both_databases!(only_those_who_may_change_webhooks, |db| async move {
    let admin = Browser::new(db, Role::Administrator).await;
    let id = admin.created(&[]).await;
    let marketer = Browser::sign_in(admin.state.clone(), "Autumn Store", Role::Marketer).await;
    assert_eq!(marketer.save(&[]).await.status, StatusCode::FORBIDDEN);
    let turned = marketer.post(SetWebhookEnabled::PATH, &[("id", &id)], "application/json").await;
    assert_eq!(turned.status, StatusCode::FORBIDDEN);
    let list = marketer.get("/webhooks").await;
    assert!(list.status == StatusCode::OK && !list.text.contains("Coupon service"));
    assert!(marketer.get(&format!("/webhooks/{id}")).await.text.contains("Not found"));

    let elsewhere = Browser::sign_in(admin.state.clone(), "Winter Store", Role::Administrator).await;
    let turned = elsewhere.post(SetWebhookEnabled::PATH, &[("id", &id)], "application/json").await;
    assert_eq!(turned.status, StatusCode::NOT_FOUND);
    assert_eq!(elsewhere.save(&[("id", &id)]).await.status, StatusCode::NOT_FOUND);
});

on_both_databases!(a_test_is_sent_logged_and_downloaded, |db| async move {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let receiver = axum::Router::new().route("/hook", axum::routing::post(async || r#"{"code":"OK"}"#));
    tokio::spawn(async move { axum::serve(listener, receiver).await.unwrap() });

    let browser = Browser::new(db, Role::Administrator).await;
    let id = browser.created(&[("input[url]", url.as_str())]).await;
    let fields = [
        ("test[webhook_id]", id.as_str()),
        ("test[encryption]", "None"),
        ("test[id_type]", "MOBILE"),
        ("test[test_id]", "13800000000"),
        ("test[values][0][name]", "coupon"),
        ("test[values][0][value]", "二十元"),
    ];
    let page = browser.post(TestWebhook::PATH, &fields, "application/json").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let outcome: TestOutcome = serde_json::from_str(&page.text).unwrap();
    assert!(outcome.result.ok, "{}", outcome.log);
    for text in ["> POST http://127.0.0.1", "二十元", "13800000000", "< HTTP 200", r#"{"code":"OK"}"#] {
        assert!(outcome.log.contains(text), "{text}: {}", outcome.log);
    }
    let download = browser.get(&log_href(&outcome.id)).await;
    assert_eq!((download.status, download.text), (StatusCode::OK, outcome.log));
    assert!(browser.get("/webhooks").await.text.contains("OK"));
    let elsewhere = Browser::sign_in(browser.state.clone(), "Winter Store", Role::Administrator).await;
    assert_eq!(elsewhere.get(&log_href(&outcome.id)).await.status, StatusCode::NOT_FOUND);

    let page = browser.post(TestWebhook::PATH, &fields[..4], "application/json").await;
    assert_eq!(page.wrong_fields(), ["values[0][value]"]);
});
