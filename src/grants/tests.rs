//! The room from outside, and the state of grants in the database.

use super::{
    api::{GetGrantHead, GrantWebhook, ListGrants, RemoveGrant},
    model::{GRANTS_MAX, Grant, GrantHead, GrantState, GrantsPage, Method, PICKED_MAX, Standing},
    store,
};
use crate::{
    access::{model::Preset, store as access},
    clock::{DAY, HOUR, Millis, new_id},
    db::Db,
    error::AppError,
    execute, fetch, on_both_databases,
    server::testing::{Answer, Harness, encoded},
    webhooks::{
        self,
        model::{Authentication, WebhookInput},
        store::Saving,
    },
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

/// A webhook, an administrator, and a marketer who is in the group "East".
struct Desk {
    server: Harness,
    workspace: String,
    ada: String,
    bob: String,
    bobs_id: String,
    group: String,
    webhook: String,
}

impl Desk {
    async fn new(db: Db) -> Self {
        let server = Harness::new(db).await;
        let workspace = server.member("ada@example.com", "Shop", Preset::Administrator).await;
        server.member("bob@example.com", "Shop", Preset::Marketer).await;
        let (ada, bob) = (server.sign_in("ada@example.com").await, server.sign_in("bob@example.com").await);
        let input = WebhookInput {
            name: "Coupons".into(),
            authentication: Authentication::None,
            url: "https://crm.example.com".into(),
            id_types: vec!["EMAIL".into()],
            ..Default::default()
        };
        let webhook = webhooks::store::create(
            &Saving::new(&server.state, &workspace, crate::audit::By::command_line(0)),
            &input,
            None,
        )
        .await
        .unwrap();
        let (db, group) = (&server.state.db, new_id());
        let bobs_id = access::user_by_email(db, "bob@example.com").await.unwrap().unwrap().id;
        let sql = "insert into member_groups (workspace_id, id, name, name_key, created_at, updated_at)
                   values ($1, $2, 'East', 'east', 0, 0)";
        execute!(db, sql, &workspace, &group).unwrap();
        let sql = "insert into member_group_members (workspace_id, group_id, user_id) values ($1, $2, $3)";
        execute!(db, sql, &workspace, &group, &bobs_id).unwrap();
        Self { server, workspace, ada, bob, bobs_id, group, webhook }
    }

    /// `changes` are fields of the input besides.
    async fn grant(&self, cookie: &str, method: Method, ids: &[&str], changes: &[(&str, &str)]) -> Answer {
        let of = if method == Method::Member { "members" } else { "groups" };
        let mut fields = vec![
            ("webhook_id".to_string(), self.webhook.clone()),
            ("input[method]".to_string(), method.code().to_string()),
            ("input[time_zone]".to_string(), "UTC".to_string()),
        ];
        fields.extend(
            ids.iter().enumerate().map(|(place, id)| (format!("input[{of}][{}]", 2 * place), (*id).to_string())),
        );
        fields.extend(changes.iter().map(|(name, value)| (format!("input[{name}]"), (*value).to_string())));
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.server.call::<GrantWebhook>(cookie, &encoded(&fields)).await
    }

    async fn remove(&self, cookie: &str, id: &str) -> Answer {
        self.server.call::<RemoveGrant>(cookie, &encoded(&[("webhook_id", &self.webhook), ("id", id)])).await
    }

    async fn grants(&self, query: &str) -> Vec<Grant> {
        let form = format!("webhook_id={}&query[offset]=0&{query}", self.webhook);
        read::<GrantsPage>(&self.server.call::<ListGrants>(&self.ada, &form).await).rows
    }

    async fn is_granted(&self) -> bool {
        let (db, now) = (&self.server.state.db, self.server.state.clock.now());
        store::is_granted(db, &self.workspace, &self.bobs_id, &self.webhook, now).await.unwrap()
    }

    async fn log(&self) -> Vec<(String, String, serde_json::Value)> {
        let sql = "select action, object, change from audit_log where object_kind = 'webhook' order by seq";
        let rows = fetch!(self.server.state.db, all, (String, String, String), sql).unwrap();
        rows.into_iter().map(|(action, name, change)| (action, name, serde_json::from_str(&change).unwrap())).collect()
    }

    async fn put(&self, kind: &str, subject: &str, from: Millis, until: Option<Millis>) {
        execute!(
            self.server.state.db,
            "insert into webhook_grants (workspace_id, id, webhook_id, subject_kind, subject_id, from_at, until_at,
                                         granted_by, granted_at)
             values ($1, $2, $3, $4, $5, $6, $7, '', 0)",
            &self.workspace,
            new_id(),
            &self.webhook,
            kind,
            subject,
            from,
            until
        )
        .unwrap();
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> T {
    serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {} {}", answer.status, answer.text))
}

fn wrong_fields(answer: &Answer) -> Vec<String> {
    read::<AppError>(answer).fields().iter().map(|error| error.field.clone()).collect()
}

on_both_databases!(a_grant_has_a_period_and_ends_by_itself, |db| async move {
    let desk = Desk::new(db).await;
    let clock = &desk.server.state.clock;
    // The harness's clock stands at 2027-01-15T08:00Z.
    let period = [("validity", "period"), ("from", "2027-01-15T09:00"), ("until", "2027-01-15T10:00")];
    assert_eq!(desk.grant(&desk.ada, Method::Member, &[&desk.bobs_id], &period).await.status, 200);
    let only = desk.grants("").await.remove(0);
    assert_eq!((only.state, only.until_at), (GrantState::Future, Some(clock.now() + 2 * HOUR)));
    assert!(!desk.is_granted().await);
    clock.advance(HOUR);
    assert!(desk.is_granted().await && desk.grants("").await[0].state == GrantState::Current);
    clock.advance(HOUR);
    assert!(!desk.is_granted().await && desk.grants("").await[0].state == GrantState::Expired);
    for (changes, field) in [
        (&[("validity", "period")][..], "until"),
        (&[("validity", "period"), ("until", "2027-01-15T10:00")], "until"),
        (&[("validity", "period"), ("from", "2028-01-01T00:00"), ("until", "2027-06-01T00:00")], "until"),
        (&[("validity", "period"), ("from", "whenever"), ("until", "2027-06-01T00:00")], "from"),
    ] {
        let answer = desk.grant(&desk.ada, Method::Member, &[&desk.bobs_id], changes).await;
        assert_eq!(wrong_fields(&answer), [field], "{changes:?}");
    }
    assert_eq!(wrong_fields(&desk.grant(&desk.ada, Method::Member, &[], &[]).await), ["members"]);
    assert_eq!(
        wrong_fields(&desk.grant(&desk.ada, Method::Group, &[&desk.bobs_id], &[("revokes", "1")]).await),
        ["groups"]
    );
    // Several of one member stand side by side.
    assert_eq!(desk.grant(&desk.ada, Method::Member, &[&desk.bobs_id], &[]).await.text, "1");
    assert!(desk.is_granted().await);
    let states: Vec<GrantState> = desk.grants("").await.into_iter().map(|grant| grant.state).collect();
    assert_eq!(states, [GrantState::Current, GrantState::Expired]);
    assert_eq!(desk.grants("query[state]=Expired").await.len(), 1);
    assert_eq!(desk.grants("query[search]=BOB@").await.len(), 2);
    assert_eq!(desk.grants("query[search]=eve").await.len(), 0);
    let log = desk.log().await;
    let said: Vec<(&str, &str)> = log.iter().map(|(action, name, _)| (action.as_str(), name.as_str())).collect();
    assert_eq!(said, [("created", "Coupons"), ("granted", "Coupons"), ("granted", "Coupons")]);
    assert_eq!(
        log[1].2["after"],
        serde_json::json!({
            "method": "By Member", "to": ["Somebody <bob@example.com>"],
            "from": "2027-01-15T09:00:00.000Z", "until": "2027-01-15T10:00:00.000Z",
        })
    );
});

on_both_databases!(by_member_and_by_group_exclude_each_other, |db| async move {
    let desk = Desk::new(db).await;
    assert_eq!(desk.grant(&desk.ada, Method::Member, &[&desk.bobs_id], &[]).await.status, 200);
    let page = desk.server.page(&format!("/webhooks/{}/grants", desk.webhook), &desk.ada).await.text;
    assert!(page.contains("1 grant By Member stand") && page.contains("Revoke 1 grant By Member"), "{page}");
    for revokes in ["0", "2"] {
        let refused = desk.grant(&desk.ada, Method::Group, &[&desk.group], &[("revokes", revokes)]).await;
        assert_eq!(wrong_fields(&refused), ["revokes"], "{}", refused.text);
        assert_eq!(desk.grants("").await[0].method, Method::Member);
    }
    assert_eq!(desk.grant(&desk.ada, Method::Group, &[&desk.group], &[("revokes", "1")]).await.status, 200);
    let all = desk.grants("").await;
    assert_eq!(
        (all.len(), all[0].method, all[0].name.as_str(), all[0].note.as_str()),
        (1, Method::Group, "East", "1 member")
    );
    assert!(desk.is_granted().await, "he is in the group");
    execute!(desk.server.state.db, "delete from member_group_members").unwrap();
    assert!(!desk.is_granted().await, "and leaves it");
    let log = desk.log().await;
    let actions: Vec<&str> = log.iter().map(|(action, ..)| action.as_str()).collect();
    assert_eq!(actions, ["created", "granted", "revoked", "granted"]);
    assert_eq!(log[2].2["before"]["grants"][0]["from_whom"], "Somebody <bob@example.com>");
    assert_eq!(log[2].2["before"]["grants"][0]["until"], "permanent");
});

on_both_databases!(two_administrators_never_end_with_both, |db| async move {
    let desk = Desk::new(db).await;
    for _ in 0..5 {
        execute!(desk.server.state.db, "delete from webhook_grants").unwrap();
        let (people, groups) = ([desk.bobs_id.as_str()], [desk.group.as_str()]);
        let (one, other) = tokio::join!(
            desk.grant(&desk.ada, Method::Member, &people, &[]),
            desk.grant(&desk.ada, Method::Group, &groups, &[]),
        );
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "{} {}", one.text, other.text);
        assert_eq!(desk.grants("").await.len(), 1);
    }
});

on_both_databases!(remove_takes_effect_at_once, |db| async move {
    let desk = Desk::new(db).await;
    assert_eq!(desk.grant(&desk.ada, Method::Member, &[&desk.bobs_id], &[]).await.status, 200);
    let id = desk.grants("").await.remove(0).id;
    let page = desk.server.page(&format!("/webhooks/{}/grants", desk.webhook), &desk.ada).await.text;
    assert!(page.contains("Remove the grant to Somebody") && page.contains("Pending tasks of theirs fail"), "{page}");
    assert_eq!(desk.remove(&desk.ada, &id).await.status, 200);
    assert!(!desk.is_granted().await && desk.grants("").await.is_empty());
    assert_eq!(desk.remove(&desk.ada, &id).await.status, 404);
    let last = desk.log().await.pop().unwrap();
    assert_eq!((last.0.as_str(), last.1.as_str()), ("revoked", "Coupons"));
    assert_eq!(last.2["before"]["grants"][0]["from_whom"], "Somebody <bob@example.com>");
});

on_both_databases!(lists_and_picks_are_bounded, |db| async move {
    let desk = Desk::new(db).await;
    let ids: Vec<String> = (0..=PICKED_MAX).map(|number| number.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(wrong_fields(&desk.grant(&desk.ada, Method::Member, &ids, &[]).await), ["members"]);
    assert_eq!(wrong_fields(&desk.grant(&desk.ada, Method::Member, &[&desk.bobs_id, "x"], &[]).await), ["members"]);
    let mut tx = desk.server.state.db.begin().await.unwrap();
    for number in 1..GRANTS_MAX {
        let sql = "insert into webhook_grants (workspace_id, id, webhook_id, subject_kind, subject_id, from_at,
                                               until_at, granted_by, granted_at)
                   values ($1, $2, $3, 'member', $4, 0, 1, '', 0)";
        execute!(tx, sql, &desk.workspace, number.to_string(), &desk.webhook, &desk.bobs_id).unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(desk.grant(&desk.ada, Method::Member, &[&desk.bobs_id], &[]).await.status, 200, "the last");
    let refused = desk.grant(&desk.ada, Method::Member, &[&desk.bobs_id], &[]).await;
    assert!(refused.status == 409 && refused.text.contains("1000"), "{}", refused.text);
    assert_eq!(desk.grants("").await.len(), 50);
});

on_both_databases!(only_who_manages_webhooks_grants_and_only_their_own, |db| async move {
    let desk = Desk::new(db).await;
    assert_eq!(desk.grant(&desk.ada, Method::Member, &[&desk.bobs_id], &[]).await.status, 200);
    let id = desk.grants("").await.remove(0).id;
    desk.server.member("eve@example.com", "Elsewhere", Preset::Administrator).await;
    let eve = desk.server.sign_in("eve@example.com").await;
    for (cookie, status) in [(eve.as_str(), 404), (desk.bob.as_str(), 403), ("", 401)] {
        assert_eq!(desk.grant(cookie, Method::Member, &[&desk.bobs_id], &[]).await.status, status);
        assert_eq!(desk.remove(cookie, &id).await.status, status);
    }
    let eves = |webhook: &str| encoded(&[("webhook_id", webhook), ("id", &id)]);
    assert_eq!(desk.server.call::<RemoveGrant>(&eve, &eves("")).await.status, 404, "neither is hers");
    let list = format!("webhook_id={}&query[offset]=0", desk.webhook);
    assert_eq!(desk.server.call::<ListGrants>(&eve, &list).await.status, 404);
    // Who may look at webhooks sees who uses them, and no form.
    let head = desk.server.call::<GetGrantHead>(&desk.bob, &encoded(&[("webhook_id", &desk.webhook)])).await;
    assert_eq!(read::<GrantHead>(&head), GrantHead { webhook: "Coupons".into(), form: None });
    let page = desk.server.page(&format!("/webhooks/{}/grants", desk.webhook), &desk.bob).await.text;
    assert!(page.contains("bob@example.com") && !page.contains("input[method]") && !page.contains("input[members]"));
    assert_eq!(desk.server.page(&format!("/webhooks/{}/grants", desk.webhook), &eve).await.status, 404);
    // A grant of another webhook is not removed by way of this one.
    let other = encoded(&[("webhook_id", "other"), ("id", &id)]);
    assert_eq!(desk.server.call::<RemoveGrant>(&desk.ada, &other).await.status, 404);
    assert!(desk.is_granted().await);
});

on_both_databases!(everybody_sees_what_is_granted_to_them, |db| async move {
    let desk = Desk::new(db).await;
    let now = desk.server.state.clock.now();
    for (from, until, list, form) in [
        (None, None, "Not granted<", "Coupons: not granted to you"),
        (Some(now + DAY), None, "Granted from<", "Coupons: your grant begins on 2027-01-16 08:00"),
        (Some(0), Some(now - DAY), "Not granted, expired<", "Coupons: your grant expired on 2027-01-14 08:00"),
        (Some(0), Some(now + DAY), "Granted until<", ">Coupons<"),
        (Some(0), None, "Granted<", ">Coupons<"),
    ] {
        execute!(desk.server.state.db, "delete from webhook_grants").unwrap();
        if let Some(from) = from {
            desk.put("group", &desk.group, from, until).await;
        }
        let page = desk.server.page("/webhooks", &desk.bob).await.text;
        assert!(page.contains(list) && page.contains("Granted to you"), "{list}: {page}");
        let page = desk.server.page("/tasks/new", &desk.bob).await.text;
        assert!(page.contains(form), "{form}: {page}");
    }
    let page = desk.server.page("/webhooks", &desk.ada).await.text;
    assert!(!page.contains("Granted to you") && page.contains(&format!("/webhooks/{}/grants", desk.webhook)), "{page}");
});

on_both_databases!(states_and_standings_agree_with_the_database, |db| async move {
    let desk = Desk::new(db).await;
    let now = desk.server.state.clock.now();
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let grants = prop::collection::vec((any::<bool>(), -3_i64..4, prop::option::of(1_i64..4)), 0..5);
    for _ in 0..60 {
        let grants = grants.new_tree(&mut runner).unwrap().current();
        execute!(desk.server.state.db, "delete from webhook_grants").unwrap();
        let mut periods = Vec::new();
        for (of_group, from, length) in grants {
            let (kind, subject) = if of_group { ("group", &desk.group) } else { ("member", &desk.bobs_id) };
            let (from, until) = (now + from, length.map(|length| now + from + length));
            desk.put(kind, subject, from, until).await;
            periods.push((from, until));
        }
        // Somebody else's.
        desk.put("member", "somebody", 0, None).await;
        desk.put("group", "another", 0, None).await;
        let current = periods.iter().any(|(from, until)| GrantState::at(*from, *until, now) == GrantState::Current);
        assert_eq!(desk.is_granted().await, current, "{periods:?} at {now}");
        let standings = store::standings(&desk.server.state.db, &desk.workspace, &desk.bobs_id, now).await.unwrap();
        let standing = standings.get(&desk.webhook).copied().unwrap_or_default();
        assert_eq!(standing, Standing::of(&periods, now));
        assert_eq!(standing.is_granted(), current, "{periods:?} at {now}");
    }
});
