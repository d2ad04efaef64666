//! What the page of API keys asks the server for.

use super::model::{CreatedKey, KeyInput, KeyPage, KeyQuery};
use crate::error::AppResult;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{model::PREFIX, store};
#[cfg(feature = "ssr")]
use crate::{
    access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    },
    clock::Millis,
    error::{AppError, FieldError},
    secrets::random_hex,
};

#[server]
pub async fn list_api_keys(query: KeyQuery) -> AppResult<KeyPage> {
    let ctx = require(&caller()?, Permission::View(Area::ApiKeys), Resource::Workspace).await?;
    let (rows, total) = store::page(&ctx.state.db, ctx.workspace(), &query, ctx.now()).await?;
    Ok(KeyPage { rows, total, now: ctx.now(), address: ctx.state.config.public_url() })
}

/// Bytes of randomness in a key: 40 characters.
#[cfg(feature = "ssr")]
const RANDOM: usize = 20;

/// Makes a key. This answer is the only place where it ever stands, so a plain form, whose answer is another page, makes
/// none.
#[server]
pub async fn create_api_key(new: KeyInput) -> AppResult<CreatedKey> {
    let ctx = require(&caller()?, Permission::Manage(Area::ApiKeys), Resource::Workspace).await?;
    if is_plain_form() {
        return Err(AppError::conflict(
            "Wait until the page has loaded whole, then create the key again. None was made.",
        ));
    }
    let new = new.tidy();
    let mut errors = new.check(ctx.info().permissions);
    let expires_at = expiry(&new.expires, &ctx.info().time_zone, ctx.now()).unwrap_or_else(|message| {
        errors.push(FieldError::new("expires", message));
        None
    });
    AppError::check(errors)?;
    let key = format!("{PREFIX}{}", random_hex(RANDOM));
    let scopes = new.scopes();
    let kept = store::NewKey { name: &new.name, key: &key, scopes: &scopes, expires_at };
    store::create(&ctx.state.db, ctx.workspace(), &kept, &ctx.by()).await?;
    Ok(CreatedKey { name: new.name, key: key.into() })
}

/// Revokes a key at once.
#[server]
pub async fn revoke_api_key(id: String) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::ApiKeys), Resource::ApiKey(&id)).await?;
    store::revoke(&ctx.state.db, ctx.workspace(), &id, &ctx.by()).await
}

#[cfg(feature = "ssr")]
fn is_plain_form() -> bool {
    use_context::<http::request::Parts>().is_some_and(|parts| {
        let accept = parts.headers.get(http::header::ACCEPT).and_then(|accept| accept.to_str().ok());
        accept.is_some_and(|accept| accept.contains("text/html"))
    })
}

/// The moment that was typed, in the zone of whoever typed it; `None` for never.
#[cfg(feature = "ssr")]
fn expiry(text: &str, zone: &str, now: Millis) -> Result<Option<Millis>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let typed = || "Choose a day and a time.".to_string();
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let moment: jiff::civil::DateTime = text.parse().map_err(|_| typed())?;
    let at = moment.to_zoned(zone).map_err(|_| typed())?.timestamp().as_millisecond();
    if at > now { Ok(Some(at)) } else { Err("Choose a moment in the future.".into()) }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_in_the_zone_and_in_the_future() {
        let now = 1_795_338_005_120; // 2026-11-22T09:00:05Z
        assert_eq!(expiry("", "UTC", now), Ok(None));
        assert_eq!(expiry("2026-11-22T10:01", "Europe/Berlin", now), Ok(Some(1_795_338_060_000)));
        assert!(expiry("2026-11-22T10:00", "Europe/Berlin", now).unwrap_err().contains("future"));
        assert!(expiry("tomorrow", "UTC", now).is_err());
    }
}
