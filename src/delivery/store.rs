//! The row of a send: making it, changing it, its counters.
//!
//! Whoever changes a send's batches first takes the send's row ([`lock`]), in the order of the keys when there are
//! several: so that counters and batches agree, and nobody waits in a circle.

use super::{
    SendState,
    batch::{self, BatchState, Event},
    ids::SendKey,
    model::STOPPED,
    wake::{self, News},
};
use crate::{
    clock::Millis,
    db::Tx,
    execute, fetch,
    wire::{message::Encryption, text::Template},
};
use sqlx::AssertSqlSafe;

/// When a batch is due that waits for a person: never by itself.
pub const HELD: Millis = Millis::MAX;

/// What a sender asks for. Times are unix milliseconds.
#[derive(Clone, Debug)]
pub struct NewSend<'a> {
    pub workspace_id: &'a str,
    /// The same as the sender's own row has (the task's).
    pub id: &'a str,
    /// [`super::Sender::source`] of the one that gives the recipients.
    pub source: &'a str,
    pub webhook_id: &'a str,
    /// The version of the webhook that it is submitted with, and what it takes over from it. The key is not part of
    /// it: a replaced one signs nothing any more.
    pub webhook_version: i64,
    /// Empty: the one that the webhook has when it is sent.
    pub url: &'a str,
    /// Says in headers where its requests come from.
    pub pass_environment: bool,
    pub id_type: &'a str,
    pub encryption: Encryption,
    pub template: &'a Template,
    /// Users per POST, 1 to 100.
    pub batch_size: i64,
    /// At once when it is past.
    pub due_at: Millis,
    pub audience_size: i64,
    /// How long receipts are taken, in ms, from when it begins, is resumed or sends again; `None`: the webhook takes
    /// no receipts.
    pub receipts_for: Option<Millis>,
    pub now: Millis,
}

impl NewSend<'_> {
    /// As expected before it begins.
    fn receipts_until(&self) -> Option<Millis> {
        self.receipts_for.map(|ms| self.due_at.saturating_add(ms))
    }
}

/// Makes a send that begins at its time. All nodes hear of it; [`super::Engine::wake`], after the commit, is for SQLite.
pub async fn create(tx: &mut Tx, send: NewSend<'_>) -> sqlx::Result<()> {
    execute!(
        tx,
        "insert into sends (workspace_id, id, source, webhook_id, id_type, encryption, template, batch_size, state, \
         due_at, audience_size, receipts_for, receipts_until, created_at, webhook_version, url, pass_environment) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, 'scheduled', $9, $10, $11, $12, $13, $14, $15, $16)",
        send.workspace_id,
        send.id,
        send.source,
        send.webhook_id,
        send.id_type,
        send.encryption.code(),
        json(send.template)?,
        send.batch_size.clamp(1, 100),
        send.due_at,
        send.audience_size,
        send.receipts_for,
        send.receipts_until(),
        send.now,
        send.webhook_version,
        send.url,
        send.pass_environment,
    )?;
    wake::tell(tx, News::Changed).await
}

/// Writes all of a send that has not begun anew; one that missed its time is pending again. `false`: there is no such
/// send or it has begun.
pub async fn reschedule(tx: &mut Tx, send: NewSend<'_>) -> sqlx::Result<bool> {
    let changed = execute!(
        tx,
        "update sends set webhook_id = $3, id_type = $4, encryption = $5, template = $6, batch_size = $7, \
         due_at = $8, audience_size = $9, receipts_for = $10, receipts_until = $11, webhook_version = $12, \
         url = $13, pass_environment = $14, state = 'scheduled', error = null \
         where workspace_id = $1 and id = $2 and state in ('scheduled', 'missed')",
        send.workspace_id,
        send.id,
        send.webhook_id,
        send.id_type,
        send.encryption.code(),
        json(send.template)?,
        send.batch_size.clamp(1, 100),
        send.due_at,
        send.audience_size,
        send.receipts_for,
        send.receipts_until(),
        send.webhook_version,
        send.url,
        send.pass_environment,
    )?;
    wake::tell(tx, News::Changed).await?;
    Ok(changed == 1)
}

/// It begins, goes on or sends again: from now on it is tried for the whole time ([`super::overdue`]), and receipts are
/// taken for the whole time.
pub async fn renew(tx: &mut Tx, key: &SendKey, now: Millis) -> sqlx::Result<()> {
    execute!(
        tx,
        "update sends set going_since = $3, receipts_until = case when receipts_until < $3 + receipts_for \
         then $3 + receipts_for else receipts_until end where workspace_id = $1 and id = $2",
        &key.workspace_id,
        &key.send_id,
        now
    )?;
    Ok(())
}

/// Removes a send that does not run; what it recorded goes soon after, some rows at a time ([`super::purge`]).
/// `false`: there is none, or it runs.
#[must_use = "one that has begun meanwhile stays"]
pub async fn delete(tx: &mut Tx, workspace_id: &str, id: &str) -> sqlx::Result<bool> {
    let removed = execute!(
        tx,
        "delete from sends where workspace_id = $1 and id = $2 \
         and state in ('scheduled', 'missed', 'stopped', 'finished', 'failed')",
        workspace_id,
        id
    )?;
    if removed == 0 {
        return Ok(false);
    }
    execute!(
        tx,
        "insert into deleted_sends (workspace_id, send_id) values ($1, $2) \
         on conflict (workspace_id, send_id) do update set keeps_totals = false",
        workspace_id,
        id
    )?;
    Ok(true)
}

fn json(template: &Template) -> sqlx::Result<String> {
    serde_json::to_string(template).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// Takes the row of a send until the transaction ends; its state, or `None` when there is no such send.
pub async fn lock(tx: &mut Tx, key: &SendKey) -> sqlx::Result<Option<SendState>> {
    let sql = match tx {
        Tx::Sqlite(_) => "select state from sends where workspace_id = $1 and id = $2",
        Tx::Postgres(_) => "select state from sends where workspace_id = $1 and id = $2 for no key update",
    };
    let state = fetch!(tx, optional, (String,), sql, &key.workspace_id, &key.send_id)?;
    Ok(state.and_then(|(code,)| SendState::from_code(&code)))
}

/// What is added to the counters of a send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    pub planned: i64,
    pub batches: i64,
    pub accepted: i64,
    pub failed: i64,
    pub skipped: i64,
    pub unknown: i64,
}

impl Delta {
    /// Counts users (a negative number takes them off) whose batch is in a state; those that wait have no counter.
    pub fn count(&mut self, state: BatchState, users: i64) {
        match state {
            BatchState::Accepted => self.accepted += users,
            BatchState::Failed => self.failed += users,
            BatchState::Skipped => self.skipped += users,
            BatchState::Unknown => self.unknown += users,
            BatchState::Open | BatchState::Pending | BatchState::Retry | BatchState::Leased => {}
        }
    }
}

#[derive(sqlx::FromRow)]
struct Counters {
    state: String,
    planned: i64,
    planning_done: bool,
    accepted: i64,
    failed: i64,
    skipped: i64,
    unknown: i64,
}

impl Counters {
    /// What a send ends in of which nothing more happens by itself: the one place that says so.
    fn ended(&self, was_stopped: bool) -> SendState {
        if was_stopped {
            SendState::Stopped
        } else if self.accepted == 0 && self.failed > 0 && self.unknown == 0 {
            SendState::Failed
        } else {
            // Also when some are left unknown for a person.
            SendState::Finished
        }
    }
}

/// Adds to the counters, and ends the send when nothing more happens by itself. One that is finished ends anew, at the
/// same time, for what was unknown may have been decided.
pub async fn add(tx: &mut Tx, key: &SendKey, delta: Delta, now: Millis) -> sqlx::Result<()> {
    let counters = fetch!(
        tx,
        optional,
        Counters,
        "update sends set planned = planned + $3, batches = batches + $4, accepted = accepted + $5, \
         failed = failed + $6, skipped = skipped + $7, unknown = unknown + $8 \
         where workspace_id = $1 and id = $2 \
         returning state, planned, planning_done, accepted, failed, skipped, unknown",
        &key.workspace_id,
        &key.send_id,
        delta.planned,
        delta.batches,
        delta.accepted,
        delta.failed,
        delta.skipped,
        delta.unknown,
    )?;
    let Some(counters) = counters else { return Ok(()) };
    let may_end = [SendState::Sending, SendState::Paused, SendState::Finished];
    let may_end = may_end.into_iter().any(|state| state.code() == counters.state);
    let decided = counters.accepted + counters.failed + counters.skipped + counters.unknown;
    if !may_end || !counters.planning_done || decided != counters.planned {
        return Ok(());
    }
    if counters.unknown > 0 && !all_unknown_held(tx, key).await? {
        return Ok(());
    }
    let state = counters.ended(was_stopped(tx, key).await?);
    execute!(
        tx,
        "update sends set state = $3, finished_at = coalesce(finished_at, $4), error = case when $5 = 0 then null else \
         (select reason from send_reasons where workspace_id = $1 and send_id = $2 and outcome = 'failed' \
          order by users desc, reason limit 1) end where workspace_id = $1 and id = $2",
        &key.workspace_id,
        &key.send_id,
        state.code(),
        now,
        i64::from(state == SendState::Failed),
    )?;
    Ok(())
}

async fn all_unknown_held(tx: &mut Tx, key: &SendKey) -> sqlx::Result<bool> {
    let sql = format!(
        "select batch_no from send_batches where workspace_id = $1 and send_id = $2 and {} and run_at < $3 limit 1",
        batch::from(Event::Claimed)
    );
    let due = fetch!(tx, optional, (i64,), AssertSqlSafe(sql), &key.workspace_id, &key.send_id, HELD)?;
    Ok(due.is_none())
}

/// Some were left out by a stop: however the others end, sending them again does not finish the send.
async fn was_stopped(tx: &mut Tx, key: &SendKey) -> sqlx::Result<bool> {
    let left_out = fetch!(
        tx,
        optional,
        (i64,),
        "select users from send_reasons where workspace_id = $1 and send_id = $2 and outcome = 'skipped' \
         and reason = $3 and users > 0",
        &key.workspace_id,
        &key.send_id,
        STOPPED
    )?;
    Ok(left_out.is_some())
}

/// A send that has ended runs again, or one that runs is told so.
pub async fn reopen(tx: &mut Tx, key: &SendKey, state: SendState) -> sqlx::Result<()> {
    execute!(
        tx,
        "update sends set state = $3, error = null, finished_at = null where workspace_id = $1 and id = $2",
        &key.workspace_id,
        &key.send_id,
        state.code()
    )?;
    Ok(())
}

/// Adds users to those that ended `outcome` ("failed" or "skipped") with a reason; a negative number takes them off.
pub async fn add_reason(tx: &mut Tx, key: &SendKey, outcome: &str, reason: &str, users: i64) -> sqlx::Result<()> {
    execute!(
        tx,
        "insert into send_reasons (workspace_id, send_id, outcome, reason, users) values ($1, $2, $3, $4, $5) \
         on conflict (workspace_id, send_id, outcome, reason) do update set users = send_reasons.users + excluded.users",
        &key.workspace_id,
        &key.send_id,
        outcome,
        reason,
        users,
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        db::Db,
        delivery::{
            report,
            testing::{Crowd, WEBHOOK, WORKSPACE, config, ended, engine, put_send, put_webhook, simulator, until},
        },
        on_both_databases,
    };

    async fn reschedule_to(db: &Db, due_at: Millis) -> bool {
        let template = Template::default();
        let send = NewSend {
            workspace_id: WORKSPACE,
            id: "s",
            source: "crowd",
            webhook_id: WEBHOOK,
            webhook_version: 1,
            url: "",
            pass_environment: false,
            id_type: "EMAIL",
            encryption: Encryption::Md5,
            template: &template,
            batch_size: 7,
            due_at,
            audience_size: 1,
            receipts_for: None,
            now: 0,
        };
        let mut tx = db.begin().await.unwrap();
        let changed = reschedule(&mut tx, send).await.unwrap();
        tx.commit().await.unwrap();
        changed
    }

    async fn delete_it(db: &Db, workspace: &str) -> bool {
        let mut tx = db.begin().await.unwrap();
        let gone = delete(&mut tx, workspace, "s").await.unwrap();
        tx.commit().await.unwrap();
        gone
    }

    on_both_databases!(a_send_is_changed_until_it_begins_and_deleted_when_it_does_not_run, |db| async move {
        let crm = simulator(crate::crm::Options::default()).await;
        put_webhook(&db, &crm.url(), 1).await;
        put_send(&db, "s", 10, 5, i64::MAX).await;
        let engine = engine(&db, &config(), Crowd { users: 10, gaps: true });
        assert!(reschedule_to(&db, 0).await);
        let progress = until(&db, "s", ended).await;
        assert_eq!((progress.due_at, progress.accepted, progress.batches), (0, 9, 2));
        assert!(!reschedule_to(&db, 5).await, "it has ended");
        assert!(!delete_it(&db, "another workspace").await);
        let messages = report::messages_of_customer(&db, WORKSPACE, "c000009", 5).await.unwrap();
        assert_eq!((messages.len(), messages[0].action.reason.as_deref()), (1, Some("no EMAIL")));
        engine.stop(std::time::Duration::from_secs(12)).await;
        assert!(delete_it(&db, WORKSPACE).await && !delete_it(&db, WORKSPACE).await);
        assert!(report::progress(&db, WORKSPACE, "s").await.is_err());
        while crate::delivery::purge::chunk(&db, 2).await.unwrap() {}
        let left = "select (select count(*) from deleted_sends) + (select count(*) from send_pages) + (select count(*) from send_batches) \
                    + (select count(*) from send_attempts) + (select count(*) from send_reasons) \
                    + (select count(*) from send_series)";
        assert_eq!(fetch!(db, one, (i64,), left).unwrap().0, 0);
    });
}
