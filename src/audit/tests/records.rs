//! What changes leave in the log; those of webhooks, parameters and tasks are tested in their rooms.

use crate::{
    access::model::Preset,
    audiences::api::{CreateAudience, DeleteAudience, UpdateAudience},
    audit::testing::{assert_whole, last_change, text, told},
    campaigns::api::{CreateCampaign, DeleteCampaign, UpdateCampaign},
    customers::api::{DiscardImport, StartImport},
    db::Db,
    id_types::api::{AddIdType, SetIdTypeEnabled},
    on_both_databases,
    server::testing::{Answer, Harness, encoded},
};
use axum::body::Body;
use http::{Request, header};
use leptos::server_fn::ServerFn;
use serde_json::json;

struct Desk {
    server: Harness,
    workspace: String,
    cookie: String,
}

impl Desk {
    async fn new(db: Db) -> Self {
        let server = Harness::new(db).await;
        let workspace = server.member("ada@example.com", "Shop", Preset::Administrator).await;
        let cookie = server.sign_in("ada@example.com").await;
        Self { server, workspace, cookie }
    }

    async fn call<F: ServerFn>(&self, fields: &[(&str, &str)]) -> Answer {
        self.server.call::<F>(&self.cookie, &encoded(fields)).await
    }

    /// A form that leads to the page of what it made; the id.
    async fn made<F: ServerFn>(&self, fields: &[(&str, &str)]) -> String {
        let answer = self.server.submit::<F>(&self.cookie, fields).await;
        assert_eq!(answer.status, 302, "{}", answer.text);
        answer.header("location").rsplit('/').next().unwrap().to_string()
    }

    async fn told(&self) -> Vec<String> {
        told(&self.server.state.db, &self.workspace).await
    }

    async fn last_change(&self) -> serde_json::Value {
        last_change(&self.server.state.db, &self.workspace).await
    }

    /// A file as a browser uploads it; where it leads to.
    async fn upload(&self, path: &str, fields: &[(&str, &str)], file: &str) -> String {
        let part = |(name, value): &(&str, &str)| {
            format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let fields: String = fields.iter().map(part).collect();
        let body = format!(
            "{fields}--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"list.csv\"\r\n\r\n{file}\r\n--x--\r\n"
        );
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
            .header(header::COOKIE, &self.cookie)
            .header("sec-fetch-site", "same-origin");
        let answer = self.server.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        answer.header("location").rsplit('/').next().unwrap().to_string()
    }
}

on_both_databases!(id_types_and_campaigns, |db| async move {
    let desk = Desk::new(db).await;
    desk.call::<AddIdType>(&[("new[code]", "LINE_ID"), ("new[name]", "Line")]).await;
    assert_eq!(desk.last_change().await, json!({"after": {"code": "LINE_ID", "name": "Line", "multi_value": false}}));
    desk.call::<SetIdTypeEnabled>(&[("code", "LINE_ID"), ("enabled", "true")]).await;
    desk.call::<SetIdTypeEnabled>(&[("code", "LINE_ID")]).await;
    desk.call::<SetIdTypeEnabled>(&[("code", "LINE_ID"), ("enabled", "true")]).await;
    // What is refused or not there leaves nothing.
    desk.call::<AddIdType>(&[("new[code]", "LINE_ID"), ("new[name]", "Again")]).await;
    desk.call::<SetIdTypeEnabled>(&[("code", "NOTHING")]).await;

    let main = desk.made::<CreateCampaign>(&[("new[name]", "Spring"), ("new[kind]", "Main")]).await;
    let edit = [("id", main.as_str()), ("edit[name]", "Summer"), ("edit[starts_on]", "2026-06-01")];
    desk.call::<UpdateCampaign>(&edit).await;
    assert!(desk.call::<UpdateCampaign>(&edit).await.status.is_success(), "nothing new, so nothing is written");
    let change = json!({"before": {"name": "Spring", "starts_on": null}, "after": {"name": "Summer", "starts_on": "2026-06-01"}});
    assert_eq!(desk.last_change().await, change);
    desk.made::<CreateCampaign>(&[("new[name]", "Sun"), ("new[kind]", "Sub"), ("new[parent_id]", &main)]).await;
    assert_eq!(desk.call::<DeleteCampaign>(&[("id", &main)]).await.status, 409);
    let alone = desk.made::<CreateCampaign>(&[("new[name]", "Alone"), ("new[kind]", "Sub")]).await;
    desk.call::<DeleteCampaign>(&[("id", &alone)]).await;
    let expected = [
        "created id_type Line",
        "disabled id_type Line",
        "enabled id_type Line",
        "created campaign Spring",
        "changed campaign Summer",
        "created campaign Sun",
        "created campaign Alone",
        "deleted campaign Alone",
    ];
    assert_eq!(desk.told().await, expected.map(|one| format!("Somebody: {one}")));
    assert_whole(&desk.server.state.db, &desk.workspace).await;
});

on_both_databases!(imports_and_audiences_but_nobody_s_ids, |db| async move {
    let desk = Desk::new(db).await;
    let file = "id,EMAIL\nc1,hidden@example.com\nc2,other@example.com\n";
    let import = desk.upload(crate::customers::upload_page::UPLOAD, &[], file).await;
    let fields = [
        ("id", import.as_str()),
        ("columns[0][header]", "id"),
        ("columns[0][target]", "customer_id"),
        ("columns[1][header]", "EMAIL"),
        ("columns[1][target]", "id:EMAIL"),
    ];
    assert!(desk.call::<StartImport>(&fields).await.status.is_success());
    assert_eq!(desk.last_change().await, json!({"after": {"columns": ["id → customer_id", "EMAIL → id:EMAIL"]}}));
    assert_eq!(desk.call::<StartImport>(&fields).await.status, 409, "it runs already");
    let unused = desk.upload(crate::customers::upload_page::UPLOAD, &[], file).await;
    desk.made::<DiscardImport>(&[("id", &unused)]).await;

    let all = desk.made::<CreateAudience>(&[("name", "All"), ("kind", "all")]).await;
    for _ in 0..2 {
        desk.call::<UpdateAudience>(&[("id", &all), ("name", "Everybody")]).await;
    }
    assert_eq!(desk.last_change().await["after"]["name"], "Everybody");
    desk.call::<DeleteAudience>(&[("id", &all)]).await;
    let list = [("name", "Listed"), ("id_type", "EMAIL")];
    desk.upload(crate::audiences::form::UPLOAD, &list, "hidden@example.com\nnobody@example.com\n").await;
    let expected = [
        "imported customers list.csv",
        "deleted customers list.csv",
        "created audience All",
        "changed audience Everybody",
        "deleted audience Everybody",
        "created audience Listed",
    ];
    assert_eq!(desk.told().await, expected.map(|one| format!("Somebody: {one}")));
    let text = text(&desk.server.state.db).await;
    assert!(!text.contains("hidden@") && !text.contains("nobody@"), "{text}");
    assert_whole(&desk.server.state.db, &desk.workspace).await;
});
