//! The room from outside: adding, changing, removing, on both databases.

mod lists;
mod refusals;

use super::{
    api::{AddMember, MakeMemberLink, RemoveMember, SaveMember, SetMemberEnabled, TurnOffSecondFactor},
    store,
};
use crate::{
    access::{model::Preset, store as access},
    db::Db,
    error::AppError,
    execute, fetch, on_both_databases,
    server::testing::{Answer, Harness, PASSWORD, encoded},
};
use http::StatusCode;

/// A workspace with an administrator.
pub struct Desk {
    pub server: Harness,
    pub workspace: String,
    pub cookie: String,
}

impl Desk {
    pub async fn new(db: Db) -> Self {
        Self::on(Harness::new(db).await).await
    }

    pub async fn on(server: Harness) -> Self {
        let workspace = server.member("ada@example.com", "Shop", Preset::Administrator).await;
        let cookie = server.sign_in("ada@example.com").await;
        Self { server, workspace, cookie }
    }

    pub fn db(&self) -> &Db {
        &self.server.state.db
    }

    pub async fn id(&self, email: &str) -> String {
        access::user_by_email(self.db(), email).await.unwrap().unwrap_or_else(|| panic!("no {email}")).id
    }

    /// Somebody else's session, with a role of the workspace's own.
    pub async fn with_role(&self, email: &str, permissions: &[&str]) -> String {
        self.server.member(email, "Shop", Preset::Analyst).await;
        let (db, id, name) = (self.db(), crate::clock::new_id(), format!("Role of {email}"));
        execute!(
            db,
            "insert into roles (workspace_id, id, name, name_key, description, permissions, version, created_at,
                                updated_at)
             values ($1, $2, $3, $3, '', $4, 1, 0, 0)",
            &self.workspace,
            &id,
            name,
            serde_json::to_string(permissions).unwrap()
        )
        .unwrap();
        let sql = "update member_roles set role_id = $3 where workspace_id = $1 and user_id = $2";
        execute!(db, sql, &self.workspace, self.id(email).await, &id).unwrap();
        self.server.sign_in(email).await
    }

    pub async fn organization_administrator(&self, email: &str) {
        let sql = "update users set organization_admin = $2 where email = $1";
        execute!(self.db(), sql, email, true).unwrap();
    }

    pub async fn group(&self, name: &str) -> String {
        let id = crate::clock::new_id();
        let sql = "insert into member_groups (workspace_id, id, name, name_key, created_at, updated_at)
                   values ($1, $2, $3, $3, 0, 0)";
        execute!(self.db(), sql, &self.workspace, &id, name).unwrap();
        id
    }

    pub async fn add_as(&self, cookie: &str, email: &str, role: &str) -> Answer {
        let fields = [("new[email]", email), ("new[name]", ""), ("new[roles][0]", role)];
        self.server.submit::<AddMember>(cookie, &fields).await
    }

    /// Adds somebody new; the path of the invitation link.
    pub async fn invite(&self, email: &str, role: &str) -> String {
        let added = self.add_as(&self.cookie, email, role).await;
        self.link_behind(&added).await
    }

    /// The path of the only link on the page that an answer leads to.
    pub async fn link_behind(&self, answer: &Answer) -> String {
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text);
        let to = answer.header("location").to_string();
        assert!(to.starts_with("/members/links/"), "{to}");
        let page = self.server.page(&to, &self.cookie).await;
        assert_eq!(page.status, StatusCode::OK);
        links_in(&page.text).into_iter().next().unwrap_or_else(|| panic!("no link: {}", page.text))
    }

    /// Chooses name and password behind a link.
    pub async fn accept(&self, link: &str, name: &str, password: &str) -> Answer {
        self.server.post(link, "", &encoded(&[("name", name), ("password", password)])).await
    }

    /// What the member's page has as `seen`.
    pub async fn seen(&self, id: &str) -> String {
        let (mut roles, mut groups) = store::held(self.db(), &self.workspace, &[id.to_string()]).await.unwrap();
        let attributes = access::attributes(self.db(), &self.workspace, id).await.unwrap();
        let (roles, groups) = (roles.remove(id).unwrap_or_default(), groups.remove(id).unwrap_or_default());
        store::fingerprint(&roles, &groups, &attributes)
    }

    /// Saves what was edited on the page as it stands.
    pub async fn save(&self, cookie: &str, id: &str, fields: &[(&str, &str)]) -> Answer {
        self.save_seen(cookie, id, &self.seen(id).await, fields).await
    }

    pub async fn save_seen(&self, cookie: &str, id: &str, seen: &str, fields: &[(&str, &str)]) -> Answer {
        let fields = [&[("id", id), ("seen", seen)], fields].concat();
        self.server.call::<SaveMember>(cookie, &encoded(&fields)).await
    }

    pub async fn enable(&self, cookie: &str, id: &str, enabled: &str) -> Answer {
        self.server.call::<SetMemberEnabled>(cookie, &encoded(&[("id", id), ("enabled", enabled)])).await
    }

    pub async fn remove(&self, cookie: &str, id: &str) -> Answer {
        self.server.call::<RemoveMember>(cookie, &encoded(&[("id", id)])).await
    }

    pub async fn make_link(&self, cookie: &str, id: &str) -> Answer {
        self.server.submit::<MakeMemberLink>(cookie, &[("id", id)]).await
    }

    pub async fn turn_off(&self, cookie: &str, id: &str) -> Answer {
        self.server.call::<TurnOffSecondFactor>(cookie, &encoded(&[("id", id)])).await
    }

    /// What the workspace's log says: action, object, change.
    pub async fn log(&self) -> Vec<String> {
        let sql = "select action, object, change from audit_log where workspace_id = $1 order by seq";
        let rows = fetch!(self.db(), all, (String, String, String), sql, &self.workspace).unwrap();
        rows.into_iter().map(|(action, object, change)| format!("{action} {object} {change}")).collect()
    }

    pub async fn count(&self, sql: &'static str, id: &str) -> i64 {
        fetch!(self.db(), one, (i64,), sql, id).unwrap().0
    }
}

/// The paths of the links on a page, each once.
pub fn links_in(page: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (at, start) in page.match_indices("/invitation/") {
        let token: String = page[at + start.len()..].chars().take_while(char::is_ascii_hexdigit).collect();
        let path = format!("{start}{token}");
        if token.len() == 64 && !found.contains(&path) {
            found.push(path);
        }
    }
    found
}

/// What a refusal says.
pub fn error(answer: &Answer) -> AppError {
    serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {}", answer.text))
}

on_both_databases!(a_new_member_gets_a_link_that_is_shown_once, |db| async move {
    let desk = Desk::new(db).await;
    let east = desk.group("East").await;
    let fields = [
        ("new[email]", " Bob@Example.com "),
        ("new[name]", "Bob"),
        ("new[roles][0]", "marketer"),
        ("new[roles][1]", "analyst"),
        ("new[groups][0]", east.as_str()),
    ];
    let added = desk.server.submit::<AddMember>(&desk.cookie, &fields).await;
    let page = desk.server.page(added.header("location"), &desk.cookie).await;
    assert_eq!(links_in(&page.text).len(), 1, "{}", page.text);
    for text in ["Bob (bob@example.com) is invited", "valid once, until", "mail is not configured"] {
        assert!(page.text.contains(text), "{text}");
    }
    let again = desk.server.page(added.header("location"), &desk.cookie).await;
    assert!(again.text.contains("Shown already") && links_in(&again.text).is_empty());

    let list = desk.server.page("/members", &desk.cookie).await.text;
    for text in ["bob@example.com", "Analyst, Marketer", "East", "Invited", "New invitation link", "Add Member"] {
        assert!(list.contains(text), "{text}");
    }
    let bob = desk.id("bob@example.com").await;
    let detail = desk.server.page(&format!("/members/{bob}"), &desk.cookie).await.text;
    for text in ["Invitation link", "made by Somebody", "New invitation link", "Remove from workspace", "Attributes"] {
        assert!(detail.contains(text), "{text}");
    }
    let log = desk.log().await;
    let invited = log.iter().find(|line| line.starts_with("invited Bob")).unwrap();
    assert!(invited.contains("Marketer") && invited.contains("East") && invited.contains("bob@example.com"));
});

on_both_databases!(a_person_with_a_password_just_becomes_a_member, |db| async move {
    let desk = Desk::new(db).await;
    desk.server.member("bob@example.com", "Elsewhere", Preset::Marketer).await;
    let refused = desk
        .server
        .call::<AddMember>(&desk.cookie, "new[email]=bob%40example.com&new[name]=&new[roles][0]=analyst")
        .await;
    assert!(refused.status == StatusCode::CONFLICT && refused.text.contains("organization administrator"));
    execute!(desk.db(), "update users set organization_admin = $2 where email = $1", "ada@example.com", true).unwrap();
    let added = desk.add_as(&desk.cookie, "bob@example.com", "analyst").await;
    let page = desk.server.page(added.header("location"), &desk.cookie).await.text;
    assert!(page.contains("has an account already and is a member now") && links_in(&page).is_empty());
    let again = desk.server.call::<AddMember>(&desk.cookie, "new[email]=bob%40example.com&new[roles][0]=analyst").await;
    assert_eq!(error(&again).fields()[0].field, "email");
    let bob = desk.id("bob@example.com").await;
    assert_eq!(desk.count("select count(*) from members where user_id = $1", &bob).await, 2);
    assert_eq!(desk.count("select count(*) from account_links where user_id = $1", &bob).await, 0);
});

on_both_databases!(roles_groups_and_attributes_are_changed_and_recorded, |db| async move {
    let desk = Desk::new(db).await;
    desk.server.member("bob@example.com", "Shop", Preset::Marketer).await;
    let (bob, east) = (desk.id("bob@example.com").await, desk.group("East").await);
    let fields = [
        ("input[roles][0]", "analyst"),
        ("input[groups][0]", east.as_str()),
        ("input[attributes][0][name]", "region"),
        ("input[attributes][0][values]", "East\r\nNorth"),
    ];
    assert_eq!(desk.save(&desk.cookie, &bob, &fields).await.status, StatusCode::OK);
    let attributes = access::attributes(desk.db(), &desk.workspace, &bob).await.unwrap();
    assert_eq!(attributes["region"], ["East", "North"]);
    let standing = access::standing(desk.db(), &desk.workspace, &bob, false).await.unwrap();
    assert_eq!(standing.roles, ["Analyst"]);
    let log = desk.log().await;
    let change = log.iter().find(|line| line.starts_with("changed Somebody")).unwrap();
    for text in ["Marketer", "Analyst", "East", "North"] {
        assert!(change.contains(text), "{change}");
    }
    let before = log.len();
    assert_eq!(desk.save(&desk.cookie, &bob, &fields).await.status, StatusCode::OK);
    assert_eq!(desk.log().await.len(), before, "what changes nothing is not recorded");
    for (name, value, field) in [
        ("input[roles][0]", "pilot", "roles"),
        ("input[groups][0]", "nobody", "groups"),
        ("input[attributes][0][values]", "x", "attributes[0][name]"),
    ] {
        let mut fields = vec![("input[roles][0]", "analyst")];
        fields.retain(|(own, _)| *own != name);
        fields.push((name, value));
        if name != "input[roles][0]" {
            fields.push(("input[roles][1]", "analyst"));
        }
        assert_eq!(error(&desk.save(&desk.cookie, &bob, &fields).await).fields()[0].field, field);
    }
});

on_both_databases!(who_is_disabled_is_out_at_once, |db| async move {
    let desk = Desk::new(db).await;
    desk.server.member("bob@example.com", "Shop", Preset::Marketer).await;
    let elsewhere = desk.server.member("bob@example.com", "Elsewhere", Preset::Marketer).await;
    let (bob, cookie) = (desk.id("bob@example.com").await, desk.server.sign_in("bob@example.com").await);
    desk.server.post("/switch-workspace", &cookie, &encoded(&[("workspace", &desk.workspace)])).await;
    assert_eq!(desk.server.page("/tasks", &cookie).await.status, StatusCode::OK);
    assert_eq!(desk.enable(&desk.cookie, &bob, "false").await.status, StatusCode::OK);
    assert_eq!(desk.server.page("/tasks", &cookie).await.status, StatusCode::SEE_OTHER, "the session has ended");
    assert_eq!(desk.count("select count(*) from sessions where user_id = $1", &bob).await, 0);
    let list = desk.server.page("/members?state=disabled", &desk.cookie).await.text;
    assert!(list.contains("bob@example.com") && list.contains("Enable"));
    // The other workspace is not this one's to close.
    let cookie = desk.server.sign_in("bob@example.com").await;
    let moved = desk.server.post("/switch-workspace", &cookie, &encoded(&[("workspace", &desk.workspace)])).await;
    assert_eq!(moved.status, StatusCode::NOT_FOUND);
    let sql = "select count(*) from sessions where workspace_id = $1";
    assert_eq!(desk.count(sql, &elsewhere).await, 1);

    desk.enable(&desk.cookie, &bob, "true").await;
    let moved = desk.server.post("/switch-workspace", &cookie, &encoded(&[("workspace", &desk.workspace)])).await;
    assert_eq!(moved.status, StatusCode::SEE_OTHER);
    let log = desk.log().await;
    for start in ["disabled Somebody", "enabled Somebody"] {
        assert_eq!(log.iter().filter(|line| line.starts_with(start)).count(), 1, "{log:?}");
    }
});

on_both_databases!(removing_leaves_nothing_of_the_membership, |db| async move {
    let desk = Desk::new(db).await;
    desk.server.member("bob@example.com", "Shop", Preset::Marketer).await;
    let (bob, east) = (desk.id("bob@example.com").await, desk.group("East").await);
    let fields = [("input[roles][0]", "marketer"), ("input[groups][0]", east.as_str())];
    desk.save(&desk.cookie, &bob, &fields).await;
    desk.server.grant(&desk.workspace, "w1", "bob@example.com").await;
    let cookie = desk.server.sign_in("bob@example.com").await;
    assert_eq!(desk.remove(&desk.cookie, &bob).await.status, StatusCode::OK);
    for sql in [
        "select count(*) from members where user_id = $1",
        "select count(*) from member_roles where user_id = $1",
        "select count(*) from member_group_members where user_id = $1",
        "select count(*) from webhook_grants where subject_id = $1",
        "select count(*) from sessions where user_id = $1",
    ] {
        assert_eq!(desk.count(sql, &bob).await, 0, "{sql}");
    }
    assert_eq!(desk.server.page("/tasks", &cookie).await.status, StatusCode::SEE_OTHER);
    assert_eq!(desk.server.page(&format!("/members/{bob}"), &desk.cookie).await.status, StatusCode::NOT_FOUND);
    assert!(desk.log().await.iter().any(|line| line.starts_with("removed Somebody") && line.contains("Marketer")));
    // The link of an invitation ends with it; the account can be added again.
    let link = desk.invite("eve@example.com", "analyst").await;
    let eve = desk.id("eve@example.com").await;
    desk.remove(&desk.cookie, &eve).await;
    assert_eq!(desk.server.page(&link, "").await.status, StatusCode::GONE);
    assert_eq!(desk.invite("eve@example.com", "analyst").await.len(), link.len());
});

on_both_databases!(the_second_factor_of_who_lost_the_phone_is_turned_off, |db| async move {
    let desk = Desk::new(db).await;
    desk.server.member("bob@example.com", "Shop", Preset::Marketer).await;
    let (bob, cookie) = (desk.id("bob@example.com").await, desk.server.sign_in("bob@example.com").await);
    execute!(desk.db(), "update users set totp_cipher = 'x', totp_step = 7 where id = $1", &bob).unwrap();
    let page = desk.server.page(&format!("/members/{bob}"), &desk.cookie).await.text;
    assert!(page.contains("Turn off second factor"));
    assert_eq!(desk.turn_off(&desk.cookie, &bob).await.status, StatusCode::OK);
    assert_eq!(desk.count("select count(*) from users where id = $1 and totp_cipher is null", &bob).await, 1);
    assert_eq!(desk.server.page("/tasks", &cookie).await.status, StatusCode::SEE_OTHER);
    assert!(desk.log().await.iter().any(|line| line.starts_with("second_factor_off Somebody")));
    assert_eq!(desk.server.try_sign_in("bob@example.com", PASSWORD).await.header("location"), "/");
});
