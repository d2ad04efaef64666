//! What task forms load.

use super::*;
use crate::{clock::MINUTE, parameters::load::values_of};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

fn texts(values: &Values) -> Vec<&str> {
    values.items.iter().map(|item| item.value.as_str()).collect()
}

on_both_databases!(values_cascade, |db| async move {
    let desk = Desk::new(db).await;
    let province = desk.place("Province", None).await;
    let city = desk.place("City", Some(("province", &province))).await;
    let shop = desk.place("Shop", Some(("city", &city))).await;
    let loaded = async |id: &str, associated: &[(&str, &str)]| -> Values {
        let answer = desk.load(id, associated).await;
        serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {}", answer.text))
    };
    assert_eq!(loaded(&province, &[]).await.items.len(), 7, "three pages");
    let cities = loaded(&city, &[("province", " jiangsu "), ("other", "x")]).await;
    assert_eq!(texts(&cities), ["nanjing", "suzhou", "wuxi"]);
    assert_eq!(cities.name_of("wuxi"), Some("Wuxi 无锡"));
    assert_eq!(cities.associated, [("province".to_string(), "jiangsu".to_string())].into());
    assert_eq!(loaded(&shop, &[("city", "wuxi")]).await.items.len(), 4);

    let missing = desk.load(&city, &[]).await;
    assert_eq!(wrong_fields(&missing), ["province"]);
    assert!(missing.text.contains("Choose a value of province first."));
    let long = "x".repeat(2_001);
    assert_eq!(wrong_fields(&desk.load(&city, &[("province", &long)]).await), ["province"]);

    let url = format!("{}/nowhere", desk.crm.interface_url());
    let broken = desk.created(&interface(&[("input[name]", "planet"), ("input[url]", &url)])).await;
    let answer = desk.load(&broken, &[]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(error(&answer).to_string(), "The interface answered HTTP 400.");
});

on_both_databases!(constants_follow_the_associated_value, |db| async move {
    let desk = Desk::new(db).await;
    let province = desk.place("Province", None).await;
    let plain = desk.created(&constant(&[("input[name]", "Plain")])).await;
    let fields = [
        ("input[with_associated]", "true"),
        ("input[associated]", province.as_str()),
        ("input[constants][0][when]", "jiangsu"),
        ("input[constants][1][when]", "zhejiang"),
        ("input[constants][1][value]", "SHIPPING"),
        ("input[constants][1][display_name]", "Free shipping"),
    ];
    let associated = desk.created(&constant(&fields)).await;
    let ctx = desk.ctx("ada@example.com").await;
    let when = |value: &str| BTreeMap::from([("associated".to_string(), value.to_string())]);
    let values = values_of(&ctx, &associated, &when("zhejiang"), true).await.unwrap();
    assert_eq!((texts(&values), values.associated.clone()), (vec!["SHIPPING"], when("zhejiang")));
    assert!(values_of(&ctx, &associated, &when("beijing"), false).await.unwrap().items.is_empty());
    let missing = values_of(&ctx, &associated, &BTreeMap::new(), false).await.unwrap_err();
    assert_eq!(missing.fields()[0].field, "associated");
    assert_eq!(texts(&values_of(&ctx, &plain, &when("ignored"), false).await.unwrap()), ["PERCENT_20"]);

    let parameter = store::get(&ctx.state.db, &desk.workspace, &associated).await.unwrap();
    assert_eq!(parameter.dependencies()[0].parameter, province);
    assert_eq!(parameter.dependencies().len(), 1);
});

/// An interface that counts its requests and tells what it was told.
async fn echo() -> (String, Arc<std::sync::Mutex<Vec<serde_json::Value>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/values", listener.local_addr().unwrap());
    let seen: Arc<std::sync::Mutex<Vec<serde_json::Value>>> = Arc::default();
    let take = {
        let seen = seen.clone();
        move |axum::Json(body): axum::Json<serde_json::Value>| async move {
            let mut seen = seen.lock().unwrap();
            seen.push(body);
            axum::Json(json!({"code": "OK", "data": [{"value": seen.len().to_string()}]}))
        }
    };
    let router = axum::Router::new().route("/values", axum::routing::post(take));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, seen)
}

on_both_databases!(values_are_kept_for_one_user_and_a_while, |db| async move {
    let desk = Desk::new(db.clone()).await;
    let (url, seen) = echo().await;
    let id = desk
        .created(&interface(&[
            ("input[url]", &url),
            ("input[with_system]", "true"),
            ("input[system][0][name]", "who"),
            ("input[system][0][display_name]", "Who"),
            ("input[system][1][name]", "rows"),
            ("input[system][1][display_name]", "Rows"),
            ("input[system][1][value]", "row_permissions"),
            ("input[with_others]", "true"),
            ("input[others][0][name]", "tags"),
            ("input[others][0][display_name]", "Tags"),
            ("input[others][0][source]", "manual"),
            ("input[others][0][text]", "a|b"),
        ]))
        .await;
    desk.server.member("bob@example.com", "Spring Store", Preset::Marketer).await;
    let (ada, bob) = (desk.ctx("ada@example.com").await, desk.ctx("bob@example.com").await);
    let give = async |names: &[&str]| {
        let attributes = [("region".to_string(), names.iter().map(|name| name.to_string()).collect())].into();
        let mut tx = db.begin().await.unwrap();
        access::put_attributes(&mut tx, &desk.workspace, bob.user(), &attributes).await.unwrap();
        tx.commit().await.unwrap();
    };
    give(&["East", "North"]).await;
    let load = async |ctx: &Ctx, fresh: bool| values_of(ctx, &id, &BTreeMap::new(), fresh).await.unwrap();

    let first = load(&ada, false).await;
    assert_eq!(texts(&first), ["1"]);
    assert_eq!(first.associated, [("tags".to_string(), "a|b".to_string())].into());
    assert_eq!(load(&ada, false).await, first, "from the cache");
    let of_bob = load(&bob, false).await;
    assert_eq!(texts(&of_bob), ["2"], "each has their own");
    assert_eq!(of_bob.system["who"], json!({"id": bob.user(), "name": "Somebody", "email": "bob@example.com"}));
    assert_eq!(of_bob.system["rows"], json!({"region": ["East", "North"]}));
    assert_eq!(first.system["rows"], json!({}));
    {
        let seen = seen.lock().unwrap();
        assert_eq!(seen[1]["system"], json!(of_bob.system));
        assert_eq!((&seen[1]["associated"], &seen[1]["parameter"]), (&json!({"tags": "a|b"}), &json!("City")));
    }
    assert_eq!(texts(&load(&ada, true).await), ["3"], "around the cache");
    assert_eq!(texts(&load(&ada, false).await), ["3"], "and kept");
    give(&["East"]).await;
    assert_eq!(texts(&load(&bob, false).await), ["4"], "other permissions, other values");
    desk.server.state.clock.advance(5 * MINUTE);
    assert_eq!(texts(&load(&ada, false).await), ["5"], "too old");
    let renamed = [("input[name]", "Renamed"), ("input[url]", url.as_str()), ("version", "1")];
    let mut fields = interface(&renamed);
    fields.retain(|(name, _)| *name != "id");
    fields.push(("id", &id));
    assert_eq!(desk.save(&fields).await.status, StatusCode::OK);
    assert_eq!(texts(&load(&ada, false).await), ["6"], "an edited parameter has other values");
    assert_eq!(seen.lock().unwrap()[5]["parameter"], "Renamed");
});

on_both_databases!(what_failed_is_not_kept, |db| async move {
    let desk = Desk::new(db).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let id = desk.created(&interface(&[("input[url]", &format!("http://{address}/values"))])).await;
    let ctx = desk.ctx("ada@example.com").await;
    let refused = values_of(&ctx, &id, &BTreeMap::new(), false).await.unwrap_err();
    assert!(
        matches!(&refused, AppError::Conflict(why) if why.starts_with("The interface can't be reached")),
        "{refused}"
    );
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let answer = async || axum::Json(json!({"code": "OK", "data": [{"value": "there"}]}));
    let router = axum::Router::new().route("/values", axum::routing::post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    assert_eq!(texts(&values_of(&ctx, &id, &BTreeMap::new(), false).await.unwrap()), ["there"]);
});
