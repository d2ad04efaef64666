//! Grants in the database.

use super::model::{GRANTS_MAX, Grant, GrantInput, GrantState, Method, Standing};
use crate::{
    access::Ctx,
    audit::{
        self, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::{Millis, new_id},
    db::{Db, Tx},
    error::{AppError, AppResult},
    execute, fetch, member_groups,
    ui::{format::counted, time::iso},
    webhooks,
};
use serde::Serialize;
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

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

/// What a member has of each webhook by grants, by the webhook's id; of those that are not there, nothing.
pub async fn standings(db: &Db, workspace: &str, user: &str, now: Millis) -> sqlx::Result<HashMap<String, Standing>> {
    let rows = fetch!(
        db,
        all,
        (String, Millis, Option<Millis>),
        "select g.webhook_id, g.from_at, g.until_at from webhook_grants g where g.workspace_id = $1
           and (g.subject_kind = 'member' and g.subject_id = $2 or g.subject_kind = 'group' and exists (
               select 1 from member_group_members m
               where m.workspace_id = $1 and m.group_id = g.subject_id and m.user_id = $2))",
        workspace,
        user
    )?;
    let mut periods: HashMap<String, Vec<(Millis, Option<Millis>)>> = HashMap::new();
    for (webhook, from, until) in rows {
        periods.entry(webhook).or_default().push((from, until));
    }
    Ok(periods.into_iter().map(|(webhook, periods)| (webhook, Standing::of(&periods, now))).collect())
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    subject_kind: String,
    /// `None`: gone.
    member: Option<String>,
    email: Option<String>,
    member_disabled: bool,
    is_member: bool,
    group_name: Option<String>,
    group_size: i64,
    from_at: Millis,
    until_at: Option<Millis>,
    granted_by: String,
    granted_at: Millis,
}

/// A webhook's grants; `$1` is the workspace, `$2` the webhook.
const SELECT: &str = "select g.id, g.subject_kind, u.name as member, u.email,
        u.disabled_at is not null or m.disabled_at is not null as member_disabled, m.user_id is not null as is_member,
        s.name as group_name,
        (select count(*) from member_group_members x
         join members y on y.workspace_id = x.workspace_id and y.user_id = x.user_id
         where x.workspace_id = g.workspace_id and x.group_id = g.subject_id) as group_size,
        g.from_at, g.until_at, coalesce(b.name, '') as granted_by, g.granted_at
    from webhook_grants g
    left join users u on g.subject_kind = 'member' and u.id = g.subject_id
    left join members m on g.subject_kind = 'member' and m.workspace_id = g.workspace_id and m.user_id = g.subject_id
    left join member_groups s on g.subject_kind = 'group' and s.workspace_id = g.workspace_id and s.id = g.subject_id
    left join users b on b.id = g.granted_by
    where g.workspace_id = $1 and g.webhook_id = $2";

impl Row {
    fn method(&self) -> Method {
        Method::from_code(&self.subject_kind).unwrap_or_default()
    }

    /// As the audit log names whom it is about.
    fn subject(&self) -> String {
        match (&self.member, &self.email, &self.group_name) {
            (Some(name), Some(email), _) => format!("{name} <{email}>"),
            (_, _, Some(name)) => name.clone(),
            _ => "nobody any more".into(),
        }
    }

    fn grant(self, now: Millis) -> Grant {
        let method = self.method();
        let note = match method {
            Method::Group => counted(self.group_size, "member"),
            Method::Member => {
                let email = self.email.unwrap_or_default();
                match () {
                    () if !self.is_member => format!("{email}, no member any more"),
                    () if self.member_disabled => format!("{email}, disabled"),
                    () => email,
                }
            }
        };
        Grant {
            id: self.id,
            method,
            name: self.member.or(self.group_name).unwrap_or_default(),
            note,
            from_at: self.from_at,
            until_at: self.until_at,
            granted_by: self.granted_by,
            granted_at: self.granted_at,
            state: GrantState::at(self.from_at, self.until_at, now),
        }
    }
}

/// All grants of a webhook; there are at most [`GRANTS_MAX`].
pub async fn list(db: &Db, workspace: &str, webhook: &str, now: Millis) -> sqlx::Result<Vec<Grant>> {
    let sql = format!("{SELECT} limit {GRANTS_MAX}");
    let rows = fetch!(db, all, Row, AssertSqlSafe(sql), workspace, webhook)?;
    Ok(rows.into_iter().map(|row| row.grant(now)).collect())
}

/// By which method a webhook is granted, and how many grants there are, expired ones included.
pub async fn standing(db: &Db, workspace: &str, webhook: &str) -> sqlx::Result<Option<(Method, i64)>> {
    let row = fetch!(
        db,
        optional,
        (String, i64),
        "select subject_kind, count(*) from webhook_grants where workspace_id = $1 and webhook_id = $2
         group by subject_kind order by count(*) desc limit 1",
        workspace,
        webhook
    )?;
    Ok(row.and_then(|(kind, count)| Some((Method::from_code(&kind)?, count))))
}

/// `RowNotFound` when the workspace has no such webhook.
pub async fn webhook_name(db: &Db, workspace: &str, webhook: &str) -> sqlx::Result<String> {
    let sql = "select name from webhooks where workspace_id = $1 and id = $2";
    Ok(fetch!(db, one, (String,), sql, workspace, webhook)?.0)
}

/// What the audit log keeps of grants that were made.
#[derive(Serialize)]
struct Granted<'a> {
    method: &'a str,
    to: Vec<String>,
    from: String,
    until: String,
}

/// What it keeps of one that was revoked.
#[derive(Serialize)]
struct Revoked {
    from_whom: String,
    from: String,
    until: String,
}

impl Revoked {
    fn of(row: &Row) -> Self {
        Self { from_whom: row.subject(), from: iso(row.from_at), until: until_text(row.until_at) }
    }
}

fn until_text(until: Option<Millis>) -> String {
    until.map_or("permanent".into(), iso)
}

/// Takes the webhook, so that grants of it are made and removed one after the other; its name.
async fn lock(tx: &mut Tx, workspace: &str, webhook: &str) -> sqlx::Result<String> {
    webhooks::store::lock(tx, workspace, webhook).await?.ok_or(sqlx::Error::RowNotFound)?;
    let sql = "select name from webhooks where workspace_id = $1 and id = $2";
    Ok(fetch!(tx, one, (String,), sql, workspace, webhook)?.0)
}

/// Grants the webhook for the `period` to each who was picked; how many they are. Grants by the other method are
/// revoked when `input` says how many there are, and are an error otherwise. `input` has passed [`GrantInput::check`].
pub async fn grant(
    ctx: &Ctx,
    webhook: &str,
    input: &GrantInput,
    (from, until): (Millis, Option<Millis>),
) -> AppResult<i64> {
    let (workspace, now) = (ctx.workspace(), ctx.now());
    let mut tx = ctx.state.db.begin().await?;
    let name = lock(&mut tx, workspace, webhook).await?;
    let rows = fetch!(tx, all, Row, AssertSqlSafe(SELECT), workspace, webhook)?;
    let (stay, go): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.method() == input.method);
    if !go.is_empty() && go.len() as i64 != input.revokes {
        return Err(must_be_revoked(input, go.len() as i64));
    }
    let subjects = match input.method {
        Method::Member => member_groups::store::names_of(&mut tx, workspace, &input.members).await?,
        Method::Group => member_groups::store::group_names(&mut tx, workspace, &input.groups).await?,
    };
    if subjects.len() != input.picked().len() {
        let text = "Somebody whom you chose is no longer there. Open the page again.";
        return Err(AppError::invalid(input.picked_field(), text));
    }
    let (stand, new) = (stay.len() as i64, subjects.len() as i64);
    if stand + new > GRANTS_MAX {
        return Err(AppError::conflict(format!(
            "A webhook has at most {GRANTS_MAX} grants, and {stand} stand. Remove expired ones, or grant it to a group."
        )));
    }
    if !go.is_empty() {
        execute!(
            tx,
            "delete from webhook_grants where workspace_id = $1 and webhook_id = $2 and subject_kind = $3",
            workspace,
            webhook,
            input.method.other().code()
        )?;
        let revoked: Vec<Revoked> = go.iter().map(Revoked::of).collect();
        let kept = serde_json::json!({ "method": input.method.other().label(), "grants": revoked });
        let entry = Entry::new(Action::Revoked, ObjectKind::Webhook, webhook, &name).with(Change::from(&kept));
        audit::record(&mut tx, workspace, now, &ctx.actor(), &entry).await?;
    }
    for subject in subjects.keys() {
        execute!(
            tx,
            "insert into webhook_grants (workspace_id, id, webhook_id, subject_kind, subject_id, from_at, until_at,
                                         granted_by, granted_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            workspace,
            new_id(),
            webhook,
            input.method.code(),
            subject,
            from,
            until,
            ctx.user(),
            now
        )?;
    }
    let to = subjects.into_values().collect();
    let kept = Granted { method: input.method.label(), to, from: iso(from), until: until_text(until) };
    let entry = Entry::new(Action::Granted, ObjectKind::Webhook, webhook, &name).with(Change::to(&kept));
    audit::record(&mut tx, workspace, now, &ctx.actor(), &entry).await?;
    tx.commit().await?;
    Ok(new)
}

/// `stand` grants by the other method would go, and nobody has said so, or not so many.
fn must_be_revoked(input: &GrantInput, stand: i64) -> AppError {
    let (other, own) = (input.method.other().label(), input.method.label());
    let text = match input.revokes {
        0 => format!("Granting {own} revokes {} {other}. Confirm that first.", counted(stand, "grant")),
        _ => format!("There are {} {other} by now. Reload the page and decide again.", counted(stand, "grant")),
    };
    AppError::invalid("revokes", text)
}

/// Removes a grant of the webhook at once; `NotFound` when it has no such one.
pub async fn remove(ctx: &Ctx, webhook: &str, id: &str) -> AppResult<()> {
    let workspace = ctx.workspace();
    let mut tx = ctx.state.db.begin().await?;
    let name = lock(&mut tx, workspace, webhook).await?;
    let row = fetch!(tx, one, Row, AssertSqlSafe(format!("{SELECT} and g.id = $3")), workspace, webhook, id)?;
    execute!(tx, "delete from webhook_grants where workspace_id = $1 and id = $2", workspace, id)?;
    let kept = serde_json::json!({ "method": row.method().label(), "grants": [Revoked::of(&row)] });
    let entry = Entry::new(Action::Revoked, ObjectKind::Webhook, webhook, &name).with(Change::from(&kept));
    audit::record(&mut tx, workspace, ctx.now(), &ctx.actor(), &entry).await?;
    tx.commit().await?;
    Ok(())
}
