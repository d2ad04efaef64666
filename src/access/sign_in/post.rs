//! What the forms of the sign-in send: the password, and the code of those who have a second factor.

use crate::{
    access::{
        attempt::{Attempt, Counted},
        password, second_factor,
        session::{
            self, back_to_sign_in, begin, client_address, local, own_cookie, set_cookie, sign_in_at, token_hash,
        },
        store::{self, UserRow},
    },
    audit::{Actor, model::Action},
    clock::{MINUTE, Millis, SECOND},
    error::{AppError, AppResult},
    secrets::random_hex,
    server::AppState,
    ui::query::to_query,
};
use axum::{
    Extension, Form,
    extract::{ConnectInfo, State},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use http::{HeaderMap, header, request::Parts};
use leptos::prelude::use_context;
use leptos_router::location::Url;
use serde::Deserialize;
use std::net::SocketAddr;

type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

/// The cookie of a sign-in that waits for its code, how long it does, and codes that may be tried meanwhile.
const STEP: &str = "reachwire-step";
const STEP_LASTS: Millis = 5 * MINUTE;
const STEP_TRIES: i64 = 5;
/// The cookie of an address that was typed, its seconds, and its most bytes.
const TYPED: &str = "reachwire-typed";
const TYPED_LASTS: i64 = 60;
const TYPED_MAX: usize = 254;
/// Where it failed, of the account or of all its memberships.
const DISABLED: &str = "right password; disabled";

#[derive(Deserialize)]
pub struct SignIn {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// A refusal leads back to the page, which has the address once more: not in its own address, where histories keep it.
pub async fn sign_in(
    State(state): State<AppState>,
    peer: Peer,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Result<Response, AppError> {
    let typed = form.email.trim().to_string();
    let mut answer = look(State(state.clone()), peer, headers, Form(form)).await?;
    let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
    // What is no address may be a password in the wrong field.
    if to.starts_with("/sign-in?") && typed.contains('@') && typed.len() <= TYPED_MAX {
        let cookie = set_cookie(&state, TYPED, &Url::escape(&typed), TYPED_LASTS);
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(answer)
}

/// What was typed a moment ago, while the page is rendered.
pub fn typed() -> Option<String> {
    let (state, parts) = (use_context::<AppState>()?, use_context::<Parts>()?);
    let typed = Url::unescape(&session::own_cookie(&state, &parts.headers, TYPED)?);
    (typed.len() <= TYPED_MAX).then_some(typed)
}

async fn look(
    State(state): State<AppState>,
    peer: Peer,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Result<Response, AppError> {
    let attempt = Attempt::new(&form.email, &from(&state, peer, &headers));
    let Some(place) = password::queue() else { return Ok(busy(&attempt, &form.next)) };
    if let Counted::Waits { first } = attempt.count(&state).await? {
        if first {
            attempt.note(&state, Action::SignInThrottled, "password", place);
        }
        return Ok(back_to_sign_in("wait", &form.next));
    }
    let user = store::user_by_email(&state.db, &attempt.email).await?;
    // An account without a password yet is like none.
    let hash = user.as_ref().map(|user| user.password_hash.clone()).filter(|hash| !hash.is_empty());
    let right = password::verify(form.password, hash).await;
    let Some(user) = user.filter(|_| right) else {
        attempt.note(&state, Action::SignInFailed, "password", place);
        return Ok(back_to_sign_in("wrong", &form.next));
    };
    // Only who knows the password is told.
    if user.disabled {
        attempt.note(&state, Action::SignInFailed, DISABLED, place);
        return Ok(back_to_sign_in("disabled", &form.next));
    }
    if store::workspaces_of(&state.db, &user.id).await?.is_empty() {
        if store::was_member(&state.db, &user.id).await? {
            attempt.note(&state, Action::SignInFailed, DISABLED, place);
            return Ok(back_to_sign_in("disabled", &form.next));
        }
        attempt.forget(&state).await?;
        return Ok(back_to_sign_in("nowhere", &form.next));
    }
    if user.second_factor {
        attempt.forget_place(&state).await?;
    } else {
        attempt.forget(&state).await?;
    }
    let inside = after_password(&state, &headers, &user, &attempt.client, &form.next).await?;
    Ok(inside.unwrap_or_else(|| back_to_sign_in("wrong", &form.next)))
}

/// Goes on after a person has shown the right password, or has just set it: a session and the way to `next`, or first
/// the page that asks for the code of the second factor. `None` when it opens nothing: the account is disabled, no
/// workspace is open to it, or it has another password by now. `client` is the address that the request came from.
pub async fn after_password(
    state: &AppState,
    headers: &HeaderMap,
    user: &UserRow,
    client: &str,
    next: &str,
) -> AppResult<Option<Response>> {
    if !user.second_factor {
        return enter(state, headers, user, client, next).await;
    }
    let (token, now) = (random_hex(32), state.clock.now());
    if store::workspaces_of(&state.db, &user.id).await?.is_empty()
        || !store::add_step(&state.db, &token_hash(&token), user, now, now + STEP_LASTS).await?
    {
        return Ok(None);
    }
    let cookie = set_cookie(state, STEP, &token, STEP_LASTS / SECOND);
    Ok(Some(([(header::SET_COOKIE, cookie)], Redirect::to(&code_at("", next))).into_response()))
}

/// A session in the first workspace that is open to the person; `None` as [`after_password`].
async fn enter(
    state: &AppState,
    headers: &HeaderMap,
    user: &UserRow,
    client: &str,
    next: &str,
) -> AppResult<Option<Response>> {
    let workspaces = store::workspaces_of(&state.db, &user.id).await?;
    let Some((workspace, _)) = workspaces.into_iter().next() else { return Ok(None) };
    let actor = Actor::person(&user.id, &user.name, client);
    let Some(session) = begin(state, headers, &actor, &workspace, &user.password_hash).await? else {
        return Ok(None);
    };
    // A code that was waited for is not any more.
    let cookies = [(header::SET_COOKIE, session), (header::SET_COOKIE, set_cookie(state, STEP, "", 0))];
    Ok(Some((AppendHeaders(cookies), Redirect::to(local(next))).into_response()))
}

#[derive(Deserialize)]
pub struct Code {
    code: String,
    #[serde(default)]
    next: String,
}

pub async fn code(
    State(state): State<AppState>,
    peer: Peer,
    headers: HeaderMap,
    Form(form): Form<Code>,
) -> Result<Response, AppError> {
    let client = from(&state, peer, &headers);
    let step = own_cookie(&state, &headers, STEP).map(|token| token_hash(&token));
    let now = state.clock.now();
    let Some(step) = step else { return Ok(back_to_sign_in("again", &form.next)) };
    let Some((user, tries)) = store::try_step(&state.db, &step, now, STEP_TRIES).await? else {
        return Ok(back_to_sign_in("again", &form.next));
    };
    let user = store::user(&state.db, &user).await?;
    let attempt = Attempt::new(&user.email, &client);
    let Some(place) = password::queue() else { return Ok(busy(&attempt, &form.next)) };
    if let Counted::Waits { first } = attempt.count(&state).await? {
        if first {
            attempt.note(&state, Action::SignInThrottled, "code", place);
        }
        return Ok(back_to_sign_in("wait", &form.next));
    }
    let mut tx = state.db.begin().await?;
    let right = !user.disabled
        && second_factor::use_code(&mut tx, &state.master_key, &user.id, &form.code, now).await?
        && store::end_step(&mut tx, &step).await?;
    if !right {
        drop(tx);
        if user.disabled {
            attempt.note(&state, Action::SignInFailed, DISABLED, place);
            return Ok(back_to_sign_in("disabled", &form.next));
        }
        attempt.note(&state, Action::SignInFailed, "code", place);
        return Ok(if tries >= STEP_TRIES {
            back_to_sign_in("again", &form.next)
        } else {
            Redirect::to(&code_at("wrong", &form.next)).into_response()
        });
    }
    tx.commit().await?;
    attempt.forget(&state).await?;
    let inside = enter(&state, &headers, &user, &client, &form.next).await?;
    Ok(inside.unwrap_or_else(|| back_to_sign_in("wrong", &form.next)))
}

fn from(state: &AppState, peer: Peer, headers: &HeaderMap) -> String {
    client_address(state, peer.map(|Extension(ConnectInfo(peer))| peer), headers)
}

fn busy(attempt: &Attempt, next: &str) -> Response {
    tracing::warn!(address = %attempt.client, "too many sign-ins at once");
    Redirect::to(&sign_in_at("busy", session::local(next))).into_response()
}

/// The page that asks for the code.
fn code_at(problem: &str, next: &str) -> String {
    format!("/sign-in/code{}", to_query([("problem", problem), ("next", local(next))]))
}
