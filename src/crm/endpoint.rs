//! The simulator's webhook: any path takes POSTs.

use super::{Answer, Row, Shared, page, places};
use crate::{
    clock::Clock,
    wire::{message::CallbackParams, receipt::Receipt, signature},
};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Query, State},
    response::{IntoResponse, Response},
    routing,
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::Arc;

const BODY_MAX: usize = 32 * 1024 * 1024;

pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", routing::get(page::show))
        .route(places::PATH, routing::post(places::take))
        .fallback(routing::post(take))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(shared)
}

#[derive(Deserialize)]
pub struct Signed {
    #[serde(default)]
    timestamp: String,
    #[serde(default)]
    nonce: String,
}

#[derive(Deserialize)]
struct Incoming {
    user_profile: Profile,
    callback_params: CallbackParams<'static>,
}

#[derive(Deserialize)]
struct Profile {
    target_id: String,
    customer_id: String,
}

async fn take(
    State(shared): State<Arc<Shared>>,
    Query(signed): Query<Signed>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let wrong = check(shared.options.key.as_deref(), &signed, &headers, &body).err();
    let messages: Vec<Incoming> = match serde_json::from_slice(&body) {
        Ok(messages) => messages,
        Err(error) => {
            shared.book().enter(Vec::new(), true);
            return refuse(StatusCode::BAD_REQUEST, "BAD_BODY", &error.to_string());
        }
    };
    let answer = shared.answer();
    let now = Clock::System.now();
    let hash = hex::encode(Sha256::digest(&body));
    let row = |message: &Incoming| Row {
        time: now,
        batch_id: message.callback_params.batch_id.to_string(),
        action_id: message.callback_params.action_id.to_string(),
        customer_id: message.user_profile.customer_id.clone(),
        target: message.user_profile.target_id.clone(),
        signature: wrong.is_none(),
        answer: if wrong.is_some() { "bad signature".into() } else { answer.code().into() },
        body: hash.clone(),
        timestamp: signed.timestamp.clone(),
        nonce: signed.nonce.clone(),
    };
    shared.book().enter(messages.iter().map(row).collect(), wrong.is_some());
    if let Some(wrong) = wrong {
        return refuse(StatusCode::UNAUTHORIZED, "BAD_SIGNATURE", &wrong);
    }
    if answer == Answer::Slow {
        tokio::time::sleep(shared.options.slow).await;
    }
    if answer.takes() {
        report(&shared, messages, now).await;
    }
    respond(answer)
}

pub fn respond(answer: Answer) -> Response {
    match answer {
        Answer::Ok | Answer::Slow => Json(json!({"code": "OK", "message": ""})).into_response(),
        Answer::Refuse => refuse(StatusCode::OK, "REFUSED", "refused as told"),
        Answer::Busy => (StatusCode::TOO_MANY_REQUESTS, [(http::header::RETRY_AFTER, "1")]).into_response(),
        Answer::Broken => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Answer::Garbage => "<html>not what you asked for</html>".into_response(),
        Answer::Drop => {
            let broken = futures::stream::iter([Err::<Bytes, _>(std::io::Error::other("dropped as told"))]);
            Body::from_stream(broken).into_response()
        }
    }
}

pub fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({"code": code, "message": message}))).into_response()
}

/// Both signatures; the error says what is wrong with which.
pub fn check(key: Option<&str>, signed: &Signed, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let signature = text(signature::HEADER).ok_or(format!("the header {} is missing", signature::HEADER))?;
    let Some(key) = key else {
        return if signature.is_empty() { Ok(()) } else { Err("signed, though there is no key".into()) };
    };
    if !signature::verify(key, &signed.timestamp, &signed.nonce, signature) {
        return Err(format!("{} does not fit key, timestamp and nonce", signature::HEADER));
    }
    let id = text("webhook-id").ok_or("the header webhook-id is missing")?;
    let timestamp = text("webhook-timestamp")
        .and_then(|text| text.parse().ok())
        .ok_or("the header webhook-timestamp is missing or no number")?;
    let signature = text("webhook-signature").ok_or("the header webhook-signature is missing")?;
    if !signature::verify_body(key, id, timestamp, body, signature) {
        return Err("webhook-signature does not fit the body".into());
    }
    Ok(())
}

/// Puts receipts in the queue; waits when it is full.
async fn report(shared: &Shared, messages: Vec<Incoming>, now: i64) {
    let (Some(queue), Some(options)) = (&shared.receipts, &shared.options.receipts) else { return };
    for message in messages {
        if shared.chance() >= options.share {
            continue;
        }
        let receipt = Receipt {
            msg_id: format!("m-{}", message.callback_params.action_id),
            status: options.status(shared.chance()).to_string(),
            cst_id: message.user_profile.customer_id,
            send_time: now.to_string(),
            callback_params: message.callback_params,
        };
        if queue.send(receipt).await.is_err() {
            return;
        }
    }
}
