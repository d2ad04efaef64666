//! The real router on a test database: tests speak to it as browsers and programs do.

mod log;

pub use log::{Log, warnings};

use super::{AppState, router};
use crate::{
    access::{model::Preset, password, store as access},
    clock::Clock,
    config::Config,
    db::Db,
    delivery::Engine,
    secrets::MasterKey,
};
use axum::{Router, body::Body};
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use leptos::server_fn::ServerFn;
use tokio::sync::RwLock;
use tower::ServiceExt;

pub const PASSWORD: &str = "a password of length";

/// Making a router lists the routes, and while that goes on no resource of the whole process loads: a page that is
/// rendered meanwhile in another test waits forever (leptos#4773). So routers are made alone. A server makes its one
/// before it listens.
static RENDERING: RwLock<()> = RwLock::const_new(());

pub struct Harness {
    pub state: AppState,
    pub router: Router,
    _folder: tempfile::TempDir,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub head: Response<()>,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.head.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

impl Harness {
    pub async fn new(db: Db) -> Self {
        Self::with(db, |_| ()).await
    }

    /// With other settings than the defaults.
    pub async fn with(db: Db, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        config.data = folder.path().into();
        change(&mut config);
        let clock = Clock::manual(1_800_000_000_000);
        let key = MasterKey::from_text("the master key of the tests").unwrap();
        let engine = Engine::start(&config, db.clone(), clock.clone(), key.clone(), crate::tasks::senders());
        let state = AppState::new(config, db, clock, key, engine);
        let alone = RENDERING.write().await;
        let router = router(state.clone());
        drop(alone);
        Self { router, state, _folder: folder }
    }

    /// A member of a workspace, which is made when it is not there: the workspace's id.
    pub async fn member(&self, email: &str, workspace: &str, role: Preset) -> String {
        let (db, now) = (&self.state.db, self.state.clock.now());
        let hash = password::hash(PASSWORD.into()).await.unwrap();
        let user = access::put_user(db, email, Some("Somebody"), &hash, now).await.unwrap();
        let workspace = access::put_workspace(db, workspace, "UTC", now).await.unwrap();
        access::put_member(db, &workspace, &user, role, now).await.unwrap();
        workspace
    }

    /// Another one, whose one role holds these permissions, by their codes.
    pub async fn member_who_may(&self, email: &str, workspace: &str, codes: &[&str]) -> String {
        let workspace = self.member(email, workspace, Preset::Analyst).await;
        let (db, role) = (&self.state.db, crate::clock::new_id());
        crate::execute!(
            db,
            "insert into roles (workspace_id, id, name, name_key, description, permissions, version, created_at,
                                updated_at)
             values ($1, $2, $2, $2, '', $3, 1, 0, 0)",
            &workspace,
            &role,
            serde_json::to_string(codes).unwrap()
        )
        .unwrap();
        let user = access::user_by_email(db, email).await.unwrap().unwrap().id;
        let sql = "update member_roles set role_id = $3 where workspace_id = $1 and user_id = $2";
        crate::execute!(db, sql, &workspace, user, &role).unwrap();
        workspace
    }

    /// A permanent grant of the webhook, By Member.
    pub async fn grant(&self, workspace: &str, webhook: &str, email: &str) {
        let user = access::user_by_email(&self.state.db, email).await.unwrap().unwrap().id;
        crate::execute!(
            self.state.db,
            "insert into webhook_grants (workspace_id, id, webhook_id, subject_kind, subject_id, from_at, granted_by,
                                         granted_at)
             values ($1, $2, $3, 'member', $4, 0, '', 0)",
            workspace,
            crate::clock::new_id(),
            webhook,
            user
        )
        .unwrap();
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let _rendering = RENDERING.read().await;
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, head: Response::from_parts(parts, ()), text }
    }

    /// Signs in; the cookie.
    pub async fn sign_in(&self, email: &str) -> String {
        let answer = self.try_sign_in(email, PASSWORD).await;
        let cookie = answer.header("set-cookie").split(';').next().unwrap_or("").to_string();
        assert!(cookie.starts_with("reachwire="), "{email} cannot sign in: {}", answer.header("location"));
        cookie
    }

    pub async fn try_sign_in(&self, email: &str, password: &str) -> Answer {
        let form = format!("email={}&password={}", email.replace('@', "%40"), password.replace(' ', "+"));
        self.post("/sign-in", "", &form).await
    }

    /// A page, as a browser asks for it.
    pub async fn page(&self, path: &str, cookie: &str) -> Answer {
        let request = Request::get(path).header(header::ACCEPT, "text/html").header(header::COOKIE, cookie);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, cookie: &str, form: &str) -> Answer {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, cookie)
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(Body::from(form.to_string())).unwrap()).await
    }

    /// Submits a form as a browser without wasm does; `fields` are names and values, not encoded.
    pub async fn submit<F: ServerFn>(&self, cookie: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(F::PATH)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "text/html")
            .header(header::REFERER, "/")
            .header(header::COOKIE, cookie)
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(Body::from(encoded(fields))).unwrap()).await
    }

    /// Calls a server function as the wasm does; `form` is its url-encoded arguments.
    pub async fn call<F: ServerFn>(&self, cookie: &str, form: &str) -> Answer {
        self.post(F::PATH, cookie, form).await
    }
}

/// Names and values as a form encodes them.
pub fn encoded(fields: &[(&str, &str)]) -> String {
    let escape = leptos_router::location::Url::escape;
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}
