//! Downloads and uploads: plain routes.

use crate::server::AppState;
use axum::Router;

pub fn routes(_upload_limit: u64) -> Router<AppState> {
    Router::new()
}
