//! What the audit log says of tasks.

use super::*;
use crate::{
    audit::testing::{assert_whole, last_change, told},
    tasks::{
        api::DeleteTask,
        detail::api::{ControlTask, SendFailedAgain},
    },
};

on_both_databases!(what_is_done_to_a_task_is_written_down, |db| async move {
    let desk = Desk::new(db.clone()).await;
    // Nothing moves by itself.
    desk.server.state.engine.stop(Duration::from_secs(5)).await;
    let later = [("task[scheduled]", "true"), ("task[send_at]", "2100-01-01T10:00")];
    assert_eq!(desk.submit(ID, &later).await.status, 200);
    let after = last_change(&db, &desk.workspace).await["after"].clone();
    assert_eq!((&after["values"]["text"], &after["audience"]), (&"Dear ${city}".into(), &"All".into()));
    assert_eq!(after["webhook"], "Hook");
    assert_eq!(desk.submit(ID, &later).await.status, 200, "the same form again is nothing new");
    let edit = [later[0], later[1], ("new", "false"), ("task[name]", "Summer")];
    assert_eq!(desk.submit(ID, &edit).await.status, 200);
    let change = last_change(&db, &desk.workspace).await;
    assert_eq!(change, serde_json::json!({"before": {"name": "Spring"}, "after": {"name": "Summer"}}));
    let same = [edit[0], edit[1], edit[2], edit[3]];
    assert_eq!(desk.submit(ID, &same).await.status, 200);
    let control = async |action: &str| {
        desk.server.call::<ControlTask>(&desk.cookie, &format!("id={ID}&action={action}")).await.status.as_u16()
    };
    assert_eq!(control("pause").await, 409, "it has not begun");
    execute!(db, "update sends set state = 'sending'").unwrap();
    assert_eq!((control("pause").await, control("resume").await, control("stop").await), (200, 200, 200));
    let again = async |more: &str| {
        let answer = desk.server.call::<SendFailedAgain>(&desk.cookie, &format!("id={ID}{more}")).await;
        answer.status.as_u16()
    };
    assert_eq!(again("").await, 409, "nothing has failed");
    execute!(
        db,
        "insert into send_batches (workspace_id, send_id, batch_no, first_seq, last_seq, size, state, run_at, reason)
         values ($1, $2, 0, 0, 0, 1, 'failed', 0, 'HTTP 500')",
        &desk.workspace,
        ID
    )
    .unwrap();
    assert_eq!(again("&reason=HTTP+500").await, 200);
    assert_eq!(last_change(&db, &desk.workspace).await["after"]["which"], "HTTP 500");
    assert_eq!(control("stop").await, 200);
    let deleted = desk.server.submit::<DeleteTask>(&desk.cookie, &[("id", ID)]).await;
    assert_eq!(deleted.status, 302, "{}", deleted.text);
    let expected = [
        "submitted task Spring",
        "changed task Summer",
        "submitted task Summer",
        "paused task Summer",
        "resumed task Summer",
        "stopped task Summer",
        "sent_again task Summer",
        "stopped task Summer",
        "deleted task Summer",
    ];
    let all = told(&db, &desk.workspace).await;
    let of_tasks: Vec<&String> = all.iter().filter(|one| one.contains(" task ")).collect();
    assert_eq!(of_tasks, expected.map(|one| format!("Somebody: {one}")).iter().collect::<Vec<_>>());
    assert_whole(&db, &desk.workspace).await;
});
