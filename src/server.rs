//! The HTTP server: the router, which tests drive too, and what surrounds every request.

mod assets;
pub mod csv;
mod health;
mod metrics;
mod observe;
mod page;
mod security;
mod serve;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;

pub use observe::init_logs;
pub use serve::{GRACE, open, open_known, serve, start};

use crate::invitations::{self, shown::Shown};
use crate::{access, app::App, audit, clock::Clock, config::Config, customers, db::Db, delivery::Engine, receipts};
use crate::{audiences, guide, parameters::load::Loads, secrets::MasterKey, tasks, webhooks};
use axum::{Router, extract::FromRef, middleware, routing};
use leptos::config::LeptosOptions;
use leptos_axum::{LeptosRoutes, generate_route_list};
use std::sync::Arc;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, limit::RequestBodyLimitLayer};

/// Everything that a request may need. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub config: Arc<Config>,
    pub db: Db,
    pub clock: Clock,
    pub master_key: MasterKey,
    pub engine: Engine,
    pub loads: Loads,
    pub shown: Shown,
    pub readiness: health::Readiness,
    pub metrics: metrics_exporter_prometheus::PrometheusHandle,
    pub leptos: LeptosOptions,
}

impl AppState {
    pub fn new(config: Config, db: Db, clock: Clock, master_key: MasterKey, engine: Engine) -> Self {
        Self {
            config: Arc::new(config),
            db,
            clock,
            master_key,
            engine,
            loads: Loads::default(),
            shown: Shown::default(),
            readiness: health::Readiness::default(),
            metrics: metrics::handle(),
            leptos: assets::leptos_options(),
        }
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}

/// Forms and server functions; uploads and receipts have limits of their own.
const BODY_LIMIT: usize = 2 * 1024 * 1024;

/// What the node's roles serve; whatever else is asked for is not found here.
pub fn router(state: AppState) -> Router {
    let roles = state.config.roles;
    let mut router = Router::new()
        .route("/healthz", routing::get(health::alive))
        .route("/readyz", routing::get(health::ready))
        .route("/metrics", routing::get(observe::render));
    if roles.intake {
        router = router.merge(receipts::intake::routes());
    }
    if roles.web {
        router = router.merge(pages(&state));
    }
    router
        .layer(CatchPanicLayer::custom(page::panic_page))
        .layer(middleware::from_fn_with_state(state.clone(), observe::request_line))
        .with_state(state)
}

/// Pages, and what they ask for.
fn pages(state: &AppState) -> Router<AppState> {
    Router::new()
        .leptos_routes_with_context(state, generate_route_list(App), page::contexts(state), {
            let options = state.leptos.clone();
            move || page::shell(options.clone())
        })
        .fallback(leptos_axum::file_and_error_handler_with_context::<AppState, _>(page::contexts(state), page::shell))
        .merge(access::session::routes())
        .merge(invitations::accept::routes())
        .merge(crate::account::forms::routes())
        .merge(tasks::files::routes())
        .merge(webhooks::files::routes())
        .merge(guide::files::routes())
        .merge(audit::files::routes())
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .merge(customers::files::routes(state.config.upload_limit))
        .merge(audiences::files::routes(state.config.upload_limit))
        .merge(customers::rest::routes())
        .layer(middleware::from_fn(security::no_nul))
        .layer(middleware::from_fn(security::server_function_status))
        .layer(middleware::from_fn_with_state(state.clone(), access::session::load))
        .layer(middleware::from_fn_with_state(state.clone(), security::same_origin))
        .layer(middleware::from_fn(security::headers))
        .layer(CompressionLayer::new())
}
