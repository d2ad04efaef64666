//! What the pages of members ask the server for.

use super::model::{MemberChoices, MemberDetail, MemberInput, MemberPage, MemberQuery, NewMember, RoleChoice};
use crate::{error::AppResult, invitations::model::MadeLinks};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{change, model::MemberRow, rows, rules, store};
#[cfg(feature = "ssr")]
use crate::{
    access::{
        Ctx, Resource, caller,
        model::{Area, Permission},
        require,
    },
    error::{AppError, FieldError},
    invitations::{self, deliver::deliver},
};

#[server]
pub async fn list_members(query: MemberQuery) -> AppResult<MemberPage> {
    let ctx = require(&caller()?, Permission::View(Area::Members), Resource::Workspace).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let (found, total) = store::page(db, workspace, &query).await?;
    let ids: Vec<String> = found.iter().map(|row| row.id.clone()).collect();
    let (mut roles, mut groups) = store::held(db, workspace, &ids).await?;
    let (all_roles, all_groups) = (store::roles(db, workspace).await?, store::groups(db, workspace).await?);
    let rows = found.into_iter().map(|found| {
        let roles = roles.remove(&found.id).unwrap_or_default();
        let groups = groups.remove(&found.id).unwrap_or_default();
        row(&ctx, &found, &roles, &groups, (&all_roles, &all_groups))
    });
    Ok(MemberPage { rows: rows.collect(), total, now: ctx.now() })
}

#[cfg(feature = "ssr")]
fn row(
    ctx: &Ctx,
    found: &store::Row,
    roles: &[String],
    groups: &[String],
    (all_roles, all_groups): (&[RoleChoice], &[(String, String)]),
) -> MemberRow {
    let target = found.target(roles, all_roles);
    let manages = ctx.info().may(Permission::Manage(Area::Members));
    MemberRow {
        id: found.id.clone(),
        name: found.name.clone(),
        email: found.email.clone(),
        state: found.state(),
        disabled_here: found.disabled_here,
        pending: found.pending,
        organization_administrator: found.organization_admin,
        last_sign_in_at: found.last_sign_in_at,
        roles: change::role_names(roles, all_roles),
        groups: change::group_names(groups, all_groups),
        may: if manages { rules::may(ctx.info(), &target) } else { Default::default() },
    }
}

/// The roles that the list can be filtered by.
#[server]
pub async fn list_member_roles() -> AppResult<Vec<RoleChoice>> {
    let ctx = require(&caller()?, Permission::View(Area::Members), Resource::Workspace).await?;
    Ok(store::roles(&ctx.state.db, ctx.workspace()).await?)
}

#[server]
pub async fn get_member(id: String) -> AppResult<MemberDetail> {
    let ctx = require(&caller()?, Permission::View(Area::Members), Resource::Member(&id)).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let found = store::get(db, workspace, &id).await?;
    let (mut roles, mut groups) = store::held(db, workspace, std::slice::from_ref(&id)).await?;
    let (roles, groups) = (roles.remove(&id).unwrap_or_default(), groups.remove(&id).unwrap_or_default());
    let choices = change::choices(&ctx).await?;
    let attributes = found.attributes()?;
    let why_not = rules::refusal(ctx.info(), &found.target(&roles, &choices.roles), rules::Touch::Account);
    Ok(MemberDetail {
        row: row(&ctx, &found, &roles, &groups, (&choices.roles, &choices.groups)),
        created_at: found.created_at,
        seen: store::fingerprint(&roles, &groups, &attributes),
        roles,
        groups,
        attributes,
        second_factor: found.second_factor,
        why_not_account: why_not.unwrap_or_default().into(),
        link: invitations::store::of_user(db, &id, ctx.now()).await?,
        choices,
        now: ctx.now(),
    })
}

/// What the forms of new members choose from.
#[server]
pub async fn get_member_choices() -> AppResult<MemberChoices> {
    let ctx = require(&caller()?, Permission::Manage(Area::Members), Resource::Workspace).await?;
    change::choices(&ctx).await
}

/// Adds one, and leads to the page that shows the link once.
#[server]
pub async fn add_member(new: NewMember) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::Members), Resource::Workspace).await?;
    let new = new.tidy();
    AppError::check(new.check())?;
    let added = change::add(&ctx, &[new], true).await?.map_err(change::only)?;
    leptos_axum::redirect(&deliver(&ctx, added).await?);
    Ok(())
}

/// Problems of a list that are shown at a time.
#[cfg(feature = "ssr")]
const PROBLEMS_SHOWN: usize = 25;

/// Adds all members of a list, or none, and leads to the page that shows the links once. What is wrong is told by line.
#[server]
pub async fn add_members(#[server(default)] list: String) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::Members), Resource::Workspace).await?;
    let choices = change::choices(&ctx).await?;
    let rows::Listed { rows, mut problems } = rows::read(&list, &choices);
    let (lines, new): (Vec<u64>, Vec<NewMember>) = rows.into_iter().map(|row| (row.line, row.member)).unzip();
    // With some lines wrong the others are tried all the same, so that all is told at once.
    match change::add(&ctx, &new, problems.is_empty()).await? {
        Ok(added) => leptos_axum::redirect(&deliver(&ctx, added).await?),
        Err(wrong) => {
            problems.extend(wrong.into_iter().map(|(place, error)| (lines[place], error.to_string())));
            problems.sort_by_key(|(line, _)| *line);
            return Err(refused(problems));
        }
    }
    Ok(())
}

#[cfg(feature = "ssr")]
fn refused(problems: Vec<rows::Problem>) -> AppError {
    let told = |(line, text)| if line == 0 { text } else { format!("Line {line}: {text}") };
    let mut lines: Vec<String> = problems.into_iter().map(told).collect();
    let more = lines.len().saturating_sub(PROBLEMS_SHOWN);
    lines.truncate(PROBLEMS_SHOWN);
    if more > 0 {
        lines.push(format!("And {more} more."));
    }
    lines.insert(0, "Nobody was added. Correct these and try again:".into());
    AppError::Invalid(lines.into_iter().map(|line| FieldError::new("", line)).collect())
}

/// The links that the reader made a moment ago; `NotFound` when they were shown already.
#[server]
pub async fn take_links(key: String) -> AppResult<MadeLinks> {
    let ctx = require(&caller()?, Permission::Manage(Area::Members), Resource::Workspace).await?;
    ctx.state.shown.take(ctx.user(), &key, ctx.now()).ok_or(AppError::NotFound)
}

/// Roles, groups and attributes; `seen` is what the page had of them.
#[server]
pub async fn save_member(
    id: String,
    #[server(default)] seen: String,
    #[server(default)] input: MemberInput,
) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::Members), Resource::Member(&id)).await?;
    let input = input.tidy();
    let (attributes, errors) = input.check();
    AppError::check(errors)?;
    change::save(&ctx, &id, &seen, (&input.roles, &input.groups), &attributes).await
}

/// Disables at once, or enables.
#[server]
pub async fn set_member_enabled(id: String, #[server(default)] enabled: bool) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::Members), Resource::Member(&id)).await?;
    change::set_enabled(&ctx, &id, enabled).await
}

/// Removes from the workspace, and leads to the list.
#[server]
pub async fn remove_member(id: String) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::Members), Resource::Member(&id)).await?;
    change::remove(&ctx, &id).await?;
    leptos_axum::redirect("/members");
    Ok(())
}

/// A new invitation link, or one that sets a new password; leads to the page that shows it once.
#[server]
pub async fn make_member_link(id: String) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::Members), Resource::Member(&id)).await?;
    let made = change::make_link(&ctx, &id).await?;
    leptos_axum::redirect(&deliver(&ctx, vec![made]).await?);
    Ok(())
}

#[server]
pub async fn turn_off_second_factor(id: String) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::Members), Resource::Member(&id)).await?;
    change::turn_off_second_factor(&ctx, &id).await
}
