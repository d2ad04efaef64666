//! What is done to a member's account, which all workspaces share: links and the second factor.

use super::touch;
use crate::{
    access::{Ctx, store as access},
    audit::{
        Change, Entry,
        model::{Action, ObjectKind},
    },
    error::AppResult,
    invitations::{self, deliver::Fresh, model::Purpose},
    members::{rules::Touch, store},
};
use serde_json::json;

/// A new link: the invitation of who has no password yet, else one that sets a new password.
pub async fn make_link(ctx: &Ctx, id: &str) -> AppResult<Fresh> {
    let (workspace, now) = (ctx.workspace(), ctx.now());
    let roles = store::roles(&ctx.state.db, workspace).await?;
    let mut tx = ctx.state.db.begin().await?;
    let member = touch(ctx, &mut tx, id, Touch::Account, &roles).await?.row;
    let purpose = if member.pending { Purpose::Invitation } else { Purpose::Password };
    let token = invitations::store::make(&mut tx, id, purpose, ctx.user(), now).await?;
    let change = Change::to(&json!({"for": purpose.label()}));
    let entry = Entry::new(Action::LinkMade, ObjectKind::Account, id, &member.name).with(change);
    access::tell(&mut tx, id, now, &ctx.actor(), &entry).await?;
    tx.commit().await?;
    Ok(Fresh { user_id: member.id, email: member.email, name: member.name, link: Some((purpose, token)) })
}

/// For who lost the phone. The sessions end: whoever has the phone may have one.
pub async fn turn_off_second_factor(ctx: &Ctx, id: &str) -> AppResult<()> {
    let (workspace, now) = (ctx.workspace(), ctx.now());
    let roles = store::roles(&ctx.state.db, workspace).await?;
    let mut tx = ctx.state.db.begin().await?;
    let member = touch(ctx, &mut tx, id, Touch::Account, &roles).await?.row;
    if !member.second_factor {
        return Ok(());
    }
    access::turn_off_second_factor(&mut tx, id).await?;
    access::end_sessions(&mut tx, id).await?;
    let entry = Entry::new(Action::SecondFactorOff, ObjectKind::Account, id, &member.name);
    access::tell(&mut tx, id, now, &ctx.actor(), &entry).await?;
    tx.commit().await?;
    Ok(())
}
