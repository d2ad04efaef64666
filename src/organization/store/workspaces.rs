//! Workspaces of the organization.

use super::{
    super::model::{
        PAGE_SIZE, WORKSPACES_MAX, WorkspaceInput, WorkspaceOrder, WorkspacePage, WorkspaceQuery, WorkspaceRow,
    },
    hold,
};
use crate::{
    access::{Ctx, model::Preset, store as access},
    audit::{
        self, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::Millis,
    db::{Db, Tx, name_key},
    error::{AppError, AppResult},
    execute, fetch,
};
use serde_json::json;
use std::cmp::Reverse;

/// A page of those that fit. There are so few that all are read.
pub async fn list(db: &Db, query: &WorkspaceQuery) -> sqlx::Result<WorkspacePage> {
    let rows = fetch!(
        db,
        all,
        (String, String, String, i64, i64, Millis),
        "select w.id, w.name, w.time_zone, w.keep_days, coalesce(m.members, 0), w.created_at from workspaces w
         left join (select workspace_id, count(*) as members from members where disabled_at is null
                    group by workspace_id) m on m.workspace_id = w.id
         order by w.id limit $1",
        WORKSPACES_MAX as i64
    )?;
    let row = |(id, name, time_zone, keep_days, members, created_at)| WorkspaceRow {
        id,
        name,
        time_zone,
        keep_days,
        members,
        created_at,
    };
    let wanted = name_key(query.search.trim());
    let mut rows: Vec<WorkspaceRow> = rows.into_iter().map(row).collect();
    rows.retain(|row| wanted.is_empty() || name_key(&row.name).contains(&wanted));
    match query.order {
        WorkspaceOrder::Name => rows.sort_by_cached_key(|row| name_key(&row.name)),
        WorkspaceOrder::Members => rows.sort_by_cached_key(|row| (row.members, Reverse(name_key(&row.name)))),
        WorkspaceOrder::Created => rows.sort_by_key(|row| row.created_at),
    }
    if query.descending {
        rows.reverse();
    }
    let total = rows.len() as i64;
    let offset = usize::try_from(query.offset).unwrap_or(0);
    let rows = rows.into_iter().skip(offset).take(PAGE_SIZE as usize).collect();
    Ok(WorkspacePage { rows, total })
}

/// How many there are, and whether another than `id` bears the name, in whatever case.
async fn others(tx: &mut Tx, id: &str, name: &str) -> sqlx::Result<(usize, bool)> {
    let all = fetch!(tx, all, (String, String), "select id, name from workspaces")?;
    let taken = all.iter().any(|(own, other)| own != id && name_key(other) == name_key(name));
    Ok((all.len(), taken))
}

fn taken(name: &str) -> AppError {
    AppError::invalid("name", format!("There is a workspace “{name}” already."))
}

/// Makes a workspace with its preset ID types, and its first administrator when one is named. `input` has passed its
/// checks. The id.
pub async fn create(ctx: &Ctx, input: &WorkspaceInput) -> AppResult<String> {
    let now = ctx.now();
    let mut tx = ctx.state.db.begin().await?;
    hold(&mut tx, ctx).await?;
    let (count, is_taken) = others(&mut tx, "", &input.name).await?;
    if is_taken {
        return Err(taken(&input.name));
    }
    if count >= WORKSPACES_MAX {
        return Err(AppError::conflict(format!("An organization has at most {WORKSPACES_MAX} workspaces.")));
    }
    let id = access::put_workspace_in(&mut tx, &input.name, &input.time_zone, now).await?;
    execute!(tx, "update workspaces set keep_days = $2 where id = $1", &id, input.keep_days)?;
    let administrator = administrator(&mut tx, &id, &input.administrator, now).await?;
    let entry = Entry::new(Action::Created, ObjectKind::Workspace, &id, &input.name).with(Change::to(input));
    audit::record(&mut tx, audit::ORGANIZATION, now, &ctx.actor(), &entry).await?;
    if let Some((user, name)) = administrator {
        let change = Change::to(&json!({"email": input.administrator, "roles": [Preset::Administrator.name()]}));
        let entry = Entry::new(Action::Created, ObjectKind::Member, &user, &name).with(change);
        audit::record(&mut tx, &id, now, &ctx.actor(), &entry).await?;
    }
    tx.commit().await?;
    Ok(id)
}

/// Makes the account of that e-mail a member with the role Administrator: its id and name.
async fn administrator(tx: &mut Tx, workspace: &str, email: &str, now: Millis) -> AppResult<Option<(String, String)>> {
    if email.is_empty() {
        return Ok(None);
    }
    let sql = "select id, name, disabled_at is not null from users where email = $1";
    let Some((user, name, disabled)) = fetch!(tx, optional, (String, String, bool), sql, email)? else {
        let text = "There is no account with this e-mail. Leave it empty, switch to the new workspace and add the person under Members.";
        return Err(AppError::invalid("administrator", text));
    };
    if disabled {
        return Err(AppError::invalid("administrator", "This account is disabled. Enable it first, under Accounts."));
    }
    let sql = "insert into members (workspace_id, user_id, created_at) values ($1, $2, $3)";
    execute!(tx, sql, workspace, &user, now)?;
    let sql = "insert into member_roles (workspace_id, user_id, role_id) values ($1, $2, $3)";
    execute!(tx, sql, workspace, &user, Preset::Administrator.id())?;
    Ok(Some((user, name)))
}

/// Changes a workspace. `input` has passed its checks; its administrator is not looked at.
pub async fn edit(ctx: &Ctx, id: &str, input: &WorkspaceInput) -> AppResult<()> {
    let mut tx = ctx.state.db.begin().await?;
    hold(&mut tx, ctx).await?;
    let sql = "select name, time_zone, keep_days from workspaces where id = $1";
    let Some((name, time_zone, keep_days)) = fetch!(tx, optional, (String, String, i64), sql, id)? else {
        return Err(AppError::NotFound);
    };
    if others(&mut tx, id, &input.name).await?.1 {
        return Err(taken(&input.name));
    }
    let sql = "update workspaces set name = $2, time_zone = $3, keep_days = $4 where id = $1";
    execute!(tx, sql, id, &input.name, &input.time_zone, input.keep_days)?;
    let told =
        |name: &str, time_zone: &str, days: i64| json!({"name": name, "time_zone": time_zone, "keep_days": days});
    let before = told(&name, &time_zone, keep_days);
    let change = Change::between(&before, &told(&input.name, &input.time_zone, input.keep_days));
    let entry = Entry::new(Action::Changed, ObjectKind::Workspace, id, &input.name).with(change);
    audit::record(&mut tx, audit::ORGANIZATION, ctx.now(), &ctx.actor(), &entry).await?;
    tx.commit().await?;
    Ok(())
}
