//! Signing in and out, and finding who a request comes from. Plain forms and cookies: all of it works without wasm.

use super::{
    address,
    context::{Means, Signed},
    model::SessionInfo,
    password, store,
};
use crate::audit::{
    self, Actor, Entry,
    model::{Action, ObjectKind},
};
use crate::{
    api_keys::bearer,
    clock::{DAY, MINUTE, Millis},
    error::{AppError, AppResult},
    guide,
    secrets::random_hex,
    server::AppState,
    ui::query,
};
use axum::{
    Extension, Form, Router,
    extract::{ConnectInfo, DefaultBodyLimit, Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
    routing,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{net::SocketAddr, sync::Arc};

const LIFETIME: Millis = 30 * DAY;
const IDLE: Millis = 3 * DAY;
/// last_seen_at is written at most this often.
const TOUCH: Millis = 5 * MINUTE;

/// Tries after which an account or an address, which many people may share, waits, and for how long.
const ACCOUNT_TRIES: i64 = 10;
pub const ADDRESS_TRIES: i64 = 30;
pub const WINDOW: Millis = 15 * MINUTE;
/// As long as an e-mail address may be.
const EMAIL_MAX: usize = 254;
/// Characters of what a browser calls itself that are kept.
const AGENT_MAX: usize = 200;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/sign-in", routing::post(sign_in))
        .route("/sign-out", routing::post(sign_out))
        .route("/switch-workspace", routing::post(switch_workspace))
        // Those who wait for their turn are many, so each is small.
        .layer(DefaultBodyLimit::max(16 << 10))
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<String> {
    let pairs: Vec<&'a str> = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).collect();
    pairs
        .iter()
        .flat_map(|pairs| pairs.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_string())
}

/// `__Host-` binds the cookie to this host over https.
fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-reachwire" } else { "reachwire" }
}

fn set_cookie(https: bool, value: &str, max_age: i64) -> HeaderValue {
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}", cookie_name(https));
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

fn token_hash_of(state: &AppState, headers: &HeaderMap) -> Option<String> {
    cookie(headers, cookie_name(state.config.behind_https())).map(|token| token_hash(&token))
}

/// Finds who is there, and sends a stranger's browser from a page to the sign-in.
pub async fn load(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if is_asset(path) {
        return next.run(request).await;
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    let address = client_address(&state, peer, request.headers());
    if let Some(key) = bearer::key_of(request.headers()) {
        return match bearer::signed(&state, key, path, &address, &household(&address)).await {
            Ok(signed) => {
                request.extensions_mut().insert(Arc::new(signed));
                next.run(request).await
            }
            Err(error) => bearer::told(error),
        };
    }
    match find(&state, request.headers(), &address).await {
        Ok(Some(signed)) => {
            request.extensions_mut().insert(Arc::new(signed));
        }
        Ok(None) => {
            let program = path.starts_with("/api/") || path.starts_with("/restapi/");
            let page = request.method() == Method::GET && !program && path != "/sign-in";
            let reads_html = accepts_html(request.headers());
            let open = state.config.public_guide && guide::is_guide(path);
            if page && reads_html && !open {
                let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
                return Redirect::to(&sign_in_at("", target)).into_response();
            }
        }
        Err(error) => return error.into_response(),
    }
    next.run(request).await
}

fn is_asset(path: &str) -> bool {
    path.starts_with("/pkg/") || matches!(path, "/favicon.svg" | "/favicon.ico" | "/theme.js" | "/robots.txt")
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_none_or(|accept| accept.contains("text/html") || accept.contains("*/*"))
}

/// The address that a request came from, as text.
fn client_address(state: &AppState, peer: Option<SocketAddr>, headers: &HeaderMap) -> String {
    peer.map_or_else(String::new, |peer| address::client(peer.ip(), headers, &state.config.trusted_proxies).to_string())
}

/// What tries from an address are counted by.
fn household(address: &str) -> String {
    address.parse().map_or("unknown".to_string(), address::household)
}

async fn find(state: &AppState, headers: &HeaderMap, address: &str) -> AppResult<Option<Signed>> {
    let Some(hash) = token_hash_of(state, headers) else {
        return Ok(None);
    };
    let now = state.clock.now();
    let Some(row) = store::session(&state.db, &hash, now, now - IDLE).await? else {
        return Ok(None);
    };
    if now - row.last_seen_at > TOUCH {
        store::touch_session(&state.db, &hash, now).await?;
    }
    let standing = store::standing(&state.db, &row.workspace_id, &row.user_id, row.organization_admin).await?;
    let own_zone = Some(row.time_zone).filter(|zone| !zone.is_empty());
    let info = SessionInfo {
        workspaces: store::workspaces_of(&state.db, &row.user_id).await?,
        user_id: row.user_id,
        user_name: row.name,
        email: row.email,
        workspace_id: row.workspace_id,
        workspace_name: row.workspace_name,
        roles: standing.roles,
        permissions: standing.permissions,
        administrator: standing.administrator,
        organization_administrator: row.organization_admin,
        time_zone: own_zone.or_else(|| zone(headers)).unwrap_or(row.workspace_zone),
        theme: row.theme,
        development: cfg!(debug_assertions),
    };
    Ok(Some(Signed { info, address: address.to_string(), means: Means::Session(hash) }))
}

/// The browser's time zone, which theme.js keeps in a cookie.
fn zone(headers: &HeaderMap) -> Option<String> {
    cookie(headers, "tz").map(|zone| zone.replace("%2F", "/")).filter(|zone| jiff::tz::TimeZone::get(zone).is_ok())
}

#[derive(Deserialize)]
struct SignIn {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

async fn sign_in(
    State(state): State<AppState>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Result<Response, AppError> {
    let client = client_address(&state, peer.map(|Extension(ConnectInfo(peer))| peer), &headers);
    let address = household(&client);
    let Some(_place) = password::queue() else {
        tracing::warn!(%address, "too many sign-ins at once");
        return Ok(back_to_sign_in("busy", &form.next));
    };
    let now = state.clock.now();
    let email: String = form.email.trim().to_lowercase().chars().take(EMAIL_MAX).collect();
    let (account, place) = (format!("account {email}"), format!("address {address}"));
    let of_account = store::count_try(&state.db, &account, now, now - WINDOW).await?;
    let of_address = store::count_try(&state.db, &place, now, now - WINDOW).await?;
    if of_account > ACCOUNT_TRIES || of_address > ADDRESS_TRIES {
        tracing::warn!(%address, "sign-in throttled");
        return Ok(back_to_sign_in("wait", &form.next));
    }
    let user = store::user_by_email(&state.db, &email).await?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let right = password::verify(form.password, hash).await;
    let Some(user) = user.filter(|user| right && !user.disabled) else {
        tracing::warn!(%address, "sign-in failed");
        return Ok(back_to_sign_in("wrong", &form.next));
    };
    store::forget_try(&state.db, &account, &place).await?;
    let Some((workspace, _)) = store::workspaces_of(&state.db, &user.id).await?.into_iter().next() else {
        return Ok(back_to_sign_in("nowhere", &form.next));
    };
    let actor = Actor::person(&user.id, &user.name, &client);
    let cookie = begin(&state, &headers, &actor, &workspace).await?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(local(&form.next))).into_response())
}

/// A new session of the person `actor`, in place of the one that the request may carry: the cookie.
pub async fn begin(state: &AppState, headers: &HeaderMap, actor: &Actor, workspace: &str) -> AppResult<HeaderValue> {
    let (token, now) = (random_hex(32), state.clock.now());
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("");
    let agent: String = agent.chars().take(AGENT_MAX).collect();
    let mut tx = state.db.begin().await?;
    if let Some(old) = token_hash_of(state, headers) {
        store::end_session(&mut tx, &old).await?;
    }
    let new = store::NewSession {
        token_hash: &token_hash(&token),
        user: &actor.id,
        workspace,
        address: &actor.address,
        agent: &agent,
        now,
        expires_at: now + LIFETIME,
    };
    store::add_session(&mut tx, &new).await?;
    store::signed_in(&mut tx, &actor.id, now).await?;
    let entry = Entry::new(Action::SignedIn, ObjectKind::Account, &actor.id, &actor.name);
    audit::record(&mut tx, workspace, now, actor, &entry).await?;
    tx.commit().await?;
    tracing::info!(user = %actor.id, "signed in");
    Ok(set_cookie(state.config.behind_https(), &token, LIFETIME / 1000))
}

/// The sign-in page with what it is told; `problem` is a word that it knows.
fn sign_in_at(problem: &str, next: &str) -> String {
    format!("/sign-in{}", query::to_query([("problem", problem), ("next", next)]))
}

fn back_to_sign_in(problem: &str, next: &str) -> Response {
    Redirect::to(&sign_in_at(problem, local(next))).into_response()
}

/// Only paths of ours: never to where a crafted link says. Browsers drop tabs and line ends from addresses and take a
/// backslash for a slash.
fn local(next: &str) -> &str {
    let ours =
        next.starts_with('/') && !next.starts_with("//") && !next.contains(|c: char| c.is_control() || c == '\\');
    if ours { next } else { "/" }
}

async fn sign_out(State(state): State<AppState>, headers: HeaderMap) -> Result<Response, AppError> {
    if let Some(hash) = token_hash_of(&state, &headers) {
        let mut tx = state.db.begin().await?;
        store::end_session(&mut tx, &hash).await?;
        tx.commit().await?;
    }
    let cookie = set_cookie(state.config.behind_https(), "", 0);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response())
}

#[derive(Deserialize)]
struct Switch {
    workspace: String,
}

async fn switch_workspace(
    State(state): State<AppState>,
    headers: HeaderMap,
    Form(form): Form<Switch>,
) -> Result<Response, AppError> {
    let hash = token_hash_of(&state, &headers).ok_or(AppError::Unauthenticated)?;
    if store::switch_workspace(&state.db, &hash, &form.workspace).await? {
        Ok(Redirect::to("/").into_response())
    } else {
        Ok((StatusCode::NOT_FOUND, AppError::NotFound).into_response())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_sign_in_one_stays_here() {
        assert_eq!(local("/tasks?page=2"), "/tasks?page=2");
        for elsewhere in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/a\r\nb",
            "/\t/evil.example",
            "/\u{85}/b",
        ] {
            assert_eq!(local(elsewhere), "/");
        }
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("xreachwire=1; reachwire=2"));
        assert_eq!(cookie(&headers, "reachwire").as_deref(), Some("2"));
        assert_eq!(cookie(&headers, "tz"), None);
        assert!(set_cookie(true, "t", 1).to_str().unwrap().ends_with("; Secure"));
    }
}
