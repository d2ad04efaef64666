//! Tasks in the database.

mod names;

pub use names::{names, user_name};

use super::model::{PassedCall, TaskInput, TaskRow};
use crate::{
    audit::{
        By, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::Millis,
    db::{Db, Tx, bulk, like_pattern, name_key},
    delivery::{self, report},
    error::{AppError, AppResult},
    execute, fetch,
};
use serde_json::{Map, Value};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

#[derive(sqlx::FromRow)]
pub struct TaskRecord {
    pub id: String,
    pub name: String,
    pub audience_id: String,
    pub webhook_id: String,
    pub id_type: String,
    /// A [`TaskInput`] as JSON.
    pub inputs: String,
    /// [`PassedCall`]s as JSON.
    pub passed: String,
    pub scheduled_at: Option<Millis>,
    pub time_zone: String,
    pub created_by: String,
    /// Who must be permitted to use the webhook when the task starts.
    pub submitted_by: String,
    pub created_at: Millis,
}

impl TaskRecord {
    pub fn input(&self) -> serde_json::Result<TaskInput> {
        serde_json::from_str(&self.inputs)
    }

    pub fn passed(&self) -> serde_json::Result<Vec<PassedCall>> {
        serde_json::from_str(&self.passed)
    }
}

pub async fn get(db: &Db, workspace: &str, id: &str) -> sqlx::Result<TaskRecord> {
    fetch!(
        db,
        one,
        TaskRecord,
        "select id, name, audience_id, webhook_id, id_type, inputs, passed, scheduled_at, time_zone, created_by, submitted_by, created_at
         from tasks where workspace_id = $1 and id = $2",
        workspace,
        id
    )
}

/// The template that the task's send was created with, as JSON.
pub async fn template(db: &Db, workspace: &str, id: &str) -> sqlx::Result<String> {
    let (template,) =
        fetch!(db, one, (String,), "select template from sends where workspace_id = $1 and id = $2", workspace, id)?;
    Ok(template)
}

/// The version of the webhook that the task was submitted with; 0 for a task from before there were versions.
pub async fn webhook_version(db: &Db, workspace: &str, id: &str) -> sqlx::Result<i64> {
    let sql = "select webhook_version from sends where workspace_id = $1 and id = $2";
    Ok(fetch!(db, optional, (i64,), sql, workspace, id)?.map_or(0, |(version,)| version))
}

/// Writes the task, over what is there under its id. `false` when a `new` one is there already: nothing was written.
pub async fn put(
    tx: &mut Tx,
    workspace: &str,
    user: &str,
    task: &TaskRecord,
    new: bool,
    now: Millis,
) -> AppResult<bool> {
    let input = task.input()?;
    let written = execute!(
        tx,
        "insert into tasks (workspace_id, id, name, audience_id, webhook_id, id_type, encryption, inputs,
                            scheduled_at, time_zone, created_by, created_at, updated_at, name_key, passed, submitted_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $15, $11)
         on conflict (workspace_id, id) do update set
             name = excluded.name, name_key = excluded.name_key, audience_id = excluded.audience_id, webhook_id = excluded.webhook_id,
             id_type = excluded.id_type, encryption = excluded.encryption, inputs = excluded.inputs, passed = excluded.passed,
             scheduled_at = excluded.scheduled_at, time_zone = excluded.time_zone, updated_at = excluded.updated_at,
             submitted_by = excluded.submitted_by
             where not $14",
        workspace,
        &task.id,
        &task.name,
        &task.audience_id,
        &task.webhook_id,
        &task.id_type,
        &input.encryption,
        &task.inputs,
        task.scheduled_at,
        &task.time_zone,
        user,
        now,
        name_key(&task.name),
        new,
        &task.passed
    )?;
    if written == 0 {
        return Ok(false);
    }
    execute!(tx, "delete from task_campaigns where workspace_id = $1 and task_id = $2", workspace, &task.id)?;
    for campaign in &input.campaigns {
        execute!(
            tx,
            "insert into task_campaigns (workspace_id, task_id, campaign_id) values ($1, $2, $3)
             on conflict (workspace_id, task_id, campaign_id) do nothing",
            workspace,
            &task.id,
            campaign
        )?;
    }
    Ok(true)
}

/// The task and its send, or neither: the send may have begun.
pub async fn delete(db: &Db, workspace: &str, task: &TaskRecord, change: Change, by: &By) -> AppResult<()> {
    let id = task.id.as_str();
    let mut tx = db.begin().await?;
    execute!(tx, "delete from task_campaigns where workspace_id = $1 and task_id = $2", workspace, id)?;
    execute!(tx, "delete from tasks where workspace_id = $1 and id = $2", workspace, id)?;
    if !delivery::store::delete(&mut tx, workspace, id).await? {
        return Err(AppError::conflict("The task has begun in the meantime; it can no longer be deleted."));
    }
    let entry = Entry::new(Action::Deleted, ObjectKind::Task, id, &task.name).with(change);
    by.record(&mut tx, workspace, &entry).await?;
    Ok(tx.commit().await?)
}

/// What was filled in, field by field, for the audit log.
pub fn told(input: &TaskInput) -> Map<String, Value> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(input) else { return Map::new() };
    let values = input.values.iter().map(|value| (value.name.clone(), Value::from(value.value.as_str())));
    fields.insert("values".into(), Value::Object(values.collect()));
    let variables = input.variables.iter().map(|variable| format!("{}: {}", variable.parameter, variable.told()));
    fields.insert("variables".into(), variables.collect());
    fields
}

/// What the list is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// In the task's, the audience's or the webhook's name.
    pub search: String,
    /// A [`SendState`](crate::delivery::model::SendState) code.
    pub state: String,
    pub webhook: String,
    pub sort: Sort,
    pub limit: i64,
    pub offset: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Newest,
    Oldest,
    Name,
    NameBackwards,
    SendTime,
    SendTimeBackwards,
}

impl Sort {
    /// From the `sort` of a list's URL.
    pub fn from_key(key: &str) -> Self {
        match key {
            "created" => Self::Oldest,
            "name" => Self::Name,
            "-name" => Self::NameBackwards,
            "due" => Self::SendTime,
            "-due" => Self::SendTimeBackwards,
            _ => Self::Newest,
        }
    }

    fn order(self) -> &'static str {
        match self {
            Self::Newest => "t.created_at desc, t.id desc",
            Self::Oldest => "t.created_at, t.id",
            Self::Name => "t.name_key, t.id",
            Self::NameBackwards => "t.name_key desc, t.id desc",
            Self::SendTime => "s.due_at, t.id",
            Self::SendTimeBackwards => "s.due_at desc, t.id desc",
        }
    }
}

#[derive(sqlx::FromRow)]
struct ListedTask {
    id: String,
    name: String,
    id_type: String,
    scheduled_at: Option<Millis>,
    audience: Option<String>,
    webhook: Option<String>,
}

const LISTED: &str = "from tasks t
     join sends s on s.workspace_id = t.workspace_id and s.id = t.id
     left join audiences a on a.workspace_id = t.workspace_id and a.id = t.audience_id
     left join webhooks w on w.workspace_id = t.workspace_id and w.id = t.webhook_id
     where t.workspace_id = $1
       and ($2 = '' or t.name_key like $2 escape '!' or a.name_key like $2 escape '!' or w.name_key like $2 escape '!')
       and ($3 = '' or s.state = $3) and ($4 = '' or t.webhook_id = $4)";

/// The page of the list, and how many there are in all.
pub async fn list(db: &Db, workspace: &str, query: &ListQuery) -> AppResult<(Vec<TaskRow>, i64)> {
    let pattern = like_pattern(&name_key(query.search.trim()));
    let (total,) = fetch!(
        db,
        one,
        (i64,),
        AssertSqlSafe(format!("select count(*) {LISTED}")),
        workspace,
        &pattern,
        &query.state,
        &query.webhook
    )?;
    Ok((rows(db, workspace, query).await?, total))
}

/// How many tasks there are.
pub async fn count(db: &Db, workspace: &str) -> sqlx::Result<i64> {
    Ok(fetch!(db, one, (i64,), "select count(*) from tasks where workspace_id = $1", workspace)?.0)
}

/// The page of the list alone.
pub async fn rows(db: &Db, workspace: &str, query: &ListQuery) -> AppResult<Vec<TaskRow>> {
    let pattern = like_pattern(&name_key(query.search.trim()));
    let listed = fetch!(
        db,
        all,
        ListedTask,
        AssertSqlSafe(format!(
            "select t.id, t.name, t.id_type, t.scheduled_at, a.name as audience, w.name as webhook {LISTED}
             order by {} limit $5 offset $6",
            query.sort.order()
        )),
        workspace,
        &pattern,
        &query.state,
        &query.webhook,
        query.limit,
        query.offset
    )?;
    let ids: Vec<String> = listed.iter().map(|task| task.id.clone()).collect();
    let known: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut progress: HashMap<_, _> = report::progress_of_many(db, workspace, &known).await?.into_iter().collect();
    let mut campaigns = campaigns_of(db, workspace, &ids).await?;
    let rows = listed
        .into_iter()
        .filter_map(|task| {
            Some(TaskRow {
                progress: progress.remove(&task.id)?,
                campaigns: campaigns.remove(&task.id).unwrap_or_default().into_iter().map(|(_, name)| name).collect(),
                id: task.id,
                name: task.name,
                audience: task.audience.unwrap_or_else(|| "(deleted)".into()),
                id_type: task.id_type,
                webhook: task.webhook.unwrap_or_else(|| "(deleted)".into()),
                scheduled: task.scheduled_at.is_some(),
            })
        })
        .collect();
    Ok(rows)
}

/// The sub-campaigns of tasks: id and "Main / Sub" by task.
pub async fn campaigns_of(
    db: &Db,
    workspace: &str,
    tasks: &[String],
) -> sqlx::Result<HashMap<String, Vec<(String, String)>>> {
    let of = match db {
        Db::Sqlite(_) => "select value from json_each($2)",
        Db::Postgres(_) => "select json_array_elements_text($2::json)",
    };
    let sql = format!(
        "select t.task_id, c.id, c.name, m.name from task_campaigns t
         join campaigns c on c.workspace_id = t.workspace_id and c.id = t.campaign_id
         left join campaigns m on m.workspace_id = c.workspace_id and m.id = c.parent_id
         where t.workspace_id = $1 and t.task_id in ({of}) order by m.name, c.name"
    );
    let tasks = bulk::rows(tasks)?;
    let rows = fetch!(db, all, (String, String, String, Option<String>), AssertSqlSafe(sql), workspace, tasks)?;
    let mut found: HashMap<String, Vec<(String, String)>> = HashMap::new();
    for (task, id, name, main) in rows {
        let main = main.unwrap_or_else(|| "-".into());
        found.entry(task).or_default().push((id, format!("{main} / {name}")));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        delivery::testing::{WORKSPACE, put_send},
        on_both_databases,
    };

    fn record(id: &str, name: &str) -> TaskRecord {
        TaskRecord {
            id: id.into(),
            name: name.into(),
            audience_id: "a".into(),
            webhook_id: "w".into(),
            id_type: "EMAIL".into(),
            inputs: serde_json::to_string(&TaskInput::default()).unwrap(),
            passed: "[]".into(),
            scheduled_at: None,
            time_zone: "UTC".into(),
            created_by: "u".into(),
            submitted_by: "u".into(),
            created_at: 0,
        }
    }

    on_both_databases!(a_task_that_has_begun_meanwhile_is_not_deleted, |db| async move {
        let record = record("s", "a task");
        put_send(&db, "s", 1, 1, 0).await;
        let mut tx = db.begin().await.unwrap();
        put(&mut tx, WORKSPACE, "u", &record, true, 0).await.unwrap();
        tx.commit().await.unwrap();
        execute!(db, "update sends set state = 'sending'").unwrap();
        assert!(matches!(
            delete(&db, WORKSPACE, &record, Change::default(), &By::command_line(0)).await,
            Err(AppError::Conflict(_))
        ));
        assert_eq!(get(&db, WORKSPACE, "s").await.unwrap().name, "a task");
        execute!(db, "update sends set state = 'finished'").unwrap();
        delete(&db, WORKSPACE, &record, Change::default(), &By::command_line(0)).await.unwrap();
        assert!(get(&db, WORKSPACE, "s").await.is_err());
    });

    on_both_databases!(names_are_found_in_any_script_and_case, |db| async move {
        for (id, name) in [("t1", "Весна"), ("t2", "Äpfel 50%")] {
            let record = record(id, name);
            let mut tx = db.begin().await.unwrap();
            put(&mut tx, "ws", "u", &record, true, 1).await.unwrap();
            tx.commit().await.unwrap();
            execute!(
                db,
                "insert into sends (workspace_id, id, source, webhook_id, id_type, encryption, template, batch_size,
                                    state, due_at, created_at)
                 values ('ws', $1, 'task', 'w', 'ONEID', 'none', '{}', 100, 'scheduled', 1, 1)",
                id
            )
            .unwrap();
        }
        for (typed, found) in [
            ("весна", vec!["t1"]),
            ("ВЕС", vec!["t1"]),
            (" äPF", vec!["t2"]),
            ("50%", vec!["t2"]),
            ("_", vec![]),
            ("!", vec![]),
        ] {
            let query = ListQuery { search: typed.into(), limit: 10, ..Default::default() };
            let (rows, total) = list(&db, "ws", &query).await.unwrap();
            assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), found, "{typed}");
            assert_eq!(total, found.len() as i64);
        }
    });
}
