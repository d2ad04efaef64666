//! The room from outside.

use super::{
    api::{ChangeAccount, CreateWorkspace, EditWorkspace, ListAccounts, ListWorkspaces, ListZones},
    model::{AccountPage, AccountRow, WorkspacePage},
};
use crate::{
    access::{model::Preset, store},
    audit,
    db::Db,
    error::AppError,
    execute, fetch,
    members::model::State,
    on_both_databases,
    server::testing::{Answer, Harness, PASSWORD, encoded},
};

const BOSS: &str = "boss@example.com";

struct Desk {
    app: Harness,
    shop: String,
    cookie: String,
}

impl Desk {
    async fn new(db: Db) -> Self {
        let app = Harness::new(db).await;
        let shop = app.member(BOSS, "Shop", Preset::Administrator).await;
        execute!(app.state.db, "update users set organization_admin = true where email = $1", BOSS).unwrap();
        let cookie = app.sign_in(BOSS).await;
        Self { app, shop, cookie }
    }

    async fn create(&self, name: &str, zone: &str, administrator: &str) -> Answer {
        let fields = [("new[name]", name), ("new[time_zone]", zone), ("new[administrator]", administrator)];
        self.app.call::<CreateWorkspace>(&self.cookie, &encoded(&fields)).await
    }

    async fn edit(&self, id: &str, name: &str, zone: &str) -> Answer {
        let fields = [("id", id), ("edited[name]", name), ("edited[time_zone]", zone)];
        self.app.call::<EditWorkspace>(&self.cookie, &encoded(&fields)).await
    }

    async fn workspaces(&self, fields: &[(&str, &str)]) -> Vec<(String, i64)> {
        let answer = self.app.call::<ListWorkspaces>(&self.cookie, &query(fields)).await;
        let page: WorkspacePage = serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{}", answer.text));
        page.rows.into_iter().map(|row| (row.name, row.members)).collect()
    }

    async fn accounts(&self, fields: &[(&str, &str)]) -> Vec<AccountRow> {
        let answer = self.app.call::<ListAccounts>(&self.cookie, &query(fields)).await;
        serde_json::from_str::<AccountPage>(&answer.text).unwrap_or_else(|_| panic!("{}", answer.text)).rows
    }

    async fn id(&self, email: &str) -> String {
        store::user_by_email(&self.app.state.db, email).await.unwrap().unwrap().id
    }

    async fn change_as(&self, cookie: &str, email: &str, change: &str) -> Answer {
        let id = self.id(email).await;
        self.app.call::<ChangeAccount>(cookie, &encoded(&[("id", &id), ("change", change)])).await
    }

    async fn change(&self, email: &str, change: &str) -> Answer {
        self.change_as(&self.cookie, email, change).await
    }

    /// Action and object of the organization's log, without sign-ins.
    async fn log(&self) -> Vec<(String, String)> {
        let sql =
            "select action, object from audit_log where workspace_id = $1 and action not like 'sign%' order by seq";
        fetch!(self.app.state.db, all, (String, String), sql, audit::ORGANIZATION).unwrap()
    }
}

/// The arguments of a list; its query is never empty.
fn query(fields: &[(&str, &str)]) -> String {
    encoded(if fields.is_empty() { &[("query[offset]", "0")] } else { fields })
}

fn field(answer: &Answer) -> String {
    let error: AppError = serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{}", answer.text));
    error.fields()[0].field.clone()
}

on_both_databases!(workspaces_are_made_renamed_and_found, |db| async move {
    let desk = Desk::new(db.clone()).await;
    desk.app.member("ada@example.com", "Shop", Preset::Marketer).await;
    let made = desk.create(" Bank  East ", "Europe/Berlin", "Ada@Example.com").await;
    assert_eq!(made.status, 200, "{}", made.text);
    let bank: String = serde_json::from_str(&made.text).unwrap();
    let types = fetch!(db, one, (i64,), "select count(*) from id_types where workspace_id = $1", &bank).unwrap();
    assert_eq!(types.0, 14);
    let ada = desk.id("ada@example.com").await;
    let standing = store::standing(&db, &bank, &ada, false).await.unwrap();
    assert!(standing.administrator && store::workspaces_of(&db, &ada).await.unwrap().len() == 2);
    for (name, zone, administrator, wrong) in [
        ("bank east", "UTC", "", "name"),
        ("", "UTC", "", "name"),
        ("New", "Moon/Base", "", "time_zone"),
        ("New", "UTC", "nobody@example.com", "administrator"),
    ] {
        assert_eq!(field(&desk.create(name, zone, administrator).await), wrong, "{name} {zone} {administrator}");
    }
    execute!(db, "update users set disabled_at = 1 where id = $1", &ada).unwrap();
    assert_eq!(field(&desk.create("New", "UTC", "ada@example.com").await), "administrator");
    assert_eq!(desk.workspaces(&[]).await, [("Bank East".to_string(), 1), ("Shop".to_string(), 2)]);
    assert_eq!(desk.workspaces(&[("query[search]", "EAST")]).await.len(), 1);
    let by_members = [("query[order]", "Members"), ("query[descending]", "true")];
    assert_eq!(desk.workspaces(&by_members).await[0].0, "Shop");

    assert_eq!(desk.edit(&bank, "Bank", "Asia/Shanghai").await.status, 200);
    assert_eq!(desk.edit(&bank, "BANK", "Asia/Shanghai").await.status, 200, "its own name in another case");
    assert_eq!(field(&desk.edit(&bank, "shop", "UTC").await), "name");
    assert_eq!(desk.edit("0123", "X", "UTC").await.status, 404);
    let bank_log =
        fetch!(db, all, (String, String), "select action, object_kind from audit_log where workspace_id = $1", &bank);
    assert_eq!(bank_log.unwrap(), [("created".to_string(), "member".to_string())]);
    let log = desk.log().await;
    let said: Vec<(&str, &str)> = log.iter().map(|(action, object)| (action.as_str(), object.as_str())).collect();
    assert_eq!(said, [("created", "Bank East"), ("changed", "Bank"), ("changed", "BANK")]);
});

on_both_databases!(a_name_is_taken_once_also_when_two_come_at_once, |db| async move {
    let desk = Desk::new(db).await;
    let answers = futures::future::join_all((0..4).map(|_| desk.create("Bank", "UTC", ""))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(desk.workspaces(&[]).await.len(), 2);
});

on_both_databases!(the_organization_is_its_administrators, |db| async move {
    let desk = Desk::new(db).await;
    desk.app.member("ada@example.com", "Shop", Preset::Administrator).await;
    let ada = desk.app.sign_in("ada@example.com").await;
    let new = encoded(&[("new[name]", "X"), ("new[time_zone]", "UTC")]);
    let edited = encoded(&[("id", &desk.shop), ("edited[name]", "X"), ("edited[time_zone]", "UTC")]);
    for (cookie, status) in [(ada.as_str(), 403), ("", 401)] {
        assert_eq!(desk.app.call::<CreateWorkspace>(cookie, &new).await.status, status);
        assert_eq!(desk.app.call::<EditWorkspace>(cookie, &edited).await.status, status);
        assert_eq!(desk.app.call::<ListWorkspaces>(cookie, &query(&[])).await.status, status);
        assert_eq!(desk.app.call::<ListZones>(cookie, "").await.status, status);
        assert_eq!(desk.app.call::<ListAccounts>(cookie, &query(&[])).await.status, status);
        assert_eq!(desk.change_as(cookie, "ada@example.com", "MakeAdministrator").await.status, status);
    }
    for path in ["/organization/workspaces", "/organization/accounts"] {
        assert_eq!(desk.app.page(path, &ada).await.status, 403, "{path}");
    }
    assert!(!desk.app.page("/account", &ada).await.text.contains("/organization/workspaces"));
    let page = desk.app.page("/organization/workspaces", &desk.cookie).await;
    for text in ["Create Workspace", "You are here", "First administrator", "Europe/Berlin"] {
        assert!(page.text.contains(text), "{text}");
    }
    let page = desk.app.page("/organization/accounts?q=ADA", &desk.cookie).await;
    assert!(page.text.contains("ada@example.com") && page.text.contains("Make organization administrator"));
    assert_eq!(page.text.matches("More actions for").count(), 1, "one row");
});

on_both_databases!(accounts_are_listed_with_their_workspaces, |db| async move {
    let desk = Desk::new(db.clone()).await;
    desk.app.member("ada@example.com", "Shop", Preset::Marketer).await;
    let bank = desk.app.member("ada@example.com", "Bank", Preset::Analyst).await;
    let ada = desk.id("ada@example.com").await;
    let role = "insert into roles (workspace_id, id, name, name_key, description, permissions, version, created_at, updated_at)
         values ($1, 'r1', 'Auditor', 'auditor', '', '[]', 1, 0, 0)";
    execute!(db, role, &bank).unwrap();
    execute!(db, "insert into member_roles (workspace_id, user_id, role_id) values ($1, $2, 'r1')", &bank, &ada)
        .unwrap();
    execute!(db, "update members set disabled_at = 1 where workspace_id = $1", &bank).unwrap();
    store::put_user(&db, "new@example.com", Some("New"), "", 5).await.unwrap();
    let rows = desk.accounts(&[]).await;
    let names: Vec<&str> = rows.iter().map(|row| row.email.as_str()).collect();
    assert_eq!(names.len(), 3);
    let row = |email: &str| rows.iter().find(|row| row.email == email).unwrap();
    let shown: Vec<_> = row("ada@example.com")
        .memberships
        .iter()
        .map(|own| (own.workspace.as_str(), own.roles.join(","), own.disabled))
        .collect();
    assert_eq!(shown, [("Bank", "Analyst,Auditor".to_string(), true), ("Shop", "Marketer".to_string(), false)]);
    assert!(row(BOSS).own && row(BOSS).organization_administrator && row(BOSS).last_sign_in_at.is_some());
    assert_eq!((row("new@example.com").state, row("new@example.com").memberships.len()), (State::Invited, 0));
    let emails = async |fields: &[(&str, &str)]| {
        desk.accounts(fields).await.into_iter().map(|row| row.email).collect::<Vec<_>>()
    };
    assert_eq!(emails(&[("query[state]", "Invited")]).await, ["new@example.com"]);
    assert_eq!(emails(&[("query[administrators]", "true")]).await, [BOSS]);
    assert_eq!(emails(&[("query[by_sign_in]", "true"), ("query[descending]", "true")]).await[0], BOSS);
    assert_eq!(emails(&[("query[search]", "NEW@")]).await, ["new@example.com"]);
    assert!(emails(&[("query[search]", "%")]).await.is_empty());
    assert!(emails(&[("query[offset]", "50")]).await.is_empty());
});

on_both_databases!(names_from_before_are_found_in_any_case, |db| async move {
    let desk = Desk::new(db.clone()).await;
    // As SQL's `lower` made it when the column came: SQLite's leaves what is not ASCII.
    let sql = "insert into users (id, email, name, name_key, password_hash, created_at)
               values ('u1', 'x@example.com', 'ÅSA ÖBERG', 'Åsa Öberg', '', 0)";
    execute!(db, sql).unwrap();
    let found = async |text: &str| desk.accounts(&[("query[search]", text)]).await.len();
    assert_eq!(found("åsa ö").await, 0, "what is to be mended");
    crate::db::fill_name_keys(&db).await.unwrap();
    assert_eq!((found("åsa ö").await, found("ÅSA Ö").await), (1, 1));
    assert_eq!(found("somebody").await, 1, "the others are as they were");
    // Every later start looks at no name.
    execute!(db, "update users set name_key = 'kept' where id = 'u1'").unwrap();
    crate::db::fill_name_keys(&db).await.unwrap();
    assert_eq!(found("kept").await, 1);
});

on_both_databases!(an_administrator_is_always_left, |db| async move {
    let desk = Desk::new(db.clone()).await;
    desk.app.member("ada@example.com", "Shop", Preset::Marketer).await;
    for change in ["UnmakeAdministrator", "Disable"] {
        assert_eq!(desk.change(BOSS, change).await.status, 409, "{change}");
    }
    // One who cannot sign in does not count.
    store::put_user(&db, "new@example.com", None, "", 5).await.unwrap();
    execute!(db, "update users set organization_admin = true where email = 'new@example.com'").unwrap();
    assert_eq!(desk.change(BOSS, "UnmakeAdministrator").await.status, 409);
    assert_eq!(desk.change("new@example.com", "UnmakeAdministrator").await.status, 200);
    assert_eq!(desk.change("new@example.com", "MakeAdministrator").await.status, 409, "no password yet");

    assert_eq!(desk.change("ada@example.com", "MakeAdministrator").await.status, 200);
    assert_eq!(desk.change("ada@example.com", "MakeAdministrator").await.status, 200, "so it was already");
    let ada = desk.app.sign_in("ada@example.com").await;
    assert_eq!(desk.app.page("/organization/accounts", &ada).await.status, 200);
    // Each takes it from the other, at once.
    let (one, other) = tokio::join!(
        desk.change_as(&ada, BOSS, "UnmakeAdministrator"),
        desk.change("ada@example.com", "UnmakeAdministrator")
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 403]);
    let left = fetch!(db, one, (i64,), "select count(*) from users where organization_admin").unwrap();
    assert_eq!(left.0, 1);
    let log = desk.log().await;
    assert_eq!(log.iter().filter(|(action, _)| action == "changed").count(), 3, "{log:?}");
});

on_both_databases!(two_who_resign_at_once_do_not_leave_nobody, |db| async move {
    let desk = Desk::new(db.clone()).await;
    desk.app.member("ada@example.com", "Shop", Preset::Marketer).await;
    desk.change("ada@example.com", "MakeAdministrator").await;
    let ada = desk.app.sign_in("ada@example.com").await;
    let (one, other) = tokio::join!(
        desk.change_as(&ada, "ada@example.com", "UnmakeAdministrator"),
        desk.change(BOSS, "UnmakeAdministrator")
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
});

on_both_databases!(a_disabled_account_is_out_everywhere_at_once, |db| async move {
    let desk = Desk::new(db.clone()).await;
    desk.app.member("ada@example.com", "Shop", Preset::Marketer).await;
    let ada = desk.app.sign_in("ada@example.com").await;
    assert_eq!(desk.change("ada@example.com", "Disable").await.status, 200);
    assert_eq!(desk.app.page("/campaigns", &ada).await.status, 303);
    let sessions = "select count(*) from sessions s join users u on u.id = s.user_id where u.email = 'ada@example.com'";
    assert_eq!(fetch!(db, one, (i64,), sessions).unwrap().0, 0);
    assert!(desk.app.try_sign_in("ada@example.com", PASSWORD).await.header("location").contains("problem=disabled"));
    assert_eq!(desk.accounts(&[("query[state]", "Disabled")]).await.len(), 1);
    assert_eq!(desk.change("ada@example.com", "MakeAdministrator").await.status, 409);
    assert_eq!(desk.change("ada@example.com", "Enable").await.status, 200);
    desk.app.sign_in("ada@example.com").await;
    let unknown = encoded(&[("id", "0123"), ("change", "Disable")]);
    assert_eq!(desk.app.call::<ChangeAccount>(&desk.cookie, &unknown).await.status, 404);
    let actions: Vec<String> = desk.log().await.into_iter().map(|(action, _)| action).collect();
    assert_eq!(actions, ["disabled", "enabled"]);
});

on_both_databases!(a_second_factor_is_turned_off_for_who_lost_the_phone, |db| async move {
    let desk = Desk::new(db.clone()).await;
    desk.app.member("ada@example.com", "Shop", Preset::Marketer).await;
    execute!(db, "update users set totp_cipher = $1", desk.app.state.master_key.seal("x")).unwrap();
    assert_eq!(desk.change(BOSS, "TurnOffSecondFactor").await.status, 409, "one's own needs a code");
    assert_eq!(desk.change("ada@example.com", "TurnOffSecondFactor").await.status, 200);
    assert_eq!(desk.change("ada@example.com", "TurnOffSecondFactor").await.status, 200);
    desk.app.sign_in("ada@example.com").await;
    assert_eq!(desk.log().await, [("second_factor_off".to_string(), "Somebody".to_string())]);
});

on_both_databases!(the_switcher_shows_what_one_may_be_in, |db| async move {
    let desk = Desk::new(db.clone()).await;
    desk.create("Bank", "UTC", "").await;
    desk.app.member("ada@example.com", "Shop", Preset::Marketer).await;
    let ada = desk.app.sign_in("ada@example.com").await;
    let switcher = async |cookie: &str| desk.app.page("/account", cookie).await.text.contains("Bank");
    assert!(switcher(&desk.cookie).await, "an organization administrator sees all");
    assert!(!switcher(&ada).await);
    let bank = store::workspace_by_name(&db, "Bank").await.unwrap().unwrap();
    let to = encoded(&[("workspace", &bank)]);
    assert_eq!(desk.app.post("/switch-workspace", &ada, &to).await.status, 404);
    assert_eq!(desk.app.post("/switch-workspace", &desk.cookie, &to).await.header("location"), "/");
    let here = desk.app.page("/account", &desk.cookie).await.text;
    let current = here.split("aria-current=\"true\"").nth(1).and_then(|rest| rest.split("</button>").next()).unwrap();
    assert!(current.contains("Bank"), "{current}");
});
