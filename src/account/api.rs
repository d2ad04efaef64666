//! What the pages of one's own account ask the server for. Its forms are plain ones: see `forms`.

use super::model::{Account, Setup};
use crate::error::AppResult;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{forms, pending, store};
#[cfg(feature = "ssr")]
use crate::{
    access::{Resource, caller, model::Permission, require, second_factor, store as access, zones},
    error::internal,
};

#[server]
pub async fn get_account() -> AppResult<Account> {
    let ctx = require(&caller()?, Permission::SignedIn, Resource::Workspace).await?;
    let (db, now) = (&ctx.state.db, ctx.now());
    let user = access::user(db, ctx.user()).await?;
    let profile = store::profile(db, ctx.user()).await?;
    let idle_since = now - ctx.state.config.sessions.idle();
    let sessions = store::sessions(db, ctx.user(), forms::own_session(&ctx)?, now, idle_since).await?;
    let mut zones = zones::all();
    if !profile.time_zone.is_empty() && !zones.contains(&profile.time_zone) {
        zones.push(profile.time_zone.clone());
    }
    Ok(Account { email: user.email, profile, second_factor: user.second_factor, sessions, zones, now })
}

/// The second factor that waits to be confirmed in this browser; `None` when none does.
#[server]
pub async fn get_setup() -> AppResult<Option<Setup>> {
    let ctx = require(&caller()?, Permission::SignedIn, Resource::Workspace).await?;
    let parts =
        use_context::<http::request::Parts>().ok_or_else(|| internal("a server function outside the router"))?;
    let Some(secret) = pending::secret(&ctx, &parts.headers) else { return Ok(None) };
    let (size, path) = second_factor::qr(&second_factor::uri(&secret, &ctx.info().email)?)?;
    Ok(Some(Setup { secret: secret.into(), size, path: path.into() }))
}
