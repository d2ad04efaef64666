//! The secret of a second factor that its owner has not confirmed: it waits in a cookie, sealed, so that nothing has to
//! be kept of those who never do.

use crate::{
    access::{Ctx, second_factor, session},
    clock::{MINUTE, Millis, SECOND},
    error::AppResult,
};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

const COOKIE: &str = "reachwire-setup";
const LASTS: Millis = 15 * MINUTE;

#[derive(Serialize, Deserialize)]
struct Pending {
    user: String,
    secret: String,
    /// Unix milliseconds.
    until: Millis,
}

/// The cookie with a new secret for whoever asks.
pub fn begin(ctx: &Ctx) -> AppResult<HeaderValue> {
    let (user, secret) = (ctx.user().to_string(), second_factor::new_secret()?);
    let sealed =
        ctx.state.master_key.seal(&serde_json::to_string(&Pending { user, secret, until: ctx.now() + LASTS })?);
    Ok(session::set_cookie(&ctx.state, COOKIE, &sealed, LASTS / SECOND))
}

/// The secret that waits; `None` when there is none, it is too old or somebody else's.
pub fn secret(ctx: &Ctx, headers: &HeaderMap) -> Option<String> {
    let sealed = session::own_cookie(&ctx.state, headers, COOKIE)?;
    let pending: Pending = serde_json::from_str(&ctx.state.master_key.open(&sealed)?).ok()?;
    (pending.user == ctx.user() && pending.until > ctx.now()).then_some(pending.secret)
}

pub fn end(ctx: &Ctx) -> HeaderValue {
    session::set_cookie(&ctx.state, COOKIE, "", 0)
}
