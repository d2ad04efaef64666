//! People, workspaces, sessions and failed sign-ins in the database.

use super::model::{Attributes, Role};
use crate::{
    clock::{Millis, new_id},
    db::Db,
    execute, fetch,
};

#[derive(sqlx::FromRow)]
pub struct UserRow {
    pub id: String,
    pub email: String,
    pub name: String,
    pub password_hash: String,
}

#[derive(sqlx::FromRow)]
pub struct SessionRow {
    pub user_id: String,
    pub workspace_id: String,
    pub last_seen_at: Millis,
    pub name: String,
    pub email: String,
    pub role: String,
    pub workspace_name: String,
    pub time_zone: String,
}

/// The installation's id, made at its first start.
pub async fn organization_id(db: &Db) -> sqlx::Result<String> {
    let row = fetch!(db, optional, (String,), "select value from settings where key = 'organization_id'")?;
    Ok(row.map(|(id,)| id).unwrap_or_default())
}

/// E-mail addresses are compared in lower case.
pub async fn user_by_email(db: &Db, email: &str) -> sqlx::Result<Option<UserRow>> {
    fetch!(
        db,
        optional,
        UserRow,
        "select id, email, name, password_hash from users where email = $1",
        email.to_lowercase()
    )
}

/// Makes the user, or gives an existing one a new password and, when there is one, a new name. Whoever was signed in
/// with the old password is no more. The id.
pub async fn put_user(
    db: &Db,
    email: &str,
    name: Option<&str>,
    password_hash: &str,
    now: Millis,
) -> sqlx::Result<String> {
    let email = email.to_lowercase();
    let mut tx = db.begin().await?;
    let known = fetch!(
        tx,
        optional,
        (String,),
        "update users set password_hash = $2, name = coalesce($3, name) where email = $1 returning id",
        &email,
        password_hash,
        name
    )?;
    let id = match known {
        Some((id,)) => {
            execute!(tx, "delete from sessions where user_id = $1", &id)?;
            id
        }
        None => {
            let id = new_id();
            execute!(
                tx,
                "insert into users (id, email, name, password_hash, created_at) values ($1, $2, $3, $4, $5)",
                &id,
                &email,
                name.unwrap_or_else(|| email.split('@').next().unwrap_or(&email)),
                password_hash,
                now
            )?;
            id
        }
    };
    tx.commit().await?;
    Ok(id)
}

pub async fn put_member(db: &Db, workspace: &str, user: &str, role: Role) -> sqlx::Result<()> {
    execute!(
        db,
        "insert into members (workspace_id, user_id, role) values ($1, $2, $3)
         on conflict (workspace_id, user_id) do update set role = excluded.role",
        workspace,
        user,
        role.code()
    )?;
    Ok(())
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

pub async fn put_attributes(db: &Db, workspace: &str, user: &str, attributes: &Attributes) -> sqlx::Result<()> {
    let text = serde_json::to_string(attributes).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let sql = "update members set attributes = $3 where workspace_id = $1 and user_id = $2";
    let changed = execute!(db, sql, workspace, user, text)?;
    if changed == 0 { Err(sqlx::Error::RowNotFound) } else { Ok(()) }
}

/// The workspace of that name, made with its preset ID types when there is none; its id.
pub async fn put_workspace(db: &Db, name: &str, time_zone: &str, now: Millis) -> sqlx::Result<String> {
    if let Some((id,)) = fetch!(db, optional, (String,), "select id from workspaces where name = $1", name)? {
        return Ok(id);
    }
    let id = new_id();
    let mut tx = db.begin().await?;
    execute!(
        tx,
        "insert into workspaces (id, name, time_zone, created_at) values ($1, $2, $3, $4)",
        &id,
        name,
        time_zone,
        now
    )?;
    crate::customers::store::put_preset_id_types(&mut tx, &id).await?;
    tx.commit().await?;
    Ok(id)
}

/// The id of the workspace of that name.
pub async fn workspace_by_name(db: &Db, name: &str) -> sqlx::Result<Option<String>> {
    let row = fetch!(db, optional, (String,), "select id from workspaces where name = $1", name)?;
    Ok(row.map(|(id,)| id))
}

/// The workspaces that a user is a member of: id and name, by name.
pub async fn workspaces_of(db: &Db, user: &str) -> sqlx::Result<Vec<(String, String)>> {
    fetch!(
        db,
        all,
        (String, String),
        "select w.id, w.name from members m join workspaces w on w.id = m.workspace_id
         where m.user_id = $1 order by w.name",
        user
    )
}

pub async fn add_session(
    db: &Db,
    token_hash: &str,
    user: &str,
    workspace: &str,
    now: Millis,
    expires_at: Millis,
) -> sqlx::Result<()> {
    execute!(db, "delete from sessions where expires_at < $1", now)?;
    execute!(
        db,
        "insert into sessions (token_hash, user_id, workspace_id, created_at, last_seen_at, expires_at)
         values ($1, $2, $3, $4, $4, $5)",
        token_hash,
        user,
        workspace,
        now,
        expires_at
    )?;
    Ok(())
}

/// The session, with the role that its user has in its workspace now.
pub async fn session(db: &Db, token_hash: &str, now: Millis, idle_since: Millis) -> sqlx::Result<Option<SessionRow>> {
    fetch!(
        db,
        optional,
        SessionRow,
        "select s.user_id, s.workspace_id, s.last_seen_at, u.name, u.email, m.role,
                w.name as workspace_name, w.time_zone
         from sessions s join users u on u.id = s.user_id
         join members m on m.user_id = s.user_id and m.workspace_id = s.workspace_id
         join workspaces w on w.id = s.workspace_id
         where s.token_hash = $1 and s.expires_at > $2 and s.last_seen_at > $3",
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
         and exists (select 1 from members m where m.user_id = sessions.user_id and m.workspace_id = $2)",
        token_hash,
        workspace
    )?;
    Ok(changed == 1)
}

pub async fn end_session(db: &Db, token_hash: &str) -> sqlx::Result<()> {
    execute!(db, "delete from sessions where token_hash = $1", token_hash)?;
    Ok(())
}

/// Counts a try of an account or address before its password is looked at, so that tries at the same time count too;
/// how many there were since `since`, this one included.
pub async fn count_try(db: &Db, subject: &str, now: Millis, since: Millis) -> sqlx::Result<i64> {
    execute!(db, "delete from sign_in_failures where since <= $1", since)?;
    let mut tx = db.begin().await?;
    let (tries,) = fetch!(
        tx,
        one,
        (i64,),
        "insert into sign_in_failures (subject, failures, since) values ($1, 1, $2)
         on conflict (subject) do update set failures = sign_in_failures.failures + 1 returning failures",
        subject,
        now
    )?;
    tx.commit().await?;
    Ok(tries)
}

/// After a right password: the account's tries are forgotten; of the address, which others may share, this one is.
pub async fn forget_try(db: &Db, account: &str, address: &str) -> sqlx::Result<()> {
    execute!(db, "delete from sign_in_failures where subject = $1", account)?;
    execute!(db, "update sign_in_failures set failures = failures - 1 where subject = $1 and failures > 0", address)?;
    Ok(())
}
