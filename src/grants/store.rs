//! Grants in the database.

use crate::{clock::Millis, db::Db, fetch};

/// Whether a grant of the webhook, to the member or to a group that the member is in, is valid now.
pub async fn is_granted(db: &Db, workspace: &str, user: &str, webhook: &str, now: Millis) -> sqlx::Result<bool> {
    let found = fetch!(
        db,
        optional,
        (i32,),
        "select 1 from webhook_grants g where g.workspace_id = $1 and g.webhook_id = $2 and g.from_at <= $4
           and (g.until_at is null or g.until_at > $4)
           and (g.subject_kind = 'member' and g.subject_id = $3 or g.subject_kind = 'group' and exists (
               select 1 from member_group_members m
               where m.workspace_id = $1 and m.group_id = g.subject_id and m.user_id = $3))
         limit 1",
        workspace,
        webhook,
        user,
        now
    )?;
    Ok(found.is_some())
}
