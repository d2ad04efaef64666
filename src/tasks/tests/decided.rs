//! What a person decides: about messages whose outcome is unknown, and about a task that missed its time.

use super::*;
use crate::{
    audit::testing::{last_change, told},
    clock::HOUR,
    tasks::{api::DeleteTask, detail::api::CountUnknown},
    ui::time::{Form, text},
};

impl Desk {
    async fn count(&self, count_as: &str, users: i64) -> Answer {
        let fields = format!("id={ID}&count_as={count_as}&users={users}");
        self.server.call::<CountUnknown>(&self.cookie, &fields).await
    }

    async fn control(&self, id: &str, action: &str) -> Answer {
        self.server.call::<ControlTask>(&self.cookie, &format!("id={id}&action={action}")).await
    }

    async fn task_page(&self) -> String {
        self.server.page(&format!("/tasks/{ID}"), &self.cookie).await.text
    }

    /// A task whose time came while nobody looked.
    async fn missed(&self, id: &str) {
        let at = text(self.server.state.clock.now() + HOUR, Some("UTC"), Form::Input);
        assert_eq!(self.submit(id, &[("task[scheduled]", "true"), ("task[send_at]", &at)]).await.status, 200);
        self.server.state.clock.advance(4 * HOUR);
        self.server.state.engine.wake();
        for _ in 0..600 {
            if self.live(id).await.progress.state == SendState::Missed {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{:?}", self.live(id).await.progress);
    }
}

on_both_databases!(what_is_unknown_is_decided_by_a_person_and_written_down, |db| async move {
    let desk = Desk::new(db.clone()).await;
    desk.server.state.engine.stop(Duration::from_secs(5)).await;
    assert_eq!(desk.submit(ID, &[]).await.status, 200);
    // As a crash has left it whose webhook leaves that to a person.
    execute!(
        db,
        "insert into send_batches (workspace_id, send_id, batch_no, first_seq, last_seq, size, state, run_at, lease_no)
         values ($1, $2, 0, 0, 1, 2, 'unknown', $3, 1)",
        &desk.workspace,
        ID,
        i64::MAX
    )
    .unwrap();
    execute!(db, "update sends set state = 'sending', planned = 2, planning_done = (1 = 1), batches = 1, unknown = 2")
        .unwrap();
    assert_eq!(desk.count("sent", 2).await.status, 409, "it has not ended");
    assert!(!desk.task_page().await.contains("Count as sent"));
    execute!(db, "update sends set state = 'finished'").unwrap();
    let page = desk.task_page().await;
    for label in ["Send unknown again", "Count as sent", "Count as not sent", "The outcome for 2 users is unknown"] {
        assert!(page.contains(label), "{label}");
    }
    assert_eq!(desk.count("sent", 3).await.status, 409, "the page said another number");
    assert_eq!(desk.count("maybe", 2).await.status, 422);
    assert_eq!(desk.live(ID).await.progress.unknown, 2);
    let done = desk.count("not_sent", 2).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let live = desk.live(ID).await;
    assert_eq!((live.progress.state, live.progress.failed, live.progress.unknown), (SendState::Failed, 2, 0));
    assert_eq!(live.reasons[0].reason, "unknown after a crash, counted as not sent");
    assert_eq!(live.progress.error.as_deref(), Some(live.reasons[0].reason.as_str()), "as one that has just failed");
    let change = last_change(&db, &desk.workspace).await;
    assert_eq!(change["after"], serde_json::json!({"counted": "Unknown ones as not sent", "users": 2}));
    assert!(told(&db, &desk.workspace).await.contains(&"Somebody: decided task Spring".to_string()));
    assert_eq!(desk.count("sent", 2).await.status, 409, "nothing is unknown any more");
    execute!(db, "delete from webhook_grants").unwrap();
    assert_eq!(desk.count("sent", 2).await.status, 403, "as for sending again");
});

on_both_databases!(a_task_that_missed_its_time_waits_and_is_sent_when_somebody_says_so, |db| async move {
    let desk = Desk::new(db.clone()).await;
    desk.missed(ID).await;
    let page = desk.task_page().await;
    for label in ["Missed", "Send now", "Stop", "Edit", "Delete", "3 h later"] {
        assert!(page.contains(label), "{label}");
    }
    let list = desk.server.page("/tasks?state=missed", &desk.cookie).await.text;
    assert!(list.contains("Spring") && list.contains("Missed"));
    assert!(!desk.server.page("/tasks?state=scheduled", &desk.cookie).await.text.contains("Spring"));
    assert!(desk.server.page("/", &desk.cookie).await.text.contains("1 task missed the time"));
    assert!(told(&db, &desk.workspace).await.contains(&"Engine: missed task Spring".to_string()));
    assert_eq!(audiences::store::used_by(&db, &desk.workspace, &desk.audience).await.unwrap(), ["Spring"]);
    assert_eq!(desk.control(ID, "pause").await.status, 409);
    let sent = desk.control(ID, "send_now").await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    assert_eq!(desk.finished(ID).await.progress.accepted, 1);
    assert!(told(&db, &desk.workspace).await.contains(&"Somebody: sent_now task Spring".to_string()));
    assert_eq!(desk.control(ID, "send_now").await.status, 409);
    desk.server.state.engine.stop(Duration::from_secs(5)).await;
});

on_both_databases!(a_task_that_missed_its_time_is_edited_stopped_or_deleted, |db| async move {
    let desk = Desk::new(db.clone()).await;
    desk.missed(ID).await;
    let later = text(desk.server.state.clock.now() + HOUR, Some("UTC"), Form::Input);
    let edit = [("new", "false"), ("task[scheduled]", "true"), ("task[send_at]", &later)];
    assert_eq!(desk.submit(ID, &edit).await.status, 200);
    let edited = desk.live(ID).await.progress;
    assert_eq!((edited.state, edited.error), (SendState::Scheduled, None), "it has a time again");
    desk.server.state.clock.advance(HOUR);
    desk.server.state.engine.wake();
    assert_eq!(desk.finished(ID).await.progress.accepted, 1);
    desk.missed(OTHER).await;
    assert_eq!(desk.control(OTHER, "stop").await.status, 200);
    assert_eq!(desk.live(OTHER).await.progress.state, SendState::Stopped);
    let third = "0123456789abcdef0123456789abcdee";
    desk.missed(third).await;
    let deleted = desk.server.submit::<DeleteTask>(&desk.cookie, &[("id", third)]).await;
    assert_eq!(deleted.status, 302, "{}", deleted.text);
    assert_eq!(desk.crm.rows().len(), 1, "nobody else was sent to");
    desk.server.state.engine.stop(Duration::from_secs(5)).await;
});
