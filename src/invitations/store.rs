//! Links in the database.

use super::{
    maker,
    model::{OpenLink, Purpose},
};
use crate::{
    clock::{HOUR, Millis},
    db::{Db, Tx},
    execute, fetch,
    secrets::random_hex,
};
use sha2::{Digest, Sha256};

/// How long a link is valid.
pub const LIFETIME: Millis = 72 * HOUR;

fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

fn purpose(code: &str) -> sqlx::Result<Purpose> {
    Purpose::from_code(code).ok_or_else(|| sqlx::Error::Decode(format!("link purpose {code:?}").into()))
}

/// The person of a link that is valid.
#[derive(sqlx::FromRow)]
pub struct Person {
    pub id: String,
    pub email: String,
    pub name: String,
    purpose: String,
    created_by: String,
}

impl Person {
    pub fn purpose(&self) -> sqlx::Result<Purpose> {
        purpose(&self.purpose)
    }
}

/// A new link in place of those that stand; its token, which is kept nowhere.
pub async fn make(tx: &mut Tx, user: &str, purpose: Purpose, by: &str, now: Millis) -> sqlx::Result<String> {
    execute!(tx, "delete from account_links where expires_at <= $1", now)?;
    revoke(tx, user).await?;
    let token = random_hex(32);
    execute!(
        tx,
        "insert into account_links (token_hash, user_id, purpose, created_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6)",
        token_hash(&token),
        user,
        purpose.code(),
        by,
        now,
        now + LIFETIME
    )?;
    Ok(token)
}

/// Makes a person's links invalid.
pub async fn revoke(tx: &mut Tx, user: &str) -> sqlx::Result<()> {
    execute!(tx, "delete from account_links where user_id = $1", user)?;
    Ok(())
}

/// Whose link it is; `None` when it is unknown, used or expired, or its maker might not make it any more.
pub async fn find(db: &Db, token: &str, now: Millis) -> sqlx::Result<Option<Person>> {
    let found = fetch!(
        db,
        optional,
        Person,
        "select u.id, u.email, u.name, l.purpose, l.created_by
         from account_links l join users u on u.id = l.user_id where l.token_hash = $1 and l.expires_at > $2",
        token_hash(token),
        now
    )?;
    match found {
        Some(person) if maker::may_still(db, &person.created_by, &person.id).await? => Ok(Some(person)),
        _ => Ok(None),
    }
}

/// Uses a link up, with all others of its person: of two at the same time, one gets `true`.
pub async fn take(tx: &mut Tx, user: &str, token: &str, now: Millis) -> sqlx::Result<bool> {
    let sql = "delete from account_links where token_hash = $1 and user_id = $2 and expires_at > $3";
    if execute!(tx, sql, token_hash(token), user, now)? == 0 {
        return Ok(false);
    }
    revoke(tx, user).await?;
    Ok(true)
}

/// A person's link that stands.
pub async fn of_user(db: &Db, user: &str, now: Millis) -> sqlx::Result<Option<OpenLink>> {
    let row = fetch!(
        db,
        optional,
        (String, Option<String>, Millis, Millis),
        "select l.purpose, u.name, l.created_at, l.expires_at from account_links l
         left join users u on u.id = l.created_by where l.user_id = $1 and l.expires_at > $2
         order by l.created_at desc, l.token_hash limit 1",
        user,
        now
    )?;
    let link = |(code, by, created_at, expires_at): (String, Option<String>, Millis, Millis)| {
        Ok(OpenLink { purpose: purpose(&code)?, by: by.unwrap_or_default(), created_at, expires_at })
    };
    row.map(link).transpose()
}

/// Workspaces on the page of a link.
const WORKSPACES_MAX: i64 = 500;

/// The names of the workspaces that a person is a member of, disabled or not.
pub async fn workspace_names(db: &Db, user: &str) -> sqlx::Result<Vec<String>> {
    let sql = "select w.name from members m join workspaces w on w.id = m.workspace_id
               where m.user_id = $1 order by w.name, w.id limit $2";
    let rows = fetch!(db, all, (String,), sql, user, WORKSPACES_MAX)?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// Sets the password, and the name when there is one.
pub async fn set_password(tx: &mut Tx, user: &str, hash: &str, name: Option<&str>) -> sqlx::Result<()> {
    execute!(
        tx,
        "update users set password_hash = $2, name = coalesce($3, name), name_key = coalesce($4, name_key)
         where id = $1",
        user,
        hash,
        name,
        name.map(crate::db::name_key)
    )?;
    Ok(())
}
