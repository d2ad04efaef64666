//! Who shows a key: `Authorization: Bearer rw_…`.

use super::{model::PREFIX, store};
use crate::{
    access::{
        Means, Signed,
        attempt::{ADDRESS_TRIES, WINDOW, note_stranger},
        model::{Permissions, SessionInfo},
        store as access,
    },
    audit::{
        self, Actor, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::MINUTE,
    error::{AppError, AppResult},
    server::AppState,
};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};

/// The last use is written at most this often.
const TOUCH: i64 = MINUTE;
/// Longer than any key of ours.
const KEY_MAX: usize = 128;

/// The key that a request shows; cookies do not matter then. Other bearers are a proxy's, not ours.
pub fn key_of(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.trim().split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && key.starts_with(PREFIX)).then_some(key)
}

/// Whether programs may come here at all: pages and server functions are for people.
fn is_for_programs(path: &str) -> bool {
    let inside = |before: &str, after: &str| {
        let id = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        id.is_some_and(|id| !id.is_empty() && !id.contains('/'))
    };
    path.starts_with("/restapi/v1/")
        || inside("/tasks/", "/users.csv")
        || inside("/customers/imports/", "/bad-rows.csv")
}

/// What is told to a valid key that asks for what is not for programs; `known`: there is such an address at all.
pub fn closed(path: &str, known: bool) -> Option<Response> {
    match (is_for_programs(path), known) {
        (true, _) => None,
        (false, false) => Some(told(AppError::NotFound)),
        (false, true) => {
            let why =
                "API keys do not open this address: it is for people who sign in. See “The interface for programs”.";
            Some(answer(&AppError::Forbidden, why))
        }
    }
}

/// Whoever shows the key, in the key's workspace, with what its scopes permit. `Unauthenticated` for a key that is
/// unknown, expired or revoked, which counts as a try of its address; `RateLimited` for an address with too many tries.
pub async fn signed(state: &AppState, key: &str, address: &str, household: &str) -> AppResult<Signed> {
    let (db, now) = (&state.db, state.clock.now());
    let place = format!("address {household}");
    let wait = || AppError::RateLimited(u32::try_from(WINDOW / 1_000).unwrap_or(u32::MAX));
    if access::tries(db, &place, now - WINDOW).await? > ADDRESS_TRIES {
        return Err(wait());
    }
    let known = if key.len() <= KEY_MAX { store::by_hash(db, &store::hash(key)).await? } else { None };
    let Some(shown) = known.as_ref().filter(|shown| shown.valid(now)) else {
        if access::count_try(db, &place, now, now - WINDOW).await? > ADDRESS_TRIES {
            tracing::warn!(address = household, "tries of API keys throttled");
            return Err(wait());
        }
        tracing::warn!(address = household, "an API key was refused");
        refused(state, known.as_ref(), address).await?;
        return Err(AppError::Unauthenticated);
    };
    if shown.last_used_at.is_none_or(|at| now - at >= TOUCH) {
        store::used(db, &shown.workspace_id, &shown.id, address, now).await?;
    }
    let permissions = shown.scopes()?.into_iter().fold(Permissions::NONE, |sum, scope| sum.and(scope.permissions()));
    let info = SessionInfo {
        user_id: shown.id.clone(),
        user_name: format!("API key {}", shown.name),
        workspace_id: shown.workspace_id.clone(),
        workspace_name: shown.workspace_name.clone(),
        permissions,
        time_zone: shown.time_zone.clone(),
        ..SessionInfo::default()
    };
    Ok(Signed { info, address: address.to_string(), means: Means::ApiKey })
}

/// Writes a refusal down: of a key that was once valid in its workspace, of an unknown one in the organization's log.
async fn refused(state: &AppState, known: Option<&store::Shown>, address: &str) -> AppResult<()> {
    let (id, name, reason) = match known {
        Some(key) if key.revoked_at.is_some() => (key.id.as_str(), key.name.as_str(), "Revoked"),
        Some(key) => (key.id.as_str(), key.name.as_str(), "Expired"),
        None => ("", "", "Unknown"),
    };
    let entry = Entry::new(Action::SignInFailed, ObjectKind::ApiKey, id, name);
    let entry = entry.with(Change::to(&serde_json::json!({"reason": reason})));
    let Some(key) = known else {
        return Ok(note_stranger(state, &Actor::stranger("", address), &entry).await?);
    };
    let actor = Actor::api_key(&key.id, format!("API key {}", key.name), address);
    let mut tx = state.db.begin().await?;
    audit::record(&mut tx, &key.workspace_id, state.clock.now(), &actor, &entry).await?;
    Ok(tx.commit().await?)
}

/// An error as programs get it: what is wrong with each field in the message, and how to show a key.
pub fn told(error: AppError) -> Response {
    let fields: Vec<&str> = error.fields().iter().map(|field| field.message.as_str()).collect();
    let message = match &error {
        AppError::Unauthenticated => "Show a valid API key: Authorization: Bearer rw_…".to_string(),
        AppError::Forbidden => "The API key has no scope for this.".to_string(),
        _ if !fields.is_empty() => fields.join(" "),
        other => other.to_string(),
    };
    let mut response = answer(&error, &message);
    match error {
        AppError::Unauthenticated => {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        AppError::RateLimited(seconds) => {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        _ => {}
    }
    response
}

fn answer(error: &AppError, message: &str) -> Response {
    let body = axum::Json(serde_json::json!({"code": error.code(), "message": message}));
    let status = http::StatusCode::from_u16(error.status()).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    (status, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_bearers_are_keys() {
        let key = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            key_of(&headers).map(str::to_string)
        };
        assert_eq!(key("Bearer rw_abc").as_deref(), Some("rw_abc"));
        assert_eq!(key("bearer  rw_abc ").as_deref(), Some("rw_abc"));
        for other in ["Bearer eyJhbGciOi", "Basic rw_abc", "rw_abc", "Bearer", ""] {
            assert_eq!(key(other), None, "{other}");
        }
        assert_eq!(key_of(&HeaderMap::new()), None);
    }

    #[test]
    fn programs_come_to_their_addresses_alone() {
        for path in ["/restapi/v1/customers/imports", "/tasks/1/users.csv", "/customers/imports/1/bad-rows.csv"] {
            assert!(is_for_programs(path), "{path}");
        }
        for path in
            ["/", "/tasks", "/tasks/1", "/api/list_tasks", "/audit-log.csv", "/restapi/v2/x", "/tasks/a/b/users.csv"]
        {
            assert!(!is_for_programs(path), "{path}");
        }
    }
}
