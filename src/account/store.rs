//! One's own account in the database.

use super::{
    agent,
    model::{OwnSession, Profile, SESSIONS_MAX},
};
use crate::{
    clock::Millis,
    db::{Db, Tx, name_key},
    execute, fetch,
};
use sha2::{Digest, Sha256};

#[derive(sqlx::FromRow)]
struct Row {
    token_hash: String,
    agent: String,
    address: String,
    created_at: Millis,
    last_seen_at: Millis,
}

/// `RowNotFound` when there is no such person.
pub async fn profile(db: &Db, user: &str) -> sqlx::Result<Profile> {
    let (name, time_zone, theme, language) = fetch!(
        db,
        one,
        (String, String, String, String),
        "select name, time_zone, theme, language from users where id = $1",
        user
    )?;
    Ok(Profile { name, time_zone, theme, language })
}

pub async fn save_profile(tx: &mut Tx, user: &str, profile: &Profile) -> sqlx::Result<()> {
    execute!(
        tx,
        "update users set name = $2, name_key = $3, time_zone = $4, theme = $5, language = $6 where id = $1",
        user,
        &profile.name,
        name_key(&profile.name),
        &profile.time_zone,
        &profile.theme,
        &profile.language
    )?;
    Ok(())
}

/// Sets another password; links that were made for the account work no more. False when the one that was shown, `old`,
/// is not its password any more.
pub async fn set_password(tx: &mut Tx, user: &str, old: &str, new: &str) -> sqlx::Result<bool> {
    let sql = "update users set password_hash = $3 where id = $1 and password_hash = $2";
    let changed = execute!(tx, sql, user, old, new)?;
    execute!(tx, "delete from account_links where user_id = $1", user)?;
    Ok(changed == 1)
}

/// Turns the second factor on with a code of `step`. False when it is on already.
pub async fn turn_on(tx: &mut Tx, user: &str, sealed: &str, step: i64) -> sqlx::Result<bool> {
    let sql = "update users set totp_cipher = $2, totp_step = $3 where id = $1 and totp_cipher is null";
    Ok(execute!(tx, sql, user, sealed, step)? == 1)
}

/// What a page calls a session: no way back to what the database finds it by.
fn public_id(token_hash: &str) -> String {
    hex::encode(&Sha256::digest(token_hash.as_bytes())[..16])
}

async fn rows(db: &Db, user: &str, now: Millis, idle_since: Millis) -> sqlx::Result<Vec<Row>> {
    fetch!(
        db,
        all,
        Row,
        "select token_hash, agent, address, created_at, last_seen_at from sessions
         where user_id = $1 and expires_at > $2 and last_seen_at > $3
         order by last_seen_at desc, token_hash limit $4",
        user,
        now,
        idle_since,
        SESSIONS_MAX
    )
}

/// Those that are open, the one used last first; `this` is the hash of the one that asks.
pub async fn sessions(
    db: &Db,
    user: &str,
    this: &str,
    now: Millis,
    idle_since: Millis,
) -> sqlx::Result<Vec<OwnSession>> {
    let own = |row: Row| OwnSession {
        id: public_id(&row.token_hash),
        browser: agent::browser(&row.agent),
        address: row.address,
        since: row.created_at,
        last_seen: row.last_seen_at,
        this: row.token_hash == this,
    };
    Ok(rows(db, user, now, idle_since).await?.into_iter().map(own).collect())
}

/// The hash of a person's session by what the page calls it.
pub async fn session_hash(
    db: &Db,
    user: &str,
    id: &str,
    now: Millis,
    idle_since: Millis,
) -> sqlx::Result<Option<String>> {
    let all = rows(db, user, now, idle_since).await?;
    Ok(all.into_iter().map(|row| row.token_hash).find(|hash| public_id(hash) == id))
}

/// How many sessions of a person there are.
pub async fn session_count(tx: &mut Tx, user: &str) -> sqlx::Result<i64> {
    Ok(fetch!(tx, one, (i64,), "select count(*) from sessions where user_id = $1", user)?.0)
}
