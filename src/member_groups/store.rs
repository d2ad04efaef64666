//! Groups of members in the database.

use super::model::{GROUPS_MAX, Group, GroupInput, GroupUse, MEMBERS_MAX, OFFERED_MAX, Person};
use crate::{
    access::Ctx,
    audit::{
        self, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::{Millis, new_id},
    db::{Db, Tx, is_taken, name_key, to_json},
    error::{AppError, AppResult},
    execute, fetch,
    grants::model::GrantState,
    ui::format::first_few,
};
use serde::Serialize;
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, HashMap};

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    members: i64,
    updated_at: Millis,
}

/// `$1` is the workspace.
const SELECT: &str = "select g.id, g.name, g.updated_at, coalesce(c.members, 0) as members from member_groups g
    left join (select x.group_id, count(*) as members from member_group_members x
               join members m on m.workspace_id = x.workspace_id and m.user_id = x.user_id
               where x.workspace_id = $1 group by x.group_id) c on c.group_id = g.id
    where g.workspace_id = $1";

const PERSON: &str = "select u.id, u.name, u.email, u.disabled_at is not null or m.disabled_at is not null
    from members m join users u on u.id = m.user_id";

/// What the audit log keeps of a group; of a change, the members who came or went.
#[derive(Serialize)]
struct Kept<'a> {
    name: &'a str,
    members: Vec<String>,
}

/// The webhooks that are granted to groups, by name: the group, the webhook, and the grant's period. `$2` is a group,
/// or "" for all.
const USES: &str = "select g.subject_id, w.id, w.name, g.from_at, g.until_at from webhook_grants g
    join webhooks w on w.workspace_id = g.workspace_id and w.id = g.webhook_id
    where g.workspace_id = $1 and g.subject_kind = 'group' and ($2 = '' or g.subject_id = $2)
    order by w.name_key, w.id";

type UseRow = (String, String, String, Millis, Option<Millis>);

/// By its group: the webhooks that are granted to it, with what stands of the grants at `now`.
fn uses(rows: Vec<UseRow>, now: Millis) -> HashMap<String, Vec<GroupUse>> {
    let mut uses: HashMap<String, Vec<GroupUse>> = HashMap::new();
    for (group, webhook_id, webhook, from, until) in rows {
        let state = GrantState::at(from, until, now);
        let of_group = uses.entry(group).or_default();
        match of_group.last_mut().filter(|last| last.webhook_id == webhook_id) {
            Some(known) => known.state = known.state.min(state),
            None => of_group.push(GroupUse { webhook_id, webhook, state }),
        }
    }
    uses
}

fn group(row: Row, uses: &mut HashMap<String, Vec<GroupUse>>) -> Group {
    let used_by = uses.remove(&row.id).unwrap_or_default();
    Group { id: row.id, name: row.name, members: row.members, used_by, updated_at: row.updated_at }
}

/// All groups of the workspace by name; there are at most [`GROUPS_MAX`].
pub async fn list(db: &Db, workspace: &str, now: Millis) -> sqlx::Result<Vec<Group>> {
    let mut uses = uses(fetch!(db, all, UseRow, USES, workspace, "")?, now);
    let sql = format!("{SELECT} order by g.name_key, g.id limit {GROUPS_MAX}");
    let rows = fetch!(db, all, Row, AssertSqlSafe(sql), workspace)?;
    Ok(rows.into_iter().map(|row| group(row, &mut uses)).collect())
}

/// `RowNotFound` when the workspace has no such group.
pub async fn get(db: &Db, workspace: &str, id: &str, now: Millis) -> sqlx::Result<Group> {
    let mut uses = uses(fetch!(db, all, UseRow, USES, workspace, id)?, now);
    let row = fetch!(db, one, Row, AssertSqlSafe(format!("{SELECT} and g.id = $2")), workspace, id)?;
    Ok(group(row, &mut uses))
}

fn person((id, name, email, disabled): (String, String, String, bool)) -> Person {
    Person { id, name, email, disabled }
}

/// Who is in the group, by name.
pub async fn members(db: &Db, workspace: &str, id: &str) -> sqlx::Result<Vec<Person>> {
    let sql = format!(
        "{PERSON} join member_group_members x on x.workspace_id = m.workspace_id and x.user_id = m.user_id
         where m.workspace_id = $1 and x.group_id = $2 order by u.name_key, u.email limit {MEMBERS_MAX}"
    );
    let rows = fetch!(db, all, (String, String, String, bool), AssertSqlSafe(sql), workspace, id)?;
    Ok(rows.into_iter().map(person).collect())
}

/// Who can be chosen by name, with whether each is in the group (`id` may be ""); and whether there are more.
pub async fn people(db: &Db, workspace: &str, id: &str) -> sqlx::Result<(Vec<(Person, bool)>, bool)> {
    let own = members(db, workspace, id).await?;
    let (offered, more) = offered(db, workspace).await?;
    let is_own = |person: &Person| own.iter().any(|one| one.id == person.id);
    // Those in the group first, so that one sees who they are.
    let others: Vec<Person> = offered.into_iter().filter(|person| !is_own(person)).collect();
    let all = own.into_iter().map(|one| (one, true)).chain(others.into_iter().map(|one| (one, false)));
    Ok((all.collect(), more))
}

/// The first [`OFFERED_MAX`] members of the workspace by name, and whether there are more.
pub async fn offered(db: &Db, workspace: &str) -> sqlx::Result<(Vec<Person>, bool)> {
    let sql = format!("{PERSON} where m.workspace_id = $1 order by u.name_key, u.email limit {}", OFFERED_MAX + 1);
    let mut rows = fetch!(db, all, (String, String, String, bool), AssertSqlSafe(sql), workspace)?;
    let more = rows.len() as i64 > OFFERED_MAX;
    rows.truncate(OFFERED_MAX as usize);
    Ok((rows.into_iter().map(person).collect(), more))
}

/// The unique index on the name is the only one that a save can meet.
fn name_taken(error: sqlx::Error) -> AppError {
    if !is_taken(&error) {
        return error.into();
    }
    AppError::invalid("name", "Another group of this workspace has this name.")
}

/// The name and the last change of a group, its row taken until the transaction ends.
async fn lock(tx: &mut Tx, workspace: &str, id: &str) -> sqlx::Result<(String, Millis)> {
    let sql = match tx {
        Tx::Sqlite(_) => "select name, updated_at from member_groups where workspace_id = $1 and id = $2",
        Tx::Postgres(_) => "select name, updated_at from member_groups where workspace_id = $1 and id = $2 for update",
    };
    fetch!(tx, one, (String, Millis), sql, workspace, id)
}

const NAME: &str = "select u.id, u.name, u.email from members m join users u on u.id = m.user_id";

fn named(rows: Vec<(String, String, String)>) -> BTreeMap<String, String> {
    rows.into_iter().map(|(id, name, email)| (id, format!("{name} <{email}>"))).collect()
}

/// Those of `ids` who are members of the workspace, as the audit log names them: id to "Name <e-mail>". They stay
/// members until the transaction ends.
pub async fn names_of(tx: &mut Tx, workspace: &str, ids: &[String]) -> sqlx::Result<BTreeMap<String, String>> {
    let ids = to_json(ids)?;
    let sql = match tx {
        Tx::Sqlite(_) => {
            format!("{NAME} where m.workspace_id = $1 and m.user_id in (select value from json_each($2))")
        }
        Tx::Postgres(_) => format!(
            "{NAME} where m.workspace_id = $1
             and m.user_id in (select jsonb_array_elements_text(cast($2 as jsonb))) for share of m"
        ),
    };
    Ok(named(fetch!(tx, all, (String, String, String), AssertSqlSafe(sql), workspace, ids)?))
}

/// Those of `ids` that are groups of the workspace: id to name. They stay until the transaction ends.
pub async fn group_names(tx: &mut Tx, workspace: &str, ids: &[String]) -> sqlx::Result<BTreeMap<String, String>> {
    let ids = to_json(ids)?;
    let sql = match tx {
        Tx::Sqlite(_) => {
            "select id, name from member_groups where workspace_id = $1 and id in (select value from json_each($2))"
        }
        Tx::Postgres(_) => {
            "select id, name from member_groups where workspace_id = $1
             and id in (select jsonb_array_elements_text(cast($2 as jsonb))) for share"
        }
    };
    Ok(fetch!(tx, all, (String, String), sql, workspace, ids)?.into_iter().collect())
}

/// The members of a group, as [`names_of`].
async fn names_in(tx: &mut Tx, workspace: &str, id: &str) -> sqlx::Result<BTreeMap<String, String>> {
    let sql = format!(
        "{NAME} join member_group_members x on x.workspace_id = m.workspace_id and x.user_id = m.user_id
         where m.workspace_id = $1 and x.group_id = $2"
    );
    Ok(named(fetch!(tx, all, (String, String, String), AssertSqlSafe(sql), workspace, id)?))
}

/// Those who were chosen, by their ids; all must be members of the workspace.
async fn chosen(tx: &mut Tx, workspace: &str, input: &GroupInput) -> AppResult<BTreeMap<String, String>> {
    let chosen = names_of(tx, workspace, &input.members).await?;
    if chosen.len() != input.members.len() {
        let text = "Somebody whom you chose is no longer a member of this workspace. Open the page again.";
        return Err(AppError::invalid("members", text));
    }
    Ok(chosen)
}

/// A new group; its id. `input` has passed [`GroupInput::check`].
pub async fn create(ctx: &Ctx, input: &GroupInput) -> AppResult<String> {
    let (workspace, now, id) = (ctx.workspace(), ctx.now(), new_id());
    let mut tx = ctx.state.db.begin().await?;
    let sql = "select count(*) from member_groups where workspace_id = $1";
    let (count,) = fetch!(tx, one, (i64,), sql, workspace)?;
    if count >= GROUPS_MAX {
        return Err(AppError::conflict(format!("A workspace has at most {GROUPS_MAX} member groups.")));
    }
    let members = chosen(&mut tx, workspace, input).await?;
    execute!(
        tx,
        "insert into member_groups (workspace_id, id, name, name_key, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $5)",
        workspace,
        &id,
        &input.name,
        name_key(&input.name),
        now
    )
    .map_err(name_taken)?;
    for member in members.keys() {
        put(&mut tx, workspace, &id, member).await?;
    }
    let kept = Kept { name: &input.name, members: members.into_values().collect() };
    let entry = Entry::new(Action::Created, ObjectKind::MemberGroup, &id, &input.name).with(Change::to(&kept));
    audit::record(&mut tx, workspace, now, &ctx.actor(), &entry).await?;
    tx.commit().await?;
    Ok(id)
}

async fn put(tx: &mut Tx, workspace: &str, id: &str, member: &str) -> sqlx::Result<()> {
    execute!(
        tx,
        "insert into member_group_members (workspace_id, group_id, user_id) values ($1, $2, $3)
         on conflict do nothing",
        workspace,
        id,
        member
    )?;
    Ok(())
}

/// Saves what was edited since `seen`; who comes and who goes uses the group's webhooks from then on, or no more.
/// `input` has passed [`GroupInput::check`].
pub async fn update(ctx: &Ctx, id: &str, seen: Millis, input: &GroupInput) -> AppResult<()> {
    let workspace = ctx.workspace();
    let mut tx = ctx.state.db.begin().await?;
    let (name, updated_at) = lock(&mut tx, workspace, id).await?;
    if updated_at != seen {
        return Err(AppError::conflict(
            "Somebody else has changed this group since you opened it. Nothing of yours was saved: open it again in \
             another tab and repeat your change on what stands now.",
        ));
    }
    let mut before = names_in(&mut tx, workspace, id).await?;
    let mut after = chosen(&mut tx, workspace, input).await?;
    before.retain(|id, _| after.remove(id).is_none());
    let (gone, come) = (before, after);
    if name == input.name && gone.is_empty() && come.is_empty() {
        return Ok(());
    }
    execute!(
        tx,
        "update member_groups set name = $3, name_key = $4, updated_at = $5 where workspace_id = $1 and id = $2",
        workspace,
        id,
        &input.name,
        name_key(&input.name),
        ctx.now().max(updated_at + 1)
    )
    .map_err(name_taken)?;
    for member in gone.keys() {
        execute!(
            tx,
            "delete from member_group_members where workspace_id = $1 and group_id = $2 and user_id = $3",
            workspace,
            id,
            member
        )?;
    }
    for member in come.keys() {
        put(&mut tx, workspace, id, member).await?;
    }
    let before = Kept { name: &name, members: gone.into_values().collect() };
    let after = Kept { name: &input.name, members: come.into_values().collect() };
    let change = Change::between(&before, &after);
    let entry = Entry::new(Action::Changed, ObjectKind::MemberGroup, id, &input.name).with(change);
    audit::record(&mut tx, workspace, ctx.now(), &ctx.actor(), &entry).await?;
    tx.commit().await?;
    Ok(())
}

/// Removes a group that no grant uses, an expired one included.
pub async fn delete(ctx: &Ctx, id: &str) -> AppResult<()> {
    let (workspace, now) = (ctx.workspace(), ctx.now());
    let mut tx = ctx.state.db.begin().await?;
    let (name, _) = lock(&mut tx, workspace, id).await?;
    let used_by = uses(fetch!(tx, all, UseRow, USES, workspace, id)?, now).remove(id).unwrap_or_default();
    if !used_by.is_empty() {
        return Err(AppError::conflict(format!(
            "“{name}” is used by grants of the webhooks {}. Remove the grants first.",
            first_few(used_by.iter().map(GroupUse::text))
        )));
    }
    let members = names_in(&mut tx, workspace, id).await?;
    execute!(tx, "delete from member_group_members where workspace_id = $1 and group_id = $2", workspace, id)?;
    execute!(tx, "delete from member_groups where workspace_id = $1 and id = $2", workspace, id)?;
    let kept = Kept { name: &name, members: members.into_values().collect() };
    let entry = Entry::new(Action::Deleted, ObjectKind::MemberGroup, id, &name).with(Change::from(&kept));
    audit::record(&mut tx, workspace, now, &ctx.actor(), &entry).await?;
    tx.commit().await?;
    Ok(())
}
