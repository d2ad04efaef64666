//! The one function that decides: who may do what, to what.

use super::{
    model::{Area, Permission, SessionInfo},
    resource::Resource,
};
use crate::{
    audit::{Actor, By},
    error::{AppError, AppResult, internal},
    grants,
    server::AppState,
};
use axum::extract::FromRequestParts;
use http::request::Parts;
use leptos::prelude::use_context;
use std::{convert::Infallible, sync::Arc};

/// Who a request comes from, as the session layer found it.
#[derive(Clone, Debug)]
pub struct Signed {
    pub info: SessionInfo,
    /// The address that the request came from.
    pub address: String,
    pub means: Means,
}

impl Signed {
    /// As whom the audit log knows the one who acts.
    pub fn actor(&self) -> Actor {
        let (id, name, address) = (self.info.user_id.clone(), self.info.user_name.clone(), self.address.clone());
        match self.means {
            Means::Session(_) => Actor::person(id, name, address),
            Means::ApiKey => Actor::api_key(id, name, address),
        }
    }
}

/// What somebody has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Means {
    /// A cookie; the hash of its token.
    Session(String),
    /// An API key. The session's `user_id` and `user_name` are the key's.
    ApiKey,
}

/// A request of which nothing has been decided yet; all that can be done with it is [`require`].
#[derive(Clone)]
pub struct Caller {
    state: AppState,
    signed: Option<Arc<Signed>>,
}

impl Caller {
    pub fn new(state: AppState, signed: Option<Arc<Signed>>) -> Self {
        Self { state, signed }
    }

    /// Whether the roles hold it, to ask for one permission or another. Decides nothing.
    pub fn may(&self, permission: Permission) -> bool {
        self.signed.as_ref().is_some_and(|signed| signed.info.may(permission))
    }
}

/// For server functions, which are for people: an API key is nobody here.
pub fn caller() -> AppResult<Caller> {
    let state = use_context::<AppState>().ok_or_else(|| internal("a server function outside the router"))?;
    Ok(Caller { state, signed: signed().filter(|signed| signed.means != Means::ApiKey) })
}

/// Who is signed in, inside a render or a server function.
pub fn signed() -> Option<Arc<Signed>> {
    use_context::<Parts>()?.extensions.get::<Arc<Signed>>().cloned()
}

/// For plain routes.
impl FromRequestParts<AppState> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let signed = parts.extensions.get::<Arc<Signed>>().cloned();
        Ok(Self { state: state.clone(), signed })
    }
}

/// A permitted request: the application, and who acts in which workspace.
#[derive(Clone)]
pub struct Ctx {
    pub state: AppState,
    signed: Arc<Signed>,
}

impl Ctx {
    /// For the program itself, on behalf of somebody whom nobody asked: the demo's data.
    pub fn trusted(state: AppState, signed: Signed) -> Self {
        Self { state, signed: Arc::new(signed) }
    }

    /// Who acts, where, and what their roles hold.
    pub fn info(&self) -> &SessionInfo {
        &self.signed.info
    }

    /// How they have shown who they are.
    pub fn means(&self) -> &Means {
        &self.signed.means
    }

    /// The address that the request came from.
    pub fn address(&self) -> &str {
        &self.signed.address
    }

    pub fn workspace(&self) -> &str {
        &self.signed.info.workspace_id
    }

    pub fn user(&self) -> &str {
        &self.signed.info.user_id
    }

    pub fn now(&self) -> crate::clock::Millis {
        self.state.clock.now()
    }

    /// What changes are written down with.
    pub fn by(&self) -> By {
        By::new(self.actor(), self.now())
    }

    /// As whom the audit log knows the one who acts.
    pub fn actor(&self) -> Actor {
        self.signed.actor()
    }
}

/// Begins every server function and every download. What is not in the caller's workspace does not exist
/// (`NotFound`), whatever the caller may do; then the roles decide (`Forbidden`), and for the use of a webhook its
/// grants (`NotGranted`).
pub async fn require(caller: &Caller, permission: Permission, resource: Resource<'_>) -> AppResult<Ctx> {
    let signed = caller.signed.clone().ok_or(AppError::Unauthenticated)?;
    let (db, info) = (&caller.state.db, &signed.info);
    if !resource.is_in(db, &info.workspace_id).await? {
        return Err(AppError::NotFound);
    }
    if !info.may(permission) {
        return Err(AppError::Forbidden);
    }
    if let (Permission::Manage(Area::ReachWebhook), Resource::Webhook(webhook)) = (permission, resource)
        && !info.administrator
        && !grants::store::is_granted(db, &info.workspace_id, &info.user_id, webhook, caller.state.clock.now()).await?
    {
        return Err(AppError::NotGranted);
    }
    Ok(Ctx { state: caller.state.clone(), signed: signed.clone() })
}
