//! What a save lets pass, and what it leaves behind.

use super::super::{
    get, key,
    tests::{NOW, add_task, created, input, master_key, saving},
};
use super::*;
use crate::on_both_databases;

async fn save(db: &Db, id: &str, version: i64, input: &WebhookInput) -> Result<(), SaveError> {
    update(&saving(db, &master_key()), id, version, input, 0).await
}

async fn key_of(db: &Db, id: &str) -> Option<String> {
    key(db, &master_key(), "w", id).await.unwrap().map(|key| key.expose_secret().to_string())
}

on_both_databases!(only_a_disabled_webhook_is_edited, |db| async move {
    let id = created(&db, "w", &input("Coupons")).await;
    assert!(matches!(save(&db, &id, 1, &input("New")).await, Err(SaveError::Enabled)));
    set_enabled(&db, "w", &id, false, &By::command_line(NOW)).await.unwrap();
    save(&db, &id, 1, &input("New")).await.unwrap();
    let webhook = get(&db, "w", &id).await.unwrap();
    assert_eq!((webhook.input.name.as_str(), webhook.version, webhook.enabled), ("New", 2, false));
});

on_both_databases!(what_is_so_already_is_not_written_down, |db| async move {
    let id = created(&db, "w", &input("Coupons")).await;
    for enabled in [true, false, false, true] {
        set_enabled(&db, "w", &id, enabled, &By::command_line(NOW)).await.unwrap();
        assert_eq!(get(&db, "w", &id).await.unwrap().enabled, enabled);
    }
    let told = crate::audit::testing::told(&db, "w").await;
    let turns: Vec<_> = told.iter().filter(|one| !one.contains("created")).collect();
    assert_eq!(turns, ["Command line: disabled webhook Coupons", "Command line: enabled webhook Coupons"]);
    let nowhere = set_enabled(&db, "other", &id, true, &By::command_line(NOW)).await;
    assert!(matches!(nowhere, Err(sqlx::Error::RowNotFound)));
});

on_both_databases!(the_second_of_two_editors_is_refused, |db| async move {
    let id = created(&db, "w", &input("Coupons")).await;
    set_enabled(&db, "w", &id, false, &By::command_line(NOW)).await.unwrap();
    save(&db, &id, 1, &input("First")).await.unwrap();
    assert!(matches!(save(&db, &id, 1, &input("Second")).await, Err(SaveError::ChangedMeanwhile(_))));
    assert_eq!(get(&db, "w", &id).await.unwrap().input.name, "First");
});

on_both_databases!(names_are_unique_in_their_workspace, |db| async move {
    created(&db, "w", &input("Coupons")).await;
    created(&db, "elsewhere", &input("Coupons")).await;
    let again = create(&saving(&db, &master_key()), &input("Coupons"), None).await;
    assert!(matches!(again, Err(SaveError::NameTaken)));
    let other = created(&db, "w", &input("Other")).await;
    set_enabled(&db, "w", &other, false, &By::command_line(NOW)).await.unwrap();
    assert!(matches!(save(&db, &other, 1, &input("Coupons")).await, Err(SaveError::NameTaken)));
});

on_both_databases!(an_empty_key_keeps_the_key_and_none_removes_it, |db| async move {
    let id = created(&db, "w", &input("Coupons")).await;
    set_enabled(&db, "w", &id, false, &By::command_line(NOW)).await.unwrap();
    save(&db, &id, 1, &WebhookInput { key: "".into(), ..input("Coupons") }).await.unwrap();
    assert_eq!(key_of(&db, &id).await.as_deref(), Some(" my secret "));
    let changes = fetch!(db, one, (i64,), "select count(*) from audit_log where action = 'changed'").unwrap();
    assert_eq!((get(&db, "w", &id).await.unwrap().version, changes), (1, (0,)), "nothing was changed");
    save(&db, &id, 1, &WebhookInput { key: "new".into(), ..input("Coupons") }).await.unwrap();
    assert_eq!(key_of(&db, &id).await.as_deref(), Some("new"));
    let none = WebhookInput { authentication: Authentication::None, ..input("Coupons") };
    save(&db, &id, 2, &none).await.unwrap();
    assert_eq!(key_of(&db, &id).await, None);
    assert!(!get(&db, "w", &id).await.unwrap().has_key);
});

on_both_databases!(statuses_are_kept_once_receipts_were_enabled, |db| async move {
    let status = |code: &str| ReceiptStatus { code: code.into(), value: format!("is {code}") };
    let with = |enabled: bool, codes: &[&str]| WebhookInput {
        receipts_enabled: enabled,
        statuses: codes.iter().map(|code| status(code)).collect(),
        ..input("Coupons")
    };
    let id = created(&db, "w", &with(true, &["200", "500"])).await;
    set_enabled(&db, "w", &id, false, &By::command_line(NOW)).await.unwrap();
    let refused = save(&db, &id, 1, &with(true, &["200"])).await;
    assert!(matches!(refused, Err(SaveError::Statuses(fields)) if fields[0].field == "statuses"));
    save(&db, &id, 1, &with(true, &["200", "500", "404"])).await.unwrap();
    // Disabled, they stay; enabled again, they still can't change.
    save(&db, &id, 2, &with(false, &[])).await.unwrap();
    assert_eq!(get(&db, "w", &id).await.unwrap().input.statuses.len(), 3);
    assert!(matches!(save(&db, &id, 3, &with(true, &["1"])).await, Err(SaveError::Statuses(_))));
});

on_both_databases!(a_copy_is_disabled_and_may_take_the_key, |db| async move {
    let id = created(&db, "w", &input("Coupons")).await;
    let master_key = master_key();
    let saving = saving(&db, &master_key);
    let copy = WebhookInput { key: "".into(), ..input("Coupons copy") };
    let copied = create(&saving, &copy, Some(&id)).await.unwrap();
    let webhook = get(&db, "w", &copied).await.unwrap();
    assert!(!webhook.enabled && webhook.has_key);
    assert_eq!(key_of(&db, &copied).await.as_deref(), Some(" my secret "));
    let own = WebhookInput { key: "own".into(), ..input("Coupons own") };
    let copied = create(&saving, &own, Some(&id)).await.unwrap();
    assert_eq!(key_of(&db, &copied).await.as_deref(), Some("own"));
    let keyless = WebhookInput { authentication: Authentication::None, ..input("Coupons open") };
    let copied = create(&saving, &keyless, Some(&id)).await.unwrap();
    assert_eq!(key_of(&db, &copied).await, None);
    assert!(create(&saving, &copy, Some("elsewhere")).await.is_err(), "there is no such original");
});

on_both_databases!(a_replaced_key_verifies_for_a_while_and_one_key_back_only, |db| async move {
    let id = created(&db, "w", &input("Coupons")).await;
    set_enabled(&db, "w", &id, false, &By::command_line(NOW)).await.unwrap();
    let master_key = master_key();
    let saving = saving(&db, &master_key);
    let old = async || {
        let sql = "select old_key_cipher, old_key_until from webhooks";
        let (sealed, until) = fetch!(db, one, (Option<String>, Option<i64>), sql).unwrap();
        (sealed.map(|sealed| master_key.open(&sealed).unwrap()), until)
    };
    let with = |key: &str| WebhookInput { key: key.into(), ..input("Coupons") };
    update(&saving, &id, 1, &with("second"), 1_000).await.unwrap();
    assert_eq!(old().await, (Some(" my secret ".into()), Some(NOW + 1_000)));
    update(&saving, &id, 2, &WebhookInput { batch_size: 9, ..with("") }, 5_000).await.unwrap();
    assert_eq!(old().await, (Some(" my secret ".into()), Some(NOW + 1_000)), "without a new key nothing changes");
    update(&saving, &id, 3, &with("third"), 2_000).await.unwrap();
    assert_eq!(old().await, (Some("second".into()), Some(NOW + 2_000)));
    update(&saving, &id, 4, &with("fourth"), 0).await.unwrap();
    assert_eq!(old().await, (None, None), "replaced at once");
    update(&saving, &id, 5, &with("fifth"), 1_000).await.unwrap();
    let none = WebhookInput { authentication: Authentication::None, ..input("Coupons") };
    update(&saving, &id, 6, &none, 1_000).await.unwrap();
    assert_eq!((old().await, key_of(&db, &id).await), ((None, None), None));
});

on_both_databases!(every_version_is_kept_without_its_key, |db| async move {
    let id = created(&db, "w", &input("Coupons")).await;
    set_enabled(&db, "w", &id, false, &By::command_line(NOW)).await.unwrap();
    save(&db, &id, 1, &WebhookInput { url: "https://new.example.com".into(), ..input("Coupons") }).await.unwrap();
    let kept = super::super::versions(&db, "w", &id).await.unwrap();
    assert_eq!(kept.iter().map(|one| one.version).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(changes(&kept[1].input, &kept[0].input)[0].after, "https://new.example.com");
    assert!(kept.iter().all(|one| one.input.key.is_empty() && one.tasks.is_empty()));
    // One from before there were versions gets its first with the next change.
    execute!(db, "delete from webhook_versions").unwrap();
    save(&db, &id, 2, &input("Vouchers")).await.unwrap();
    assert_eq!(super::super::versions(&db, "w", &id).await.unwrap().len(), 2);
});

on_both_databases!(the_refusal_says_what_the_other_changed, |db| async move {
    let id = created(&db, "w", &input("Coupons")).await;
    set_enabled(&db, "w", &id, false, &By::command_line(NOW)).await.unwrap();
    save(&db, &id, 1, &WebhookInput { concurrency: 9, ..input("Coupons") }).await.unwrap();
    let refused = save(&db, &id, 1, &input("Mine")).await.unwrap_err().to_string();
    assert!(!refused.contains("Statuses"), "receipts are off: {refused}");
    assert!(refused.contains("Requests at once: “9” instead of “4”."), "{refused}");
});

on_both_databases!(only_a_disabled_unused_webhook_is_deleted, |db| async move {
    let id = created(&db, "w", &input("Coupons")).await;
    assert!(matches!(delete(&db, "w", &id, &By::command_line(NOW)).await, Err(SaveError::EnabledDelete)));
    set_enabled(&db, "w", &id, false, &By::command_line(NOW)).await.unwrap();
    add_task(&db, "w", "t1", &id).await;
    let refused = delete(&db, "w", &id, &By::command_line(NOW)).await.unwrap_err().to_string();
    assert!(refused.contains("“Spring”"), "{refused}");
    for n in 2..=7 {
        add_task(&db, "w", &format!("t{n}"), &id).await;
    }
    assert!(delete(&db, "w", &id, &By::command_line(NOW)).await.unwrap_err().to_string().contains(" and others"));
    execute!(db, "delete from tasks").unwrap();
    assert!(matches!(
        delete(&db, "elsewhere", &id, &By::command_line(NOW)).await,
        Err(SaveError::Database(sqlx::Error::RowNotFound))
    ));
    delete(&db, "w", &id, &By::command_line(NOW)).await.unwrap();
    assert!(matches!(get(&db, "w", &id).await, Err(sqlx::Error::RowNotFound)));
    let left = fetch!(db, one, (i64,), "select count(*) from webhook_versions").unwrap();
    assert_eq!(left.0, 0);
});
