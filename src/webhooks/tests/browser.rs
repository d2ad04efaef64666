//! A signed-in browser without wasm in front of the whole router, for tests of rooms.

use crate::{
    access::{self, model::Role},
    clock::{Clock, MINUTE},
    config::Config,
    db::Db,
    delivery::Engine,
    error::AppError,
    secrets::MasterKey,
    server::{AppState, router},
};
use axum::{
    Router,
    body::{Body, to_bytes},
};
use http::{Request, StatusCode, header};
use sha2::{Digest, Sha256};
use tokio::sync::RwLock;
use tower::ServiceExt;

const NOW: i64 = 1_700_000_000_000;

/// Making a router lists the routes, and while that goes on no resource of the whole process loads: a page that is
/// rendered meanwhile waits forever (leptos#4773). So routers are made alone. A server makes its one before it listens.
static RENDERING: RwLock<()> = RwLock::const_new(());
pub(crate) struct Browser {
    pub(crate) state: AppState,
    pub(crate) workspace: String,
    router: Router,
    cookie: String,
}

pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) location: String,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn error(&self) -> AppError {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn wrong_fields(&self) -> Vec<String> {
        self.error().fields().iter().map(|error| error.field.clone()).collect()
    }
}

impl Browser {
    pub(crate) async fn new(db: Db, role: Role) -> Self {
        let mut config = Config::defaults();
        config.engine.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        let clock = Clock::manual(NOW);
        let master_key = MasterKey::from_text("a key of enough length").unwrap();
        let engine = Engine::start(&config, db.clone(), clock.clone(), master_key.clone(), vec![]);
        let state = AppState::new(config, db, clock, master_key, engine);
        Self::sign_in(state, "Spring Store", role).await
    }

    pub(crate) async fn sign_in(state: AppState, workspace: &str, role: Role) -> Self {
        let (db, token) = (&state.db, crate::clock::new_id());
        let workspace = access::store::put_workspace(db, workspace, "UTC", NOW).await.unwrap();
        let user = access::store::put_user(db, &format!("{token}@example.com"), "Ann", "", NOW).await.unwrap();
        access::store::put_member(db, &workspace, &user, role).await.unwrap();
        let hash = hex::encode(Sha256::digest(token.as_bytes()));
        access::store::add_session(db, &hash, &user, &workspace, NOW, NOW + MINUTE).await.unwrap();
        let making = RENDERING.write().await;
        let router = router(state.clone());
        drop(making);
        Self { state, workspace, router, cookie: format!("reachwire={token}") }
    }

    async fn ask(&self, request: http::request::Builder, body: String) -> Page {
        let request = request.header(header::COOKIE, &self.cookie).body(Body::from(body)).unwrap();
        let _rendering = RENDERING.read().await;
        let response = self.router.clone().oneshot(request).await.unwrap();
        let location = response.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_string());
        let status = response.status();
        let text = to_bytes(response.into_body(), 1 << 22).await.unwrap();
        Page { status, location: location.unwrap_or_default(), text: String::from_utf8(text.to_vec()).unwrap() }
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.ask(Request::get(path).header(header::ACCEPT, "text/html"), String::new()).await
    }

    /// As `ActionForm` posts: by the browser itself, or (`accept` is not HTML) by the wasm.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)], accept: &str) -> Page {
        let escape = leptos_router::location::Url::escape;
        let pairs = fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, accept)
            .header(header::REFERER, "/webhooks");
        self.ask(request, pairs.collect::<Vec<_>>().join("&")).await
    }
}
