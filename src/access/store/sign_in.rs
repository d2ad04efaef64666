//! What signing in leaves in the database besides sessions: tries, half-done sign-ins, and who is told of them.

use super::UserRow;
use crate::{
    audit::{self, Actor, Entry},
    clock::Millis,
    db::{Db, Tx},
    execute, fetch,
};

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

/// How many tries there were since `since`.
pub async fn tries(db: &Db, subject: &str, since: Millis) -> sqlx::Result<i64> {
    let sql = "select failures from sign_in_failures where subject = $1 and since > $2";
    Ok(fetch!(db, optional, (i64,), sql, subject, since)?.map_or(0, |(tries,)| tries))
}

/// After a right password: the account's tries are forgotten; of the address, which others may share, this one is.
pub async fn forget_try(db: &Db, account: &str, address: &str) -> sqlx::Result<()> {
    execute!(db, "delete from sign_in_failures where subject = $1", account)?;
    execute!(db, "update sign_in_failures set failures = failures - 1 where subject = $1 and failures > 0", address)?;
    Ok(())
}

/// Of the address alone: a right password that is not the whole sign-in.
pub async fn forget_place(db: &Db, address: &str) -> sqlx::Result<()> {
    execute!(db, "update sign_in_failures set failures = failures - 1 where subject = $1 and failures > 0", address)?;
    Ok(())
}

/// Begins the wait for a code, after a right password; false when the password is another one by now.
pub async fn add_step(
    db: &Db,
    token_hash: &str,
    user: &UserRow,
    now: Millis,
    expires_at: Millis,
) -> sqlx::Result<bool> {
    let mut tx = db.begin().await?;
    if !still_opens(&mut tx, &user.id, &user.password_hash).await? {
        return Ok(false);
    }
    execute!(tx, "delete from sign_in_steps where expires_at <= $1", now)?;
    execute!(
        tx,
        "insert into sign_in_steps (token_hash, user_id, expires_at) values ($1, $2, $3)",
        token_hash,
        &user.id,
        expires_at
    )?;
    tx.commit().await?;
    Ok(true)
}

/// Whether the password that somebody has shown is the account's still, and the account enabled; until the transaction
/// ends it stays so. Between the look at a password and the session lies a queue.
pub async fn still_opens(tx: &mut Tx, user: &str, password_hash: &str) -> sqlx::Result<bool> {
    let sql = match tx {
        Tx::Sqlite(_) => "select 1 from users where id = $1 and password_hash = $2 and disabled_at is null",
        Tx::Postgres(_) => "select 1 from users where id = $1 and password_hash = $2 and disabled_at is null for share",
    };
    Ok(fetch!(tx, optional, (i32,), sql, user, password_hash)?.is_some())
}

/// Counts a code before it is looked at: whose it is and how many there were with this one; `None` when `most` were
/// tried before, or the time is over.
pub async fn try_step(db: &Db, token_hash: &str, now: Millis, most: i64) -> sqlx::Result<Option<(String, i64)>> {
    let mut tx = db.begin().await?;
    let row = fetch!(
        tx,
        optional,
        (String, i64),
        "update sign_in_steps set tries = tries + 1 where token_hash = $1 and expires_at > $2 and tries < $3
         returning user_id, tries",
        token_hash,
        now,
        most
    )?;
    tx.commit().await?;
    Ok(row)
}

/// False when it has ended already.
pub async fn end_step(tx: &mut Tx, token_hash: &str) -> sqlx::Result<bool> {
    Ok(execute!(tx, "delete from sign_in_steps where token_hash = $1", token_hash)? == 1)
}

/// Whether a person is a member somewhere, be it disabled.
pub async fn was_member(db: &Db, user: &str) -> sqlx::Result<bool> {
    Ok(fetch!(db, optional, (i32,), "select 1 from members where user_id = $1 limit 1", user)?.is_some())
}

/// False when it was off already, or there is no such person.
pub async fn turn_off_second_factor(tx: &mut Tx, user: &str) -> sqlx::Result<bool> {
    execute!(tx, "delete from sign_in_steps where user_id = $1", user)?;
    let changed = execute!(
        tx,
        "update users set totp_cipher = null, totp_step = 0 where id = $1 and totp_cipher is not null",
        user
    )?;
    Ok(changed == 1)
}

/// Workspaces whose logs are told of one account.
const LOGS: i64 = 50;

/// The logs of the first [`LOGS`] workspaces that a person is a member of, be it disabled, in the order of their ids.
pub async fn workspace_logs(tx: &mut Tx, user: &str) -> sqlx::Result<Vec<String>> {
    let sql = "select workspace_id from members where user_id = $1 order by workspace_id limit $2";
    Ok(fetch!(tx, all, (String,), sql, user, LOGS)?.into_iter().map(|(id,)| id).collect())
}

/// The logs that tell what happens to an account, whoever does it: the organization's, which has all accounts, and
/// [`workspace_logs`]. Always in the same order, so that those who write to several do not wait for each other in a
/// ring.
pub async fn account_logs(tx: &mut Tx, user: &str) -> sqlx::Result<Vec<String>> {
    let mut logs = vec![audit::ORGANIZATION.to_string()];
    logs.extend(workspace_logs(tx, user).await?);
    Ok(logs)
}

/// Writes down what happened to an account, such as a new password, a second factor, a link, a name, sessions that were
/// ended: in the [`account_logs`], the last thing before the commit. Signing in and out is no change of the account: it
/// stands in the log of the workspace that the session is in, and what fails in [`workspace_logs`].
pub async fn tell(tx: &mut Tx, user: &str, now: Millis, actor: &Actor, entry: &Entry<'_>) -> sqlx::Result<()> {
    for log in account_logs(tx, user).await? {
        audit::record(tx, &log, now, actor, entry).await?;
    }
    Ok(())
}
