//! The planner: a send that is due becomes pages of users and batches, chunk by chunk.
//!
//! Each chunk is one transaction: a page of users, their batches, counters and the cursor. A crash between chunks loses nothing and
//! repeats nothing. The last batch of a chunk stays open until the next chunk has filled it, so that all batches but
//! the last are full; sending begins as soon as the first is.

mod ahead;
mod layout;
mod open;
mod statistics;

pub use open::CLAIM;

use super::{
    Chunk, SendState, Sender, control,
    ids::SendKey,
    misfire, pages,
    store::{self, Delta},
    supervise::{Loop, Pulse, Stopping},
    wake::{self, News},
};
use crate::{
    clock::{Clock, Millis, SECOND},
    db::{Db, Tx, bulk},
    error::AppError,
    execute, fetch,
    steps::Step,
};
use ahead::Ahead;
use layout::{BatchToPut, Layout};
use open::Open;
use statistics::Statistics;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// How long a send is left alone whose sender could not answer.
const AGAIN: Millis = 5 * SECOND;

pub struct Planner {
    /// This node's.
    pub node: String,
    pub db: Db,
    pub clock: Clock,
    pub senders: Vec<Arc<dyn Sender>>,
    /// How late a send may be found and still begin by itself, in ms.
    pub latest: Millis,
    /// Somebody made or changed a send.
    pub wake: Arc<Notify>,
    /// There are new batches.
    pub planned: Arc<Notify>,
}

/// What the loop remembers from round to round.
#[derive(Default)]
struct Memory {
    /// Sends that could not go on, and until when they are left alone.
    left_alone: HashMap<SendKey, Millis>,
    ahead: Ahead,
    statistics: Statistics,
}

/// What a round found.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// It did something, and there may be more.
    Work,
    /// Nothing to do for so many ms, unless something is changed.
    Nothing(Millis),
}

impl Loop for Planner {
    const NAME: &'static str = "plan";

    async fn run(&self, pulse: &Pulse, stopping: &Stopping) -> sqlx::Result<()> {
        let mut memory = Memory::default();
        while !stopping.asked() {
            let found = self.round(&mut memory).await?;
            pulse.beat();
            if let Found::Nothing(ms) = found {
                tokio::select! {
                    () = self.wake.notified() => {}
                    () = tokio::time::sleep(Duration::from_millis(ms.max(1).unsigned_abs())) => {}
                    () = stopping.wait() => {}
                }
            }
        }
        open::leave_to_others(&self.db, &self.node).await
    }
}

impl Planner {
    /// Begins what is due, and plans one chunk of each send that is not planned to its end and that no other node plans.
    async fn round(&self, Memory { left_alone, ahead, statistics }: &mut Memory) -> sqlx::Result<Found> {
        let (now, poll) = (self.clock.now(), i64::try_from(wake::poll(&self.db).as_millis()).unwrap_or(SECOND));
        let open = open::all(&self.db, now + poll).await?;
        left_alone.retain(|_, until| (now + 1..=now + AGAIN).contains(until));
        ahead.keep(&open.iter().map(Open::key).collect::<Vec<_>>(), now);
        let (mut busy, mut idle) = (false, poll);
        for send in open {
            let key = send.key();
            let wait = send.free_at(&self.node) - now;
            if wait > 0 {
                idle = idle.min(wait);
            } else if !left_alone.contains_key(&key) && open::claim(&self.db, &self.node, &send, now).await? {
                let done = if send.is_scheduled() {
                    self.started(&key, &send.source).await
                } else {
                    self.chunk(&send, ahead, statistics).await?
                };
                busy |= done;
                if !done {
                    left_alone.insert(key, now + AGAIN);
                }
            }
        }
        Ok(if busy { Found::Work } else { Found::Nothing(idle) })
    }

    /// `false` when it could not begin and is to be tried later: it must not hold up the others.
    async fn started(&self, key: &SendKey, source: &str) -> bool {
        let begun = self.begin(key, source).await;
        if let Err(error) = &begun {
            tracing::error!(send.id = %key.send_id, %error, "a send that is due could not begin; it is tried again");
        }
        begun.is_ok()
    }

    async fn begin(&self, key: &SendKey, source: &str) -> sqlx::Result<()> {
        let now = self.clock.now();
        let sender = self.senders.iter().find(|sender| sender.source() == source);
        if misfire::set_aside(&self.db, key, sender.map(AsRef::as_ref), self.latest, now).await? {
            return Ok(());
        }
        let may = match sender {
            Some(sender) => sender.may_start(&self.db, &key.workspace_id, &key.send_id, now).await?,
            // Said when its first chunk is asked for.
            None => Ok(()),
        };
        let mut tx = self.db.begin().await?;
        if store::lock(&mut tx, key).await? != Some(SendState::Scheduled) {
            return Ok(());
        }
        let webhook = fetch!(
            tx,
            optional,
            (bool,),
            "select w.enabled from sends s join webhooks w on w.workspace_id = s.workspace_id and w.id = s.webhook_id \
             where s.workspace_id = $1 and s.id = $2",
            &key.workspace_id,
            &key.send_id
        )?;
        match webhook {
            Some((true,)) if let Err(reason) = &may => control::fail(&mut tx, key, reason, now).await?,
            Some((true,)) => {
                execute!(
                    tx,
                    "update sends set state = 'sending', started_at = $3 where workspace_id = $1 and id = $2",
                    &key.workspace_id,
                    &key.send_id,
                    now
                )?;
                store::renew(&mut tx, key, now).await?;
            }
            Some((false,)) => {
                control::fail(&mut tx, key, "The webhook was disabled when its time came.", now).await?;
            }
            None => control::fail(&mut tx, key, "The webhook no longer exists.", now).await?,
        }
        tx.commit_between(Step::BeginWritten, Step::BeginCommitted).await
    }

    /// `false` when the sender could not answer and is to be asked later.
    async fn chunk(&self, send: &Open, ahead: &mut Ahead, statistics: &mut Statistics) -> sqlx::Result<bool> {
        let key = send.key();
        let Some(sender) = self.senders.iter().find(|sender| sender.source() == send.source) else {
            return self.give_up(&key, &format!("Nothing here sends for “{}”.", send.source)).await.map(|()| true);
        };
        let read = |after| sender.chunk(&self.db, &send.workspace_id, &send.id, after, pages::USERS);
        let cursor = send.plan_cursor.as_deref();
        let chunk = match ahead.take(&key, cursor) {
            Some(chunk) => Ok(chunk),
            None => read(cursor).await,
        };
        match chunk {
            Ok(chunk) => {
                let (now, next) = (self.clock.now(), chunk.next.clone().filter(|_| ahead.has_room()));
                let (written, following) = tokio::join!(self.write(&key, send, chunk), async {
                    match &next {
                        Some(after) => read(Some(after)).await.ok(),
                        None => None,
                    }
                });
                // One that could not be read is asked for again when it is its turn.
                if let (Some(after), Some(chunk)) = (next, following) {
                    ahead.put(key, after, chunk, now);
                }
                statistics.grown(&self.db, written?).await;
                Ok(true)
            }
            Err(AppError::Internal(_) | AppError::Unreachable(_)) => Ok(false),
            Err(error) => self.give_up(&key, &error.to_string()).await.map(|()| true),
        }
    }

    async fn give_up(&self, key: &SendKey, error: &str) -> sqlx::Result<()> {
        let mut tx = self.db.begin().await?;
        if store::lock(&mut tx, key).await? == Some(SendState::Sending) {
            control::fail(&mut tx, key, error, self.clock.now()).await?;
        }
        tx.commit().await
    }

    /// How many batches are new.
    async fn write(&self, key: &SendKey, send: &Open, chunk: Chunk) -> sqlx::Result<i64> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if store::lock(&mut tx, key).await? != Some(SendState::Sending) {
            return Ok(0);
        }
        let place = place(&mut tx, key).await?;
        if place.planning_done || place.plan_cursor != send.plan_cursor {
            return Ok(0); // Another planner was here.
        }
        let last = chunk.next.is_none();
        let cut = Layout::new(place.batch_size, place.planned, place.batches, place.open_size)
            .cut(chunk.recipients, place.last_customer, last)
            .map_err(|error| sqlx::Error::Encode(error.into()))?;
        let written = match cut {
            Ok(written) => written,
            Err(error) => {
                tracing::error!(send.id = %key.send_id, %error, "the sender broke its word");
                control::fail(&mut tx, key, &error.to_string(), now).await?;
                tx.commit().await?;
                return Ok(0);
            }
        };
        if written.page.users > 0 {
            pages::insert(&mut tx, key, &written.page).await?;
        }
        put_batches(&mut tx, key, &written.batches, now).await?;
        for (reason, users) in &written.skipped {
            store::add_reason(&mut tx, key, "skipped", reason, *users).await?;
        }
        execute!(
            tx,
            "update sends set plan_cursor = $3, planning_done = $4, planner_until = $5 \
             where workspace_id = $1 and id = $2",
            &key.workspace_id,
            &key.send_id,
            &chunk.next,
            last,
            now + open::CLAIM
        )?;
        let delta = Delta {
            planned: written.page.users,
            batches: written.new_batches,
            skipped: written.skipped.values().sum(),
            ..Delta::default()
        };
        store::add(&mut tx, key, delta, now).await?;
        wake::tell(&mut tx, News::Batches).await?;
        tx.commit_between(Step::PlanWritten, Step::PlanCommitted).await?;
        self.planned.notify_one();
        Ok(written.new_batches)
    }
}

#[derive(sqlx::FromRow)]
struct Place {
    batch_size: i64,
    planned: i64,
    planning_done: bool,
    plan_cursor: Option<String>,
    batches: i64,
    open_size: Option<i64>,
    last_customer: Option<String>,
}

async fn place(tx: &mut Tx, key: &SendKey) -> sqlx::Result<Place> {
    fetch!(
        tx,
        one,
        Place,
        "select s.batch_size, s.planned, s.planning_done, s.plan_cursor, s.batches, \
         (select size from send_batches b where b.workspace_id = s.workspace_id and b.send_id = s.id \
         and b.batch_no = s.batches - 1 and b.state = 'open') as open_size, \
         (select last_customer from send_pages p where p.workspace_id = s.workspace_id and p.send_id = s.id \
         order by first_seq desc limit 1) as last_customer from sends s where s.workspace_id = $1 and s.id = $2",
        &key.workspace_id,
        &key.send_id
    )
}

/// New batches, and the users that an open one gets besides.
async fn put_batches(tx: &mut Tx, key: &SendKey, batches: &[BatchToPut], now: Millis) -> sqlx::Result<()> {
    crate::bulk!(
        tx,
        execute,
        &bulk::rows(batches)?,
        (batch_no bigint, first_seq bigint, last_seq bigint, size bigint, state text),
        "insert into send_batches (workspace_id, send_id, batch_no, first_seq, last_seq, size, state, run_at) \
         select $2, $3, r.batch_no, r.first_seq, r.last_seq, r.size, r.state, $4 from ",
        " where true on conflict (workspace_id, send_id, batch_no) do update set last_seq = excluded.last_seq, \
         size = send_batches.size + excluded.size, state = excluded.state",
        &key.workspace_id,
        &key.send_id,
        now,
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;
