//! Campaigns in the database.

use super::model::{CAMPAIGNS_MAX, Campaign, CampaignInput, CampaignKind, CampaignNode, CampaignTask, TASKS_SHOWN};
use crate::{
    audit::{
        By, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::{Millis, new_id},
    db::{Db, Tx},
    error::AppError,
    execute, fetch,
    ui::format::first_few,
};
use sqlx::AssertSqlSafe;

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    kind: String,
    parent_id: Option<String>,
    name: String,
    starts_on: Option<String>,
    ends_on: Option<String>,
    tasks: i64,
}

#[derive(sqlx::FromRow)]
struct TaskRow {
    id: String,
    name: String,
    state: Option<String>,
    due_at: Option<Millis>,
    accepted: i64,
    campaign: String,
}

/// A campaign's row and how many tasks it has; `$1` is the workspace.
const SELECT: &str =
    "select c.id, c.kind, c.parent_id, c.name, c.starts_on, c.ends_on, coalesce(used.tasks, 0) as tasks
    from campaigns c
    left join (select campaign_id, count(*) as tasks from task_campaigns where workspace_id = $1 group by campaign_id)
        used on used.campaign_id = c.id
    where c.workspace_id = $1";

impl TryFrom<Row> for Campaign {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let kind = CampaignKind::from_code(&row.kind)
            .ok_or_else(|| sqlx::Error::Decode(format!("campaign kind {:?}", row.kind).into()))?;
        Ok(Self {
            id: row.id,
            kind,
            parent_id: row.parent_id,
            name: row.name,
            starts_on: row.starts_on,
            ends_on: row.ends_on,
            tasks: row.tasks,
        })
    }
}

/// Why a campaign was not saved or deleted.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    #[error("A workspace has at most {CAMPAIGNS_MAX} campaigns.")]
    TooMany,
    #[error("There is no such main campaign.")]
    NoSuchParent,
    #[error("“{0}” has sub-campaigns. Delete them first: {1}.")]
    HasSubs(String, String),
    #[error("“{0}” has tasks. Take it off them, or delete them, first: {1}.")]
    HasTasks(String, String),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<CampaignError> for AppError {
    fn from(error: CampaignError) -> Self {
        match error {
            CampaignError::NoSuchParent => Self::invalid("parent_id", error.to_string()),
            CampaignError::Database(error) => error.into(),
            other => Self::Conflict(other.to_string()),
        }
    }
}

/// Every campaign: main ones by name, each with its sub-campaigns; the standalone sub-campaigns at the end.
pub async fn tree(db: &Db, workspace: &str) -> sqlx::Result<Vec<CampaignNode>> {
    let sql = format!("{SELECT} order by lower(c.name), c.id limit {CAMPAIGNS_MAX}");
    let rows = fetch!(db, all, Row, AssertSqlSafe(sql), workspace)?;
    let all = rows.into_iter().map(Campaign::try_from).collect::<sqlx::Result<Vec<_>>>()?;
    let (mains, mut subs): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.kind == CampaignKind::Main);
    let mut nodes = Vec::with_capacity(mains.len() + 1);
    for main in mains {
        let own = subs.extract_if(.., |sub| sub.parent_id.as_ref() == Some(&main.id)).collect();
        nodes.push(CampaignNode { campaign: Some(main), subs: own });
    }
    if !subs.is_empty() {
        nodes.push(CampaignNode { campaign: None, subs });
    }
    Ok(nodes)
}

/// `RowNotFound` when the workspace has no such campaign.
pub async fn get(db: &Db, workspace: &str, id: &str) -> sqlx::Result<Campaign> {
    fetch!(db, one, Row, AssertSqlSafe(format!("{SELECT} and c.id = $2")), workspace, id)?.try_into()
}

async fn get_held(tx: &mut Tx, workspace: &str, id: &str) -> sqlx::Result<Campaign> {
    fetch!(tx, one, Row, AssertSqlSafe(format!("{SELECT} and c.id = $2")), workspace, id)?.try_into()
}

/// The sub-campaigns of a main campaign, by name.
pub async fn subs(db: &Db, workspace: &str, id: &str) -> sqlx::Result<Vec<Campaign>> {
    let sql = format!("{SELECT} and c.parent_id = $2 order by lower(c.name), c.id limit {CAMPAIGNS_MAX}");
    fetch!(db, all, Row, AssertSqlSafe(sql), workspace, id)?.into_iter().map(Campaign::try_from).collect()
}

/// The tasks of a campaign, or of a main campaign's sub-campaigns, the newest first.
pub async fn tasks(db: &Db, workspace: &str, id: &str) -> sqlx::Result<Vec<CampaignTask>> {
    let rows = fetch!(
        db,
        all,
        TaskRow,
        "select t.id, t.name, s.state, coalesce(s.started_at, s.due_at, t.scheduled_at) as due_at,
                coalesce(s.accepted, 0) as accepted, c.name as campaign
         from campaigns c
         join task_campaigns tc on tc.workspace_id = c.workspace_id and tc.campaign_id = c.id
         join tasks t on t.workspace_id = tc.workspace_id and t.id = tc.task_id
         left join sends s on s.workspace_id = t.workspace_id and s.id = t.id
         where c.workspace_id = $1 and (c.id = $2 or c.parent_id = $2)
         order by t.id desc, lower(c.name) limit $3",
        workspace,
        id,
        TASKS_SHOWN
    )?;
    let task = |row: TaskRow| CampaignTask {
        id: row.id,
        name: row.name,
        state: row.state,
        due_at: row.due_at,
        accepted: row.accepted,
        campaign: row.campaign,
    };
    Ok(rows.into_iter().map(task).collect())
}

fn day(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Locks a campaign until the transaction ends, by an update that changes nothing, so that it does not go while a
/// sub-campaign comes under it; its kind, if it is there.
async fn hold(tx: &mut Tx, workspace: &str, id: &str) -> sqlx::Result<Option<String>> {
    let sql = "update campaigns set name = name where workspace_id = $1 and id = $2 returning kind";
    // `returning` makes it a fetch; a transaction reads where it writes.
    Ok(fetch!(tx, optional, (String,), sql, workspace, id)?.map(|(kind,)| kind))
}

/// A new campaign; its id. `input` has passed [`CampaignInput::check`].
pub async fn create(db: &Db, workspace: &str, input: &CampaignInput, by: &By) -> Result<String, CampaignError> {
    let mut tx = db.begin().await?;
    let (count,) = fetch!(tx, one, (i64,), "select count(*) from campaigns where workspace_id = $1", workspace)?;
    if count >= CAMPAIGNS_MAX {
        return Err(CampaignError::TooMany);
    }
    let parent = day(&input.parent_id).filter(|_| input.kind == CampaignKind::Sub);
    if let Some(parent) = parent {
        let kind = hold(&mut tx, workspace, parent).await?;
        if kind.as_deref() != Some(CampaignKind::Main.code()) {
            return Err(CampaignError::NoSuchParent);
        }
    }
    let id = new_id();
    execute!(
        tx,
        "insert into campaigns (workspace_id, id, kind, parent_id, name, starts_on, ends_on, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        workspace,
        &id,
        input.kind.code(),
        parent,
        &input.name,
        day(&input.starts_on),
        day(&input.ends_on),
        by.at
    )?;
    let entry = Entry::new(Action::Created, ObjectKind::Campaign, &id, &input.name).with(Change::to(input));
    by.record(&mut tx, workspace, &entry).await?;
    tx.commit().await?;
    Ok(id)
}

/// Saves name and dates; what a campaign is and where it stands do not change.
pub async fn update(db: &Db, workspace: &str, id: &str, input: &CampaignInput, by: &By) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    hold(&mut tx, workspace, id).await?.ok_or(sqlx::Error::RowNotFound)?;
    let before = get_held(&mut tx, workspace, id).await?;
    execute!(
        tx,
        "update campaigns set name = $3, starts_on = $4, ends_on = $5 where workspace_id = $1 and id = $2",
        workspace,
        id,
        &input.name,
        day(&input.starts_on),
        day(&input.ends_on)
    )?;
    let is = (&input.name, day(&input.starts_on), day(&input.ends_on));
    let was = (&before.name, before.starts_on.as_deref(), before.ends_on.as_deref());
    let entry = Entry::new(Action::Changed, ObjectKind::Campaign, id, &input.name);
    by.record(&mut tx, workspace, &entry.with(Change::between(&told(was), &told(is)))).await?;
    tx.commit().await
}

/// What the audit log says of it: name, first and last day.
fn told((name, starts_on, ends_on): (&String, Option<&str>, Option<&str>)) -> serde_json::Value {
    serde_json::json!({"name": name, "starts_on": starts_on, "ends_on": ends_on})
}

/// Deletes a campaign that has neither sub-campaigns nor tasks; the refusal names them.
pub async fn delete(db: &Db, workspace: &str, id: &str, by: &By) -> Result<(), CampaignError> {
    let mut tx = db.begin().await?;
    hold(&mut tx, workspace, id).await?.ok_or(sqlx::Error::RowNotFound)?;
    let campaign = get_held(&mut tx, workspace, id).await?;
    let deleted = execute!(
        tx,
        "delete from campaigns where workspace_id = $1 and id = $2
         and not exists (select 1 from campaigns sub where sub.workspace_id = $1 and sub.parent_id = $2)
         and not exists (select 1 from task_campaigns tc where tc.workspace_id = $1 and tc.campaign_id = $2)",
        workspace,
        id
    )?;
    if deleted > 0 {
        let entry = Entry::new(Action::Deleted, ObjectKind::Campaign, id, &campaign.name);
        by.record(&mut tx, workspace, &entry).await?;
        tx.commit().await?;
        return Ok(());
    }
    drop(tx);
    let named = |name: String| format!("“{name}”");
    let subs: Vec<String> = subs(db, workspace, id).await?.into_iter().map(|sub| named(sub.name)).collect();
    if !subs.is_empty() {
        return Err(CampaignError::HasSubs(campaign.name, first_few(subs)));
    }
    let tasks: Vec<String> = tasks(db, workspace, id).await?.into_iter().map(|task| named(task.name)).collect();
    Err(CampaignError::HasTasks(campaign.name, first_few(tasks)))
}

#[cfg(test)]
mod tests;
