//! Imports against both databases.

use super::{
    file_of, resume,
    run::{Run, RunError},
    store,
    testing::{import_text, mapping, started, workspace},
};
use crate::{
    audit::By,
    clock::Clock,
    customers::{
        self,
        model::{Import, ImportStatus, Reason, SILENCE_MAX},
    },
    db::Db,
    execute, fetch, on_both_databases,
};

fn columns() -> Vec<(&'static str, String)> {
    [("id", "customer_id"), ("ONEID", "id:ONEID"), ("EMAIL", "id:EMAIL"), ("spend", "tag:number"), ("city", "tag:text")]
        .into_iter()
        .map(|(name, code)| (name, code.to_string()))
        .collect()
}

fn reasons(import: &Import) -> Vec<(Reason, i64)> {
    let mut reasons = import.reasons.clone();
    reasons.sort_by_key(|(reason, _)| reason.code());
    reasons
}

/// All customers and identities, to compare two ends.
async fn everything(db: &Db, ws: &str) -> (Vec<(String, String)>, Vec<(String, String, String)>) {
    let customers = fetch!(
        db,
        all,
        (String, String),
        "select customer_id, cast(tags as text) from customers where workspace_id = $1 order by customer_id",
        ws
    );
    let identities = fetch!(
        db,
        all,
        (String, String, String),
        "select id_type, value, customer_id from identities where workspace_id = $1 order by id_type, value",
        ws
    );
    (customers.unwrap(), identities.unwrap())
}

on_both_databases!(bad_rows_do_not_stop_the_rest, |db| async move {
    let ws = workspace(&db).await;
    let text = "id,ONEID,EMAIL,spend,city\n\
        c1,o1,a@x,10,Paris\n\
        ,o9,,1,x\n\
        c2,o1,b@x,1,x\n\
        c3,o3,,many,x\n\
        c4,\"o4,,1,x\n\
        c5,o5,,1\n\
        c6,o6,,1,\"Ro\nme\"\n\
        c1,,,20,\n";
    let done = import_text(&db, &ws, text, &columns()).await;
    assert_eq!(done.status, ImportStatus::Finished);
    assert_eq!((done.rows_good, done.rows_bad, done.bytes_done), (3, 5, text.len() as i64));
    assert_eq!(
        reasons(&done),
        [
            (Reason::BrokenQuoting, 1),
            (Reason::DuplicateIdentity, 1),
            (Reason::NoCustomerId, 1),
            (Reason::NotANumber, 1),
            (Reason::WrongCells, 1)
        ]
    );
    let lines: Vec<i64> =
        store::bad_rows(&db, &ws, &done.id, 0, 100).await.unwrap().into_iter().map(|bad| bad.line).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7]);
    // The later row wins; its empty cells say nothing.
    let c1 = customers::store::one(&db, &ws, "c1").await.unwrap();
    assert_eq!(serde_json::Value::Object(c1.tags), serde_json::json!({"spend": 20, "city": "Paris"}));
    assert_eq!(c1.identities.len(), 2);
    assert_eq!(customers::store::one(&db, &ws, "c6").await.unwrap().tags["city"], "Ro\nme");
    assert_eq!(customers::store::total(&db, &ws).await.unwrap(), 2);
});

on_both_databases!(importing_again_changes_nothing_and_new_values_replace_old_ones, |db| async move {
    let ws = workspace(&db).await;
    let text = "id,ONEID,EMAIL,spend,city\nc1,o1,a@x,1,Paris\nc2,o2,,2,\n";
    import_text(&db, &ws, text, &columns()).await;
    let before = everything(&db, &ws).await;
    let again = import_text(&db, &ws, text, &columns()).await;
    assert_eq!((again.rows_good, again.rows_bad), (2, 0));
    assert_eq!(everything(&db, &ws).await, before);
    // A new ONEID replaces the old one, which is free for another customer; e-mail addresses add up.
    let text = "id,ONEID,EMAIL,spend,city\nc1,o3,b@x,,Rome\nc3,o1,a@x,,\nc4,o1,,,\n";
    let done = import_text(&db, &ws, text, &columns()).await;
    assert_eq!(reasons(&done), [(Reason::DuplicateIdentity, 1)]);
    let c1 = customers::store::one(&db, &ws, "c1").await.unwrap();
    let values: Vec<&str> = c1.identities.iter().map(|identity| identity.value.as_str()).collect();
    assert_eq!(values, ["a@x", "b@x", "o3"]);
    assert_eq!(c1.tags["city"], "Rome");
    assert_eq!(customers::store::one(&db, &ws, "c4").await.unwrap().identities[0].value, "o1");
    assert_eq!(customers::store::total(&db, &ws).await.unwrap(), 3);
});

/// Many chunks, some bad rows, identities that move.
fn big() -> Vec<u8> {
    let mut text = String::from("id,ONEID,EMAIL,spend,city\n");
    for n in 0..9_000 {
        let (customer, spend) = (n % 7_000, if n % 1_000 == 3 { "x".to_string() } else { n.to_string() });
        let quote = if n % 2_500 == 7 { "\"" } else { "" };
        text.push_str(&format!("c{customer:05},{quote}o{n},e{}@x,{spend},city {}\n", n % 8_000, n % 10));
    }
    text.into_bytes()
}

on_both_databases!(an_interrupted_import_goes_on_and_ends_the_same, |db| async move {
    let (one, other) = (workspace(&db).await, workspace(&db).await);
    let clock = Clock::manual(3);
    let (id, file) = started(&db, &one, &big(), &columns()).await;
    Run { db: &db, clock: &clock, workspace: &one, id: &id }.to_end(file.path(), |_| {}).await.unwrap();
    let whole = store::get(&db, &one, &id).await.unwrap();

    let (id, file) = started(&db, &other, &big(), &columns()).await;
    let run = Run { db: &db, clock: &clock, workspace: &other, id: &id };
    // Dropped between any two of its steps, as by a kill, again and again.
    let mut interruptions = 0;
    loop {
        let mut chunks = 0;
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let mut stop = Some(stop);
        let going = run.to_end(file.path(), |_| {
            chunks += 1;
            if chunks == 2 {
                stop.take().map(|stop| stop.send(()));
            }
        });
        tokio::select! {
            biased;
            _ = stopped => interruptions += 1,
            ended = going => { ended.unwrap(); break; }
        }
    }
    assert!(interruptions >= 1);
    let pieces = store::get(&db, &other, &id).await.unwrap();
    assert_eq!((pieces.rows_good, pieces.rows_bad), (whole.rows_good, whole.rows_bad));
    assert!(pieces.rows_bad > 0);
    assert_eq!(reasons(&pieces), reasons(&whole));
    assert_eq!(everything(&db, &other).await, everything(&db, &one).await);
    let totals =
        (customers::store::total(&db, &other).await.unwrap(), customers::store::total(&db, &one).await.unwrap());
    assert_eq!(totals.0, totals.1);
    assert_eq!(totals.0, everything(&db, &one).await.0.len() as i64);
});

on_both_databases!(two_runs_of_one_import_write_each_row_once, |db| async move {
    let ws = workspace(&db).await;
    let clock = Clock::manual(3);
    let (id, file) = started(&db, &ws, &big(), &columns()).await;
    let run = Run { db: &db, clock: &clock, workspace: &ws, id: &id };
    let (one, other) = tokio::join!(run.to_end(file.path(), |_| {}), run.to_end(file.path(), |_| {}));
    assert!(matches!((&one, &other), (Ok(()), Err(RunError::Overtaken)) | (Err(RunError::Overtaken), Ok(()))));
    let done = store::get(&db, &ws, &id).await.unwrap();
    assert_eq!(done.status, ImportStatus::Finished);
    assert_eq!(done.rows_good + done.rows_bad, 9_000);
});

on_both_databases!(a_file_that_is_gone_or_changed_fails_and_says_so, |db| async move {
    let ws = workspace(&db).await;
    let clock = Clock::manual(3);
    let (id, file) = started(&db, &ws, b"id,ONEID,EMAIL,spend,city\nc1,,,,\n", &columns()).await;
    std::fs::write(file.path(), "id,name\nc1,x\n").unwrap();
    let run = Run { db: &db, clock: &clock, workspace: &ws, id: &id };
    assert!(matches!(run.to_end(file.path(), |_| {}).await, Err(RunError::Changed)));
    let failed = store::get(&db, &ws, &id).await.unwrap();
    assert_eq!(failed.status, ImportStatus::Failed);
    assert!(failed.error.unwrap().contains("changed"));
    std::fs::write(file.path(), "id,ONEID,EMAIL,spend,city\nc1,,,,\n").unwrap();
    assert!(store::start_again(&db, &ws, &id, &By::command_line(4)).await.unwrap());
    run.to_end(file.path(), |_| {}).await.unwrap();
    assert_eq!(store::get(&db, &ws, &id).await.unwrap().rows_good, 1);
    assert!(!store::start_again(&db, &ws, &id, &By::command_line(4)).await.unwrap());
});

on_both_databases!(an_import_starts_once_and_never_with_a_tag_of_another_kind, |db| async move {
    let ws = workspace(&db).await;
    execute!(db, "insert into tags (workspace_id, name, kind) values ($1, 'spend', 'text')", &ws).unwrap();
    let new = store::NewImport { source: store::Source::Upload, file_name: "x", bytes: 1, by: "test" };
    let id = store::add(&db, &ws, &new, 1).await.unwrap();
    let wrong = mapping(&columns());
    assert!(!store::start(&db, &ws, &id, &wrong, &By::command_line(2)).await.unwrap());
    assert_eq!(store::get(&db, &ws, &id).await.unwrap().status, ImportStatus::Uploaded);
    assert_eq!(customers::store::tags(&db, &ws).await.unwrap().len(), 1);
    let right = mapping(&columns()[..3]);
    assert!(store::start(&db, &ws, &id, &right, &By::command_line(2)).await.unwrap());
    assert!(!store::start(&db, &ws, &id, &right, &By::command_line(2)).await.unwrap());
    assert!(!store::discard(&db, &ws, &id, &By::command_line(3)).await.unwrap());
    assert!(matches!(store::get(&db, "another", &id).await, Err(sqlx::Error::RowNotFound)));
});

on_both_databases!(an_import_whose_program_was_killed_is_seen_and_comes_to_an_end, |db| async move {
    let ws = workspace(&db).await;
    let clock = Clock::manual(3);
    let (id, file) = started(&db, &ws, b"id,ONEID,EMAIL,spend,city\nc1,,,,\n", &columns()).await;
    let status = async |id: &str, now| store::get(&db, &ws, id).await.unwrap().at(now).status;
    assert_eq!(status(&id, 3).await, ImportStatus::Running);
    assert!(!store::start_again(&db, &ws, &id, &By::command_line(3)).await.unwrap(), "it may still run");
    assert!(!store::discard(&db, &ws, &id, &By::command_line(3)).await.unwrap());
    let later = 3 + SILENCE_MAX;
    assert_eq!(status(&id, later).await, ImportStatus::Interrupted);
    assert!(store::start_again(&db, &ws, &id, &By::command_line(later)).await.unwrap());
    assert_eq!(status(&id, later).await, ImportStatus::Running);
    clock.advance(later);
    let run = Run { db: &db, clock: &clock, workspace: &ws, id: &id };
    run.to_end(file.path(), |_| {}).await.unwrap();
    assert_eq!(status(&id, i64::MAX).await, ImportStatus::Finished);
    assert_eq!(store::get(&db, &ws, &id).await.unwrap().progress_at, Some(clock.now()));

    // Its last words may not have come through: all is there, only the end is not.
    execute!(db, "update imports set status = 'running', finished_at = null, progress_at = 1 where id = $1", &id)
        .unwrap();
    assert!(store::start_again(&db, &ws, &id, &By::command_line(clock.now())).await.unwrap());
    run.to_end(file.path(), |_| {}).await.unwrap();
    let done = store::get(&db, &ws, &id).await.unwrap();
    assert_eq!((done.status, done.rows_good), (ImportStatus::Finished, 1));

    // One of the command line has no file here: it is discarded, its bad rows too, and a run of it that lives stops.
    let (id, file) = started(&db, &ws, &big(), &columns()).await;
    execute!(db, "update imports set source = 'command' where id = $1", &id).unwrap();
    let run = Run { db: &db, clock: &clock, workspace: &ws, id: &id };
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let mut stop = Some(stop);
    let first = async {
        let going = run.to_end(file.path(), |_| drop(stop.take()));
        tokio::select! { biased; _ = &mut stopped => {}, _ = going => {} }
    };
    first.await;
    let late = clock.now() + SILENCE_MAX + 1;
    assert_eq!(status(&id, late).await, ImportStatus::Interrupted);
    assert!(!store::start_again(&db, &ws, &id, &By::command_line(late)).await.unwrap(), "nobody here has its file");
    assert!(store::discard(&db, &ws, &id, &By::command_line(late)).await.unwrap());
    assert!(store::bad_rows(&db, &ws, &id, 0, 10).await.unwrap().is_empty());
    assert!(matches!(run.to_end(file.path(), |_| {}).await, Err(RunError::NotRunning)));
});

on_both_databases!(a_node_goes_on_only_with_the_files_that_it_has, |db| async move {
    let app = crate::server::testing::Harness::new(db.clone()).await;
    let ws = workspace(&db).await;
    let (here, file) = started(&db, &ws, b"id,ONEID,EMAIL,spend,city\nc1,,,,\n", &columns()).await;
    let (elsewhere, _) = started(&db, &ws, b"id,ONEID,EMAIL,spend,city\nc2,,,,\n", &columns()).await;
    std::fs::create_dir_all(app.state.config.uploads()).unwrap();
    std::fs::copy(file.path(), file_of(&app.state, &here)).unwrap();
    assert_eq!(resume(&app.state).await, [here]);
    assert_eq!(store::get(&db, &ws, &elsewhere).await.unwrap().status, ImportStatus::Running);
});

on_both_databases!(the_page_of_an_interrupted_import_offers_what_is_possible, |db| async move {
    let app = crate::server::testing::Harness::new(db.clone()).await;
    let ws = app.member("a@example.com", "One", crate::access::model::Preset::Marketer).await;
    for (source, run_again) in [("command", false), ("upload", true)] {
        let (id, _file) = started(&db, &ws, b"id,ONEID,EMAIL,spend,city\nc1,,,,\n", &columns()).await;
        let sql = "update imports set source = $2, progress_at = $3 where id = $1";
        execute!(db, sql, &id, source, app.state.clock.now()).unwrap();
        let cookie = app.sign_in("a@example.com").await;
        let (path, form) = (format!("/customers/imports/{id}"), format!("id={id}"));
        assert!(app.page(&path, &cookie).await.text.contains("You can leave this page"));
        assert_eq!(app.call::<customers::api::DiscardImport>(&cookie, &form).await.status, 409);
        app.state.clock.advance(SILENCE_MAX + 1);
        let page = app.page(&path, &cookie).await.text;
        assert!(page.contains("Interrupted") && page.contains("Discard this import"), "{page}");
        assert_eq!(page.contains("Run again"), run_again);
        assert!(app.page("/customers/import", &cookie).await.text.contains("Interrupted"));
        // Its file is on no disk of this server: another may have it, so it is not failed from here.
        let answer = app.call::<customers::api::RunImportAgain>(&cookie, &form).await;
        assert!(answer.status == 409 && answer.text.contains("not on this server"), "{}", answer.text);
        assert_eq!(store::get(&db, &ws, &id).await.unwrap().status, ImportStatus::Running);
        assert!(app.call::<customers::api::DiscardImport>(&cookie, &form).await.status.is_success());
        assert!(matches!(store::get(&db, &ws, &id).await, Err(sqlx::Error::RowNotFound)));
    }
});
