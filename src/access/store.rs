//! People, workspaces, sessions and failed sign-ins in the database.

mod sign_in;

pub use sign_in::{
    account_logs, add_step, count_try, end_step, forget_place, forget_try, still_opens, tell, tries, try_step,
    turn_off_second_factor, was_member, workspace_logs,
};

use super::{
    model::{Area, Attributes, Permission, Permissions, Preset},
    person::name_of,
};
use crate::{
    clock::{Millis, new_id},
    db::{Db, Tx, name_key},
    execute, fetch, grants,
};
use sqlx::AssertSqlSafe;

#[derive(sqlx::FromRow)]
pub struct UserRow {
    pub id: String,
    pub email: String,
    pub name: String,
    /// "" when there is none yet.
    pub password_hash: String,
    pub disabled: bool,
    /// Whether signing in asks for a code of an app besides the password.
    pub second_factor: bool,
}

#[derive(sqlx::FromRow)]
pub struct SessionRow {
    pub user_id: String,
    pub workspace_id: String,
    pub last_seen_at: Millis,
    pub name: String,
    pub email: String,
    pub workspace_name: String,
    pub organization_admin: bool,
    /// "" the browser's.
    pub time_zone: String,
    pub workspace_zone: String,
    pub theme: String,
    pub language: String,
}

/// What somebody is in a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Names of roles.
    pub roles: Vec<String>,
    pub permissions: Permissions,
    pub administrator: bool,
}

const USER: &str = "select id, email, name, password_hash, disabled_at is not null as disabled,
        totp_cipher is not null as second_factor
    from users";

/// The installation's id, made at its first start.
pub async fn organization_id(db: &Db) -> sqlx::Result<String> {
    let row = fetch!(db, optional, (String,), "select value from settings where key = 'organization_id'")?;
    Ok(row.map(|(id,)| id).unwrap_or_default())
}

/// E-mail addresses are compared in lower case.
pub async fn user_by_email(db: &Db, email: &str) -> sqlx::Result<Option<UserRow>> {
    fetch!(db, optional, UserRow, AssertSqlSafe(format!("{USER} where email = $1")), email.to_lowercase())
}

/// `RowNotFound` when there is no such person.
pub async fn user(db: &Db, id: &str) -> sqlx::Result<UserRow> {
    fetch!(db, one, UserRow, AssertSqlSafe(format!("{USER} where id = $1")), id)
}

/// Makes the user, or gives an existing one a new password and, when there is one, a new name. Whoever was signed in
/// with the old password is no more, and no link sets another. The id.
pub async fn put_user(
    db: &Db,
    email: &str,
    name: Option<&str>,
    password_hash: &str,
    now: Millis,
) -> sqlx::Result<String> {
    let mut tx = db.begin().await?;
    let id = put_user_in(&mut tx, email, name, password_hash, now).await?;
    tx.commit().await?;
    Ok(id)
}

/// [`put_user`] inside a change.
pub async fn put_user_in(
    tx: &mut Tx,
    email: &str,
    name: Option<&str>,
    password_hash: &str,
    now: Millis,
) -> sqlx::Result<String> {
    let email = email.to_lowercase();
    let known = fetch!(
        tx,
        optional,
        (String,),
        "update users set password_hash = $2, name = coalesce($3, name), name_key = coalesce($4, name_key)
         where email = $1 returning id",
        &email,
        password_hash,
        name,
        name.map(name_key)
    )?;
    Ok(match known {
        Some((id,)) => {
            end_sessions(tx, &id).await?;
            execute!(tx, "delete from account_links where user_id = $1", &id)?;
            id
        }
        None => {
            let id = new_id();
            let name = name.map_or_else(|| name_of(&email), str::to_string);
            execute!(
                tx,
                "insert into users (id, email, name, name_key, password_hash, created_at)
                 values ($1, $2, $3, $4, $5, $6)",
                &id,
                &email,
                &name,
                name_key(&name),
                password_hash,
                now
            )?;
            id
        }
    })
}

/// Makes the user a member, enabled, with this role alone.
pub async fn put_member(db: &Db, workspace: &str, user: &str, role: Preset, now: Millis) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    put_member_in(&mut tx, workspace, user, role, now).await?;
    tx.commit().await
}

/// [`put_member`] inside a change.
pub async fn put_member_in(tx: &mut Tx, workspace: &str, user: &str, role: Preset, now: Millis) -> sqlx::Result<()> {
    execute!(
        tx,
        "insert into members (workspace_id, user_id, created_at) values ($1, $2, $3)
         on conflict (workspace_id, user_id) do update set disabled_at = null",
        workspace,
        user,
        now
    )?;
    execute!(tx, "delete from member_roles where workspace_id = $1 and user_id = $2", workspace, user)?;
    execute!(
        tx,
        "insert into member_roles (workspace_id, user_id, role_id) values ($1, $2, $3)",
        workspace,
        user,
        role.id()
    )?;
    Ok(())
}

/// What the roles of a member add up to; of a member without roles, and of a stranger, nothing.
pub async fn standing(db: &Db, workspace: &str, user: &str, organization_admin: bool) -> sqlx::Result<Standing> {
    let rows = fetch!(
        db,
        all,
        (String, Option<String>, Option<String>),
        "select m.role_id, r.name, r.permissions from member_roles m
         left join roles r on r.workspace_id = m.workspace_id and r.id = m.role_id
         where m.workspace_id = $1 and m.user_id = $2 order by r.name_key, m.role_id",
        workspace,
        user
    )?;
    let mut standing = Standing::default();
    if organization_admin {
        standing.roles.push("Organization administrator".into());
        (standing.permissions, standing.administrator) = (Permissions::all(), true);
    }
    for (id, name, permissions) in rows {
        if let Some(preset) = Preset::from_id(&id) {
            standing.roles.push(preset.name().into());
            standing.permissions = standing.permissions.and(preset.permissions());
            standing.administrator |= preset == Preset::Administrator;
        } else if let (Some(name), Some(permissions)) = (name, permissions) {
            let codes: Vec<String> =
                serde_json::from_str(&permissions).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            standing.roles.push(name);
            standing.permissions = standing.permissions.and(Permissions::from_codes(codes.iter().map(String::as_str)));
        }
    }
    Ok(standing)
}

/// Whether a person who is not here may use a webhook now, as the engine asks before it starts what they submitted;
/// why not.
pub async fn may_use_webhook(
    db: &Db,
    workspace: &str,
    user: &str,
    webhook: &str,
    now: Millis,
) -> sqlx::Result<Result<(), &'static str>> {
    let known = fetch!(
        db,
        optional,
        (bool, bool, bool),
        "select u.organization_admin, u.disabled_at is not null, m.user_id is not null and m.disabled_at is null
         from users u left join members m on m.user_id = u.id and m.workspace_id = $1 where u.id = $2",
        workspace,
        user
    )?;
    let Some((organization_admin, disabled, member)) = known else { return Ok(Err("is no member any more")) };
    if disabled || !(member || organization_admin) {
        return Ok(Err("is disabled or no member any more"));
    }
    let standing = standing(db, workspace, user, organization_admin).await?;
    if !standing.permissions.has(Permission::Manage(Area::ReachWebhook)) {
        return Ok(Err("has no role any more that permits “User Marketing-Reach Marketing-Webhook”"));
    }
    if !standing.administrator && !grants::store::is_granted(db, workspace, user, webhook, now).await? {
        return Ok(Err("has no valid grant of the webhook any more"));
    }
    Ok(Ok(()))
}

/// A member's row-level permissions: name to values. `RowNotFound` when the user is no member there.
pub async fn attributes(db: &Db, workspace: &str, user: &str) -> sqlx::Result<Attributes> {
    let (text,) = fetch!(
        db,
        one,
        (String,),
        "select attributes from members where workspace_id = $1 and user_id = $2",
        workspace,
        user
    )?;
    serde_json::from_str(&text).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Gives a member these in place of those that there were.
pub async fn put_attributes(tx: &mut Tx, workspace: &str, user: &str, attributes: &Attributes) -> sqlx::Result<()> {
    let text = serde_json::to_string(attributes).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let sql = "update members set attributes = $3 where workspace_id = $1 and user_id = $2";
    let changed = execute!(tx, sql, workspace, user, text)?;
    if changed == 0 { Err(sqlx::Error::RowNotFound) } else { Ok(()) }
}

/// The workspace of that name, made with its preset ID types when there is none; its id.
pub async fn put_workspace(db: &Db, name: &str, time_zone: &str, now: Millis) -> sqlx::Result<String> {
    if let Some((id,)) = fetch!(db, optional, (String,), "select id from workspaces where name = $1", name)? {
        return Ok(id);
    }
    let mut tx = db.begin().await?;
    let id = put_workspace_in(&mut tx, name, time_zone, now).await?;
    tx.commit().await?;
    Ok(id)
}

/// A new workspace with its preset ID types, inside a change; its id.
pub async fn put_workspace_in(tx: &mut Tx, name: &str, time_zone: &str, now: Millis) -> sqlx::Result<String> {
    let id = new_id();
    execute!(
        tx,
        "insert into workspaces (id, name, time_zone, created_at) values ($1, $2, $3, $4)",
        &id,
        name,
        time_zone,
        now
    )?;
    crate::customers::store::put_preset_id_types(tx, &id).await?;
    Ok(id)
}

/// The id of the workspace of that name.
pub async fn workspace_by_name(db: &Db, name: &str) -> sqlx::Result<Option<String>> {
    let row = fetch!(db, optional, (String,), "select id from workspaces where name = $1", name)?;
    Ok(row.map(|(id,)| id))
}

/// In the switcher.
const WORKSPACES: i64 = 500;

/// The workspaces that a user may be in, by name: id and name. Organization administrators may be in all.
pub async fn workspaces_of(db: &Db, user: &str) -> sqlx::Result<Vec<(String, String)>> {
    fetch!(
        db,
        all,
        (String, String),
        "select w.id, w.name from workspaces w
         where exists (select 1 from members m
                       where m.workspace_id = w.id and m.user_id = $1 and m.disabled_at is null)
            or exists (select 1 from users u where u.id = $1 and u.organization_admin)
         order by w.name, w.id limit $2",
        user,
        WORKSPACES
    )
}

/// A session that begins.
pub struct NewSession<'a> {
    pub token_hash: &'a str,
    pub user: &'a str,
    pub workspace: &'a str,
    pub address: &'a str,
    /// What the browser calls itself.
    pub agent: &'a str,
    pub now: Millis,
    pub expires_at: Millis,
}

pub async fn add_session(tx: &mut Tx, new: &NewSession<'_>) -> sqlx::Result<()> {
    execute!(tx, "delete from sessions where expires_at < $1", new.now)?;
    execute!(
        tx,
        "insert into sessions (token_hash, user_id, workspace_id, address, agent, created_at, last_seen_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $6, $7)",
        new.token_hash,
        new.user,
        new.workspace,
        new.address,
        new.agent,
        new.now,
        new.expires_at
    )?;
    Ok(())
}

/// The session, while its person may be in its workspace.
pub async fn session(db: &Db, token_hash: &str, now: Millis, idle_since: Millis) -> sqlx::Result<Option<SessionRow>> {
    fetch!(
        db,
        optional,
        SessionRow,
        "select s.user_id, s.workspace_id, s.last_seen_at, u.name, u.email, u.organization_admin, u.time_zone, u.theme,
                u.language,
                w.name as workspace_name, w.time_zone as workspace_zone
         from sessions s join users u on u.id = s.user_id
         join workspaces w on w.id = s.workspace_id
         where s.token_hash = $1 and s.expires_at > $2 and s.last_seen_at > $3 and u.disabled_at is null
           and (u.organization_admin or exists (
               select 1 from members m
               where m.user_id = s.user_id and m.workspace_id = s.workspace_id and m.disabled_at is null))",
        token_hash,
        now,
        idle_since
    )
}

pub async fn touch_session(db: &Db, token_hash: &str, now: Millis) -> sqlx::Result<()> {
    execute!(db, "update sessions set last_seen_at = $2 where token_hash = $1", token_hash, now)?;
    Ok(())
}

/// Moves the session to another workspace of its user; false when the user is no member there.
pub async fn switch_workspace(db: &Db, token_hash: &str, workspace: &str) -> sqlx::Result<bool> {
    let changed = execute!(
        db,
        "update sessions set workspace_id = $2 where token_hash = $1
         and exists (select 1 from workspaces w where w.id = $2)
         and (exists (select 1 from members m where m.user_id = sessions.user_id and m.workspace_id = $2
                      and m.disabled_at is null)
              or exists (select 1 from users u where u.id = sessions.user_id and u.organization_admin))",
        token_hash,
        workspace
    )?;
    Ok(changed == 1)
}

pub async fn end_session(tx: &mut Tx, token_hash: &str) -> sqlx::Result<()> {
    execute!(tx, "delete from sessions where token_hash = $1", token_hash)?;
    Ok(())
}

/// Ends all sessions of a person, and sign-ins that are half done.
pub async fn end_sessions(tx: &mut Tx, user: &str) -> sqlx::Result<()> {
    execute!(tx, "delete from sign_in_steps where user_id = $1", user)?;
    execute!(tx, "delete from sessions where user_id = $1", user)?;
    Ok(())
}

pub async fn signed_in(tx: &mut Tx, user: &str, now: Millis) -> sqlx::Result<()> {
    execute!(tx, "update users set last_sign_in_at = $2 where id = $1", user, now)?;
    Ok(())
}
