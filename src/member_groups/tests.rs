//! The room from outside.

use super::{
    api::{DeleteMemberGroup, GetMemberGroup, GetMemberGroupForm, ListMemberGroups, SaveMemberGroup},
    model::{Group, GroupDetail, GroupForm, GroupPage, MEMBERS_MAX},
};
use crate::{
    access::{model::Preset, store as access},
    clock::{HOUR, Millis},
    db::Db,
    error::AppError,
    execute, fetch,
    grants::model::GrantState,
    on_both_databases,
    server::testing::{Answer, Harness, encoded},
    webhooks::{
        self,
        model::{Authentication, WebhookInput},
        store::Saving,
    },
};

struct Desk {
    server: Harness,
    workspace: String,
    ada: String,
}

impl Desk {
    async fn new(db: Db) -> Self {
        let server = Harness::new(db).await;
        let workspace = server.member("ada@example.com", "Shop", Preset::Administrator).await;
        server.member("bob@example.com", "Shop", Preset::Marketer).await;
        let ada = server.sign_in("ada@example.com").await;
        Self { server, workspace, ada }
    }

    async fn user(&self, email: &str) -> String {
        access::user_by_email(&self.server.state.db, email).await.unwrap().unwrap().id
    }

    async fn save(&self, cookie: &str, id: &str, seen: Millis, name: &str, members: &[String]) -> Answer {
        let mut fields = vec![
            ("id".to_string(), id.to_string()),
            ("seen".to_string(), seen.to_string()),
            ("input[name]".to_string(), name.to_string()),
        ];
        // As check boxes post it: with gaps.
        fields.extend(
            members.iter().enumerate().map(|(place, id)| (format!("input[members][{}]", 3 * place + 1), id.clone())),
        );
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.server.call::<SaveMemberGroup>(cookie, &encoded(&fields)).await
    }

    async fn created(&self, name: &str, members: &[String]) -> Group {
        let answer = self.save(&self.ada, "", 0, name, members).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        self.list("").await.into_iter().find(|group| group.name == name).unwrap()
    }

    async fn list(&self, query: &str) -> Vec<Group> {
        let answer = self.server.call::<ListMemberGroups>(&self.ada, &format!("query[offset]=0&{query}")).await;
        read::<GroupPage>(&answer).rows
    }

    async fn delete(&self, cookie: &str, id: &str) -> Answer {
        self.server.call::<DeleteMemberGroup>(cookie, &encoded(&[("id", id)])).await
    }

    /// Grants a new webhook to the group.
    async fn granted(&self, webhook: &str, group: &str, from: Millis, until: Option<Millis>) -> String {
        let input = WebhookInput {
            name: webhook.into(),
            authentication: Authentication::None,
            url: "https://crm.example.com".into(),
            id_types: vec!["EMAIL".into()],
            ..Default::default()
        };
        let saving = Saving::new(&self.server.state, &self.workspace, crate::audit::By::command_line(0));
        let id = webhooks::store::create(&saving, &input, None).await.unwrap();
        execute!(
            self.server.state.db,
            "insert into webhook_grants (workspace_id, id, webhook_id, subject_kind, subject_id, from_at, until_at,
                                         granted_by, granted_at)
             values ($1, $2, $3, 'group', $4, $5, $6, '', 0)",
            &self.workspace,
            crate::clock::new_id(),
            &id,
            group,
            from,
            until
        )
        .unwrap();
        id
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> T {
    serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {} {}", answer.status, answer.text))
}

fn wrong_fields(answer: &Answer) -> Vec<String> {
    read::<AppError>(answer).fields().iter().map(|error| error.field.clone()).collect()
}

on_both_databases!(a_group_is_made_changed_and_written_down, |db| async move {
    let desk = Desk::new(db).await;
    let (ada, bob) = (desk.user("ada@example.com").await, desk.user("bob@example.com").await);
    let group = desk.created("East", &[ada.clone(), bob.clone(), bob.clone()]).await;
    assert_eq!((group.members, group.used_by.len()), (2, 0));
    desk.server.member("carl@example.com", "Shop", Preset::Analyst).await;
    let carl = desk.user("carl@example.com").await;
    assert_eq!(desk.save(&desk.ada, &group.id, group.updated_at, "West", &[bob.clone(), carl]).await.status, 200);
    // The clock stands still, and yet it is told.
    let late = desk.save(&desk.ada, &group.id, group.updated_at, "North", &[]).await;
    assert!(late.status == 409 && late.text.contains("Somebody else"), "{}", late.text);
    let detail = desk.server.call::<GetMemberGroup>(&desk.ada, &encoded(&[("id", &group.id)])).await;
    let emails: Vec<String> = read::<GroupDetail>(&detail).members.into_iter().map(|person| person.email).collect();
    assert_eq!(emails, ["bob@example.com", "carl@example.com"]);

    let seen = desk.list("").await[0].updated_at;
    let members = read::<GroupDetail>(&detail).members.into_iter().map(|person| person.id).collect::<Vec<_>>();
    assert_eq!(desk.save(&desk.ada, &group.id, seen, "West", &members).await.status, 200);
    assert_eq!(desk.list("").await[0].updated_at, seen, "nothing was changed");
    let other = desk.created("East", &[]).await;
    assert_eq!(wrong_fields(&desk.save(&desk.ada, &group.id, seen, "EAST", &[]).await), ["name"]);
    assert_eq!(wrong_fields(&desk.save(&desk.ada, &group.id, seen, "", &[]).await), ["name"]);
    let stranger = [bob.clone(), "nobody".to_string()];
    assert_eq!(wrong_fields(&desk.save(&desk.ada, &group.id, seen, "West", &stranger).await), ["members"]);
    let crowd: Vec<String> = (0..=MEMBERS_MAX).map(|number| number.to_string()).collect();
    assert_eq!(wrong_fields(&desk.save(&desk.ada, &group.id, seen, "West", &crowd).await), ["members"]);
    assert_eq!(desk.delete(&desk.ada, &other.id).await.status, 200);

    let sql = "select action, change from audit_log where object_kind = 'member_group' order by seq";
    let log = fetch!(desk.server.state.db, all, (String, String), sql).unwrap();
    let actions: Vec<&str> = log.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(actions, ["created", "changed", "created", "deleted"]);
    let change: serde_json::Value = serde_json::from_str(&log[1].1).unwrap();
    assert_eq!(change["before"]["members"], serde_json::json!(["Somebody <ada@example.com>"]), "who went");
    assert_eq!(change["after"]["members"], serde_json::json!(["Somebody <carl@example.com>"]), "who came");
});

on_both_databases!(a_group_in_use_says_where_and_stays, |db| async move {
    let desk = Desk::new(db).await;
    let group = desk.created("East", &[]).await;
    let now = desk.server.state.clock.now();
    let coupons = desk.granted("Coupons", &group.id, 0, None).await;
    let old = desk.granted("Old", &group.id, 0, Some(now)).await;
    desk.granted("Soon", &group.id, now + HOUR, None).await;
    let used = desk.list("query[used]=true").await.remove(0).used_by;
    let states: Vec<(&str, GrantState)> = used.iter().map(|one| (one.webhook.as_str(), one.state)).collect();
    let (current, expired, future) = (GrantState::Current, GrantState::Expired, GrantState::Future);
    assert_eq!(states, [("Coupons", current), ("Old", expired), ("Soon", future)]);
    assert!(desk.list("query[used]=false").await.is_empty());
    for path in ["/member-groups".to_string(), format!("/member-groups/{}", group.id)] {
        let page = desk.server.page(&path, &desk.ada).await.text;
        for text in ["Current", "Expired", "Future", "East", &format!("/webhooks/{coupons}/grants")] {
            assert!(page.contains(text), "{path} {text}: {page}");
        }
    }
    let refused = desk.delete(&desk.ada, &group.id).await;
    assert!(refused.status == 409 && refused.text.contains("“Coupons”, “Old” (expired)"), "{}", refused.text);
    // A webhook that goes takes its grants along.
    let by = crate::audit::By::command_line(0);
    for id in [&coupons, &old] {
        webhooks::store::set_enabled(&desk.server.state.db, &desk.workspace, id, false, &by).await.unwrap();
        webhooks::store::delete(&desk.server.state.db, &desk.workspace, id, &by).await.unwrap();
    }
    let (left,) = fetch!(desk.server.state.db, one, (i64,), "select count(*) from webhook_grants").unwrap();
    assert_eq!(left, 1);
    assert_eq!(desk.delete(&desk.ada, &group.id).await.status, 409, "the future one");
    execute!(desk.server.state.db, "delete from webhook_grants").unwrap();
    assert_eq!(desk.delete(&desk.ada, &group.id).await.status, 200);
});

on_both_databases!(a_thousand_members_are_one_group, |db| async move {
    let desk = Desk::new(db).await;
    let mut tx = desk.server.state.db.begin().await.unwrap();
    let ids: Vec<String> = (0..MEMBERS_MAX).map(|number| format!("user{number:04}")).collect();
    for id in &ids {
        let sql = "insert into users (id, email, name, name_key, password_hash, created_at)
                   values ($1, $1, $1, $1, '', 0)";
        execute!(tx, sql, id).unwrap();
        execute!(tx, "insert into members (workspace_id, user_id) values ($1, $2)", &desk.workspace, id).unwrap();
    }
    tx.commit().await.unwrap();
    let group = desk.created("Everybody", &ids).await;
    assert_eq!(group.members, MEMBERS_MAX as i64);
    let form = desk.server.call::<GetMemberGroupForm>(&desk.ada, &encoded(&[("id", &group.id)])).await;
    let form: GroupForm = read(&form);
    assert_eq!((form.people.len(), form.more), (MEMBERS_MAX + 2, false), "the others are offered too");
    assert_eq!(form.people.iter().filter(|(_, is_in)| *is_in).count(), MEMBERS_MAX);
    let page = desk.server.page(&format!("/member-groups/{}/edit", group.id), &desk.ada).await.text;
    assert!(page.contains("1,000 selected") && page.contains("input[members][1001]"), "{}", page.len());
});

on_both_databases!(other_workspaces_have_no_such_group, |db| async move {
    let desk = Desk::new(db).await;
    let group = desk.created("East", &[]).await;
    desk.server.member("eve@example.com", "Elsewhere", Preset::Administrator).await;
    let eve = desk.server.sign_in("eve@example.com").await;
    let bob = desk.server.sign_in("bob@example.com").await;
    for (cookie, status) in [(eve.as_str(), 404), (bob.as_str(), 403), ("", 401)] {
        let one = encoded(&[("id", &group.id)]);
        assert_eq!(desk.server.call::<GetMemberGroup>(cookie, &one).await.status, status);
        assert_eq!(desk.server.call::<GetMemberGroupForm>(cookie, &one).await.status, status);
        assert_eq!(desk.save(cookie, &group.id, group.updated_at, "Mine", &[]).await.status, status);
        assert_eq!(desk.delete(cookie, &group.id).await.status, status);
    }
    // Whom they choose is of their own workspace.
    let bobs_id = desk.user("bob@example.com").await;
    assert_eq!(wrong_fields(&desk.save(&eve, "", 0, "Mine", &[bobs_id]).await), ["members"]);
    assert_eq!(desk.server.page("/member-groups", &bob).await.status, 403);
    assert_eq!(desk.server.call::<ListMemberGroups>(&bob, "query[offset]=0").await.status, 403);
});
