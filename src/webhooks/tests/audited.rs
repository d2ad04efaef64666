//! What the audit log says of webhooks and parameters: everything but their keys.

use super::*;
use crate::{
    audit::testing::{assert_whole, last_change, text, told},
    parameters::api::{DeleteParameter, SaveParameter},
};

const FIRST: &str = "first-secret-key";
const SECOND: &str = "second-secret-key";

on_both_databases!(every_change_is_written_down_and_no_key_is, |db| async move {
    let desk = Desk::new(db.clone()).await;
    let id = desk.created(&[("input[key]", FIRST), ("input[url]", "http://127.0.0.1:2/hook")]).await;
    assert_eq!(last_change(&db, &desk.workspace).await["after"]["Webhook Name"], "Coupon service");
    // Refused: it is enabled.
    assert_eq!(desk.save(&[("id", &id), ("version", "1"), ("input[key]", SECOND)]).await.status, StatusCode::CONFLICT);
    let test = [
        ("test[webhook_id]", id.as_str()),
        ("test[id_type]", "MOBILE"),
        ("test[test_id]", "13800000000"),
        ("test[encryption]", "None"),
        ("test[values][0][name]", "coupon"),
        ("test[values][0][value]", "x"),
    ];
    assert_eq!(desk.server.call::<TestWebhook>(&desk.cookie, &encoded(&test)).await.status, StatusCode::OK);
    assert_eq!(last_change(&db, &desk.workspace).await["after"]["successful"], false);
    desk.turn_off(&id).await;
    desk.created(&[
        ("id", &id),
        ("version", "1"),
        ("overlap", "Day"),
        ("input[key]", SECOND),
        ("input[batch_size]", "7"),
        ("input[url]", "http://127.0.0.1:2/hook"),
    ])
    .await;
    let change = last_change(&db, &desk.workspace).await;
    assert_eq!(change["before"], serde_json::json!({"Users per request": "50"}));
    let key = change["after"]["Key"].as_str().unwrap();
    assert!(key.starts_with("Replaced; the one before is valid until 2027-01-16T08:00"), "{key}");
    desk.created(&[("copy", &id), ("input[name]", "Second"), ("input[key]", "")]).await;
    assert_eq!(last_change(&db, &desk.workspace).await["after"]["Copy of"], id);
    desk.created(&[("id", &id), ("version", "2"), ("input[authentication]", "None"), ("input[key]", "")]).await;
    let change = last_change(&db, &desk.workspace).await;
    assert_eq!((&change["before"]["Key"], &change["after"]["Authentication Method"]), (&"Set".into(), &"None".into()));
    let turn_on = [("id", id.as_str()), ("enabled", "true")];
    desk.server.call::<SetWebhookEnabled>(&desk.cookie, &encoded(&turn_on)).await;
    desk.turn_off(&id).await;
    desk.server.submit::<DeleteWebhook>(&desk.cookie, &[("id", &id)]).await;
    assert_eq!(last_change(&db, &desk.workspace).await["before"]["Webhook Name"], "Coupon service");

    let parameter = |changes: &[(&'static str, String)]| {
        let mut fields = vec![
            ("input[name]", "City".to_string()),
            ("input[kind]", "interface".into()),
            ("input[url]", "https://crm.example.com/values".into()),
            ("input[authentication]", "Key".into()),
            ("input[key]", FIRST.into()),
        ];
        fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        fields.extend(changes.iter().cloned());
        fields
    };
    let save = async |changes: &[(&'static str, String)]| {
        let fields = parameter(changes);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = desk.server.submit::<SaveParameter>(&desk.cookie, &fields).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text);
        answer.header("location").rsplit('/').next().unwrap().to_string()
    };
    let own = save(&[]).await;
    let edit = [
        ("id", own.clone()),
        ("version", "1".to_string()),
        ("input[key]", SECOND.into()),
        ("input[description]", "Cities".into()),
    ];
    save(&edit).await;
    let change = last_change(&db, &desk.workspace).await;
    assert_eq!(
        change,
        serde_json::json!({"before": {"description": ""}, "after": {"description": "Cities", "key": "Replaced"}})
    );
    desk.server.submit::<DeleteParameter>(&desk.cookie, &[("id", &own)]).await;

    let expected = [
        "created webhook Coupon service",
        "tested webhook Coupon service",
        "disabled webhook Coupon service",
        "changed webhook Coupon service",
        "created webhook Second",
        "changed webhook Coupon service",
        "enabled webhook Coupon service",
        "disabled webhook Coupon service",
        "deleted webhook Coupon service",
        "created parameter City",
        "changed parameter City",
        "deleted parameter City",
    ];
    assert_eq!(told(&db, &desk.workspace).await, expected.map(|one| format!("Somebody: {one}")));
    let text = text(&db).await;
    assert!(!text.contains(FIRST) && !text.contains(SECOND), "{text}");
    let page = desk.page("/audit-log").await.text;
    assert!(page.contains("Users per request") && !page.contains(SECOND));
    assert_whole(&db, &desk.workspace).await;
});
