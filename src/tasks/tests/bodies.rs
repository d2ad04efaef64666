//! What is sent again is what was sent, whatever has become of everything that it was made of.

use super::*;
use crate::crm::Answer;

on_both_databases!(a_retry_is_the_first_attempt_byte_for_byte, |db| async move {
    let desk = Desk::new(db).await;
    let (state, workspace) = (&desk.server.state, desk.workspace.clone());
    let broken =
        crate::delivery::testing::simulator(crm::Options { answer: Answer::Broken, ..Default::default() }).await;
    execute!(state.db, "update webhooks set url = $1", broken.url()).unwrap();
    assert_eq!(desk.submit(ID, &[]).await.status, 200);
    let tried = async |times: i64| {
        let sql = "select count(*) from send_batches where send_id = $1 and state = 'retry' and attempts = $2";
        for _ in 0..600 {
            if fetch!(state.db, one, (i64,), sql, ID, times).unwrap().0 == 1 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no attempt {times}");
    };
    tried(1).await;
    // The webhook asks for something else, of other IDs.
    let by = By::command_line(0);
    webhooks::store::set_enabled(&state.db, &workspace, &desk.webhook, false, &by).await.unwrap();
    let before = webhooks::store::get(&state.db, &workspace, &desk.webhook).await.unwrap();
    let other = Parameter { name: "other".into(), display_name: "Other".into(), ..Default::default() };
    let input = WebhookInput {
        name: "Renamed".into(),
        id_types: vec!["EMAIL".into()],
        parameters: vec![other],
        batch_size: 1,
        pass_environment: true,
        ..before.input
    };
    let saving = webhooks::store::Saving::new(state, &workspace, by.clone());
    webhooks::store::update(&saving, &desk.webhook, before.version, &input, 0).await.unwrap();
    webhooks::store::set_enabled(&state.db, &workspace, &desk.webhook, true, &by).await.unwrap();
    state.clock.advance(60_000);
    state.engine.wake();
    tried(2).await;
    // The customers have other IDs and tags, then they are gone, and so are audience, ID type and what was filled in.
    let csv = "customer_id,ONEID,city\n=c1,o9,Hull\nc4,o4,York\n";
    let columns = [("customer_id", "customer_id"), ("ONEID", "id:ONEID"), ("city", "tag:text")];
    import_text(&state.db, &workspace, csv, &columns.map(|(name, code)| (name, code.to_string()))).await;
    for sql in [
        "delete from identities",
        "delete from customers",
        "delete from audiences",
        "update id_types set enabled = (1 = 0)",
        "update tasks set inputs = '{}', id_type = 'EMAIL', encryption = 'MD5'",
    ] {
        execute!(state.db, sql).unwrap();
    }
    // What comes now is taken.
    execute!(state.db, "update sends set url = $1", desk.crm.url()).unwrap();
    execute!(state.db, "update webhooks set version = version + 1").unwrap();
    state.clock.advance(60_000);
    state.engine.wake();
    let sql = "select state from sends where id = $1";
    for _ in 0..600 {
        if fetch!(state.db, one, (String,), sql, ID).unwrap().0 == "finished" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut rows = broken.rows();
    assert_eq!(rows.len(), 2);
    rows.extend(desk.crm.rows());
    assert_eq!((rows.len(), rows[2].answer.as_str()), (3, "ok"));
    assert_eq!((rows[2].target.as_str(), rows[2].customer_id.as_str()), ("o1", "=c1"));
    for one in &rows {
        assert!(one.signature, "signed anew: {one:?}");
        assert_eq!((&one.body, &one.batch_id, &one.action_id), (&rows[0].body, &rows[0].batch_id, &rows[0].action_id));
    }
    let seconds: Vec<i64> = rows.iter().map(|row| row.timestamp.parse().unwrap()).collect();
    assert_eq!((seconds[1] - seconds[0], seconds[2] - seconds[1]), (60, 60), "a fresh timestamp");
    let nonces: std::collections::BTreeSet<_> = rows.iter().map(|row| row.nonce.as_str()).collect();
    assert_eq!(nonces.len(), 3, "a fresh nonce");
    state.engine.stop(Duration::from_secs(5)).await;
});
