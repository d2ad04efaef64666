//! Signing in and out, and finding who a request comes from. Plain forms and cookies: all of it works without wasm.

use super::{
    address,
    context::{Means, Signed},
    model::SessionInfo,
    sign_in::post,
    store,
};
use crate::audit::{
    self, Actor, Entry,
    model::{Action, ObjectKind},
};
use crate::{
    api_keys::bearer,
    clock::{MINUTE, Millis, SECOND},
    db::Tx,
    error::{AppError, AppResult},
    guide, invitations,
    secrets::random_hex,
    server::AppState,
    ui::query,
};
use axum::{
    Extension, Form, Router,
    extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
    routing,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{net::SocketAddr, sync::Arc};

/// last_seen_at is written at most this often.
const TOUCH: Millis = 5 * MINUTE;

/// Characters of what a browser calls itself that are kept.
const AGENT_MAX: usize = 200;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/sign-in", routing::post(post::sign_in))
        .route("/sign-in/code", routing::post(post::code))
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

/// The session's cookie.
const SESSION: &str = "reachwire";

/// `__Host-` binds the cookie to this host over https.
fn cookie_name(https: bool, name: &str) -> String {
    if https { format!("__Host-{name}") } else { name.into() }
}

/// The value of a cookie of ours.
pub fn own_cookie(state: &AppState, headers: &HeaderMap, name: &str) -> Option<String> {
    cookie(headers, &cookie_name(state.config.behind_https(), name))
}

/// Makes a cookie of ours, which no script reads, for `seconds`; 0 takes it away.
pub fn set_cookie(state: &AppState, name: &str, value: &str, seconds: i64) -> HeaderValue {
    cookie_value(state.config.behind_https(), name, value, seconds)
}

fn cookie_value(https: bool, name: &str, value: &str, seconds: i64) -> HeaderValue {
    let (name, secure) = (cookie_name(https, name), if https { "; Secure" } else { "" });
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// Takes the session's cookie away.
pub fn no_cookie(state: &AppState) -> HeaderValue {
    set_cookie(state, SESSION, "", 0)
}

/// What the database keeps of a cookie's token.
pub(super) fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

fn token_hash_of(state: &AppState, headers: &HeaderMap) -> Option<String> {
    own_cookie(state, headers, SESSION).map(|token| token_hash(&token))
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
        let known = request.extensions().get::<MatchedPath>().is_some();
        return match bearer::signed(&state, key, &address, &household(&address)).await {
            Ok(signed) => {
                if let Some(closed) = bearer::closed(path, known) {
                    return closed;
                }
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
            let page = request.method() == Method::GET && !program && !is_door(path);
            let reads_html = accepts_html(request.headers());
            let open = state.config.public_guide && guide::is_guide(path) || path.starts_with(invitations::model::PATH);
            if page && reads_html && !open {
                let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
                return Redirect::to(&sign_in_at("", target)).into_response();
            }
        }
        Err(error) => return error.into_response(),
    }
    next.run(request).await
}

/// Pages that strangers come in by.
fn is_door(path: &str) -> bool {
    matches!(path, "/sign-in" | "/sign-in/code")
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
pub fn client_address(state: &AppState, peer: Option<SocketAddr>, headers: &HeaderMap) -> String {
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
    let Some(row) = store::session(&state.db, &hash, now, now - state.config.sessions.idle()).await? else {
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
        language: row.language,
        development: cfg!(debug_assertions),
    };
    Ok(Some(Signed { info, address: address.to_string(), means: Means::Session(hash) }))
}

/// The browser's time zone, which theme.js keeps in a cookie.
fn zone(headers: &HeaderMap) -> Option<String> {
    cookie(headers, "tz").map(|zone| zone.replace("%2F", "/")).filter(|zone| jiff::tz::TimeZone::get(zone).is_ok())
}

/// A new session of the person `actor`, in place of the one that the request may carry: the cookie. `None` when the
/// password that was shown, as its hash, opens the account no more.
pub async fn begin(
    state: &AppState,
    headers: &HeaderMap,
    actor: &Actor,
    workspace: &str,
    password_hash: &str,
) -> AppResult<Option<HeaderValue>> {
    let mut tx = state.db.begin().await?;
    if !store::still_opens(&mut tx, &actor.id, password_hash).await? {
        return Ok(None);
    }
    let cookie = open(&mut tx, state, headers, actor, workspace).await?;
    let now = state.clock.now();
    store::signed_in(&mut tx, &actor.id, now).await?;
    let entry = Entry::new(Action::SignedIn, ObjectKind::Account, &actor.id, &actor.name);
    audit::record(&mut tx, workspace, now, actor, &entry).await?;
    tx.commit().await?;
    tracing::info!(user = %actor.id, "signed in");
    Ok(Some(cookie))
}

/// The same within a change, as of a password: no sign-in by itself.
pub async fn open(
    tx: &mut Tx,
    state: &AppState,
    headers: &HeaderMap,
    actor: &Actor,
    workspace: &str,
) -> AppResult<HeaderValue> {
    let (token, now, longest) = (random_hex(32), state.clock.now(), state.config.sessions.longest());
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("");
    let agent: String = agent.chars().take(AGENT_MAX).collect();
    if let Some(old) = token_hash_of(state, headers) {
        store::end_session(tx, &old).await?;
    }
    let new = store::NewSession {
        token_hash: &token_hash(&token),
        user: &actor.id,
        workspace,
        address: &actor.address,
        agent: &agent,
        now,
        expires_at: now + longest,
    };
    store::add_session(tx, &new).await?;
    Ok(set_cookie(state, SESSION, &token, longest / SECOND))
}

/// The sign-in page with what it is told; `problem` is a word that it knows.
pub(super) fn sign_in_at(problem: &str, next: &str) -> String {
    format!("/sign-in{}", query::to_query([("problem", problem), ("next", next)]))
}

pub(super) fn back_to_sign_in(problem: &str, next: &str) -> Response {
    Redirect::to(&sign_in_at(problem, local(next))).into_response()
}

/// Only paths of ours: never to where a crafted link says. Browsers drop tabs and line ends from addresses and take a
/// backslash for a slash.
pub(super) fn local(next: &str) -> &str {
    let ours =
        next.starts_with('/') && !next.starts_with("//") && !next.contains(|c: char| c.is_control() || c == '\\');
    if ours { next } else { "/" }
}

async fn sign_out(
    State(state): State<AppState>,
    signed: Option<Extension<Arc<Signed>>>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    if let Some(hash) = token_hash_of(&state, &headers) {
        let mut tx = state.db.begin().await?;
        store::end_session(&mut tx, &hash).await?;
        if let Some(Extension(signed)) = signed {
            let (actor, info) = (signed.actor(), &signed.info);
            let entry = Entry::new(Action::SignedOut, ObjectKind::Account, &info.user_id, &info.user_name);
            audit::record(&mut tx, &info.workspace_id, state.clock.now(), &actor, &entry).await?;
        }
        tx.commit().await?;
    }
    Ok(([(header::SET_COOKIE, no_cookie(&state))], Redirect::to("/sign-in")).into_response())
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
        assert!(cookie_value(true, SESSION, "t", 1).to_str().unwrap().ends_with("; Secure"));
    }
}
