//! The room from outside.

use super::{
    api::{AddIdType, ListIdTypes, SetIdTypeEnabled},
    model::ManagedIdType,
};
use crate::{
    access::model::Preset,
    audit::By,
    db::Db,
    error::AppError,
    on_both_databases,
    server::testing::{Answer, Harness, encoded},
    webhooks::{
        self,
        api::SetWebhookEnabled,
        model::{Authentication, WebhookInput},
        store::Saving,
    },
};

struct Desk {
    server: Harness,
    workspace: String,
    cookie: String,
}

impl Desk {
    async fn new(db: Db) -> Self {
        let server = Harness::with(db, |_| ()).await;
        let workspace = server.member("ada@example.com", "Shop", Preset::Administrator).await;
        let cookie = server.sign_in("ada@example.com").await;
        Self { server, workspace, cookie }
    }

    async fn add(&self, code: &str, name: &str) -> Answer {
        let fields = encoded(&[("new[code]", code), ("new[name]", name), ("new[multi_value]", "true")]);
        self.server.call::<AddIdType>(&self.cookie, &fields).await
    }

    async fn turn(&self, code: &str, enabled: &str) -> Answer {
        let fields = encoded(&[("code", code), ("enabled", enabled)]);
        self.server.call::<SetIdTypeEnabled>(&self.cookie, &fields).await
    }

    async fn list(&self) -> Vec<ManagedIdType> {
        let answer = self.server.call::<ListIdTypes>(&self.cookie, "").await;
        serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {}", answer.text))
    }

    async fn webhook(&self, name: &str, id_types: &[&str]) -> String {
        let input = WebhookInput {
            name: name.into(),
            authentication: Authentication::None,
            url: "https://crm.example.com".into(),
            id_types: id_types.iter().map(|code| (*code).into()).collect(),
            ..Default::default()
        };
        let saving = Saving::new(&self.server.state, &self.workspace, By::command_line(0));
        webhooks::store::create(&saving, &input, None).await.unwrap()
    }
}

on_both_databases!(custom_types_stand_behind_the_preset_ones, |db| async move {
    let desk = Desk::new(db).await;
    assert_eq!(desk.list().await.len(), 14);
    assert_eq!(desk.add(" LINE_ID ", "Line").await.status, 200);
    let all = desk.list().await;
    let last = all.last().unwrap();
    assert_eq!(
        (last.code.as_str(), last.name.as_str(), last.multi_value, last.enabled),
        ("LINE_ID", "Line", true, true)
    );
    for (code, name, field) in [("LINE_ID", "Again", "code"), ("line", "Small", "code"), ("X", "", "name")] {
        let answer = desk.add(code, name).await;
        let error: AppError = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(error.fields()[0].field, field, "{code}: {}", answer.text);
    }
    let page = desk.server.page("/id-types", &desk.cookie).await.text;
    for text in ["ID Type Management", "LINE_ID", "WeChat OpenID", "Create ID Type", "Several"] {
        assert!(page.contains(text), "{text}");
    }
    // It can be chosen at once.
    assert!(desk.server.page("/webhooks/new", &desk.cookie).await.text.contains("LINE_ID"));
});

on_both_databases!(the_last_type_of_an_enabled_webhook_stays_enabled, |db| async move {
    let desk = Desk::new(db).await;
    let only = desk.webhook("Only mail", &["EMAIL"]).await;
    desk.webhook("Either", &["EMAIL", "MOBILE"]).await;
    let refused = desk.turn("EMAIL", "false").await;
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("“Only mail”") && !refused.text.contains("“Either”"), "{}", refused.text);
    webhooks::store::set_enabled(&desk.server.state.db, &desk.workspace, &only, false, &By::command_line(0))
        .await
        .unwrap();
    assert_eq!(desk.turn("EMAIL", "false").await.status, 200);
    let useless =
        desk.server.call::<SetWebhookEnabled>(&desk.cookie, &encoded(&[("id", &only), ("enabled", "true")])).await;
    assert!(useless.status == 409 && useless.text.contains("EMAIL"), "{}", useless.text);
    let refused = desk.turn("MOBILE", "false").await;
    assert!(refused.text.contains("“Either”"), "its other type is disabled: {}", refused.text);
    assert_eq!(desk.turn("EMAIL", "true").await.status, 200);
    let email = desk.list().await.into_iter().find(|row| row.code == "EMAIL").unwrap();
    assert_eq!((email.enabled, email.webhooks), (true, 2));
    assert_eq!(desk.turn("NOTHING", "true").await.status, 404);
});

on_both_databases!(only_administrators_change_them, |db| async move {
    let desk = Desk::new(db).await;
    desk.server.member("bob@example.com", "Shop", Preset::Marketer).await;
    let marketer = desk.server.sign_in("bob@example.com").await;
    let new = encoded(&[("new[code]", "X"), ("new[name]", "X")]);
    assert_eq!(desk.server.call::<AddIdType>(&marketer, &new).await.status, 403);
    assert_eq!(desk.server.call::<SetIdTypeEnabled>(&marketer, "code=EMAIL").await.status, 403);
    assert_eq!(desk.server.call::<ListIdTypes>("", "").await.status, 401);
    assert!(!desk.server.page("/id-types", &marketer).await.text.contains("Create ID Type"));
});
