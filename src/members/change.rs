//! What changes members: each change is checked by the rules, written, and recorded in one transaction.

mod account;

pub use account::{make_link, turn_off_second_factor};

use super::{
    model::{MemberChoices, NewMember, RoleChoice},
    rules::{self, Touch, refusal},
    store::{self, Row},
};
use crate::{
    access::{
        Ctx,
        model::{Area, Attributes, Permission, Preset},
        person::name_of,
        store as access,
    },
    audit::{
        self, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::{Millis, new_id},
    db::{Tx, name_key},
    error::{AppError, AppResult, FieldError},
    execute, fetch,
    invitations::{self, deliver::Fresh, model::Purpose},
    member_groups::model::MEMBERS_MAX,
};
use serde_json::json;
use std::collections::BTreeSet;

/// They decide what interfaces tell.
const ATTRIBUTES_REFUSED: &str = "Only administrators of the workspace give attributes.";

/// What the forms of this reader choose from.
pub async fn choices(ctx: &Ctx) -> AppResult<MemberChoices> {
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    Ok(MemberChoices {
        roles: store::roles(db, workspace).await?,
        groups: store::groups(db, workspace).await?,
        may_groups: ctx.info().may(Permission::Manage(Area::MemberGroups)),
        mail: ctx.state.config.mail.is_on(),
    })
}

/// Why these can't be given: unknown ones, and more than the actor has. `had` are those that the member has already.
fn check_given(
    ctx: &Ctx,
    choices: &MemberChoices,
    (roles, groups): (&[String], &[String]),
    (had_roles, had_groups): (&[String], &[String]),
) -> AppResult<()> {
    for id in roles.iter().filter(|id| !had_roles.contains(id)) {
        let Some(role) = choices.roles.iter().find(|role| role.id == *id) else {
            return Err(AppError::invalid("roles", "A role that was chosen is not there any more."));
        };
        if !rules::may_give(ctx.info(), role) {
            let text = format!("The role “{}” allows more than your own roles do: you can't give it.", role.name);
            return Err(AppError::invalid("roles", text));
        }
    }
    if groups.iter().any(|id| !choices.groups.iter().any(|(known, _)| known == id)) {
        return Err(AppError::invalid("groups", "A group that was chosen is not there any more."));
    }
    let same = groups.len() == had_groups.len() && groups.iter().all(|id| had_groups.contains(id));
    if !same && !choices.may_groups {
        return Err(AppError::invalid("groups", "Your role does not allow changing member groups."));
    }
    Ok(())
}

fn names(ids: &[String], known: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut names: Vec<String> = ids.iter().map(|id| known(id).unwrap_or_else(|| id.clone())).collect();
    names.sort();
    names
}

pub fn role_names(ids: &[String], roles: &[RoleChoice]) -> Vec<String> {
    names(ids, |id| roles.iter().find(|role| role.id == id).map(|role| role.name.clone()))
}

pub fn group_names(ids: &[String], groups: &[(String, String)]) -> Vec<String> {
    names(ids, |id| groups.iter().find(|(known, _)| known == id).map(|(_, name)| name.clone()))
}

/// As the log has a membership.
fn said(choices: &MemberChoices, roles: &[String], groups: &[String], attributes: &Attributes) -> serde_json::Value {
    json!({
        "roles": role_names(roles, &choices.roles),
        "groups": group_names(groups, &choices.groups),
        "attributes": attributes,
    })
}

async fn put_roles(tx: &mut Tx, workspace: &str, user: &str, roles: &[String]) -> sqlx::Result<()> {
    execute!(tx, "delete from member_roles where workspace_id = $1 and user_id = $2", workspace, user)?;
    for role in roles {
        let sql = "insert into member_roles (workspace_id, user_id, role_id) values ($1, $2, $3)";
        execute!(tx, sql, workspace, user, role)?;
    }
    Ok(())
}

/// Puts the member into `groups` instead of those that they `had`. A group that gains or loses somebody is another one:
/// who has its form open is told so.
async fn put_groups(
    tx: &mut Tx,
    workspace: &str,
    user: &str,
    (groups, had): (&[String], &[String]),
    now: Millis,
) -> AppResult<()> {
    let touched = groups.iter().filter(|id| !had.contains(id)).chain(had.iter().filter(|id| !groups.contains(id)));
    let changed: BTreeSet<&String> = touched.collect();
    for group in changed {
        let sql = "update member_groups set updated_at = case when updated_at < $3 then $3 else updated_at + 1 end
                   where workspace_id = $1 and id = $2";
        execute!(tx, sql, workspace, group, now)?;
        if had.contains(group) {
            let sql = "delete from member_group_members where workspace_id = $1 and group_id = $2 and user_id = $3";
            execute!(tx, sql, workspace, group, user)?;
            continue;
        }
        // The group's own page may have put them in at this moment.
        let sql = "insert into member_group_members (workspace_id, group_id, user_id) values ($1, $2, $3)
                   on conflict do nothing";
        execute!(tx, sql, workspace, group, user)?;
        let sql = "select count(*) from member_group_members where workspace_id = $1 and group_id = $2";
        let (members,) = fetch!(tx, one, (i64,), sql, workspace, group)?;
        if members > MEMBERS_MAX as i64 {
            return Err(AppError::invalid("groups", format!("A group has at most {MEMBERS_MAX} members.")));
        }
    }
    Ok(())
}

/// An account that has the e-mail address already.
#[derive(sqlx::FromRow)]
struct Known {
    id: String,
    name: String,
    pending: bool,
    organization_admin: bool,
    here: bool,
    elsewhere: bool,
}

/// Adds all of `new`, which have passed [`NewMember::check`], or none: what is wrong, by their places. Without `keep` none
/// in any case.
pub async fn add(ctx: &Ctx, new: &[NewMember], keep: bool) -> AppResult<Result<Vec<Fresh>, Vec<(usize, AppError)>>> {
    let choices = choices(ctx).await?;
    let (workspace, now) = (ctx.workspace(), ctx.now());
    let mut tx = ctx.state.db.begin().await?;
    store::hold(&mut tx, workspace).await?;
    let (mut added, mut problems) = (Vec::new(), Vec::new());
    for (place, member) in new.iter().enumerate() {
        match add_one(ctx, &mut tx, &choices, member).await {
            Ok(fresh) => added.push(fresh),
            Err(error @ (AppError::Invalid(_) | AppError::Conflict(_))) => problems.push((place, error)),
            Err(other) => return Err(other),
        }
    }
    if !keep || !problems.is_empty() {
        return Ok(Err(problems));
    }
    for (member, fresh) in new.iter().zip(&added) {
        let action = if fresh.link.is_some() { Action::Invited } else { Action::Created };
        let mut after = said(&choices, &member.roles, &member.groups, &member.attributes);
        after["email"] = json!(fresh.email);
        let entry = Entry::new(action, ObjectKind::Member, &fresh.user_id, &fresh.name).with(Change::to(&after));
        audit::record(&mut tx, workspace, now, &ctx.actor(), &entry).await?;
    }
    tx.commit().await?;
    Ok(Ok(added))
}

async fn add_one(ctx: &Ctx, tx: &mut Tx, choices: &MemberChoices, new: &NewMember) -> AppResult<Fresh> {
    let (workspace, now, email) = (ctx.workspace(), ctx.now(), &new.email);
    check_given(ctx, choices, (&new.roles, &new.groups), (&[], &[]))?;
    if !new.attributes.is_empty() && !ctx.info().administrator {
        return Err(AppError::invalid("attributes", ATTRIBUTES_REFUSED));
    }
    let known = fetch!(
        tx,
        optional,
        Known,
        "select u.id, u.name, u.password_hash = '' as pending, u.organization_admin,
                exists (select 1 from members m where m.user_id = u.id and m.workspace_id = $2) as here,
                exists (select 1 from members m where m.user_id = u.id and m.workspace_id <> $2) as elsewhere
         from users u where u.email = $1",
        email,
        workspace
    )?;
    let organization = ctx.info().organization_administrator;
    let (id, name, pending) = match known {
        Some(known) if known.here => {
            return Err(AppError::invalid("email", format!("{email} is a member of this workspace already.")));
        }
        Some(known) if known.organization_admin && !organization => {
            let text = format!("{email} administers the organization: an organization administrator can add them.");
            return Err(AppError::conflict(text));
        }
        // Who invited an account may have set its password: that they are who they should be, somebody who sees all
        // workspaces must say.
        Some(known) if known.elsewhere && !organization => {
            return Err(AppError::conflict(format!(
                "{email} has an account in another workspace; an organization administrator can add them here."
            )));
        }
        Some(known) => (known.id, known.name, known.pending),
        None => {
            let id = new_id();
            let name = if new.name.is_empty() { name_of(email) } else { new.name.clone() };
            let made = execute!(
                tx,
                "insert into users (id, email, name, name_key, password_hash, created_at)
                 values ($1, $2, $3, $4, '', $5) on conflict (email) do nothing",
                &id,
                email,
                &name,
                name_key(&name),
                now
            )?;
            if made == 0 {
                let text = format!("{email} was added elsewhere at this moment. Try again.");
                return Err(AppError::conflict(text));
            }
            (id, name, true)
        }
    };
    let attributes = serde_json::to_string(&new.attributes)?;
    let sql = "insert into members (workspace_id, user_id, attributes, created_at) values ($1, $2, $3, $4)";
    execute!(tx, sql, workspace, &id, attributes, now)?;
    put_roles(tx, workspace, &id, &new.roles).await?;
    put_groups(tx, workspace, &id, (&new.groups, &[]), now).await?;
    let link = match pending {
        true => {
            let token = invitations::store::make(tx, &id, Purpose::Invitation, ctx.user(), now).await?;
            Some((Purpose::Invitation, token))
        }
        false => None,
    };
    Ok(Fresh { user_id: id, email: email.clone(), name, link })
}

/// A member as it stands inside a change, with the ids of roles and groups; `Conflict` when the rules refuse the touch.
async fn touch(ctx: &Ctx, tx: &mut Tx, id: &str, touch: Touch, roles: &[RoleChoice]) -> AppResult<Touched> {
    let workspace = ctx.workspace();
    let row = store::get_in(tx, workspace, id).await?;
    let sql = "select role_id from member_roles where workspace_id = $1 and user_id = $2";
    let own = fetch!(tx, all, (String,), sql, workspace, id)?;
    let own: Vec<String> = own.into_iter().map(|(id,)| id).collect();
    let sql = "select group_id from member_group_members where workspace_id = $1 and user_id = $2";
    let groups = fetch!(tx, all, (String,), sql, workspace, id)?;
    if let Some(why) = refusal(ctx.info(), &row.target(&own, roles), touch) {
        return Err(AppError::conflict(why));
    }
    Ok(Touched { row, roles: own, groups: groups.into_iter().map(|(id,)| id).collect() })
}

struct Touched {
    row: Row,
    roles: Vec<String>,
    groups: Vec<String>,
}

impl Touched {
    fn administers(&self) -> bool {
        self.roles.iter().any(|id| id == Preset::Administrator.id())
    }
}

/// The workspace would be left without an administrator.
async fn keep_one(ctx: &Ctx, tx: &mut Tx, id: &str, name: &str) -> AppResult<()> {
    if store::has_other_administrator(tx, ctx.workspace(), id).await? {
        return Ok(());
    }
    Err(AppError::conflict(format!(
        "{name} is the last administrator of the workspace. Make somebody else an administrator first."
    )))
}

/// Roles, groups and attributes, edited since `seen`, their [`store::fingerprint`].
pub async fn save(
    ctx: &Ctx,
    id: &str,
    seen: &str,
    (roles, groups): (&[String], &[String]),
    attributes: &Attributes,
) -> AppResult<()> {
    let choices = choices(ctx).await?;
    let (workspace, now) = (ctx.workspace(), ctx.now());
    let mut tx = ctx.state.db.begin().await?;
    store::hold(&mut tx, workspace).await?;
    let before = touch(ctx, &mut tx, id, Touch::Change, &choices.roles).await?;
    let before_attributes = before.row.attributes()?;
    if seen != store::fingerprint(&before.roles, &before.groups, &before_attributes) {
        return Err(AppError::conflict(
            "Somebody else has changed this member's roles, groups or attributes since you opened the page. Nothing of \
             yours was saved: open it again in another tab and repeat your change on what stands now.",
        ));
    }
    check_given(ctx, &choices, (roles, groups), (&before.roles, &before.groups))?;
    let taken = |role: &String| !roles.contains(role);
    if id == ctx.user() && before.roles.iter().any(taken) {
        return Err(AppError::invalid("roles", "You can't take a role from yourself. Another administrator can."));
    }
    if before_attributes != *attributes && !ctx.info().administrator {
        return Err(AppError::invalid("attributes", ATTRIBUTES_REFUSED));
    }
    if before.administers() && !roles.iter().any(|role| role == Preset::Administrator.id()) {
        keep_one(ctx, &mut tx, id, &before.row.name).await?;
    }
    put_roles(&mut tx, workspace, id, roles).await?;
    put_groups(&mut tx, workspace, id, (groups, &before.groups), now).await?;
    access::put_attributes(&mut tx, workspace, id, attributes).await?;
    let change = Change::between(
        &said(&choices, &before.roles, &before.groups, &before_attributes),
        &said(&choices, roles, groups, attributes),
    );
    if !change.is_empty() {
        let entry = Entry::new(Action::Changed, ObjectKind::Member, id, &before.row.name).with(change);
        audit::record(&mut tx, workspace, now, &ctx.actor(), &entry).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Disables in this workspace, which ends the sessions there at once, or enables again.
pub async fn set_enabled(ctx: &Ctx, id: &str, enabled: bool) -> AppResult<()> {
    let (workspace, now) = (ctx.workspace(), ctx.now());
    let roles = store::roles(&ctx.state.db, workspace).await?;
    let mut tx = ctx.state.db.begin().await?;
    store::hold(&mut tx, workspace).await?;
    let member = touch(ctx, &mut tx, id, Touch::Remove, &roles).await?;
    if member.row.disabled_here != enabled {
        return Ok(());
    }
    if !enabled {
        if member.administers() {
            keep_one(ctx, &mut tx, id, &member.row.name).await?;
        }
        execute!(tx, "delete from sessions where user_id = $1 and workspace_id = $2", id, workspace)?;
    }
    let sql = "update members set disabled_at = $3 where workspace_id = $1 and user_id = $2";
    execute!(tx, sql, workspace, id, (!enabled).then_some(now))?;
    let action = if enabled { Action::Enabled } else { Action::Disabled };
    let entry = Entry::new(action, ObjectKind::Member, id, &member.row.name);
    audit::record(&mut tx, workspace, now, &ctx.actor(), &entry).await?;
    tx.commit().await?;
    Ok(())
}

/// Removes from the workspace: membership, roles, groups, grants and sessions. The account stays.
pub async fn remove(ctx: &Ctx, id: &str) -> AppResult<()> {
    let choices = choices(ctx).await?;
    let (workspace, now) = (ctx.workspace(), ctx.now());
    let mut tx = ctx.state.db.begin().await?;
    store::hold(&mut tx, workspace).await?;
    let member = touch(ctx, &mut tx, id, Touch::Remove, &choices.roles).await?;
    if member.administers() {
        keep_one(ctx, &mut tx, id, &member.row.name).await?;
    }
    // First, so that nobody grants or groups somebody who goes: both hold the member's row.
    execute!(tx, "delete from members where workspace_id = $1 and user_id = $2", workspace, id)?;
    put_roles(&mut tx, workspace, id, &[]).await?;
    put_groups(&mut tx, workspace, id, (&[], &member.groups), now).await?;
    let sql = "delete from webhook_grants where workspace_id = $1 and subject_kind = 'member' and subject_id = $2";
    let grants = execute!(tx, sql, workspace, id)?;
    execute!(tx, "delete from sessions where user_id = $1 and workspace_id = $2", id, workspace)?;
    if member.row.pending && !member.row.elsewhere {
        invitations::store::revoke(&mut tx, id).await?;
    }
    let mut before = said(&choices, &member.roles, &member.groups, &member.row.attributes()?);
    before["email"] = json!(member.row.email);
    before["grants"] = json!(grants);
    let entry = Entry::new(Action::Removed, ObjectKind::Member, id, &member.row.name).with(Change::from(&before));
    audit::record(&mut tx, workspace, now, &ctx.actor(), &entry).await?;
    tx.commit().await?;
    Ok(())
}

/// The error of one row of a form that adds one.
pub fn only(problems: Vec<(usize, AppError)>) -> AppError {
    let none = || AppError::Invalid(Vec::<FieldError>::new());
    problems.into_iter().next().map_or_else(none, |(_, error)| error)
}
