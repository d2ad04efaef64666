//! The pages and the downloads, and who may have them.

use crate::{
    access::{model::Preset, store as access},
    audit::{
        self, Actor, By, Change, Entry,
        model::{Action, ObjectKind},
    },
    db::Db,
    execute, on_both_databases,
    server::testing::Harness,
    webhooks::{
        self,
        model::{Authentication, WebhookInput},
        store::Saving,
    },
};
use serde_json::json;

const DAY: i64 = 86_400_000;
/// What the harness's clock says.
const NOW: i64 = 1_800_000_000_000;

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

    async fn write(&self, workspace: &str, at: i64, actor: &Actor, entry: Entry<'_>) {
        let mut tx = self.server.state.db.begin().await.unwrap();
        audit::record(&mut tx, workspace, at, actor, &entry).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.server.page(path, &self.cookie).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.text
    }

    /// The objects of a download, in its order; sign-ins do not count.
    async fn objects(&self, query: &str) -> Vec<String> {
        let text = self.page(&format!("/audit-log.csv{query}")).await;
        let cells = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        cells.filter(|cells| cells[6] != "account").map(|cells| cells[8].to_string()).collect()
    }
}

on_both_databases!(the_log_is_shown_filtered_and_exported, |db| async move {
    let desk = Desk::new(db).await;
    let saving = Saving::new(&desk.server.state, &desk.workspace, By::command_line(NOW - 3 * DAY));
    let input = WebhookInput {
        name: "Coupons".into(),
        authentication: Authentication::None,
        url: "https://crm.example.com/hook".into(),
        id_types: vec!["MOBILE".into()],
        ..Default::default()
    };
    let webhook = webhooks::store::create(&saving, &input, None).await.unwrap();
    let eve = Actor::person("eve", "Éve <b>", "2001:db8::7");
    let entry = Entry::new(Action::Changed, ObjectKind::Campaign, "gone", "=Весна");
    let change = Change::between(&json!({"starts_on": "2026-01-01"}), &json!({"starts_on": "2026-02-01"}));
    desk.write(&desk.workspace, NOW - DAY, &eve, entry.with(change)).await;
    desk.write("elsewhere", NOW, &eve, Entry::new(Action::Created, ObjectKind::Task, "t", "Not here")).await;

    let page = desk.page("/audit-log").await;
    let link = format!("href=\"/webhooks/{webhook}\"");
    for text in [
        "Coupons",
        link.as_str(),
        "Command line",
        "Éve &lt;b&gt;",
        "2001:db8::7",
        "=Весна",
        "Webhook Name",
        "https://crm.example.com/hook",
        "Before and after: Starts on",
        "2026-01-01",
        "2026-02-01",
        "reachwire audit verify",
        "/audit-log.csv",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("Not here") && !page.contains("/campaigns/gone"), "what is gone has no link");
    assert!(!page.contains(" style="));
    for (query, objects) in [
        ("", vec!["'=Весна", "Coupons"]),
        ("?q=ВЕСНА", vec!["'=Весна"]),
        ("?q=command+line", vec!["Coupons"]),
        ("?q=%25", vec![]),
        ("?action=created", vec!["Coupons"]),
        ("?kind=campaign", vec!["'=Весна"]),
        ("?person=eve", vec!["'=Весна"]),
        ("?person=command_line", vec!["Coupons"]),
        ("?from=2027-01-14&until=2027-01-14", vec!["'=Весна"]),
        ("?until=2027-01-13", vec!["Coupons"]),
        ("?from=2027-01-14&person=command_line", vec![]),
    ] {
        assert_eq!(desk.objects(query).await, objects, "{query}");
        let page = desk.page(&format!("/audit-log{query}")).await;
        assert_eq!(page.contains("No match"), objects.is_empty(), "{query}");
    }
    let csv = desk.page("/audit-log.csv?kind=campaign").await;
    let (_, line) = csv.lines().nth(1).unwrap().split_once(',').unwrap();
    assert!(line.starts_with("2027-01-14T08:00:00.000Z,person,eve,Éve <b>,changed,campaign,gone,"), "{line}");
    assert!(line.contains("starts_on"), "{line}");
    assert_eq!(desk.server.page("/audit-log?from=x", &desk.cookie).await.status, 422);
    assert_eq!(desk.server.page("/audit-log.csv?until=x", &desk.cookie).await.status, 422);
});

on_both_databases!(long_logs_have_pages, |db| async move {
    let desk = Desk::new(db).await;
    let by = Actor::command_line();
    for number in 0..120 {
        let name = format!("Thing {number:03}");
        desk.write(&desk.workspace, NOW, &by, Entry::new(Action::Created, ObjectKind::Webhook, "x", &name)).await;
    }
    let mut seen = Vec::new();
    let mut path = "/audit-log?q=thing".to_string();
    for _ in 0..5 {
        let page = desk.page(&path).await;
        seen.extend((0..120).rev().map(|number| format!("Thing {number:03}")).filter(|name| page.contains(name)));
        let (before, _) = page.split_once(">Next").unwrap();
        // Greyed where there is no further.
        if before.rsplit_once('<').unwrap().1.starts_with("span") {
            break;
        }
        let href = before.rsplit_once("href=\"").unwrap().1.split('"').next().unwrap();
        path = href.replace("&amp;", "&");
    }
    assert_eq!(seen.len(), 120, "each once: {path}");
    assert_eq!((seen[0].as_str(), seen[119].as_str()), ("Thing 119", "Thing 000"));
    assert_eq!(desk.objects("").await.len(), 120);
});

on_both_databases!(who_may_not_read_a_log_gets_nothing_of_it, |db| async move {
    let desk = Desk::new(db).await;
    let by = Actor::command_line();
    desk.write(audit::ORGANIZATION, NOW, &by, Entry::new(Action::Created, ObjectKind::Workspace, "s", "Moon base"))
        .await;
    desk.server.member("bob@example.com", "Shop", Preset::Marketer).await;
    let marketer = desk.server.sign_in("bob@example.com").await;
    for path in ["/audit-log", "/audit-log.csv", "/organization/audit-log", "/organization/audit-log.csv"] {
        let answer = desk.server.page(path, &marketer).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(!answer.text.contains("Moon base") && !answer.text.contains("signed_in"), "{path}");
        assert_ne!(desk.server.page(path, "").await.status, 200, "{path}");
    }
    // An administrator of a workspace is none of the organization.
    assert_eq!(desk.server.page("/organization/audit-log", &desk.cookie).await.status, 403);
    assert_eq!(desk.server.page("/organization/audit-log.csv", &desk.cookie).await.status, 403);
    let user = access::user_by_email(&desk.server.state.db, "ada@example.com").await.unwrap().unwrap();
    execute!(desk.server.state.db, "update users set organization_admin = $2 where id = $1", &user.id, true).unwrap();
    assert!(desk.page("/organization/audit-log").await.contains("Moon base"));
    assert!(desk.page("/organization/audit-log.csv").await.contains("Moon base"));
    assert!(!desk.page("/audit-log").await.contains("Moon base"));
    desk.server.member("max@example.com", "Other", Preset::Administrator).await;
    let other = desk.server.sign_in("max@example.com").await;
    let log = desk.server.page("/audit-log.csv", &other).await;
    assert!(log.status == 200 && !log.text.contains(&user.id), "{}", log.text);
});
