//! All accounts, and what is done to them everywhere.

use super::{
    super::model::{AccountChange, AccountQuery, AccountRow, MEMBERSHIPS_SHOWN, Membership, PAGE_SIZE},
    hold,
};
use crate::{
    access::{Ctx, model::Preset, store as access},
    audit::{
        Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::Millis,
    db::{Db, Tx, like_pattern, name_key},
    error::{AppError, AppResult},
    execute, fetch,
    members::model::State,
};
use serde_json::json;
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    email: String,
    disabled: bool,
    invited: bool,
    second_factor: bool,
    organization_admin: bool,
    last_sign_in_at: Option<Millis>,
}

#[derive(sqlx::FromRow)]
struct RoleRow {
    user_id: String,
    workspace_id: String,
    workspace: String,
    disabled: bool,
    role_id: Option<String>,
    role: Option<String>,
}

/// The conditions of an [`AccountQuery`]: `$1` a pattern in lower case or "", `$2` the code of a state or "", `$3`
/// whether organization administrators alone.
const MATCHES: &str = " where ($1 = '' or u.name_key like $1 escape '!' or u.email like $1 escape '!')
    and ($2 = '' or $2 = case when u.disabled_at is not null then 'disabled'
                              when u.password_hash = '' then 'invited' else 'active' end)
    and (not $3 or u.organization_admin)";

/// Rows of memberships that are read for a page.
const ROLES_READ: i64 = 20_000;
/// Where a list ends at the latest.
const OFFSET_MAX: i64 = 1_000_000;

/// A page of the accounts that fit, and how many do; `reader` is marked.
pub async fn page(db: &Db, query: &AccountQuery, reader: &str) -> sqlx::Result<(Vec<AccountRow>, i64)> {
    let search = like_pattern(&name_key(query.search.trim()));
    let state = query.state.map_or("", State::code);
    let column = if query.by_sign_in { "coalesce(u.last_sign_in_at, 0)" } else { "u.name_key" };
    let direction = if query.descending { "desc" } else { "asc" };
    let part = format!("{MATCHES} order by {column} {direction}, u.id {direction} limit {PAGE_SIZE} offset $4");
    let offset = query.offset.clamp(0, OFFSET_MAX);
    let sql = format!(
        "select u.id, u.name, u.email, u.disabled_at is not null as disabled, u.password_hash = '' as invited,
                u.totp_cipher is not null as second_factor, u.organization_admin, u.last_sign_in_at
         from users u{part}"
    );
    let rows = fetch!(db, all, Row, AssertSqlSafe(sql), &search, state, query.administrators, offset)?;
    let sql = format!("select count(*) from users u{MATCHES}");
    let (total,) = fetch!(db, one, (i64,), AssertSqlSafe(sql), &search, state, query.administrators)?;
    let sql = format!(
        "select m.user_id, m.workspace_id, w.name as workspace, m.disabled_at is not null as disabled, own.role_id,
                r.name as role
         from members m
         join workspaces w on w.id = m.workspace_id
         left join member_roles own on own.workspace_id = m.workspace_id and own.user_id = m.user_id
         left join roles r on r.workspace_id = own.workspace_id and r.id = own.role_id
         where m.user_id in (select u.id from users u{part})
         order by w.name, w.id, own.role_id limit {ROLES_READ}"
    );
    let roles = fetch!(db, all, RoleRow, AssertSqlSafe(sql), &search, state, query.administrators, offset)?;
    let mut memberships = memberships(roles);
    let row = |row: Row| {
        let mut own = memberships.remove(&row.id).unwrap_or_default();
        let more = own.len().saturating_sub(MEMBERSHIPS_SHOWN);
        own.truncate(MEMBERSHIPS_SHOWN);
        AccountRow {
            own: row.id == reader,
            id: row.id,
            name: row.name,
            email: row.email,
            state: match (row.disabled, row.invited) {
                (true, _) => State::Disabled,
                (false, true) => State::Invited,
                (false, false) => State::Active,
            },
            second_factor: row.second_factor,
            organization_administrator: row.organization_admin,
            last_sign_in_at: row.last_sign_in_at,
            memberships: own,
            more,
        }
    };
    Ok((rows.into_iter().map(row).collect(), total))
}

/// By account; the rows of one workspace follow each other.
fn memberships(rows: Vec<RoleRow>) -> HashMap<String, Vec<Membership>> {
    let mut all: HashMap<String, Vec<Membership>> = HashMap::new();
    let mut last: HashMap<String, String> = HashMap::new();
    for row in rows {
        let own = all.entry(row.user_id.clone()).or_default();
        if last.insert(row.user_id, row.workspace_id.clone()) != Some(row.workspace_id) {
            own.push(Membership { workspace: row.workspace, roles: vec![], disabled: row.disabled });
        }
        let preset = row.role_id.as_deref().and_then(Preset::from_id).map(|preset| preset.name().to_string());
        if let (Some(role), Some(membership)) = (preset.or(row.role), own.last_mut()) {
            membership.roles.push(role);
        }
    }
    all
}

#[derive(sqlx::FromRow)]
struct Standing {
    name: String,
    organization_admin: bool,
    disabled: bool,
    invited: bool,
}

/// Does it, and tells the account's logs. `NotFound` when there is no such account, `Conflict` when the
/// organization would be left without an administrator who can sign in. Nothing happens when it is so already.
pub async fn change(ctx: &Ctx, id: &str, change: AccountChange) -> AppResult<()> {
    let mut tx = ctx.state.db.begin().await?;
    hold(&mut tx, ctx).await?;
    let sql = "select name, organization_admin, disabled_at is not null as disabled, password_hash = '' as invited
         from users where id = $1";
    let account = fetch!(tx, optional, Standing, sql, id)?.ok_or(AppError::NotFound)?;
    let own = id == ctx.user();
    let (changed, action, said) = match change {
        AccountChange::MakeAdministrator => (make(&mut tx, id, &account).await?, Action::Changed, Some(true)),
        AccountChange::UnmakeAdministrator => (unmake(&mut tx, id, &account).await?, Action::Changed, Some(false)),
        AccountChange::Disable if own => {
            return Err(AppError::conflict(
                "You can't disable your own account. Another organization administrator can.",
            ));
        }
        AccountChange::Disable => (disable(&mut tx, id, &account, ctx.now()).await?, Action::Disabled, None),
        AccountChange::Enable => {
            let enabled =
                execute!(tx, "update users set disabled_at = null where id = $1", id)? == 1 && account.disabled;
            (enabled, Action::Enabled, None)
        }
        AccountChange::TurnOffSecondFactor if own => {
            return Err(AppError::conflict("Turn your own second factor off under My account, with a code."));
        }
        AccountChange::TurnOffSecondFactor => {
            // Whoever has the phone may have a session.
            access::end_sessions(&mut tx, id).await?;
            (access::turn_off_second_factor(&mut tx, id).await?, Action::SecondFactorOff, None)
        }
    };
    if !changed {
        return Ok(());
    }
    let told = |is: bool| {
        Change::between(&json!({"organization_administrator": !is}), &json!({"organization_administrator": is}))
    };
    let entry = Entry::new(action, ObjectKind::Account, id, &account.name).with(said.map(told).unwrap_or_default());
    access::tell(&mut tx, id, ctx.now(), &ctx.actor(), &entry).await?;
    tx.commit().await?;
    Ok(())
}

/// Links were perhaps made by those who may not touch the account from now on.
async fn make(tx: &mut Tx, id: &str, account: &Standing) -> AppResult<bool> {
    let name = &account.name;
    if account.disabled {
        return Err(AppError::conflict(format!("{name}'s account is disabled. Enable it first.")));
    }
    if account.invited {
        return Err(AppError::conflict(format!("{name} has no password yet. Wait until the invitation is used.")));
    }
    execute!(tx, "delete from account_links where user_id = $1", id)?;
    access::end_sessions(tx, id).await?;
    let sql = "update users set organization_admin = $2 where id = $1 and not organization_admin";
    Ok(execute!(tx, sql, id, true)? == 1)
}

async fn unmake(tx: &mut Tx, id: &str, account: &Standing) -> AppResult<bool> {
    another_administrator(tx, id, account).await?;
    let sql = "update users set organization_admin = $2 where id = $1 and organization_admin";
    Ok(execute!(tx, sql, id, false)? == 1)
}

async fn disable(tx: &mut Tx, id: &str, account: &Standing, now: Millis) -> AppResult<bool> {
    another_administrator(tx, id, account).await?;
    access::end_sessions(tx, id).await?;
    execute!(tx, "delete from account_links where user_id = $1", id)?;
    Ok(execute!(tx, "update users set disabled_at = $2 where id = $1 and disabled_at is null", id, now)? == 1)
}

/// Somebody must be left who administers the organization and can sign in.
async fn another_administrator(tx: &mut Tx, id: &str, account: &Standing) -> AppResult<()> {
    if !account.organization_admin || account.disabled {
        return Ok(());
    }
    let another = fetch!(
        tx,
        optional,
        (i32,),
        "select 1 from users where organization_admin and disabled_at is null and password_hash <> '' and id <> $1
         limit 1",
        id
    )?;
    let refusal = || {
        let name = &account.name;
        AppError::conflict(format!("{name} is the last organization administrator. Make another account one first."))
    };
    another.map(|_| ()).ok_or_else(refusal)
}
