//! The forms of one's own account: plain POSTs that end in a redirect with a word of what came of it, since most of them
//! change a cookie or what stands around every page.

use super::{model::Profile, pending, store};
use crate::{
    access::{
        Caller, Ctx, Means, Resource,
        attempt::{Attempt, Counted},
        model::Permission,
        password, require, second_factor, session,
        store::{self as access, UserRow},
        zones,
    },
    audit::{
        self, Change, Entry,
        model::{Action, ObjectKind},
    },
    db::Tx,
    error::{AppError, internal},
    server::AppState,
    ui::query::to_query,
};
use axum::{
    Form, Router,
    extract::DefaultBodyLimit,
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing,
};
use http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::json;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/account/profile", routing::post(profile))
        .route("/account/password", routing::post(change_password))
        .route("/account/second-factor/begin", routing::post(begin_factor))
        .route("/account/second-factor/on", routing::post(turn_on))
        .route("/account/second-factor/off", routing::post(turn_off))
        .route("/account/sessions/end", routing::post(end_session))
        .route("/account/sessions/end-all", routing::post(end_all))
        .layer(DefaultBodyLimit::max(16 << 10))
}

/// What stops a form: who has no session any more goes to the sign-in.
struct Refusal(AppError);

impl<E: Into<AppError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self.0 {
            AppError::Unauthenticated => Redirect::to("/sign-in?next=%2Faccount").into_response(),
            other => other.into_response(),
        }
    }
}

type Answer = Result<Response, Refusal>;

const ACCOUNT: &str = "/account";
const SETUP: &str = "/account/second-factor";

fn done(word: &str) -> Response {
    Redirect::to(&format!("{ACCOUNT}{}", to_query([("done", word)]))).into_response()
}

fn problem_at(page: &str, word: &str) -> Response {
    Redirect::to(&format!("{page}{}", to_query([("problem", word)]))).into_response()
}

fn problem(word: &str) -> Response {
    problem_at(ACCOUNT, word)
}

/// The hash of the session that asks. `Forbidden` to API keys, which have no account.
pub fn own_session(ctx: &Ctx) -> Result<&str, AppError> {
    match ctx.means() {
        Means::Session(hash) => Ok(hash),
        Means::ApiKey => Err(AppError::Forbidden),
    }
}

/// Who is signed in with a browser.
async fn person(caller: &Caller) -> Result<Ctx, AppError> {
    let ctx = require(caller, Permission::SignedIn, Resource::Workspace).await?;
    own_session(&ctx)?;
    Ok(ctx)
}

/// Tells the logs what was done to the account, and commits.
async fn tell(mut tx: Tx, ctx: &Ctx, action: Action, change: Change) -> sqlx::Result<()> {
    let info = ctx.info();
    let entry = Entry::new(action, ObjectKind::Account, &info.user_id, &info.user_name).with(change);
    access::tell(&mut tx, ctx.user(), ctx.now(), &ctx.actor(), &entry).await?;
    tx.commit().await
}

async fn profile(caller: Caller, Form(new): Form<Profile>) -> Answer {
    let ctx = person(&caller).await?;
    let new = new.tidy();
    if let Some(word) = new.problem() {
        return Ok(problem(&word));
    }
    if !new.time_zone.is_empty() && !zones::is_zone(&new.time_zone) {
        return Ok(problem("time_zone.unknown"));
    }
    let old = store::profile(&ctx.state.db, ctx.user()).await?;
    if new != old {
        let mut tx = ctx.state.db.begin().await?;
        store::save_profile(&mut tx, ctx.user(), &new).await?;
        tell(tx, &ctx, Action::Changed, Change::between(&old, &new)).await?;
    }
    Ok(done("profile"))
}

/// The account and the try, when the password is right; otherwise the word to tell. The try is counted as a sign-in is,
/// and forgotten by the caller when all is right.
async fn shown(
    ctx: &Ctx,
    typed: String,
    field: &str,
    at: &'static str,
) -> Result<Result<(UserRow, Attempt), String>, AppError> {
    let user = access::user(&ctx.state.db, ctx.user()).await?;
    let attempt = Attempt::new(&user.email, ctx.address());
    let Some(_place) = password::queue() else { return Ok(Err(".busy".into())) };
    if let Counted::Waits { first } = attempt.count(&ctx.state).await? {
        if first {
            refused(ctx, Action::SignInThrottled, at).await?;
        }
        return Ok(Err(".wait".into()));
    }
    if !password::verify(typed, Some(user.password_hash.clone())).await {
        refused(ctx, Action::CheckFailed, at).await?;
        return Ok(Err(format!("{field}.wrong")));
    }
    Ok(Ok((user, attempt)))
}

/// Writes it down where the person is signed in: no sign-in has failed, and nobody else has tried. How many there can be
/// is bounded by the tries that are counted.
async fn refused(ctx: &Ctx, action: Action, at: &str) -> sqlx::Result<()> {
    let info = ctx.info();
    let entry = Entry::new(action, ObjectKind::Account, &info.user_id, &info.user_name);
    let mut tx = ctx.state.db.begin().await?;
    audit::record(&mut tx, ctx.workspace(), ctx.now(), &ctx.actor(), &entry.with(Change::to(&json!({"at": at}))))
        .await?;
    tx.commit().await
}

#[derive(Deserialize)]
struct PasswordForm {
    current_password: String,
    new_password: String,
    again: String,
}

/// Sets another password. Every session ends, and this browser gets a new one: a cookie that somebody stole before is
/// worth nothing after.
async fn change_password(caller: Caller, headers: HeaderMap, Form(form): Form<PasswordForm>) -> Answer {
    let ctx = person(&caller).await?;
    let (state, info) = (&ctx.state, ctx.info());
    if form.new_password != form.again {
        return Ok(problem("again.differs"));
    }
    let weakness = password::weakness(&form.new_password, &[&info.email, &info.user_name]).await;
    if let Some(weakness) = weakness.map_err(internal)? {
        return Ok(problem(&format!("new_password.{}", weakness.code())));
    }
    let same = form.new_password == form.current_password;
    let (user, attempt) = match shown(&ctx, form.current_password, "current_password", "change of the password").await?
    {
        Ok(shown) => shown,
        Err(word) => return Ok(problem(&word)),
    };
    // The password alone must not make codes free to guess.
    if user.second_factor {
        attempt.forget_place(state).await?;
    } else {
        attempt.forget(state).await?;
    }
    if same {
        return Ok(problem("new_password.same"));
    }
    let hash = password::hash(form.new_password).await.map_err(internal)?;
    let mut tx = state.db.begin().await?;
    if !store::set_password(&mut tx, &user.id, &user.password_hash, &hash).await? {
        return Ok(problem("current_password.wrong"));
    }
    access::end_sessions(&mut tx, &user.id).await?;
    let cookie = session::open(&mut tx, state, &headers, &ctx.actor(), ctx.workspace()).await?;
    tell(tx, &ctx, Action::PasswordSet, Change::default()).await?;
    Ok(([(header::SET_COOKIE, cookie)], done("password")).into_response())
}

async fn begin_factor(caller: Caller) -> Answer {
    let ctx = person(&caller).await?;
    if access::user(&ctx.state.db, ctx.user()).await?.second_factor {
        return Ok(problem(".on"));
    }
    Ok(([(header::SET_COOKIE, pending::begin(&ctx)?)], Redirect::to(SETUP)).into_response())
}

#[derive(Deserialize)]
struct FactorForm {
    factor_password: String,
    factor_code: String,
}

/// Turns the second factor on, by the password and a code: who has no working app is not locked out.
async fn turn_on(caller: Caller, headers: HeaderMap, Form(form): Form<FactorForm>) -> Answer {
    let ctx = person(&caller).await?;
    let Some(secret) = pending::secret(&ctx, &headers) else { return Ok(problem(".late")) };
    let (user, attempt) = match shown(&ctx, form.factor_password, "factor_password", "second factor").await? {
        Ok(shown) => shown,
        Err(word) => return Ok(problem_at(SETUP, &word)),
    };
    let Some(step) = second_factor::step_of(&secret, &form.factor_code, ctx.now())? else {
        refused(&ctx, Action::CheckFailed, "code of the second factor").await?;
        return Ok(problem_at(SETUP, "factor_code.wrong"));
    };
    attempt.forget(&ctx.state).await?;
    let mut tx = ctx.state.db.begin().await?;
    if !store::turn_on(&mut tx, &user.id, &ctx.state.master_key.seal(&secret), step).await? {
        return Ok(problem(".on"));
    }
    tell(tx, &ctx, Action::SecondFactorOn, Change::default()).await?;
    Ok(([(header::SET_COOKIE, pending::end(&ctx))], done("factor-on")).into_response())
}

async fn turn_off(caller: Caller, Form(form): Form<FactorForm>) -> Answer {
    let ctx = person(&caller).await?;
    let (user, attempt) = match shown(&ctx, form.factor_password, "factor_password", "second factor").await? {
        Ok(shown) => shown,
        Err(word) => return Ok(problem(&word)),
    };
    if !user.second_factor {
        return Ok(problem(".off"));
    }
    let mut tx = ctx.state.db.begin().await?;
    if !second_factor::use_code(&mut tx, &ctx.state.master_key, &user.id, &form.factor_code, ctx.now()).await? {
        drop(tx);
        refused(&ctx, Action::CheckFailed, "code of the second factor").await?;
        return Ok(problem("factor_code.wrong"));
    }
    if !access::turn_off_second_factor(&mut tx, &user.id).await? {
        return Ok(problem(".off"));
    }
    tell(tx, &ctx, Action::SecondFactorOff, Change::default()).await?;
    attempt.forget(&ctx.state).await?;
    Ok(done("factor-off"))
}

#[derive(Deserialize)]
struct EndForm {
    session: String,
}

async fn end_session(caller: Caller, Form(form): Form<EndForm>) -> Answer {
    let ctx = person(&caller).await?;
    let (db, now) = (&ctx.state.db, ctx.now());
    let idle_since = now - ctx.state.config.sessions.idle();
    let Some(hash) = store::session_hash(db, ctx.user(), &form.session, now, idle_since).await? else {
        return Ok(problem(".gone"));
    };
    let this = hash == own_session(&ctx)?;
    let mut tx = db.begin().await?;
    access::end_session(&mut tx, &hash).await?;
    tell(tx, &ctx, Action::SignedOut, Change::to(&json!({"sessions": 1}))).await?;
    if this {
        return Ok(([(header::SET_COOKIE, session::no_cookie(&ctx.state))], Redirect::to("/sign-in")).into_response());
    }
    Ok(done("session"))
}

/// "Sign out everywhere": here, too.
async fn end_all(caller: Caller) -> Answer {
    let ctx = person(&caller).await?;
    let mut tx = ctx.state.db.begin().await?;
    let sessions = store::session_count(&mut tx, ctx.user()).await?;
    access::end_sessions(&mut tx, ctx.user()).await?;
    tell(tx, &ctx, Action::SignedOut, Change::to(&json!({"sessions": sessions}))).await?;
    let cookies = AppendHeaders([(header::SET_COOKIE, session::no_cookie(&ctx.state))]);
    Ok((cookies, Redirect::to("/sign-in?problem=everywhere")).into_response())
}
