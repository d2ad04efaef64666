//! The room from outside: forms and pages as a browser without wasm sends and gets them.

use super::api::{CreateCampaign, DeleteCampaign, UpdateCampaign};
use crate::{access::model::Role, on_both_databases, webhooks::tests::browser::Browser};
use http::StatusCode;
use leptos::server_fn::ServerFn;

async fn created(browser: &Browser, kind: &str, parent: &str, name: &str) -> String {
    let fields =
        [("new[kind]", kind), ("new[parent_id]", parent), ("new[name]", name), ("new[starts_on]", "2026-03-01")];
    let page = browser.post(CreateCampaign::PATH, &fields, "text/html").await;
    assert_eq!(page.status, StatusCode::FOUND, "{}", page.text);
    page.location.rsplit('/').next().unwrap().to_string()
}

on_both_databases!(campaigns_are_created_shown_edited_and_deleted, |db| async move {
    let browser = Browser::new(db, Role::Marketer).await;
    let empty = browser.get("/campaigns").await;
    assert!(empty.status == StatusCode::OK && empty.text.contains("No campaigns yet"));
    let summer = created(&browser, "Main", "", "Summer").await;
    let sun = created(&browser, "Sub", &summer, "Sun").await;
    created(&browser, "Sub", "", "Alone").await;

    let list = browser.get("/campaigns").await.text;
    let place = |text: &str| list.find(&format!(">{text}<")).unwrap_or_else(|| panic!("{text}: {list}"));
    assert!(place("Summer") < place("Sun") && place("Sun") < place("-") && place("-") < place("Alone"));
    let found = browser.get("/campaigns?q=sun").await.text;
    assert!(found.contains("Summer") && !found.contains("Alone"));
    assert!(!list.contains(" style="));

    let edit = [("id", sun.as_str()), ("edit[name]", "Sunny"), ("edit[ends_on]", "2026-04-01")];
    assert_eq!(browser.post(UpdateCampaign::PATH, &edit, "application/json").await.status, StatusCode::OK);
    let detail = browser.get(&format!("/campaigns/{sun}")).await.text;
    assert!(detail.contains("Sunny") && detail.contains("2026-04-01") && detail.contains("Summer"));

    let refused = browser.post(DeleteCampaign::PATH, &[("id", &summer)], "application/json").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.error().to_string().contains("“Sunny”"));
    let deleted = browser.post(DeleteCampaign::PATH, &[("id", &sun)], "text/html").await;
    assert_eq!((deleted.status, deleted.location.as_str()), (StatusCode::FOUND, "/campaigns"));
});

on_both_databases!(faults_and_strangers_are_refused, |db| async move {
    let browser = Browser::new(db, Role::Marketer).await;
    let summer = created(&browser, "Main", "", "Summer").await;
    let fields = [("new[kind]", "Sub"), ("new[parent_id]", "nowhere"), ("new[name]", "Sun")];
    assert_eq!(browser.post(CreateCampaign::PATH, &fields, "application/json").await.wrong_fields(), ["parent_id"]);
    let fields = [("new[name]", " "), ("new[ends_on]", "soon")];
    assert_eq!(
        browser.post(CreateCampaign::PATH, &fields, "application/json").await.wrong_fields(),
        ["name", "ends_on"]
    );

    let stranger = Browser::sign_in(browser.state.clone(), "Winter Store", Role::Administrator).await;
    for path in [DeleteCampaign::PATH, UpdateCampaign::PATH] {
        let fields = [("id", summer.as_str()), ("edit[name]", "Mine")];
        assert_eq!(stranger.post(path, &fields, "application/json").await.status, StatusCode::NOT_FOUND);
    }
    assert!(stranger.get(&format!("/campaigns/{summer}")).await.text.contains("Not found"));
});
