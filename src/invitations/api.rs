//! What the page of a link asks the server for. It is for strangers: who has a link's token may read what it is for.

use super::model::Invitation;
use crate::error::AppResult;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::store;
#[cfg(feature = "ssr")]
use crate::{error::internal, server::AppState};

/// `None`: the link is unknown, used or expired.
#[server]
pub async fn get_invitation(token: String) -> AppResult<Option<Invitation>> {
    let state = use_context::<AppState>().ok_or_else(|| internal("a server function outside the router"))?;
    let Some(person) = store::find(&state.db, &token, state.clock.now()).await? else { return Ok(None) };
    let purpose = person.purpose()?;
    let workspaces = store::workspace_names(&state.db, &person.id).await?;
    Ok(Some(Invitation { purpose, email: person.email, name: person.name, workspaces }))
}
