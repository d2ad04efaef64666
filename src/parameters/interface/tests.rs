//! Against servers on loopback that answer as each test says.

use super::*;
use crate::{
    config::Config,
    parameters::model::ParameterInput,
    wire::{interface::VALUES_MAX, signature},
};
use axum::{Json, body::Bytes, extract::Query, response::IntoResponse, response::Response};
use http::HeaderMap;
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

/// The address of a server that answers by `answer`.
async fn serve<F>(answer: F) -> String
where
    F: Fn(Request) -> Response + Clone + Send + Sync + 'static,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/values", listener.local_addr().unwrap());
    let take = move |body: Bytes| {
        let answer = answer.clone();
        async move { answer(serde_json::from_slice(&body).unwrap()) }
    };
    let router = axum::Router::new().route("/values", axum::routing::post(take));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

fn poster(allowed: &[&str]) -> Poster {
    let mut config = Config::defaults().engine;
    config.allow_networks = allowed.iter().map(|net| net.parse().unwrap()).collect();
    Poster::new(&config).unwrap()
}

fn parameter(url: &str) -> Parameter {
    let input = ParameterInput { name: "city".into(), url: url.into(), ..ParameterInput::default() };
    Parameter { id: "p".into(), version: 1, has_key: false, input, updated_at: 0 }
}

async fn load_within(url: &str, patience: Patience) -> Result<Vec<Item>, String> {
    let clock = Clock::manual(1_800_000_000_000);
    let told = Told::default();
    let loaded = load(&poster(&["127.0.0.0/8"]), &clock, &parameter(url), None, told, patience).await;
    loaded.map_err(|error| error.to_string())
}

async fn load_from(url: &str) -> Result<Vec<Item>, String> {
    load_within(url, Patience::default()).await
}

async fn fault<A: IntoResponse + Clone + Send + Sync + 'static>(answer: A) -> String {
    load_from(&serve(move |_| answer.clone().into_response()).await).await.unwrap_err()
}

fn values(from: usize, count: usize) -> serde_json::Value {
    (from..from + count).map(|number| json!({"value": format!("v{number}"), "name": "n"})).collect()
}

#[tokio::test]
async fn pages_are_asked_for_one_after_the_other() {
    let url = serve(|request| {
        let next = (request.page < 7).then_some(request.page + 3);
        Json(json!({"code": "OK", "message": "", "data": values(request.page as usize, 1), "next_page": next}))
            .into_response()
    })
    .await;
    let found: Vec<String> = load_from(&url).await.unwrap().into_iter().map(|item| item.value).collect();
    assert_eq!(found, ["v1", "v4", "v7"]);
}

/// Query, headers and body of a request.
type Seen = (HashMap<String, String>, HeaderMap, Bytes);

#[tokio::test]
async fn each_request_is_signed_and_tells_what_was_passed() {
    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/values?own=1", listener.local_addr().unwrap());
    let take = {
        let seen = seen.clone();
        move |Query(query): Query<HashMap<String, String>>, headers: HeaderMap, body: Bytes| async move {
            let mut seen = seen.lock().unwrap();
            seen.push((query, headers, body));
            let next = (seen.len() < 2).then_some(2);
            Json(json!({"code": "OK", "data": [], "next_page": next}))
        }
    };
    let router = axum::Router::new().route("/values", axum::routing::post(take));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let (poster, clock) = (poster(&["127.0.0.0/8"]), Clock::manual(1_800_000_000_000));
    let told = || Told {
        associated: [("province".to_string(), "浙江".to_string())].into(),
        system: [("who".to_string(), json!({"id": "u"}))].into(),
    };
    let key = SecretString::from("my secret");
    load(&poster, &clock, &parameter(&url), Some(&key), told(), Patience::default()).await.unwrap();
    load(&poster, &clock, &parameter(&url), None, told(), Patience::default()).await.unwrap();

    let seen = seen.lock().unwrap();
    let header = |place: usize, name: &str| seen[place].1.get(name).map(|value| value.to_str().unwrap().to_string());
    for place in [0, 1] {
        let (query, _, body) = &seen[place];
        assert_eq!((query["own"].as_str(), query["timestamp"].as_str()), ("1", "1800000000"));
        let signature = header(place, signature::HEADER).unwrap();
        assert!(signature::verify("my secret", &query["timestamp"], &query["nonce"], &signature));
        let body_signature = header(place, "webhook-signature").unwrap();
        let id = header(place, "webhook-id").unwrap();
        assert!(signature::verify_body("my secret", &id, 1_800_000_000, body, &body_signature));
        let page = place + 1;
        let text = format!(
            r#"{{"parameter":"city","associated":{{"province":"浙江"}},"system":{{"who":{{"id":"u"}}}},"page":{page}}}"#
        );
        assert_eq!(std::str::from_utf8(body).unwrap(), text);
    }
    assert_ne!(seen[0].0["nonce"], seen[1].0["nonce"]);
    assert_eq!(header(2, signature::HEADER).as_deref(), Some(""), "without authentication it is empty");
    assert_eq!(header(2, "webhook-signature"), None);
}

#[tokio::test]
async fn each_failure_says_what_it_is() {
    assert_eq!(fault(http::StatusCode::INTERNAL_SERVER_ERROR).await, "The interface answered HTTP 500.");
    assert!(fault("<html>").await.starts_with("The interface's answer is not JSON"));
    let refusal = Json(json!({"code": "BUSY", "message": "Come later."}));
    assert_eq!(fault(refusal).await, "The interface refused: BUSY, Come later.");
    let redirect = (http::StatusCode::FOUND, [("location", "/values")]);
    assert!(fault(redirect).await.contains("redirects are not followed"));
    let stuck = Json(json!({"code": "OK", "data": [], "next_page": 1}));
    assert!(fault(stuck).await.contains("page 1 follows page 1"));
    assert_eq!(fault(" ".repeat(ANSWER_MAX + 1)).await, "The interface's values are larger than 4 MiB.");
}

#[tokio::test]
async fn ten_thousand_values_are_loaded_and_no_more() {
    let with = |last: usize| {
        serve(move |request| {
            let next = (request.page == 1).then_some(2);
            let (from, count) = if request.page == 1 { (0, VALUES_MAX - 1) } else { (VALUES_MAX, last) };
            Json(json!({"code": "OK", "data": values(from, count), "next_page": next})).into_response()
        })
    };
    assert_eq!(load_from(&with(1).await).await.unwrap().len(), VALUES_MAX);
    assert!(load_from(&with(2).await).await.unwrap_err().contains("more than 10,000 values"));
}

#[tokio::test]
async fn an_answer_of_four_mebibytes_is_read() {
    let name = "n".repeat(2_000);
    let item = |number: usize| json!({"value": format!("v{number}"), "name": name});
    let mut text = json!({"code": "OK", "data": (0..2_000).map(item).collect::<Vec<_>>()}).to_string();
    text.extend(std::iter::repeat_n(' ', ANSWER_MAX - text.len()));
    let url = serve(move |_| text.clone().into_response()).await;
    assert_eq!(load_from(&url).await.unwrap().len(), 2_000);
}

#[tokio::test]
async fn who_is_slow_is_not_waited_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/values", listener.local_addr().unwrap());
    let silent = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok(connection) = listener.accept().await {
            open.push(connection);
        }
    });
    let short = Duration::from_millis(100);
    let patience = Patience { exchange: short, ..Patience::default() };
    assert!(load_within(&url, patience).await.unwrap_err().starts_with("The interface did not answer completely"));
    silent.abort();

    // Each page in time, but always another one.
    let endless =
        serve(|request| Json(json!({"code": "OK", "data": [], "next_page": request.page + 1})).into_response()).await;
    let patience = Patience { total: Duration::ZERO, ..Patience::default() };
    assert!(load_within(&endless, patience).await.unwrap_err().contains("all its pages"));
    assert!(load_from(&endless).await.unwrap_err().contains("more than 200 pages"));
}

#[tokio::test]
async fn who_is_not_there_or_not_public_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/values", listener.local_addr().unwrap());
    drop(listener);
    assert!(load_from(&url).await.unwrap_err().starts_with("The interface can't be reached: "));
    let clock = Clock::manual(0);
    for private in [url.as_str(), "http://10.0.0.1/values", "http://localhost:2/values"] {
        let loaded = load(&poster(&[]), &clock, &parameter(private), None, Told::default(), Patience::default()).await;
        let why = loaded.unwrap_err().to_string();
        assert!(
            why.starts_with("The interface was not called: ") && why.contains("not on the public internet"),
            "{why}"
        );
    }
}
