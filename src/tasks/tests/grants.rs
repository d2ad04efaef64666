//! Whether a task may still start when its time comes: grants, roles and people that have gone since it was submitted.

use super::*;
use crate::{
    access::store as access,
    audit::model::Action,
    clock::{HOUR, MINUTE, new_id},
    grants::api::RemoveGrant,
    ui::time::{Form, text},
};

impl Desk {
    /// Submits a task that is due in an hour.
    async fn submit_later(&self, cookie: &str, id: &str, new: bool) -> Answer {
        let at = text(self.server.state.clock.now() + HOUR, Some("UTC"), Form::Input);
        let new = if new { "true" } else { "false" };
        self.submit_as(cookie, id, &[("new", new), ("task[scheduled]", "true"), ("task[send_at]", &at)]).await
    }

    /// Its time comes: how it ended, and why.
    async fn comes_due(&self, id: &str) -> (SendState, String) {
        self.server.state.clock.advance(2 * HOUR);
        self.server.state.engine.wake();
        for _ in 0..600 {
            let sql = "select state, coalesce(error, '') from sends where id = $1";
            let (state, error) = fetch!(self.server.state.db, one, (String, String), sql, id).unwrap();
            let state = SendState::from_code(&state).unwrap();
            if matches!(state, SendState::Failed | SendState::Finished) {
                return (state, error);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the task did not end");
    }

    async fn run(&self, sql: &'static str) {
        execute!(self.server.state.db, sql).unwrap();
    }

    async fn stop(&self) {
        self.server.state.engine.stop(Duration::from_secs(5)).await;
    }

    /// Grants the webhook to the marketer's group.
    async fn grant_to_group(&self) {
        let (db, group) = (&self.server.state.db, new_id());
        let user = access::user_by_email(db, "max@example.com").await.unwrap().unwrap().id;
        let sql = "insert into member_groups (workspace_id, id, name, name_key, created_at, updated_at)
                   values ($1, $2, 'East', 'east', 0, 0)";
        execute!(db, sql, &self.workspace, &group).unwrap();
        let sql = "insert into member_group_members (workspace_id, group_id, user_id) values ($1, $2, $3)";
        execute!(db, sql, &self.workspace, &group, user).unwrap();
        execute!(db, "update webhook_grants set subject_kind = 'group', subject_id = $1", &group).unwrap();
    }
}

on_both_databases!(what_has_gone_since_the_submit_stops_a_pending_task, |db| async move {
    let desk = Desk::new(db).await;
    for (goes, comes_back, reason) in [
        (
            "update webhook_grants set until_at = 1800000000000",
            "update webhook_grants set until_at = null",
            "has no valid grant",
        ),
        (
            "update webhook_grants set from_at = 1900000000000",
            "update webhook_grants set from_at = 0",
            "has no valid grant",
        ),
        ("update members set disabled_at = 1", "update members set disabled_at = null", "is disabled"),
        ("update users set disabled_at = 1", "update users set disabled_at = null", "is disabled"),
        (
            "update member_roles set role_id = 'analyst'",
            "update member_roles set role_id = 'marketer'",
            "User Marketing-Reach Marketing-Webhook",
        ),
    ] {
        let id = new_id();
        let answer = desk.submit_later(&desk.cookie, &id, true).await;
        assert_eq!(answer.status, 200, "{goes}: {}", answer.text);
        desk.run(goes).await;
        let (state, error) = desk.comes_due(&id).await;
        assert_eq!(state, SendState::Failed, "{goes}");
        assert!(error.contains(reason) && error.contains("Nothing was sent"), "{goes}: {error}");
        desk.run(comes_back).await;
        let live = desk.live(&id).await.progress;
        assert_eq!((live.planned, live.skipped, live.accepted), (3, 3, 0), "{goes}: nobody is unaccounted for");
        let page = desk.server.page(&format!("/tasks/{id}"), &desk.cookie).await.text;
        assert!(page.contains("Nothing was sent"), "{goes}: {page}");
    }
    assert_eq!(desk.crm.rows().len(), 0, "nothing was sent");
    // What came back in time is as if it had never gone.
    let id = new_id();
    assert_eq!(desk.submit_later(&desk.cookie, &id, true).await.status, 200);
    assert_eq!(desk.comes_due(&id).await.0, SendState::Finished);
    desk.stop().await;
});

on_both_databases!(a_grant_that_runs_out_while_a_task_is_pending_stops_it, |db| async move {
    let desk = Desk::new(db).await;
    let until = desk.server.state.clock.now() + 30 * MINUTE;
    execute!(desk.server.state.db, "update webhook_grants set until_at = $1", until).unwrap();
    assert_eq!(desk.submit_later(&desk.cookie, ID, true).await.status, 200, "it is valid when he submits");
    let (state, error) = desk.comes_due(ID).await;
    assert!(state == SendState::Failed && error.contains("has no valid grant"), "{error}");
    let refused = desk.submit(OTHER, &[]).await;
    assert_eq!(wrong_fields(&refused), ["task[webhook_id]"]);
    assert!(refused.text.contains("your grant expired on 2027-01-15 08:30"), "{}", refused.text);
    assert_eq!(desk.crm.rows().len(), 0);
    desk.stop().await;
});

on_both_databases!(a_removed_grant_stops_a_pending_task_and_no_other, |db| async move {
    let desk = Desk::new(db).await;
    desk.server.member("ada@example.com", "Shop", Preset::Administrator).await;
    let ada = desk.server.sign_in("ada@example.com").await;
    let administrators = new_id();
    assert_eq!(desk.submit_later(&desk.cookie, ID, true).await.status, 200);
    assert_eq!(desk.submit_later(&ada, &administrators, true).await.status, 200);
    let (grant,) = fetch!(desk.server.state.db, one, (String,), "select id from webhook_grants").unwrap();
    let form = encoded(&[("webhook_id", &desk.webhook), ("id", &grant)]);
    assert_eq!(desk.server.call::<RemoveGrant>(&ada, &form).await.status, 200);
    let sql = "select count(*) from audit_log where action = $1";
    assert_eq!(fetch!(desk.server.state.db, one, (i64,), sql, Action::Revoked.code()).unwrap().0, 1);
    assert_eq!(desk.comes_due(ID).await.0, SendState::Failed);
    assert_eq!(desk.comes_due(&administrators).await.0, SendState::Finished, "who needs no grant goes on");
    assert_eq!(desk.crm.rows().len(), 1, "one of three customers has what it needs");
    desk.stop().await;
});

on_both_databases!(who_leaves_the_group_leaves_its_grants, |db| async move {
    let desk = Desk::new(db).await;
    desk.grant_to_group().await;
    assert_eq!(desk.submit_later(&desk.cookie, ID, true).await.status, 200);
    assert_eq!(desk.comes_due(ID).await.0, SendState::Finished);
    assert_eq!(desk.submit_later(&desk.cookie, OTHER, true).await.status, 200);
    desk.run("delete from member_group_members").await;
    let (state, error) = desk.comes_due(OTHER).await;
    assert!(state == SendState::Failed && error.contains("has no valid grant"), "{error}");
    desk.stop().await;
});

on_both_databases!(a_task_is_of_who_edited_it_last, |db| async move {
    let desk = Desk::new(db).await;
    desk.server.member("eve@example.com", "Shop", Preset::Marketer).await;
    let eve = desk.server.sign_in("eve@example.com").await;
    assert_eq!(desk.submit_later(&desk.cookie, ID, true).await.status, 200);
    let refused = desk.submit_later(&eve, ID, false).await;
    assert_eq!(wrong_fields(&refused), ["task[webhook_id]"], "she has no grant: {}", refused.text);
    desk.server.grant(&desk.workspace, &desk.webhook, "eve@example.com").await;
    assert_eq!(desk.submit_later(&eve, ID, false).await.status, 200);
    // Whoever made it has lost everything since.
    let sql = "delete from webhook_grants where subject_id = (select id from users where email = 'max@example.com')";
    desk.run(sql).await;
    assert_eq!(desk.comes_due(ID).await.0, SendState::Finished);
    // The other way round.
    desk.server.grant(&desk.workspace, &desk.webhook, "max@example.com").await;
    assert_eq!(desk.submit_later(&desk.cookie, OTHER, true).await.status, 200);
    assert_eq!(desk.submit_later(&eve, OTHER, false).await.status, 200);
    desk.run("delete from webhook_grants where subject_id = (select id from users where email = 'eve@example.com')")
        .await;
    let (state, error) = desk.comes_due(OTHER).await;
    assert!(state == SendState::Failed && error.contains("who submitted this task"), "{error}");
    desk.stop().await;
});
