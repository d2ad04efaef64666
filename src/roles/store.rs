//! Roles in the database. The presets have no rows.

use super::model::{HOLDERS_SHOWN, Holder, Holders, ROLES_MAX, Role, RoleInput};
use crate::{
    access::{
        Ctx,
        model::{Area, Permission, Permissions, Preset},
    },
    audit::{
        self, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::{Millis, new_id},
    db::{Db, Tx, from_json, is_taken, name_key},
    error::{AppError, AppResult},
    execute, fetch,
    ui::format::{NAMED, first_few},
};
use serde::Serialize;
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    description: String,
    permissions: String,
    version: i64,
    updated_at: Millis,
}

const SELECT: &str =
    "select id, name, description, permissions, version, updated_at from roles where workspace_id = $1";

/// What the audit log keeps of a role.
#[derive(Serialize)]
struct Kept<'a> {
    name: &'a str,
    description: &'a str,
    permissions: Vec<String>,
}

impl<'a> Kept<'a> {
    fn of(role: &'a Role) -> Self {
        Self { name: &role.name, description: &role.description, permissions: role.permissions.codes() }
    }
}

impl Row {
    fn role(self, members: i64) -> sqlx::Result<Role> {
        let codes: Vec<String> = from_json(&self.permissions)?;
        Ok(Role {
            id: self.id,
            name: self.name,
            description: self.description,
            permissions: Permissions::from_codes(codes.iter().map(String::as_str)),
            preset: false,
            version: self.version,
            members,
            updated_at: self.updated_at,
        })
    }
}

/// How many members hold each role.
async fn held(db: &Db, workspace: &str) -> sqlx::Result<HashMap<String, i64>> {
    let rows = fetch!(
        db,
        all,
        (String, i64),
        "select r.role_id, count(*) from member_roles r
         join members m on m.workspace_id = r.workspace_id and m.user_id = r.user_id
         where r.workspace_id = $1 group by r.role_id",
        workspace
    )?;
    Ok(rows.into_iter().collect())
}

/// The presets, then the workspace's own by name; there are at most [`ROLES_MAX`].
pub async fn list(db: &Db, workspace: &str) -> sqlx::Result<Vec<Role>> {
    let held = held(db, workspace).await?;
    let members = |id: &str| held.get(id).copied().unwrap_or_default();
    let sql = format!("{SELECT} order by name_key, id limit {ROLES_MAX}");
    let mut all: Vec<Role> =
        Preset::ALL.into_iter().map(|preset| Role::of_preset(preset, members(preset.id()))).collect();
    for row in fetch!(db, all, Row, AssertSqlSafe(sql), workspace)? {
        let members = members(&row.id);
        all.push(row.role(members)?);
    }
    Ok(all)
}

/// `RowNotFound` when the workspace has no such role.
pub async fn get(db: &Db, workspace: &str, id: &str) -> sqlx::Result<Role> {
    let members = held(db, workspace).await?.get(id).copied().unwrap_or_default();
    if let Some(preset) = Preset::from_id(id) {
        return Ok(Role::of_preset(preset, members));
    }
    fetch!(db, one, Row, AssertSqlSafe(format!("{SELECT} and id = $2")), workspace, id)?.role(members)
}

/// The first [`HOLDERS_SHOWN`] members who hold the role.
pub async fn holders(db: &Db, workspace: &str, id: &str) -> sqlx::Result<Holders> {
    let rows = fetch!(
        db,
        all,
        (String, String, String, bool),
        "select u.id, u.name, u.email, u.disabled_at is not null or m.disabled_at is not null from member_roles r
         join members m on m.workspace_id = r.workspace_id and m.user_id = r.user_id
         join users u on u.id = r.user_id
         where r.workspace_id = $1 and r.role_id = $2 order by u.name_key, u.email limit $3",
        workspace,
        id,
        HOLDERS_SHOWN
    )?;
    let holder = |(id, name, email, disabled)| Holder { id, name, email, disabled };
    let total = held(db, workspace).await?.get(id).copied().unwrap_or_default();
    Ok(Holders { first: rows.into_iter().map(holder).collect(), total })
}

/// `Conflict` for a preset, and for a role that holds more than `own`, the permissions of whoever wants to change it.
pub fn may_change(role: Option<&Role>, own: Permissions) -> AppResult<()> {
    let Some(role) = role else { return Ok(()) };
    if role.preset {
        return Err(AppError::conflict(format!(
            "“{}” is a preset and can't be changed. Copy it, and change the copy.",
            role.name
        )));
    }
    if !own.covers(role.permissions) {
        return Err(AppError::conflict(format!(
            "“{}” has permissions that you don't have yourself, so you can't change it. Ask an administrator.",
            role.name
        )));
    }
    Ok(())
}

/// The workspace's own role, its row taken until the transaction ends; a preset is a `Conflict`.
async fn lock(tx: &mut Tx, ctx: &Ctx, id: &str) -> AppResult<Role> {
    let own = ctx.info().permissions;
    if let Some(preset) = Preset::from_id(id) {
        may_change(Some(&Role::of_preset(preset, 0)), own)?;
    }
    let sql = match tx {
        Tx::Sqlite(_) => format!("{SELECT} and id = $2"),
        Tx::Postgres(_) => format!("{SELECT} and id = $2 for update"),
    };
    let role = fetch!(tx, one, Row, AssertSqlSafe(sql), ctx.workspace(), id)?.role(0)?;
    may_change(Some(&role), own)?;
    Ok(role)
}

/// The unique index on the name is the only one that a save can meet.
fn name_taken(error: sqlx::Error) -> AppError {
    if !is_taken(&error) {
        return error.into();
    }
    AppError::invalid("name", "Another role of this workspace has this name.")
}

/// A new role; its id. `input` has passed [`RoleInput::check`].
pub async fn create(ctx: &Ctx, input: &RoleInput) -> AppResult<String> {
    let (workspace, now) = (ctx.workspace(), ctx.now());
    let mut tx = ctx.state.db.begin().await?;
    let (count,) = fetch!(tx, one, (i64,), "select count(*) from roles where workspace_id = $1", workspace)?;
    if count >= ROLES_MAX {
        return Err(AppError::conflict(format!("A workspace has at most {ROLES_MAX} roles of its own.")));
    }
    let role = Role {
        id: new_id(),
        name: input.name.clone(),
        description: input.description.clone(),
        permissions: input.permissions(),
        preset: false,
        version: 1,
        members: 0,
        updated_at: now,
    };
    execute!(
        tx,
        "insert into roles (workspace_id, id, name, name_key, description, permissions, version, created_at,
                            updated_at)
         values ($1, $2, $3, $4, $5, $6, 1, $7, $7)",
        workspace,
        &role.id,
        &role.name,
        name_key(&role.name),
        &role.description,
        serde_json::to_string(&role.permissions.codes())?,
        now
    )
    .map_err(name_taken)?;
    let entry = Entry::new(Action::Created, ObjectKind::Role, &role.id, &role.name).with(Change::to(&Kept::of(&role)));
    audit::record(&mut tx, workspace, now, &ctx.actor(), &entry).await?;
    tx.commit().await?;
    Ok(role.id)
}

/// Saves what was edited from `version` on; its holders have the new permissions at once. Without a change the version
/// stays. `input` has passed [`RoleInput::check`].
pub async fn update(ctx: &Ctx, id: &str, version: i64, input: &RoleInput) -> AppResult<()> {
    let (workspace, now) = (ctx.workspace(), ctx.now());
    let mut tx = ctx.state.db.begin().await?;
    let before = lock(&mut tx, ctx, id).await?;
    if before.version != version {
        return Err(AppError::conflict(
            "Somebody else has changed this role since you opened it. Nothing of yours was saved: open it again in \
             another tab and repeat your change on what stands now.",
        ));
    }
    let (manage, after) = (Permission::Manage(Area::Roles), input.permissions());
    if before.permissions.has(manage) && !after.has(manage) && holds(&mut tx, ctx, id).await? {
        return Err(AppError::invalid(
            &format!("levels[{}]", Area::Roles.code()),
            "You hold this role yourself, so you can't take the permission to manage roles from it. Ask somebody \
             else who manages roles.",
        ));
    }
    let after =
        Role { name: input.name.clone(), description: input.description.clone(), permissions: after, ..before.clone() };
    let change = Change::between(&Kept::of(&before), &Kept::of(&after));
    if change.is_empty() {
        return Ok(());
    }
    execute!(
        tx,
        "update roles set name = $3, name_key = $4, description = $5, permissions = $6, version = version + 1,
                updated_at = $7
         where workspace_id = $1 and id = $2",
        workspace,
        id,
        &after.name,
        name_key(&after.name),
        &after.description,
        serde_json::to_string(&after.permissions.codes())?,
        now
    )
    .map_err(name_taken)?;
    let entry = Entry::new(Action::Changed, ObjectKind::Role, id, &after.name).with(change);
    audit::record(&mut tx, workspace, now, &ctx.actor(), &entry).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether whoever asks holds the role.
async fn holds(tx: &mut Tx, ctx: &Ctx, id: &str) -> sqlx::Result<bool> {
    let sql = "select 1 from member_roles where workspace_id = $1 and role_id = $2 and user_id = $3";
    Ok(fetch!(tx, optional, (i32,), sql, ctx.workspace(), id, ctx.user())?.is_some())
}

/// Removes a role that no member holds.
pub async fn delete(ctx: &Ctx, id: &str) -> AppResult<()> {
    let workspace = ctx.workspace();
    let mut tx = ctx.state.db.begin().await?;
    let role = lock(&mut tx, ctx, id).await?;
    let holders = fetch!(
        tx,
        all,
        (String,),
        "select u.name from member_roles r
         join members m on m.workspace_id = r.workspace_id and m.user_id = r.user_id
         join users u on u.id = r.user_id
         where r.workspace_id = $1 and r.role_id = $2 order by u.name_key, u.email limit $3",
        workspace,
        id,
        NAMED as i64 + 1
    )?;
    if !holders.is_empty() {
        return Err(AppError::conflict(format!(
            "“{}” is held by {}. A role that somebody holds can't be deleted; take it from them first.",
            role.name,
            first_few(holders.into_iter().map(|(name,)| format!("“{name}”")))
        )));
    }
    // What members who are gone may have left.
    execute!(tx, "delete from member_roles where workspace_id = $1 and role_id = $2", workspace, id)?;
    execute!(tx, "delete from roles where workspace_id = $1 and id = $2", workspace, id)?;
    let entry = Entry::new(Action::Deleted, ObjectKind::Role, id, &role.name).with(Change::from(&Kept::of(&role)));
    audit::record(&mut tx, workspace, ctx.now(), &ctx.actor(), &entry).await?;
    tx.commit().await?;
    Ok(())
}
