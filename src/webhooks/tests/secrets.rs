//! Keys, and what is signed with them, stand in no log and on no page.

use super::*;
use crate::{
    crm,
    parameters::{
        self,
        model::{Kind, ParameterInput},
    },
    server::testing::Log,
    webhooks::model::Authentication,
};

const SECRET: &str = "correct-horse-battery";

/// One thread, so that what the tasks log goes to this test's log.
#[tokio::test(flavor = "current_thread")]
async fn keys_and_signatures_are_in_no_log_and_on_no_page() {
    let (log, _listening) = Log::of_this_thread();

    let (db, _folder) = crate::db::testing::sqlite().await;
    let desk = Desk::new(db).await;
    let crm = crm::Simulator::start(crm::Options { key: Some(SECRET.into()), ..Default::default() }).await.unwrap();
    let url = crm.url();
    let id = desk.created(&[("input[url]", &url), ("input[key]", SECRET)]).await;
    desk.turn_off(&id).await;
    // Refused, with everything that was typed in the answer's reach.
    let refused = desk.save(&[("id", &id), ("version", "7"), ("input[url]", &url), ("input[key]", SECRET)]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let state = &desk.server.state;
    let parameter = ParameterInput {
        name: "City".into(),
        kind: Kind::Interface,
        url: crm.interface_url(),
        authentication: Authentication::Key,
        key: SECRET.into(),
        ..Default::default()
    };
    let parameter = parameters::store::create(
        &state.db,
        &state.master_key,
        &desk.workspace,
        &parameter,
        &crate::audit::By::command_line(0),
    )
    .await
    .unwrap();
    let fields = [
        ("test[webhook_id]", id.as_str()),
        ("test[encryption]", "None"),
        ("test[id_type]", "MOBILE"),
        ("test[test_id]", "13800000000"),
        ("test[values][0][name]", "coupon"),
        ("test[values][0][value]", "二十元"),
    ];
    let test = desk.server.call::<TestWebhook>(&desk.cookie, &encoded(&fields)).await;
    let outcome: TestOutcome = serde_json::from_str(&test.text).unwrap();
    assert!(outcome.result.ok, "signed with the key: {}", outcome.log);
    let loaded = desk
        .server
        .call::<parameters::api::LoadCall>(&desk.cookie, &encoded(&[("parameter_id", parameter.as_str())]))
        .await;

    let hidden = outcome.log.lines().filter(|line| line.ends_with(": ***")).count();
    assert_eq!(hidden, 2, "both signatures: {}", outcome.log);
    let mut seen =
        vec![("refusal".to_string(), refused.text), ("test".into(), test.text), ("values".into(), loaded.text)];
    for path in [
        "/webhooks".to_string(),
        format!("/webhooks/{id}"),
        format!("/webhooks/{id}/edit"),
        format!("/webhooks/{id}/versions"),
        format!("/webhooks/new?copy={id}"),
        format!("/webhook-parameters/{parameter}"),
        format!("/webhook-parameters/{parameter}/edit"),
        format!("/guide?webhook={id}"),
        log_href(&outcome.id),
    ] {
        let page = desk.page(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        seen.push((path, page.text));
    }
    seen.push(("the server's log".into(), log.text()));
    assert!(log.text().contains("request"), "something was logged");
    let session = desk.cookie.split_once('=').unwrap().1;
    for (what, text) in &seen {
        assert!(!text.contains(SECRET), "{what} tells the key");
        assert!(!text.contains(session), "{what} tells the session");
    }
    assert!(!log.text().contains("v1,") && !outcome.log.contains("v1,"), "a signature is told");
}
