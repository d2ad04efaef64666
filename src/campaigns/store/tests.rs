use super::*;
use crate::{clock::Millis, on_both_databases};

const NOW: Millis = 1_700_000_000_000;

fn input(name: &str, kind: CampaignKind, parent: &str) -> CampaignInput {
    CampaignInput { name: name.into(), kind, parent_id: parent.into(), ..Default::default() }
}

async fn main(db: &Db, name: &str) -> String {
    create(db, "w", &input(name, CampaignKind::Main, ""), &By::command_line(NOW)).await.unwrap()
}

async fn sub(db: &Db, name: &str, parent: &str) -> String {
    create(db, "w", &input(name, CampaignKind::Sub, parent), &By::command_line(NOW)).await.unwrap()
}

async fn associate(db: &Db, task: &str, campaign: &str) {
    execute!(
        db,
        "insert into task_campaigns (workspace_id, task_id, campaign_id) values ('w', $1, $2)",
        task,
        campaign
    )
    .unwrap();
}

async fn add_task(db: &Db, id: &str, name: &str) {
    execute!(
        db,
        "insert into tasks (workspace_id, id, name, audience_id, webhook_id, id_type, encryption, inputs,
                            time_zone, created_by, created_at, updated_at)
         values ('w', $1, $2, 'a', 'h', 'MOBILE', 'none', '[]', 'UTC', 'u', 0, 0)",
        id,
        name
    )
    .unwrap();
}

fn shape(nodes: &[CampaignNode]) -> Vec<String> {
    let line = |node: &CampaignNode| {
        let name = node.campaign.as_ref().map_or("-", |main| &main.name);
        let subs: Vec<&str> = node.subs.iter().map(|sub| sub.name.as_str()).collect();
        format!("{name}: {}", subs.join(", "))
    };
    nodes.iter().map(line).collect()
}

on_both_databases!(standalone_sub_campaigns_stand_at_the_end, |db| async move {
    let summer = main(&db, "Summer").await;
    main(&db, "Autumn").await;
    sub(&db, "Alone", "").await;
    sub(&db, "Sun", &summer).await;
    sub(&db, "Beach", &summer).await;
    assert_eq!(shape(&tree(&db, "w").await.unwrap()), ["Autumn: ", "Summer: Beach, Sun", "-: Alone"]);
    assert_eq!(tree(&db, "other").await.unwrap(), []);
});

on_both_databases!(a_parent_is_a_main_campaign_of_the_workspace, |db| async move {
    let summer = main(&db, "Summer").await;
    let sun = sub(&db, "Sun", &summer).await;
    for parent in ["nowhere", &sun] {
        let refused = create(&db, "w", &input("x", CampaignKind::Sub, parent), &By::command_line(NOW)).await;
        assert!(matches!(refused, Err(CampaignError::NoSuchParent)));
    }
    let refused = create(&db, "other", &input("x", CampaignKind::Sub, &summer), &By::command_line(NOW)).await;
    assert!(matches!(refused, Err(CampaignError::NoSuchParent)));
});

on_both_databases!(name_and_dates_are_edited, |db| async move {
    let summer = main(&db, "Summer").await;
    let sun = sub(&db, "Sun", &summer).await;
    let edited = CampaignInput {
        name: "太阳".into(),
        starts_on: "2026-06-01".into(),
        // Neither is changed by an edit.
        kind: CampaignKind::Main,
        parent_id: String::new(),
        ends_on: String::new(),
    };
    update(&db, "w", &sun, &edited, &By::command_line(NOW)).await.unwrap();
    let campaign = get(&db, "w", &sun).await.unwrap();
    assert_eq!((campaign.name.as_str(), campaign.kind, campaign.parent_id), ("太阳", CampaignKind::Sub, Some(summer)));
    assert_eq!((campaign.starts_on.as_deref(), campaign.ends_on), (Some("2026-06-01"), None));
    assert!(matches!(update(&db, "other", &sun, &edited, &By::command_line(NOW)).await, Err(sqlx::Error::RowNotFound)));
    assert!(matches!(get(&db, "other", &sun).await, Err(sqlx::Error::RowNotFound)));
});

on_both_databases!(tasks_are_counted_and_listed_with_their_state, |db| async move {
    let summer = main(&db, "Summer").await;
    let sun = sub(&db, "Sun", &summer).await;
    add_task(&db, "t1", "First").await;
    add_task(&db, "t2", "Second").await;
    for task in ["t1", "t2"] {
        associate(&db, task, &sun).await;
    }
    execute!(
        &db,
        "insert into sends (workspace_id, id, source, webhook_id, id_type, encryption, template, batch_size, state,
                            due_at, created_at, accepted)
         values ('w', 't2', 'task', 'h', 'MOBILE', 'none', '{}', 100, 'finished', 5, 5, 7)"
    )
    .unwrap();
    assert_eq!(get(&db, "w", &sun).await.unwrap().tasks, 2);
    for id in [&sun, &summer] {
        let tasks = tasks(&db, "w", id).await.unwrap();
        let seen: Vec<_> =
            tasks.iter().map(|task| (task.name.as_str(), task.state.as_deref(), task.accepted)).collect();
        assert_eq!(seen, [("Second", Some("finished"), 7), ("First", None, 0)]);
        assert_eq!(tasks[0].campaign, "Sun");
    }
});

on_both_databases!(only_an_empty_campaign_is_deleted, |db| async move {
    let summer = main(&db, "Summer").await;
    let sun = sub(&db, "Sun", &summer).await;
    add_task(&db, "t1", "First").await;
    associate(&db, "t1", &sun).await;
    let refused = delete(&db, "w", &summer, &By::command_line(NOW)).await.unwrap_err();
    assert_eq!(refused.to_string(), "“Summer” has sub-campaigns. Delete them first: “Sun”.");
    let refused = delete(&db, "w", &sun, &By::command_line(NOW)).await.unwrap_err();
    assert_eq!(refused.to_string(), "“Sun” has tasks. Take it off them, or delete them, first: “First”.");
    assert!(matches!(
        delete(&db, "other", &sun, &By::command_line(NOW)).await,
        Err(CampaignError::Database(sqlx::Error::RowNotFound))
    ));
    execute!(&db, "delete from task_campaigns where task_id = 't1'").unwrap();
    delete(&db, "w", &sun, &By::command_line(NOW)).await.unwrap();
    delete(&db, "w", &summer, &By::command_line(NOW)).await.unwrap();
    assert_eq!(tree(&db, "w").await.unwrap(), []);
});
