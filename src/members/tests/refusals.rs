//! What is refused, and to whom.

use super::{super::api::*, *};
use crate::member_groups::api::SaveMemberGroup;
use leptos::server_fn::ServerFn;

on_both_databases!(nobody_shuts_themselves_or_the_last_administrator_out, |db| async move {
    let desk = Desk::new(db).await;
    let ada = desk.id("ada@example.com").await;
    for answer in [desk.enable(&desk.cookie, &ada, "false").await, desk.remove(&desk.cookie, &ada).await] {
        assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    }
    assert!(!desk.make_link(&desk.cookie, &ada).await.header("location").contains("/links/"));
    let demoted = desk.save(&desk.cookie, &ada, &[("input[roles][0]", "marketer")]).await;
    assert_eq!(error(&demoted).fields()[0].field, "roles");
    // An organization administrator may touch everybody, but one administrator stays.
    desk.server.member("boss@example.com", "Elsewhere", Preset::Administrator).await;
    desk.organization_administrator("boss@example.com").await;
    let boss = desk.server.sign_in("boss@example.com").await;
    desk.server.post("/switch-workspace", &boss, &encoded(&[("workspace", &desk.workspace)])).await;
    let marketer = [("input[roles][0]", "marketer")];
    for answer in [
        desk.enable(&boss, &ada, "false").await,
        desk.remove(&boss, &ada).await,
        desk.save(&boss, &ada, &marketer).await,
    ] {
        assert!(answer.text.contains("last administrator"), "{}", answer.text);
    }
    // One who is only invited is no administrator yet.
    let link = desk.invite("eve@example.com", "administrator").await;
    assert!(desk.remove(&boss, &ada).await.text.contains("last administrator"));
    desk.accept(&link, "Eve", "a quite long passphrase 7").await;
    assert_eq!(desk.save(&boss, &ada, &marketer).await.status, StatusCode::OK);
    assert_eq!(desk.remove(&boss, &ada).await.status, StatusCode::OK);
});

on_both_databases!(two_administrators_cannot_demote_each_other_at_once, |db| async move {
    let desk = Desk::new(db).await;
    desk.server.member("bob@example.com", "Shop", Preset::Administrator).await;
    let (ada, bob) = (desk.id("ada@example.com").await, desk.id("bob@example.com").await);
    let cookie = desk.server.sign_in("bob@example.com").await;
    let marketer = [("input[roles][0]", "marketer")];
    let answers =
        futures::future::join(desk.save(&desk.cookie, &bob, &marketer), desk.save(&cookie, &ada, &marketer)).await;
    let done = [answers.0.status, answers.1.status].iter().filter(|status| **status == StatusCode::OK).count();
    assert_eq!(done, 1, "{} {}", answers.0.text, answers.1.text);
    let sql = "select count(*) from member_roles where role_id = 'administrator' and workspace_id = $1";
    assert_eq!(desk.count(sql, &desk.workspace).await, 1);
});

on_both_databases!(nobody_gives_or_touches_more_than_they_have, |db| async move {
    let desk = Desk::new(db).await;
    let hall = desk.with_role("hall@example.com", &["members.manage", "overview.view"]).await;
    desk.server.member("bob@example.com", "Shop", Preset::Marketer).await;
    let (ada, bob, own) =
        (desk.id("ada@example.com").await, desk.id("bob@example.com").await, desk.id("hall@example.com").await);
    let east = desk.group("East").await;
    for role in ["administrator", "marketer", "analyst"] {
        let fields = encoded(&[("new[email]", "new@example.com"), ("new[roles][0]", role)]);
        let answer = desk.server.call::<AddMember>(&hall, &fields).await;
        assert!(error(&answer).fields()[0].message.contains("allows more than your own"), "{role}: {}", answer.text);
        if role != "marketer" {
            let answer = desk.save(&hall, &bob, &[("input[roles][0]", "marketer"), ("input[roles][1]", role)]).await;
            assert_eq!(error(&answer).fields()[0].field, "roles", "{role}");
        }
    }
    assert!(!desk.add_as(&hall, "new@example.com", "").await.header("location").contains("/links/"));
    for id in [&ada, &bob] {
        assert_eq!(desk.turn_off(&hall, id).await.status, StatusCode::CONFLICT);
        assert!(!desk.make_link(&hall, id).await.header("location").contains("/links/"));
    }
    assert_eq!(desk.enable(&hall, &ada, "false").await.status, StatusCode::CONFLICT);
    let groups = [("input[roles][0]", "marketer"), ("input[groups][0]", east.as_str())];
    assert_eq!(error(&desk.save(&hall, &bob, &groups).await).fields()[0].field, "groups");
    // Nobody's row-level permissions: they decide what interfaces tell.
    let role = access_role(&desk, &own).await;
    let attributes = |role| {
        [("input[roles][0]", role), ("input[attributes][0][name]", "region"), ("input[attributes][0][values]", "East")]
    };
    assert_eq!(error(&desk.save(&hall, &own, &attributes(&role)).await).fields()[0].field, "attributes");
    assert_eq!(error(&desk.save(&hall, &bob, &attributes("marketer")).await).fields()[0].field, "attributes");
    assert_eq!(desk.count("select count(*) from account_links where user_id <> $1", "").await, 0);
    let page = desk.server.page(&format!("/members/{ada}"), &hall).await.text;
    assert!(!page.contains("Reset password") && !page.contains("Remove from workspace"));
});

async fn access_role(desk: &Desk, user: &str) -> String {
    let sql = "select role_id from member_roles where user_id = $1";
    fetch!(desk.db(), one, (String,), sql, user).unwrap().0
}

on_both_databases!(accounts_of_other_workspaces_are_the_organizations, |db| async move {
    let desk = Desk::new(db).await;
    desk.server.member("bob@example.com", "Shop", Preset::Marketer).await;
    desk.server.member("bob@example.com", "Elsewhere", Preset::Marketer).await;
    let bob = desk.id("bob@example.com").await;
    let refused = desk.server.call::<MakeMemberLink>(&desk.cookie, &encoded(&[("id", &bob)])).await;
    assert!(refused.text.contains("other workspaces"), "{}", refused.text);
    // Somebody who was invited elsewhere and has not signed in yet.
    desk.server.member("eve@example.com", "Elsewhere", Preset::Administrator).await;
    let eve = desk.server.sign_in("eve@example.com").await;
    let theirs = desk.add_as(&eve, "pat@example.com", "marketer").await;
    let page = desk.server.page(theirs.header("location"), &eve).await.text;
    let old = links_in(&page).remove(0);
    let fields = encoded(&[("new[email]", "pat@example.com"), ("new[roles][0]", "analyst")]);
    let refused = desk.server.call::<AddMember>(&desk.cookie, &fields).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("has an account in another workspace"), "{}", refused.text);
    assert_eq!(desk.server.page(&old, "").await.status, StatusCode::OK);
    desk.organization_administrator("ada@example.com").await;
    let new = desk.invite("pat@example.com", "analyst").await;
    assert_eq!(desk.server.page(&old, "").await.status, StatusCode::GONE, "the new link took its place");
    let page = desk.server.page(&new, "").await.text;
    assert!(page.contains("“Elsewhere”, “Shop”"), "{page}");
    // Organization administrators are nobody else's to touch or to add.
    let ada = desk.id("ada@example.com").await;
    let fields = encoded(&[("new[email]", "ada@example.com"), ("new[roles][0]", "analyst")]);
    assert_eq!(desk.server.call::<AddMember>(&eve, &fields).await.status, StatusCode::CONFLICT);
    desk.server.member("second@example.com", "Shop", Preset::Administrator).await;
    let second = desk.server.sign_in("second@example.com").await;
    assert!(desk.remove(&second, &ada).await.text.contains("administers the organization"));
});

on_both_databases!(members_of_other_workspaces_do_not_exist, |db| async move {
    let desk = Desk::new(db).await;
    desk.server.member("eve@example.com", "Elsewhere", Preset::Marketer).await;
    let eve = desk.id("eve@example.com").await;
    let own = desk.id("ada@example.com").await;
    let marketer = desk.server.sign_in("eve@example.com").await;
    let id = encoded(&[("id", &eve)]);
    let other = encoded(&[("id", &own)]);
    let paths = [
        GetMember::PATH,
        SaveMember::PATH,
        SetMemberEnabled::PATH,
        RemoveMember::PATH,
        MakeMemberLink::PATH,
        TurnOffSecondFactor::PATH,
    ];
    for path in paths {
        let answer = desk.server.post(path, &desk.cookie, &id).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.text);
        assert_eq!(desk.server.post(path, &marketer, &other).await.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(desk.server.post(path, &marketer, &id).await.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(desk.server.post(path, "", &id).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let lists = [
        (ListMembers::PATH, "query[search]="),
        (ListMemberRoles::PATH, ""),
        (GetMemberChoices::PATH, ""),
        (AddMember::PATH, "new[email]=x%40y"),
        (AddMembers::PATH, "list=email"),
        (TakeLinks::PATH, "key=1"),
    ];
    for (path, form) in lists {
        assert_eq!(desk.server.post(path, &marketer, form).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(desk.server.page(&format!("/members/{eve}"), &desk.cookie).await.status, StatusCode::NOT_FOUND);
    // Who may only look sees no way to change anything.
    let viewer = desk.with_role("view@example.com", &["members.view", "overview.view"]).await;
    let list = desk.server.page("/members", &viewer).await.text;
    assert!(list.contains("ada@example.com") && !list.contains("Add Member") && !list.contains("Reset password"));
    assert_eq!(desk.server.post(RemoveMember::PATH, &viewer, &other).await.status, StatusCode::FORBIDDEN);
    // Links are shown to who made them alone.
    let made = desk.add_as(&desk.cookie, "new@example.com", "analyst").await;
    desk.server.member("bob@example.com", "Shop", Preset::Administrator).await;
    let bob = desk.server.sign_in("bob@example.com").await;
    assert!(desk.server.page(made.header("location"), &bob).await.text.contains("Shown already"));
    assert_eq!(links_in(&desk.server.page(made.header("location"), &desk.cookie).await.text).len(), 1);
});

on_both_databases!(a_save_over_something_newer_is_refused, |db| async move {
    let desk = Desk::new(db).await;
    desk.server.member("bob@example.com", "Shop", Preset::Marketer).await;
    let (bob, east) = (desk.id("bob@example.com").await, desk.group("East").await);
    let seen = desk.seen(&bob).await;
    let page = desk.server.page(&format!("/members/{bob}"), &desk.cookie).await.text;
    assert!(page.contains(&format!("name=\"seen\" value=\"{seen}\"")), "the form sends it along");
    let (marketer, analyst) = ([("input[roles][0]", "marketer")], [("input[roles][0]", "analyst")]);
    let stands = async || (desk.seen(&bob).await, desk.log().await.len());

    // Another administrator's roles.
    assert_eq!(desk.save_seen(&desk.cookie, &bob, &seen, &analyst).await.status, StatusCode::OK);
    let before = stands().await;
    let refused = desk.save_seen(&desk.cookie, &bob, &seen, &marketer).await;
    assert!(refused.status == StatusCode::CONFLICT && refused.text.contains("open it again"), "{}", refused.text);
    assert_eq!(stands().await, before, "nothing of it was saved");
    assert_eq!(desk.save_seen(&desk.cookie, &bob, "", &marketer).await.status, StatusCode::CONFLICT);

    // A group that was changed on its own page, once to have them and once no more.
    for members in [vec![("input[members][0]", bob.as_str())], vec![]] {
        let seen = desk.seen(&bob).await;
        let sql = "select updated_at from member_groups where id = $1";
        let (version,) = fetch!(desk.db(), one, (i64,), sql, &east).unwrap();
        let version = version.to_string();
        let mut fields = vec![("id", east.as_str()), ("seen", version.as_str()), ("input[name]", "East")];
        fields.extend(members);
        assert_eq!(desk.server.call::<SaveMemberGroup>(&desk.cookie, &encoded(&fields)).await.status, StatusCode::OK);
        assert_eq!(desk.save_seen(&desk.cookie, &bob, &seen, &marketer).await.status, StatusCode::CONFLICT);
    }

    // Attributes.
    let seen = desk.seen(&bob).await;
    execute!(desk.db(), "update members set attributes = '{\"a\":[\"b\"]}' where user_id = $1", &bob).unwrap();
    assert_eq!(desk.save_seen(&desk.cookie, &bob, &seen, &marketer).await.status, StatusCode::CONFLICT);
    // What says the same leaves the page as it was.
    let same = [analyst[0], ("input[attributes][0][name]", "a"), ("input[attributes][0][values]", "b")];
    let seen = desk.seen(&bob).await;
    for _ in 0..2 {
        assert_eq!(desk.save_seen(&desk.cookie, &bob, &seen, &same).await.status, StatusCode::OK);
    }
});
