use super::*;
use crate::config::Config;
use crate::{
    delivery::post::{self, Address, Poster, Prepared, Request},
    delivery::verdict::{Answer as Answered, Problem},
};

const BODY: &str = r#"[{"user_profile":{"target_type":"EMAIL","target_id":"<b>&","customer_id":"c"},"params":{},"callback_params":{"batchId":"b","actionId":"a"},"process_info":{}}]"#;

async fn simulator(answer: Answer) -> Simulator {
    Simulator::start(Options { key: Some("k".into()), answer, ..Options::default() }).await.unwrap()
}

async fn post_to(simulator: &Simulator, key: &str, change: impl FnOnce(&mut Prepared)) -> Result<Answered, Problem> {
    let mut config = Config::defaults().engine;
    config.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    let url = Address::new(&simulator.url());
    let body = BODY.to_string().into();
    let mut prepared =
        Prepared::new(Request { url: &url, key: Some(key), environment: None, id: "b", body, now: 5_000, nonce: "n" });
    change(&mut prepared);
    Poster::new(&config).unwrap().send(prepared).await.result
}

fn text(answer: Result<Answered, Problem>) -> (u16, String) {
    let answer = answer.unwrap();
    (answer.status, String::from_utf8(answer.body).unwrap())
}

#[tokio::test]
async fn it_says_what_is_wrong_with_a_signature() {
    let simulator = simulator(Answer::Ok).await;
    assert_eq!(text(post_to(&simulator, "k", |_| ()).await), (200, r#"{"code":"OK","message":""}"#.into()));
    let (status, wrong) = text(post_to(&simulator, "other", |_| ()).await);
    assert!(status == 401 && wrong.contains("X-QA-Hmac-Signature"), "{wrong}");
    let (status, wrong) =
        text(post_to(&simulator, "k", |prepared| prepared.body = BODY.replace("\"a\"", "\"x\"").into()).await);
    assert!(status == 401 && wrong.contains("webhook-signature"), "{wrong}");
    let (status, wrong) = text(post_to(&simulator, "k", |prepared| prepared.body = "[{]".into()).await);
    assert!(status == 400 && wrong.contains("line 1"), "{wrong}");
    assert_eq!(simulator.counters(), Counters { requests: 4, actions: 3, bad: 3 });
    assert_eq!(simulator.rows().iter().map(|row| row.signature).collect::<Vec<_>>(), [true, false, false]);
}

#[tokio::test]
async fn it_answers_as_told() {
    for (answer, status, part) in [
        (Answer::Refuse, 200, "REFUSED"),
        (Answer::Busy, 429, ""),
        (Answer::Broken, 500, ""),
        (Answer::Garbage, 200, "<html>"),
    ] {
        let simulator = simulator(answer).await;
        let (code, body) = text(post_to(&simulator, "k", |_| ()).await);
        assert!(code == status && body.contains(part), "{answer:?}: {code} {body}");
    }
    let dropping = simulator(Answer::Drop).await;
    assert!(matches!(post_to(&dropping, "k", |_| ()).await, Err(Problem::Broken(_))));
}

#[tokio::test]
async fn the_page_shows_what_came_as_text() {
    let simulator = simulator(Answer::Ok).await;
    post_to(&simulator, "k", |_| ()).await.unwrap();
    let page = post::client()
        .build()
        .unwrap()
        .get(format!("http://{}/", simulator.address()))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.contains("1 requests, 1 actions, 0 bad") && page.contains("<td>&lt;b&gt;&amp;"), "{page}");
    assert!(!page.contains("style="));
}

async fn load(
    simulator: &Simulator,
    key: &str,
    parameter: &str,
    associated: &[(&str, &str)],
) -> Result<Vec<String>, String> {
    use crate::parameters::{
        interface::{Patience, Told, load},
        model::{Parameter, ParameterInput},
    };
    let mut config = Config::defaults().engine;
    config.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    let input = ParameterInput { name: parameter.into(), url: simulator.interface_url(), ..ParameterInput::default() };
    let parameter = Parameter { id: "p".into(), version: 1, has_key: true, input, updated_at: 0 };
    let pair = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    let told = Told { associated: associated.iter().map(pair).collect(), ..Told::default() };
    let (poster, clock) = (Poster::new(&config).unwrap(), crate::clock::Clock::System);
    let patience = Patience { exchange: std::time::Duration::from_secs(2), ..Patience::default() };
    let loaded = load(&poster, &clock, &parameter, Some(&key.to_string().into()), told, patience).await;
    loaded.map(|items| items.into_iter().map(|item| item.value).collect()).map_err(|error| error.to_string())
}

#[tokio::test]
async fn its_interface_gives_pages_of_places_to_those_who_sign() {
    let simulator = simulator(Answer::Ok).await;
    let cities = load(&simulator, "k", "City", &[("province", "zhejiang")]).await.unwrap();
    assert_eq!(cities, ["hangzhou", "ningbo", "wenzhou", "shaoxing"]);
    assert_eq!(load(&simulator, "other", "City", &[]).await.unwrap_err(), "The interface answered HTTP 401.");
    let missing = load(&simulator, "k", "City", &[]).await.unwrap_err();
    assert_eq!(missing, "The interface refused: MISSING, associated.province is missing");
    assert_eq!(simulator.counters(), Counters::default(), "the book is of messages alone");
}

#[tokio::test]
async fn its_interface_answers_as_told_too() {
    for (answer, part) in [
        (Answer::Refuse, "refused: REFUSED, refused as told"),
        (Answer::Busy, "HTTP 429"),
        (Answer::Broken, "HTTP 500"),
        (Answer::Garbage, "not JSON"),
        (Answer::Drop, "broke"),
        (Answer::Slow, "did not answer completely"),
    ] {
        let simulator = simulator(answer).await;
        let why = load(&simulator, "k", "province", &[]).await.unwrap_err();
        assert!(why.contains(part), "{answer:?}: {why}");
    }
}
