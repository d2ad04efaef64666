use super::*;
use crate::{
    audiences::rules::{Condition, Op, Rule, Rules},
    customers::{
        import::testing::{import_text, workspace},
        model::{TagKind, tag_text},
    },
    on_both_databases,
};

/// Values that are easy to get wrong: quotes, other scripts, empty, edges of kinds.
const CSV: &str = "customer_id,ONEID,EMAIL,city,spend,born,vip
c01,o1,z@x,Paris,200,1990-05-06,yes
c02,o2,,paris,200.5,1990-05-06 10:00:00,no
c03,,b@x,O'Brien; drop table,-1,1990-05-07,
c04,o4,a@x,北京市,0,,yes
c05,o5,,\"50% \"\"off\"\"_\",1e3,2000-01-01,no
c06,o6,,,,,
c07,o7,,Paris,199.99,1989-12-31,yes
";

async fn setup(db: &Db) -> (String, Vec<Tag>) {
    let ws = workspace(db).await;
    let mapping = [("city", "text"), ("spend", "number"), ("born", "date"), ("vip", "boolean")];
    let tags = mapping.iter().map(|(name, kind)| (*name, format!("tag:{kind}")));
    let ids = [("customer_id", "customer_id"), ("ONEID", "id:ONEID"), ("EMAIL", "id:EMAIL")];
    let ids = ids.iter().map(|(name, code)| (*name, (*code).to_string()));
    let done = import_text(db, &ws, CSV, &ids.chain(tags).collect::<Vec<_>>()).await;
    assert_eq!((done.rows_good, done.rows_bad), (7, 0));
    let tags = customers::store::tags(db, &ws).await.unwrap();
    (ws, tags)
}

fn rules(condition: Condition) -> Audience {
    Audience::unsaved(Kind::Rules, Rules { all: vec![Rule::Tag(condition)] })
}

on_both_databases!(sql_agrees_with_memory, |db| async move {
    let (ws, tags) = setup(&db).await;
    let everybody = Audience::unsaved(Kind::All, Rules::default());
    let customers = page_of(&db, &ws, &everybody, "ONEID", None, 100).await.unwrap();
    assert_eq!(customers.len(), 7);
    let mut tried = 0;
    for (tag, values) in [
        ("city", ["Paris", "paris", "%", "_", "O'Brien", "\"off\"", "京", "'; --", "nowhere"].as_slice()),
        ("spend", &["200", "199.99", "0", "-1", "1000", "1e3", "200.50", "-0"]),
        ("born", &["1990-05-06", "1990-05-07", "1989-12-31", "2000/1/1"]),
        ("vip", &["yes", "no"]),
    ] {
        let kind = tags.iter().find(|known| known.name == tag).unwrap().kind;
        for op in Op::of(kind) {
            for first in values {
                for second in if op.values() == 2 { values } else { &values[..1] } {
                    let values = vec![(*first).to_string(), (*second).to_string()];
                    let audience = rules(Condition { tag: tag.into(), op: op.code().into(), values });
                    let test = audience.rules.resolve(&tags).unwrap().remove(0);
                    let wanted: Vec<&AudienceMember> =
                        customers.iter().filter(|customer| test.matches(&customer.tags)).collect();
                    let found = page_of(&db, &ws, &audience, "ONEID", None, 100).await.unwrap();
                    assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{test:?}");
                    assert_eq!(size_of(&db, &ws, &audience).await.unwrap(), wanted.len() as i64, "{test:?}");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 150, "{tried}");
});

on_both_databases!(values_of_another_kind_never_match, |db| async move {
    let (ws, tags) = setup(&db).await;
    // As nothing of ours writes it, but a hand in the database may.
    let odd = r#"{"city": 5, "spend": "200", "born": true, "vip": "yes"}"#;
    match &db {
        Db::Sqlite(_) => execute!(db, "update customers set tags = $2 where workspace_id = $1", &ws, odd),
        Db::Postgres(_) => {
            execute!(db, "update customers set tags = ($2::text)::jsonb where workspace_id = $1", &ws, odd)
        }
    }
    .unwrap();
    for tag in &tags {
        let value = if tag.kind == TagKind::Date { "2000-01-01" } else { "1" };
        for op in Op::of(tag.kind) {
            let values = vec![value.to_string(), value.to_string()];
            let size =
                size_of(&db, &ws, &rules(Condition { tag: tag.name.clone(), op: op.code().into(), values })).await;
            let wanted = if matches!(op, Op::IsNot | Op::IsSet) { 7 } else { 0 };
            assert_eq!(size.unwrap(), wanted, "{tag:?} {op:?}");
        }
    }
});

on_both_databases!(pages_walk_every_kind_of_audience, |db| async move {
    let (ws, _) = setup(&db).await;
    let listed = Audience { id: "l".into(), name: "List".into(), ..Audience::unsaved(Kind::List, Rules::default()) };
    add(&db, &ws, &listed, &By::command_line(1)).await.unwrap();
    for customer in ["c02", "c03", "c07"] {
        execute!(
            db,
            "insert into audience_members (workspace_id, audience_id, customer_id) values ($1, 'l', $2)",
            &ws,
            customer
        )
        .unwrap();
    }
    let paris = Condition { tag: "city".into(), op: "is".into(), values: vec!["Paris".into()] };
    for (audience, wanted) in [
        (Audience::unsaved(Kind::All, Rules::default()), vec!["c01", "c02", "c03", "c04", "c05", "c06", "c07"]),
        (get(&db, &ws, "l").await.unwrap(), vec!["c02", "c03", "c07"]),
        (rules(paris), vec!["c01", "c07"]),
    ] {
        let mut found: Vec<String> = Vec::new();
        loop {
            let page = page_of(&db, &ws, &audience, "EMAIL", found.last().map(String::as_str), 2).await.unwrap();
            if page.is_empty() {
                break;
            }
            found.extend(page.into_iter().map(|member| member.customer_id));
        }
        assert_eq!(found, wanted);
        assert_eq!(size_of(&db, &ws, &audience).await.unwrap(), wanted.len() as i64);
        let elsewhere = page_of(&db, "another", &audience, "EMAIL", None, 10).await;
        match audience.kind {
            // For want of the tag.
            Kind::Rules => assert!(matches!(elsewhere, Err(sqlx::Error::Decode(_))), "{elsewhere:?}"),
            _ => assert_eq!(elsewhere.unwrap(), []),
        }
    }
});

on_both_databases!(senders_read_what_pages_show, |db| async move {
    let (ws, tags) = setup(&db).await;
    let odd = [("customer_id", "customer_id".into()), ("city", "tag:text".into())];
    import_text(&db, &ws, "customer_id,city\n\"c\"\"99 \\\",\"a\"\"b\\c\u{1}京\"\n", &odd).await;
    let names: Vec<&str> = tags.iter().map(|tag| tag.name.as_str()).rev().collect();
    let everybody = Audience::unsaved(Kind::All, Rules::default());
    // Of which nobody knows yet how many are in it: the IDs are looked for one by one.
    let elsewhere = Condition { tag: "city".into(), op: Op::IsNot.code().into(), values: vec!["nowhere".into()] };
    let the_same = rules(elsewhere);
    let many: Vec<&str> = names.iter().copied().cycle().take(1_500).collect();
    for id_type in ["ONEID", "EMAIL"] {
        for names in [&names[..], &names[..1], &[], &["missing", names[0], "missing"], &many] {
            let shown = page_of(&db, &ws, &everybody, id_type, None, 100).await.unwrap();
            assert_eq!(shown.len(), 8);
            let text = |member: &AudienceMember, name: &&str| member.tags.get(*name).and_then(tag_text);
            let shown: Vec<Recipient> = shown
                .into_iter()
                .map(|member| Recipient {
                    tags: names.iter().map(|name| text(&member, name)).collect(),
                    customer_id: member.customer_id,
                    target: member.target,
                })
                .collect();
            let after = Some(shown[2].customer_id.as_str());
            for audience in [&everybody, &the_same] {
                assert_eq!(recipients(&db, &ws, audience, id_type, names, None, 100).await.unwrap(), shown);
                let some = recipients(&db, &ws, audience, id_type, names, after, 2).await.unwrap();
                assert_eq!(some, shown[3..5]);
            }
        }
    }
    assert_eq!(recipients(&db, "another", &everybody, "EMAIL", &names, None, 10).await.unwrap(), []);
});

on_both_databases!(the_target_is_the_smallest_value_of_its_type, |db| async move {
    let (ws, _) = setup(&db).await;
    import_text(
        &db,
        &ws,
        "customer_id,EMAIL\nc01,y@x\n",
        &[("customer_id", "customer_id".into()), ("EMAIL", "id:EMAIL".into())],
    )
    .await;
    let everybody = Audience::unsaved(Kind::All, Rules::default());
    let members = page_of(&db, &ws, &everybody, "EMAIL", None, 2).await.unwrap();
    assert_eq!(members[0].target.as_deref(), Some("y@x"));
    assert_eq!(members[1].target, None);
});

on_both_databases!(ids_are_looked_for_one_by_one_when_somebody_has_too_many, |db| async move {
    let (ws, _) = setup(&db).await;
    // More than are read in one go for a page of one customer.
    let lines: String = (10..40).map(|n| format!("c01,{n}@x\n")).collect();
    let columns = [("customer_id", "customer_id".into()), ("EMAIL", "id:EMAIL".into())];
    import_text(&db, &ws, &format!("customer_id,EMAIL\n{lines}"), &columns).await;
    let everybody = Audience::unsaved(Kind::All, Rules::default());
    for (id_type, wanted) in [("EMAIL", "10@x"), ("ONEID", "o1")] {
        for limit in [1, 2, 100] {
            let some = recipients(&db, &ws, &everybody, id_type, &[], None, limit).await.unwrap();
            assert_eq!((some[0].customer_id.as_str(), some[0].target.as_deref()), ("c01", Some(wanted)), "{limit}");
        }
    }
});

on_both_databases!(names_are_unique_in_a_workspace_and_users_are_found, |db| async move {
    let (ws, _) = setup(&db).await;
    let mut audience = Audience { name: "Everyone".into(), ..Audience::unsaved(Kind::All, Rules::default()) };
    audience.id = add(&db, &ws, &audience, &By::command_line(5)).await.unwrap();
    assert_eq!(name_errors(&db, &ws, " Everyone ", "").await.unwrap().len(), 1);
    assert_eq!(name_errors(&db, &ws, "Everyone", &audience.id).await.unwrap(), []);
    assert_eq!(name_errors(&db, &ws, " ", "").await.unwrap().len(), 1);
    let again = Audience { id: String::new(), ..audience.clone() };
    assert!(add(&db, &ws, &again, &By::command_line(5)).await.is_err());
    recount(&db, &ws, &mut audience, 9).await.unwrap();
    let kept = get(&db, &ws, &audience.id).await.unwrap();
    assert_eq!((kept.size, kept.updated_at), (7, 9));
    assert!(matches!(get(&db, "another", &audience.id).await, Err(sqlx::Error::RowNotFound)));
    assert_eq!(page(&db, &ws, "EVERY", "", 10).await.unwrap().len(), 1);
    assert_eq!(page(&db, &ws, "%", "", 10).await.unwrap().len(), 0);
    assert!(used_by(&db, &ws, &audience.id).await.unwrap().is_empty());
    delete(&db, &ws, &audience.id, &By::command_line(6)).await.unwrap();
    assert!(summaries(&db, &ws).await.unwrap().is_empty());
});

on_both_databases!(names_are_found_in_any_script_and_case, |db| async move {
    let ws = workspace(&db).await;
    let named = |name: &str| Audience { name: name.into(), ..Audience::unsaved(Kind::All, Rules::default()) };
    for name in ["Äpfel", "Весна 2026", "北京", "plain"] {
        add(&db, &ws, &named(name), &By::command_line(1)).await.unwrap();
    }
    for (typed, name) in
        [("Äpf", "Äpfel"), ("äPF", "Äpfel"), ("весна", "Весна 2026"), ("ВЕСНА", "Весна 2026"), ("京", "北京")]
    {
        let found = page(&db, &ws, typed, "", 10).await.unwrap();
        assert_eq!(found.iter().map(|audience| audience.name.as_str()).collect::<Vec<_>>(), [name], "{typed}");
    }
    let mut renamed = get(&db, &ws, &page(&db, &ws, "plain", "", 1).await.unwrap()[0].id).await.unwrap();
    renamed.name = "ÉTÉ".into();
    update(&db, &ws, &renamed, &By::command_line(2)).await.unwrap();
    assert_eq!(page(&db, &ws, "été", "", 10).await.unwrap().len(), 1);
    assert!(page(&db, &ws, "plain", "", 10).await.unwrap().is_empty());
});

on_both_databases!(every_audience_is_counted_and_can_be_chosen, |db| async move {
    let ws = workspace(&db).await;
    let rows: Vec<_> = (0..1_200).map(|n| serde_json::json!({"name": format!("a{n}")})).collect();
    let sql_rows = crate::db::bulk::rows(&rows).unwrap();
    let mut tx = db.begin().await.unwrap();
    crate::bulk!(
        tx,
        execute,
        &sql_rows,
        (name text),
        "insert into audiences (workspace_id, id, name, name_key, kind, rules, size, created_at, updated_at)
         select $2, r.name, r.name, r.name, 'all', '{\"all\":[]}', 0, 1, 1 from ",
        " where true",
        &ws
    )
    .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&db, &ws).await.unwrap(), 1_200);
    assert_eq!(summaries(&db, &ws).await.unwrap().len(), 1_200);
});
