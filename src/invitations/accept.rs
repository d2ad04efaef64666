//! `POST /invitation/{token}`: uses the link up, sets the password and signs in. A plain form, so that it works before
//! anything has loaded.

use super::{
    model::{DONE, PATH, Problem, Purpose},
    store::{self, Person},
};
use crate::{
    access::{
        address::household,
        password,
        person::check_name,
        session,
        sign_in::post::after_password,
        store::{self as access, UserRow},
    },
    audit::{
        Actor, Entry,
        model::{Action, ObjectKind},
    },
    clock::{MINUTE, Millis},
    error::{AppError, AppResult, internal},
    server::AppState,
    ui::query,
};
use axum::{
    Extension, Form, Router,
    extract::{ConnectInfo, DefaultBodyLimit, Path, State},
    response::{IntoResponse, Redirect, Response},
    routing,
};
use http::HeaderMap;
use serde::Deserialize;
use std::net::SocketAddr;

/// Tries of one address, which many people may share, and in what time.
const TRIES: i64 = 30;
const WINDOW: Millis = 15 * MINUTE;

pub fn routes() -> Router<AppState> {
    Router::new().route("/invitation/{token}", routing::post(accept)).layer(DefaultBodyLimit::max(16 << 10))
}

#[derive(Deserialize)]
struct Chosen {
    #[serde(default)]
    name: String,
    password: String,
}

/// The link's page with what is wrong; without a problem the link is not valid, which the page says.
fn back(token: &str, problem: Option<Problem>, name: &str) -> Response {
    let code = problem.map(Problem::code).unwrap_or_default();
    let query = query::to_query([("problem", code.as_str()), ("name", name)]);
    let token: String = token.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    Redirect::to(&format!("{PATH}{token}{query}")).into_response()
}

async fn accept(
    State(state): State<AppState>,
    Path(token): Path<String>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Form(form): Form<Chosen>,
) -> Result<Response, AppError> {
    let address = session::client_address(&state, peer.map(|Extension(ConnectInfo(peer))| peer), &headers);
    let place = format!("invitation {}", address.parse().map_or("unknown".to_string(), household));
    let now = state.clock.now();
    let name: String = form.name.trim().chars().take(200).collect();
    if access::count_try(&state.db, &place, now, now - WINDOW).await? > TRIES {
        tracing::warn!(%address, "links throttled");
        return Ok(back(&token, Some(Problem::Wait), &name));
    }
    let Some(_place) = password::queue() else {
        return Ok(back(&token, Some(Problem::Busy), &name));
    };
    let Some(person) = store::find(&state.db, &token, now).await? else {
        return Ok(back(&token, None, ""));
    };
    let purpose = person.purpose()?;
    let name = (purpose == Purpose::Invitation).then_some(name);
    let typed = name.as_deref().unwrap_or_default();
    if let Some(problem) = name.as_deref().and_then(check_name) {
        return Ok(back(&token, Some(Problem::Name(problem)), typed));
    }
    let weakness = password::weakness(&form.password, &[&person.email, typed]).await.map_err(internal)?;
    if let Some(weakness) = weakness {
        return Ok(back(&token, Some(Problem::Password(weakness)), typed));
    }
    let hash = password::hash(form.password).await.map_err(internal)?;
    let actor = Actor::person(&person.id, name.as_deref().unwrap_or(&person.name), &address);
    if !set(&state, &person, purpose, &token, &hash, name.as_deref(), &actor).await? {
        return Ok(back(&token, None, ""));
    }
    access::forget_place(&state.db, &place).await?;
    // By what was set here: another link may have set another one since.
    let user = UserRow { password_hash: hash, ..access::user(&state.db, &person.id).await? };
    let inside = after_password(&state, &headers, &user, &address, "/").await?;
    Ok(inside.unwrap_or_else(|| Redirect::to(&format!("{PATH}{DONE}")).into_response()))
}

/// One transaction; false when another request used the link first.
async fn set(
    state: &AppState,
    person: &Person,
    purpose: Purpose,
    token: &str,
    hash: &str,
    name: Option<&str>,
    actor: &Actor,
) -> AppResult<bool> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    if !store::take(&mut tx, &person.id, token, now).await? {
        return Ok(false);
    }
    store::set_password(&mut tx, &person.id, hash, name).await?;
    access::end_sessions(&mut tx, &person.id).await?;
    let (action, kind) = match purpose {
        Purpose::Invitation => (Action::Joined, ObjectKind::Member),
        Purpose::Password => (Action::PasswordSet, ObjectKind::Account),
    };
    let entry = Entry::new(action, kind, &person.id, &actor.name);
    access::tell(&mut tx, &person.id, now, actor, &entry).await?;
    tx.commit().await?;
    Ok(true)
}
