//! The person and the workspace that a request acts for.

use super::model::{Permission, SessionInfo};
use crate::{
    error::{AppError, AppResult, internal},
    server::AppState,
};
use axum::extract::FromRequestParts;
use http::request::Parts;
use leptos::prelude::use_context;
use std::sync::Arc;

/// Who a signed-in request comes from, as the session layer found it.
#[derive(Clone, Debug)]
pub struct Signed {
    pub user_id: String,
    pub workspace_id: String,
    pub info: SessionInfo,
}

/// A permitted request: the application and who acts in which workspace.
#[derive(Clone)]
pub struct Ctx {
    pub state: AppState,
    pub signed: Arc<Signed>,
}

impl Ctx {
    pub fn workspace(&self) -> &str {
        &self.signed.workspace_id
    }

    pub fn user(&self) -> &str {
        &self.signed.user_id
    }

    pub fn now(&self) -> crate::clock::Millis {
        self.state.clock.now()
    }

    pub fn require(self, permission: Permission) -> AppResult<Self> {
        if self.signed.info.may(permission) { Ok(self) } else { Err(AppError::Forbidden) }
    }
}

/// For server functions: the caller, if they may.
pub fn require(permission: Permission) -> AppResult<Ctx> {
    let state = use_context::<AppState>().ok_or_else(|| internal("a server function outside the router"))?;
    let signed = signed().ok_or(AppError::Unauthenticated)?;
    Ctx { state, signed }.require(permission)
}

/// Who is signed in, inside a render or a server function.
pub fn signed() -> Option<Arc<Signed>> {
    use_context::<Parts>()?.extensions.get::<Arc<Signed>>().cloned()
}

/// For plain routes: `ctx: Ctx`, then `ctx.require(..)`.
impl FromRequestParts<AppState> for Ctx {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, AppError> {
        let signed = parts.extensions.get::<Arc<Signed>>().cloned().ok_or(AppError::Unauthenticated)?;
        Ok(Self { state: state.clone(), signed })
    }
}
