use super::*;
use crate::{
    audit::By, clock::Millis, error::AppError, execute, hidden::Hidden, on_both_databases, parameters::model::Source,
};
use secrecy::ExposeSecret;

const NOW: Millis = 1_700_000_000_000;

fn master_key() -> MasterKey {
    MasterKey::from_text("a key of enough length").unwrap()
}

/// An interface that is associated with `others`, by settings of these names.
fn interface(name: &str, others: &[(&str, &str)]) -> ParameterInput {
    let other = |(name, parameter): &(&str, &str)| OtherSetting {
        name: (*name).into(),
        display_name: (*name).into(),
        parameter: (*parameter).into(),
        ..OtherSetting::default()
    };
    ParameterInput {
        name: name.into(),
        url: "https://crm.example.com/values".into(),
        authentication: Authentication::Key,
        key: " my secret ".into(),
        with_others: !others.is_empty(),
        others: others.iter().map(other).collect(),
        ..ParameterInput::default()
    }
}

fn constant(name: &str, associated: &str) -> ParameterInput {
    let when = if associated.is_empty() { "" } else { "zj" };
    ParameterInput {
        name: name.into(),
        kind: Kind::Constant,
        with_associated: !associated.is_empty(),
        associated: associated.into(),
        constants: vec![ConstantValue { when: when.into(), value: "1".into(), display_name: "One".into() }],
        ..ParameterInput::default()
    }
}

async fn created(db: &Db, workspace: &str, input: &ParameterInput) -> String {
    create(db, &master_key(), workspace, input, &By::command_line(NOW)).await.unwrap()
}

async fn save(db: &Db, id: &str, version: i64, input: &ParameterInput) -> Result<(), SaveError> {
    update(db, &master_key(), "w", id, version, input, &By::command_line(NOW + 1)).await
}

async fn put_webhook(db: &Db, workspace: &str, id: &str, parameters: &str) {
    execute!(
        db,
        "insert into webhooks (workspace_id, id, name, name_key, enabled, url, authentication, id_types, parameters,
             batch_size, concurrency, receipts_enabled, retention_days, statuses, version, created_at, updated_at)
         values ($1, $2, $2, $2, $3, 'https://crm.example.com', 'none', '[]', $4, 100, 4, $3, 7, '[]', 1, 0, 0)",
        workspace,
        id,
        false,
        parameters
    )
    .unwrap();
}

fn wrong(result: Result<impl std::fmt::Debug, SaveError>) -> Vec<(String, String)> {
    match AppError::from(result.unwrap_err()) {
        AppError::Invalid(fields) => fields.into_iter().map(|error| (error.field, error.message)).collect(),
        other => panic!("{other}"),
    }
}

async fn key_of(db: &Db, id: &str) -> Option<String> {
    key(db, &master_key(), "w", id).await.unwrap().map(|key| key.expose_secret().to_string())
}

on_both_databases!(what_was_created_is_read_without_its_key, |db| async move {
    let province = created(&db, "w", &interface("省", &[])).await;
    let mut typed = interface("城市", &[("province", &province)]);
    let manual = OtherSetting {
        name: "tags".into(),
        display_name: "Tags".into(),
        source: Source::Manual,
        text: "a|b".into(),
        ..OtherSetting::default()
    };
    typed.others.push(manual);
    typed.with_system = true;
    typed.system = vec![SystemSetting { name: "who".into(), display_name: "Who".into(), ..SystemSetting::default() }];
    let id = created(&db, "w", &typed).await;
    let city = get(&db, "w", &id).await.unwrap();
    assert_eq!((city.version, city.has_key, city.updated_at), (1, true, NOW));
    assert_eq!(city.input, ParameterInput { key: Hidden::default(), ..typed });
    assert_eq!(key_of(&db, &id).await.as_deref(), Some(" my secret "));
    let other_master = MasterKey::from_text("another key of enough length").unwrap();
    assert!(matches!(key(&db, &other_master, "w", &id).await, Err(sqlx::Error::Decode(_))));

    let typed = constant("Shop", &id);
    let shop = created(&db, "w", &typed).await;
    let shop = get(&db, "w", &shop).await.unwrap();
    assert_eq!((shop.input, shop.has_key), (typed, false));
});

on_both_databases!(another_workspace_has_no_such_parameter, |db| async move {
    let id = created(&db, "w", &interface("City", &[])).await;
    let gone = |result: sqlx::Result<()>| assert!(matches!(result, Err(sqlx::Error::RowNotFound)));
    gone(get(&db, "other", &id).await.map(drop));
    gone(key(&db, &master_key(), "other", &id).await.map(drop));
    assert!(choices(&db, "other").await.unwrap().is_empty());
    let removed = delete(&db, "other", &id, &By::command_line(NOW)).await;
    assert!(matches!(removed, Err(SaveError::Database(sqlx::Error::RowNotFound))));
    let saved = update(&db, &master_key(), "other", &id, 1, &interface("City", &[]), &By::command_line(NOW)).await;
    assert!(matches!(saved, Err(SaveError::Database(sqlx::Error::RowNotFound))));
    let foreign =
        create(&db, &master_key(), "other", &interface("Shop", &[("city", &id)]), &By::command_line(NOW)).await;
    assert_eq!(wrong(foreign)[0].0, "others[0][parameter]", "nobody is associated with another workspace's");
});

on_both_databases!(names_are_unique_in_their_workspace, |db| async move {
    created(&db, "w", &interface("City", &[])).await;
    created(&db, "elsewhere", &interface("City", &[])).await;
    let again = create(&db, &master_key(), "w", &constant("City", ""), &By::command_line(NOW)).await;
    assert_eq!(wrong(again)[0].0, "name");
    let other = created(&db, "w", &interface("Shop", &[])).await;
    assert_eq!(wrong(save(&db, &other, 1, &interface("City", &[])).await)[0].0, "name");
});

on_both_databases!(the_second_of_two_editors_is_refused, |db| async move {
    let id = created(&db, "w", &interface("City", &[])).await;
    save(&db, &id, 1, &interface("First", &[])).await.unwrap();
    assert!(matches!(save(&db, &id, 1, &interface("Second", &[])).await, Err(SaveError::ChangedMeanwhile)));
    let city = get(&db, "w", &id).await.unwrap();
    assert_eq!((city.input.name.as_str(), city.version, city.updated_at), ("First", 2, NOW + 1));
});

on_both_databases!(an_empty_key_keeps_the_key_and_none_removes_it, |db| async move {
    let id = created(&db, "w", &interface("City", &[])).await;
    let with = |key: &str| ParameterInput { key: key.into(), ..interface("City", &[]) };
    save(&db, &id, 1, &ParameterInput { description: "Cities".into(), ..with("") }).await.unwrap();
    assert_eq!(key_of(&db, &id).await.as_deref(), Some(" my secret "));
    save(&db, &id, 2, &with("new")).await.unwrap();
    assert_eq!(key_of(&db, &id).await.as_deref(), Some("new"));
    save(&db, &id, 3, &constant("City", "")).await.unwrap();
    assert_eq!(key_of(&db, &id).await, None);
});

on_both_databases!(cycles_are_refused_and_named, |db| async move {
    let a = created(&db, "w", &interface("A", &[])).await;
    let b = created(&db, "w", &interface("B", &[("a", &a)])).await;
    let c = created(&db, "w", &constant("C", &b)).await;
    let own = wrong(save(&db, &a, 1, &interface("A", &[("a", &a)])).await);
    assert_eq!(own, [("others[0][parameter]".into(), "A parameter can't be associated with itself.".into())]);

    let free = created(&db, "w", &interface("Free", &[])).await;
    let closed = wrong(save(&db, &a, 1, &interface("A", &[("x", &free), ("b", &b), ("c", &c)])).await);
    assert_eq!(closed.len(), 2, "{closed:?}");
    assert_eq!(closed[0].0, "others[1][parameter]");
    assert!(closed[0].1.ends_with("A → B → A."), "{}", closed[0].1);
    assert_eq!(closed[1].0, "others[2][parameter]");
    assert!(closed[1].1.ends_with("A → C → B → A."), "{}", closed[1].1);
    let closed = wrong(save(&db, &a, 1, &constant("A", &c)).await);
    assert!(closed[0].0 == "associated" && closed[0].1.contains("A → C → B → A"), "{closed:?}");

    let unknown = wrong(save(&db, &a, 1, &interface("A", &[("x", "nobody")])).await);
    assert!(unknown[0].1.contains("no such parameter"), "{unknown:?}");
    assert_eq!(get(&db, "w", &a).await.unwrap().version, 1, "nothing was saved");
    // A detour without a way back is none.
    save(&db, &c, 1, &interface("C", &[("a", &a), ("b", &b)])).await.unwrap();
});

on_both_databases!(two_who_close_a_cycle_at_once_do_not, |db| async move {
    for round in 0..5 {
        let (first, second) = (format!("A{round}"), format!("B{round}"));
        let a = created(&db, "w", &interface(&first, &[])).await;
        let b = created(&db, "w", &interface(&second, &[])).await;
        let (to_b, to_a) = (interface(&first, &[("b", &b)]), interface(&second, &[("a", &a)]));
        let (one, other) = tokio::join!(save(&db, &a, 1, &to_b), save(&db, &b, 1, &to_a));
        assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|ok| **ok).count(), 1, "{one:?} {other:?}");
    }
});

on_both_databases!(deleting_is_refused_while_used, |db| async move {
    let city = created(&db, "w", &interface("City", &[])).await;
    let shop = created(&db, "w", &constant("Shop", &city)).await;
    let call = |id: &str| format!(r#"[{{"name":"x","call":""}},{{"name":"y"}},{{"name":"z","call":"{id}"}}]"#);
    put_webhook(&db, "w", "Coupons", &call(&city)).await;
    put_webhook(&db, "w", "Plain", "[]").await;
    put_webhook(&db, "w", "Named", &format!(r#"[{{"name":"{city}","call":""}}]"#)).await;
    put_webhook(&db, "elsewhere", "Strangers", &call(&city)).await;
    let by = users(&db, "w", &city).await.unwrap();
    assert_eq!(by.iter().map(|user| user.text()).collect::<Vec<_>>(), ["webhook “Coupons”", "parameter “Shop”"]);
    assert_eq!([by[0].href(), by[1].href()], ["/webhooks/Coupons".to_string(), format!("/webhook-parameters/{shop}")]);
    let (rows, _) = page(&db, "w", &ParameterQuery::default()).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.users).collect::<Vec<_>>(), [2, 0]);

    let refused = delete(&db, "w", &city, &By::command_line(NOW)).await.unwrap_err().to_string();
    assert_eq!(refused, "“City” is used by webhook “Coupons”, parameter “Shop”. Take it off them first.");
    delete(&db, "w", &shop, &By::command_line(NOW)).await.unwrap();
    assert!(matches!(delete(&db, "w", &city, &By::command_line(NOW)).await, Err(SaveError::Used(..))));
    execute!(db, "delete from webhooks where id = 'Coupons'").unwrap();
    delete(&db, "w", &city, &By::command_line(NOW)).await.unwrap();
    assert!(matches!(get(&db, "w", &city).await, Err(sqlx::Error::RowNotFound)));
});

on_both_databases!(the_list_is_searched_filtered_and_ordered, |db| async move {
    let city =
        created(&db, "w", &ParameterInput { description: "Where the shop is".into(), ..interface("Äcity", &[]) }).await;
    created(&db, "w", &constant("Coupon 50%", "")).await;
    created(&db, "w", &interface("весна", &[])).await;
    created(&db, "elsewhere", &interface("City", &[])).await;
    save(&db, &city, 1, &ParameterInput { description: "Where the shop is".into(), ..interface("Äcity", &[]) })
        .await
        .unwrap();
    let found = async |query: ParameterQuery| {
        let (rows, total) = page(&db, "w", &query).await.unwrap();
        assert_eq!(rows.len() as i64, total);
        rows.into_iter().map(|row| row.name).collect::<Vec<_>>().join(", ")
    };
    let all = ParameterQuery::default;
    let search = |text: &str| ParameterQuery { search: text.into(), ..all() };
    assert_eq!(found(search("äCITY")).await, "Äcity");
    assert_eq!(found(search("ВЕСНА")).await, "весна");
    assert_eq!(found(search("the SHOP")).await, "Äcity");
    assert_eq!(found(search("50%")).await, "Coupon 50%");
    assert_eq!(found(search("C%n")).await, "");
    assert_eq!(found(ParameterQuery { kind: Some(Kind::Constant), ..all() }).await, "Coupon 50%");
    assert_eq!(found(ParameterQuery { kind: Some(Kind::Interface), ..search("crm.example") }).await, "Äcity, весна");
    let newest = ParameterQuery { order: ParameterOrder::Updated, descending: true, ..all() };
    assert!(found(newest).await.starts_with("Äcity, "));
    let (rows, total) = page(&db, "w", &ParameterQuery { offset: 2, ..all() }).await.unwrap();
    assert_eq!((rows.len(), total), (1, 3));
    assert_eq!(choices(&db, "w").await.unwrap().len(), 3);
});

on_both_databases!(a_workspace_is_full_at_some_point, |db| async move {
    let mut tx = db.begin().await.unwrap();
    for number in 0..PARAMETERS_MAX {
        let name = format!("p{number}");
        execute!(
            tx,
            "insert into webhook_parameters (workspace_id, id, name, name_key, kind, description, url, authentication,
                 associations, constants, version, created_at, updated_at)
             values ('w', $1, $1, $1, 'constant', '', '', 'none', '{}', '[]', 1, 0, 0)",
            name
        )
        .unwrap();
    }
    tx.commit().await.unwrap();
    let full = create(&db, &master_key(), "w", &constant("more", ""), &By::command_line(NOW)).await;
    assert!(matches!(full, Err(SaveError::TooMany)));
    created(&db, "elsewhere", &constant("more", "")).await;
});
