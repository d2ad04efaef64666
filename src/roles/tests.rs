//! The room from outside.

use super::{
    api::{DeleteRole, GetRole, GetRoleForm, ListRoles, SaveRole},
    model::{Level, RoleDetail, RoleForm, RolePage},
};
use crate::{
    access::{
        model::{Area, Permission, Permissions, Preset},
        store as access,
    },
    db::Db,
    error::AppError,
    execute, fetch, on_both_databases,
    server::testing::{Answer, Harness, encoded},
};

/// An administrator, and a member whose role is made by the tests.
struct Desk {
    server: Harness,
    workspace: String,
    ada: String,
}

impl Desk {
    async fn new(db: Db) -> Self {
        let server = Harness::new(db).await;
        let workspace = server.member("ada@example.com", "Shop", Preset::Administrator).await;
        server.member("bob@example.com", "Shop", Preset::Analyst).await;
        let ada = server.sign_in("ada@example.com").await;
        Self { server, workspace, ada }
    }

    async fn save(&self, cookie: &str, id: &str, version: i64, name: &str, levels: &[(Area, Level)]) -> Answer {
        let version = version.to_string();
        let mut fields = vec![
            ("id".to_string(), id.to_string()),
            ("version".to_string(), version),
            ("input[name]".to_string(), name.to_string()),
            ("input[description]".to_string(), "What it is for".to_string()),
        ];
        fields.extend(
            levels.iter().map(|(area, level)| (format!("input[levels][{}]", area.code()), level.code().to_string())),
        );
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.server.call::<SaveRole>(cookie, &encoded(&fields)).await
    }

    /// A new role's id.
    async fn created(&self, name: &str, levels: &[(Area, Level)]) -> String {
        let answer = self.save(&self.ada, "", 0, name, levels).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let sql = "select id from roles where workspace_id = $1 and name = $2";
        fetch!(self.server.state.db, one, (String,), sql, &self.workspace, name).unwrap().0
    }

    async fn give(&self, email: &str, role: &str) {
        let user = access::user_by_email(&self.server.state.db, email).await.unwrap().unwrap().id;
        let sql = "insert into member_roles (workspace_id, user_id, role_id) values ($1, $2, $3)";
        execute!(self.server.state.db, sql, &self.workspace, user, role).unwrap();
    }

    async fn list(&self, query: &str) -> RolePage {
        read(&self.server.call::<ListRoles>(&self.ada, query).await)
    }

    async fn permissions(&self, id: &str) -> Permissions {
        let answer = self.server.call::<GetRole>(&self.ada, &encoded(&[("id", id)])).await;
        read::<RoleDetail>(&answer).role.permissions
    }

    async fn delete(&self, cookie: &str, id: &str) -> Answer {
        self.server.call::<DeleteRole>(cookie, &encoded(&[("id", id)])).await
    }

    /// The changes that the audit log has of roles, the oldest first: action, name, change.
    async fn log(&self) -> Vec<(String, String, String)> {
        let sql = "select action, object, change from audit_log where object_kind = 'role' order by seq";
        fetch!(self.server.state.db, all, (String, String, String), sql).unwrap()
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> T {
    serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {} {}", answer.status, answer.text))
}

fn wrong_fields(answer: &Answer) -> Vec<String> {
    read::<AppError>(answer).fields().iter().map(|error| error.field.clone()).collect()
}

const VIEWER: [(Area, Level); 2] = [(Area::Roles, Level::Manage), (Area::Customers, Level::View)];

on_both_databases!(presets_stand_first_and_are_fixed, |db| async move {
    let desk = Desk::new(db).await;
    desk.created("Account manager", &VIEWER).await;
    let names = |page: RolePage| page.rows.into_iter().map(|role| (role.name, role.members)).collect::<Vec<_>>();
    let all = names(desk.list("query[search]=").await);
    let expected = [("Administrator", 1), ("Marketer", 0), ("Analyst", 1), ("Account manager", 0)];
    assert_eq!(all, expected.map(|(name, members)| (name.to_string(), members)));
    assert_eq!(names(desk.list("query[search]=ACCOUNT").await).len(), 1);
    assert_eq!(names(desk.list("query[preset]=true").await).len(), 3);
    for preset in Preset::ALL {
        let saved = desk.save(&desk.ada, preset.id(), 0, "Mine", &VIEWER).await;
        assert!(saved.status == 409 && saved.text.contains("Copy it"), "{}", saved.text);
        assert_eq!(desk.delete(&desk.ada, preset.id()).await.status, 409);
        assert_eq!(desk.permissions(preset.id()).await, preset.permissions());
        let page = desk.server.page(&format!("/roles/{}", preset.id()), &desk.ada).await.text;
        assert!(page.contains("Preset") && page.contains("User Marketing-Reach Marketing-Webhook"), "{page}");
        assert!(page.contains(&format!("/roles/new?copy={}", preset.id())) && !page.contains("/edit\""));
        assert_eq!(desk.server.page(&format!("/roles/{}/edit", preset.id()), &desk.ada).await.status, 409);
    }
    let page = desk.server.page("/roles", &desk.ada).await.text;
    assert!(page.contains("Create Role") && page.contains("Account manager"), "{page}");
});

on_both_databases!(a_role_is_made_changed_and_written_down, |db| async move {
    let desk = Desk::new(db).await;
    let id = desk.created("Helper", &[(Area::Customers, Level::View), (Area::AuditLog, Level::Manage)]).await;
    let expected = Permissions::NONE.with(Permission::View(Area::Customers)).with(Permission::View(Area::AuditLog));
    assert_eq!(desk.permissions(&id).await, expected, "a log can't be managed");
    desk.give("bob@example.com", &id).await;
    let bob = desk.server.sign_in("bob@example.com").await;
    assert_eq!(desk.server.call::<ListRoles>(&bob, "query[search]=").await.status, 403);

    let form = desk.server.page(&format!("/roles/{id}/edit"), &desk.ada).await.text;
    for text in ["Who is affected", "1 member holds this role", "bob@example.com", "input[levels][reach_webhook]"] {
        assert!(form.contains(text), "{text}: {form}");
    }
    let levels = [(Area::Customers, Level::View), (Area::Roles, Level::View)];
    assert_eq!(desk.save(&desk.ada, &id, 1, "Helper 2", &levels).await.status, 200);
    assert_eq!(desk.server.call::<ListRoles>(&bob, "query[search]=").await.status, 200, "at once");
    for _ in 0..2 {
        let same = desk.save(&desk.ada, &id, 2, "Helper 2", &levels).await;
        assert_eq!(same.status, 200, "without a change the version stays: {}", same.text);
    }
    let late = desk.save(&desk.ada, &id, 1, "Helper 3", &levels).await;
    assert!(late.status == 409 && late.text.contains("Somebody else"), "{}", late.text);

    for (name, levels, field) in [
        ("", &levels[..], "name"),
        ("Marketer", &levels[..], "name"),
        ("Other", &[], "levels"),
        ("Other", &[(Area::Roles, Level::None)], "levels"),
    ] {
        assert_eq!(wrong_fields(&desk.save(&desk.ada, &id, 2, name, levels).await), [field], "{name}");
    }
    desk.created("Other", &levels).await;
    let taken = desk.save(&desk.ada, &id, 2, "OTHER", &levels).await;
    assert_eq!(wrong_fields(&taken), ["name"]);

    let log = desk.log().await;
    let actions: Vec<(&str, &str)> = log.iter().map(|(action, name, _)| (action.as_str(), name.as_str())).collect();
    assert_eq!(actions, [("created", "Helper"), ("changed", "Helper 2"), ("created", "Other")]);
    let change: serde_json::Value = serde_json::from_str(&log[1].2).unwrap();
    let before = serde_json::json!({"name": "Helper", "permissions": ["customers.view", "audit_log.view"]});
    assert_eq!(change["before"], before);
    assert_eq!(change["after"]["permissions"], serde_json::json!(["customers.view", "roles.view"]));
});

on_both_databases!(what_somebody_holds_is_not_deleted, |db| async move {
    let desk = Desk::new(db).await;
    let id = desk.created("Helper", &VIEWER).await;
    for number in 0..6 {
        let email = format!("m{number}@example.com");
        desk.server.member(&email, "Shop", Preset::Analyst).await;
        execute!(desk.server.state.db, "update users set name = $1, name_key = $1 where email = $2", &email, &email)
            .unwrap();
        desk.give(&email, &id).await;
    }
    let refused = desk.delete(&desk.ada, &id).await;
    assert!(refused.status == 409 && refused.text.contains("“m4@example.com” and others"), "{}", refused.text);
    assert!(!refused.text.contains("m5@"), "{}", refused.text);
    execute!(desk.server.state.db, "delete from member_roles where role_id = $1", &id).unwrap();
    assert_eq!(desk.delete(&desk.ada, &id).await.status, 200);
    assert_eq!(desk.delete(&desk.ada, &id).await.status, 404);
    assert_eq!(desk.log().await.last().unwrap().0, "deleted");
});

on_both_databases!(nobody_gives_or_touches_more_than_they_have, |db| async move {
    let desk = Desk::new(db).await;
    let own = desk.created("Role keeper", &VIEWER).await;
    desk.give("bob@example.com", &own).await;
    let bob = desk.server.sign_in("bob@example.com").await;
    let more = [(Area::Customers, Level::Manage), (Area::Members, Level::View), (Area::Campaigns, Level::View)];
    let refused = desk.save(&bob, "", 0, "Mine", &more).await;
    assert_eq!(wrong_fields(&refused), ["levels[customers]", "levels[members]"], "campaigns he sees as an analyst");
    assert_eq!(desk.save(&bob, "", 0, "Mine", &more[2..]).await.status, 200);

    // What holds more is out of reach, even to make it less.
    let strong = desk.created("Strong", &[(Area::Members, Level::Manage)]).await;
    let refused = desk.save(&bob, &strong, 1, "Strong", &more[2..]).await;
    assert!(refused.status == 409 && refused.text.contains("you don't have yourself"), "{}", refused.text);
    assert_eq!(desk.delete(&bob, &strong).await.status, 409);
    assert_eq!(desk.server.call::<GetRoleForm>(&bob, &encoded(&[("id", &strong)])).await.status, 409);
    let list = desk.server.page("/roles", &bob).await.text;
    assert!(list.contains(&format!("/roles/{own}/edit")) && !list.contains(&format!("/roles/{strong}/edit")));

    // A copy of it can be made, of what he has.
    let copy = desk.server.call::<GetRoleForm>(&bob, "copy=administrator").await;
    assert_eq!(read::<RoleForm>(&copy).holders.total, 0);
    let page = desk.server.page("/roles/new?copy=administrator", &bob).await.text;
    assert!(page.contains("left out") && page.contains("Administrator copy"), "{page}");

    // He can't lock himself out; others may take it from his role.
    let refused = desk.save(&bob, &own, 1, "Role keeper", &[(Area::Roles, Level::View)]).await;
    assert_eq!(wrong_fields(&refused), ["levels[roles]"]);
    assert_eq!(desk.save(&desk.ada, &own, 1, "Role keeper", &[(Area::Roles, Level::View)]).await.status, 200);
    assert_eq!(desk.save(&bob, &own, 2, "Role keeper", &VIEWER).await.status, 403);
});

on_both_databases!(other_workspaces_have_no_such_role, |db| async move {
    let desk = Desk::new(db).await;
    let id = desk.created("Helper", &VIEWER).await;
    desk.server.member("eve@example.com", "Elsewhere", Preset::Administrator).await;
    let eve = desk.server.sign_in("eve@example.com").await;
    let bob = desk.server.sign_in("bob@example.com").await;
    for (cookie, status) in [(eve.as_str(), 404), (bob.as_str(), 403), ("", 401)] {
        let one = encoded(&[("id", &id)]);
        assert_eq!(desk.server.call::<GetRole>(cookie, &one).await.status, status);
        assert_eq!(desk.server.call::<GetRoleForm>(cookie, &one).await.status, status);
        assert_eq!(desk.server.call::<GetRoleForm>(cookie, &encoded(&[("copy", &id)])).await.status, status);
        assert_eq!(desk.save(cookie, &id, 1, "Mine", &VIEWER).await.status, status);
        assert_eq!(desk.delete(cookie, &id).await.status, status);
    }
    assert_eq!(desk.server.page(&format!("/roles/{id}"), &eve).await.status, 404);
    assert_eq!(read::<RolePage>(&desk.server.call::<ListRoles>(&eve, "query[search]=").await).total, 3);
    assert_eq!(desk.server.page("/roles", &bob).await.status, 403);
});
