//! The room from outside: forms and pages as a browser without wasm sends and gets them.

use super::api::{CreateCampaign, DeleteCampaign, UpdateCampaign};
use crate::{
    access::model::Preset,
    error::AppError,
    on_both_databases,
    server::testing::{Answer, Harness, encoded},
};
use http::StatusCode;

/// Creates a campaign by a plain form; where the browser is led.
async fn created(server: &Harness, cookie: &str, kind: &str, parent: &str, name: &str) -> String {
    let fields =
        [("new[kind]", kind), ("new[parent_id]", parent), ("new[name]", name), ("new[starts_on]", "2026-03-01")];
    let answer = server.submit::<CreateCampaign>(cookie, &fields).await;
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text);
    answer.header("location").to_string()
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn error(answer: &Answer) -> AppError {
    serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {}", answer.text))
}

fn wrong_fields(answer: &Answer) -> Vec<String> {
    error(answer).fields().iter().map(|error| error.field.clone()).collect()
}

on_both_databases!(campaigns_are_created_shown_edited_and_deleted, |db| async move {
    let server = Harness::new(db).await;
    server.member("ada@example.com", "Shop", Preset::Marketer).await;
    let cookie = server.sign_in("ada@example.com").await;
    let empty = server.page("/campaigns", &cookie).await;
    assert!(empty.status == StatusCode::OK && empty.text.contains("No campaigns yet"));
    for attribute in ["command=\"show-modal\"", "commandfor=\"create-campaign\""] {
        assert!(empty.text.contains(attribute), "the dialog opens without scripts: {attribute}");
    }
    let summer = created(&server, &cookie, "Main", "", "Summer").await;
    assert_eq!(created(&server, &cookie, "Sub", id(&summer), "Sun").await, summer, "back among the others");
    let alone = created(&server, &cookie, "Sub", "", "Alone").await;

    let list = server.page("/campaigns", &cookie).await.text;
    let place = |text: &str| list.find(&format!(">{text}<")).unwrap_or_else(|| panic!("{text}: {list}"));
    assert!(place("Summer") < place("Sun") && place("Sun") < place("-") && place("-") < place("Alone"));
    let found = server.page("/campaigns?q=sun", &cookie).await.text;
    assert!(found.contains("Summer") && !found.contains("Alone"));
    assert!(!list.contains(" style="), "the content security policy forbids it");

    let edit = [("id", id(&alone)), ("edit[name]", "Together"), ("edit[ends_on]", "2026-04-01")];
    assert_eq!(server.call::<UpdateCampaign>(&cookie, &encoded(&edit)).await.status, StatusCode::OK);
    let detail = server.page(&alone, &cookie).await.text;
    assert!(detail.contains("Together") && detail.contains("2026-04-01"));

    let refused = server.call::<DeleteCampaign>(&cookie, &encoded(&[("id", id(&summer))])).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(error(&refused).to_string().contains("“Sun”"));
    let deleted = server.submit::<DeleteCampaign>(&cookie, &[("id", id(&alone))]).await;
    assert_eq!((deleted.status, deleted.header("location")), (StatusCode::FOUND, "/campaigns"));
});

on_both_databases!(faults_and_strangers_are_refused, |db| async move {
    let server = Harness::new(db).await;
    server.member("ada@example.com", "Shop", Preset::Marketer).await;
    let cookie = server.sign_in("ada@example.com").await;
    let summer = created(&server, &cookie, "Main", "", "Summer").await;
    let fields = [("new[kind]", "Sub"), ("new[parent_id]", "nowhere"), ("new[name]", "Sun")];
    assert_eq!(wrong_fields(&server.call::<CreateCampaign>(&cookie, &encoded(&fields)).await), ["parent_id"]);
    let fields = [("new[name]", " "), ("new[ends_on]", "soon")];
    assert_eq!(wrong_fields(&server.call::<CreateCampaign>(&cookie, &encoded(&fields)).await), ["name", "ends_on"]);

    server.member("eve@example.com", "Elsewhere", Preset::Administrator).await;
    let stranger = server.sign_in("eve@example.com").await;
    let fields = encoded(&[("id", id(&summer)), ("edit[name]", "Mine")]);
    assert_eq!(server.call::<UpdateCampaign>(&stranger, &fields).await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.call::<DeleteCampaign>(&stranger, &fields).await.status, StatusCode::NOT_FOUND);
});
