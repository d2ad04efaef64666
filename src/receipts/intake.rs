//! The endpoint that receipts are posted to (PRODUCT, "Receipts from the customer's system").

use super::{
    check::{self, Signed, Webhook},
    group::Group,
    store::{Taken, ToTake, clean},
};
use crate::{
    delivery::ids::parse_action_id,
    server::AppState,
    wire::{
        receipt::{PATH, Receipt},
        signature,
    },
};
use axum::{
    Extension, Json, Router,
    body::Body,
    extract::{Query, State},
    middleware,
    response::{IntoResponse, Response},
    routing,
};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::sync::Semaphore;

pub const BODY_MAX: usize = 10 * 1024 * 1024;
pub const RECEIPTS_MAX: usize = 10_000;
pub const MSG_ID_MAX: usize = 128;
/// Webhooks that the receipts of one request may be of: each costs a question before anything is proven.
pub const WEBHOOKS_MAX: usize = 100;
/// Bodies that are read at a time, and how long one may take.
const READ_AT_ONCE: usize = 32;
pub const READ_MOST: Duration = Duration::from_secs(20);
/// Problems that the message names; `errors` has them all.
const NAMED: usize = 10;

/// Whoever asks is not known before his body was read: it is read slowly or not at all when many come at once.
#[derive(Clone)]
struct Readers(Arc<Semaphore>);

pub fn routes() -> Router<AppState> {
    let readers = Readers(Arc::new(Semaphore::new(READ_AT_ONCE)));
    Router::new()
        .route(PATH, routing::post(take).layer(middleware::map_response(count)))
        .layer(Extension(Group::default()))
        .layer(Extension(readers))
}

/// Also those that were refused.
async fn count(answer: Response) -> Response {
    let status = answer.status().as_u16().to_string();
    metrics::counter!("reachwire_receipt_requests_total", "status" => status).increment(1);
    answer
}

/// A refusal: nothing is recorded.
struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"code": self.0.as_u16(), "message": self.1}))).into_response()
    }
}

async fn take(
    State(state): State<AppState>,
    Extension(group): Extension<Group>,
    Extension(readers): Extension<Readers>,
    Query(signed): Query<Signed>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let refuse = |status: StatusCode| move |text: String| Refusal(status, text);
    let now = state.clock.now();
    check::timestamp(&signed.timestamp, now, state.config.receipts.tolerance_seconds)
        .map_err(refuse(StatusCode::UNAUTHORIZED))?;
    let slow = |_| Refusal(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive".into());
    let receipts = tokio::time::timeout(READ_MOST, read(body, &readers)).await.map_err(slow)??;
    let broken = |error: &dyn std::fmt::Display| {
        let told = crate::error::internal(error).to_string();
        Refusal(StatusCode::INTERNAL_SERVER_ERROR, told)
    };
    let webhooks =
        check::webhooks(&state.db, &state.master_key, &receipts, now).await.map_err(|error| broken(&error))?;
    // A header that is no text fits no key, and it is not empty either.
    let header = headers.get(signature::HEADER).map_or("", |value| value.to_str().unwrap_or("?"));
    check::signatures(&receipts, &webhooks, &signed, header).map_err(refuse(StatusCode::UNAUTHORIZED))?;
    let receipts: Vec<ToTake> = receipts.into_iter().filter_map(|receipt| prepare(receipt, &webhooks)).collect();
    if receipts.is_empty() {
        return Ok(answer(&[]));
    }
    let taken = group.write(&state.db, receipts, now).await.map_err(|error| broken(&error))?;
    Ok(answer(&taken))
}

async fn read(body: Body, readers: &Readers) -> Result<Vec<Receipt>, Refusal> {
    let _reading = readers.0.acquire().await;
    let too_large = || Refusal(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {BODY_MAX} bytes"));
    let bytes = axum::body::to_bytes(body, BODY_MAX).await.map_err(|_| too_large())?;
    let receipts: Vec<Receipt> = serde_json::from_slice(&bytes)
        .map_err(|error| Refusal(StatusCode::BAD_REQUEST, format!("the body is not an array of receipts: {error}")))?;
    if receipts.len() > RECEIPTS_MAX {
        let told = format!("{} receipts in one request; at most {RECEIPTS_MAX} are taken", receipts.len());
        return Err(Refusal(StatusCode::PAYLOAD_TOO_LARGE, told));
    }
    let webhooks: BTreeSet<&str> = receipts.iter().map(|receipt| receipt.callback_params.webhook_id.as_ref()).collect();
    if webhooks.len() > WEBHOOKS_MAX {
        let told = format!("receipts of {} webhooks in one request; at most {WEBHOOKS_MAX} are taken", webhooks.len());
        return Err(Refusal(StatusCode::PAYLOAD_TOO_LARGE, told));
    }
    Ok(receipts)
}

/// A receipt as it is kept. `None` only for one whose webhook is not there, which [`check::signatures`] has refused.
fn prepare(receipt: Receipt, webhooks: &BTreeMap<String, Webhook>) -> Option<ToTake> {
    let webhook = webhooks.get(receipt.callback_params.webhook_id.as_ref())?;
    let action = parse_action_id(&receipt.callback_params.action_id);
    let sent_at = receipt.sent_at();
    let problem = if action.is_none() {
        Some("unknown actionId".to_string())
    } else if !webhook.statuses.contains(&receipt.status) {
        let shown: String = receipt.status.chars().take(40).collect();
        Some(format!("unknown status {}", clean(&shown)))
    } else if sent_at.is_none() {
        Some("send_time is not in unix milliseconds".into())
    } else if receipt.msg_id.chars().count() > MSG_ID_MAX {
        Some(format!("msg_id is longer than {MSG_ID_MAX} characters"))
    } else {
        None
    };
    let (send_id, seq) = action.unwrap_or_default();
    Some(ToTake {
        send_id: clean(send_id).into_owned(),
        seq,
        workspace_id: webhook.workspace_id.clone(),
        problem,
        sent_at: sent_at.unwrap_or_default(),
        receipt,
    })
}

fn answer(taken: &[Taken]) -> Response {
    let problems: Vec<(usize, &String)> =
        taken.iter().enumerate().filter_map(|(index, taken)| Some((index, taken.as_ref().err()?))).collect();
    if problems.is_empty() {
        return Json(json!({"code": 200, "message": "Success"})).into_response();
    }
    let mut named: Vec<String> =
        problems.iter().take(NAMED).map(|(index, reason)| format!("{index}: {reason}")).collect();
    if problems.len() > NAMED {
        named.push("...".into());
    }
    let message = format!("{} of {} receipts were not taken ({})", problems.len(), taken.len(), named.join("; "));
    let errors: Vec<_> = problems.iter().map(|(index, reason)| json!({"index": index, "reason": reason})).collect();
    (StatusCode::BAD_REQUEST, Json(json!({"code": 400, "message": message, "errors": errors}))).into_response()
}

#[cfg(test)]
mod tests;
