//! Whether the one who made a link might still make it: people, roles and memberships change while it stands.

use crate::{
    access::{
        model::{Area, Permission, SessionInfo},
        store as access,
    },
    db::Db,
    fetch,
    members::rules::{Target, Touch, refusal},
};

#[derive(sqlx::FromRow)]
struct Maker {
    organization_admin: bool,
    disabled: bool,
}

/// A link is worth what its maker is when it is used: otherwise who made one would keep it as a way into an account
/// that has become more than they are.
pub async fn may_still(db: &Db, maker: &str, person: &str) -> sqlx::Result<bool> {
    let known = fetch!(
        db,
        optional,
        Maker,
        "select organization_admin, disabled_at is not null as disabled from users where id = $1",
        maker
    )?;
    match known {
        None | Some(Maker { disabled: true, .. }) => return Ok(false),
        Some(Maker { organization_admin: true, .. }) => return Ok(true),
        Some(_) => {}
    }
    let workspaces = fetch!(db, all, (String,), "select workspace_id from members where user_id = $1 limit 2", person)?;
    // In none any more, or in others too: an organization administrator's.
    let [(workspace,)] = workspaces.as_slice() else { return Ok(false) };
    let here = "select 1 from members where workspace_id = $1 and user_id = $2 and disabled_at is null";
    if fetch!(db, optional, (i32,), here, workspace, maker)?.is_none() {
        return Ok(false);
    }
    let sql = "select organization_admin from users where id = $1";
    let (organization_administrator,) = fetch!(db, one, (bool,), sql, person)?;
    let own = access::standing(db, workspace, maker, false).await?;
    let theirs = access::standing(db, workspace, person, organization_administrator).await?;
    let actor = SessionInfo {
        user_id: maker.into(),
        permissions: own.permissions,
        administrator: own.administrator,
        ..SessionInfo::default()
    };
    let target = Target {
        id: person.into(),
        permissions: theirs.permissions,
        administrator: theirs.administrator,
        organization_administrator,
        elsewhere: false,
    };
    if !actor.may(Permission::Manage(Area::Members)) {
        return Ok(false);
    }
    if actor.administrator {
        return Ok(refusal(&actor, &target, Touch::Account).is_none());
    }
    // Who is no administrator makes links only for those that they add: as long as these are what they were made.
    let sql = "select m.attributes = '{}'
                 and not exists (select 1 from webhook_grants g where g.workspace_id = $1 and g.subject_kind = 'member'
                                 and g.subject_id = $2)
                 and ($3 or not exists (select 1 from member_group_members g
                                        where g.workspace_id = $1 and g.user_id = $2))
               from members m where m.workspace_id = $1 and m.user_id = $2";
    let groups = actor.may(Permission::Manage(Area::MemberGroups));
    let (plain,) = fetch!(db, one, (bool,), sql, workspace, person, groups)?;
    let bounded = !theirs.administrator && !organization_administrator && actor.permissions.covers(theirs.permissions);
    Ok(plain && bounded)
}
