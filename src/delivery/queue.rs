//! What waits, for metrics and for `/readyz`: a few small questions, each of which a partial index answers, however
//! much has been sent before.
//!
//! Two ages are told apart. How long the oldest batch has been due is how long the queue is: a big send to a slow
//! endpoint has old ones, and all is well. That a webhook has due batches and nothing of it moves is what goes wrong in
//! silence.

use super::{
    SendState,
    batch::{self, Event},
};
use crate::{
    clock::{Millis, SECOND},
    db::Db,
    fetch,
};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// Sends that are looked at, the oldest first: more are sent at a time nowhere.
const SENDS: i64 = 1_000;
/// Breakers that are told.
const BREAKERS: i64 = 500;

/// What could go now: its webhook is enabled and its breaker closed, and nobody has paused it. Times are in ms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// For how long the oldest of these batches has been due.
    pub oldest: Option<Millis>,
    /// The webhook with due batches of which nothing has moved for longest, and for how long.
    pub stuck: Option<(String, Millis)>,
    /// Batches under way, also those whose lease has ended.
    pub leased: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct Waiting {
    webhook_id: String,
    batch_size: i64,
    users_per_second: Option<i64>,
    /// When it began, was resumed or sent again.
    going_since: Millis,
    /// When its webhook was enabled, or changed otherwise.
    updated_at: Millis,
    /// When its oldest due batch became due.
    head: Option<Millis>,
    /// The last second in which something of it ended.
    last_second: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct Leased {
    webhook_id: String,
    batches: i64,
    /// Those whose lease has not ended.
    held: i64,
}

/// The conditions on states are the partial indexes' own, by which SQLite knows that it may use them.
fn waiting() -> String {
    format!(
        "select s.webhook_id, s.batch_size, w.users_per_second, \
         coalesce(s.going_since, s.started_at, 0) as going_since, w.updated_at, \
         (select b.run_at from send_batches b where b.workspace_id = s.workspace_id and b.send_id = s.id \
         and b.{} and b.run_at <= $1 order by b.run_at limit 1) as head, \
         (select max(p.second) from send_series p where p.workspace_id = s.workspace_id and p.send_id = s.id) \
         as last_second \
         from sends s join webhooks w on w.workspace_id = s.workspace_id and w.id = s.webhook_id \
         left join webhook_health h on h.workspace_id = w.workspace_id and h.webhook_id = w.id \
         where s.state in ('scheduled', 'sending') and s.state = 'sending' and s.batches > 0 and w.enabled \
         and (h.state is null or h.state = 'closed') order by s.due_at, s.id limit $2",
        batch::from(Event::Claimed)
    )
}

const LEASED: &str = "select s.webhook_id, count(*) as batches, \
     cast(sum(case when b.lease_until >= $1 then 1 else 0 end) as bigint) as held \
     from send_batches b join sends s on s.workspace_id = b.workspace_id and s.id = b.send_id \
     where b.state = 'leased' group by s.webhook_id";

/// `began`: when this process did; before that it could not send anything.
pub async fn due(db: &Db, began: Millis, now: Millis) -> sqlx::Result<Due> {
    let waiting = fetch!(db, all, Waiting, AssertSqlSafe(waiting()), now, SENDS)?;
    let leased = fetch!(db, all, Leased, LEASED, now)?;
    Ok(judge(&waiting, &leased, began, now))
}

/// Sends of one webhook take turns, so that what moves of one of them speaks for all.
fn judge(waiting: &[Waiting], leased: &[Leased], began: Millis, now: Millis) -> Due {
    let mut moved: HashMap<&str, Millis> = HashMap::new();
    let leases = leased.iter().filter(|one| one.held > 0).map(|one| (one.webhook_id.as_str(), now));
    let ended = |send: &Waiting| {
        send.last_second.map_or(0, |second| second * SECOND).max(send.going_since).max(send.updated_at)
    };
    let sends = waiting.iter().map(|send| (send.webhook_id.as_str(), ended(send)));
    for (webhook, at) in leases.chain(sends) {
        let latest = moved.entry(webhook).or_default();
        *latest = at.max(*latest);
    }
    let still = waiting.iter().filter_map(|send| {
        let since = send.head?.max(began).max(*moved.get(send.webhook_id.as_str())?);
        // By its rate alone a batch is followed by the next after so long.
        let rate = send.users_per_second.filter(|rate| *rate > 0);
        let paced = rate.map_or(0, |rate| send.batch_size * SECOND / rate);
        Some((send.webhook_id.as_str(), now - since - paced)).filter(|(_, still)| *still > 0)
    });
    Due {
        oldest: waiting.iter().filter_map(|send| send.head).min().map(|head| now - head),
        stuck: still.max_by_key(|(_, still)| *still).map(|(webhook, still)| (webhook.to_string(), still)),
        leased: leased.iter().map(|one| one.batches).sum(),
    }
}

/// What there is, besides what is due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sends that wait for their time, are being sent, or missed their time.
    pub scheduled: i64,
    pub sending: i64,
    pub missed: i64,
    /// Users of what is being sent that are planned and wait.
    pub users: i64,
    /// Users whose outcome a crash hid.
    pub unknown: i64,
    /// Webhooks that the engine disabled.
    pub disabled: i64,
    /// Webhooks by the code of their breaker's state, those that are not closed first.
    pub breakers: Vec<(String, String)>,
}

const OPEN: &str = "select state, count(*), cast(sum(planned - accepted - failed - skipped - unknown) as bigint) \
     from sends where state in ('scheduled', 'sending') group by state";
const MISSED: &str = "select count(*) from sends where state = 'missed'";
const UNKNOWN: &str = "select cast(coalesce(sum(unknown), 0) as bigint) from sends where unknown > 0";
/// There are few webhooks.
const DISABLED: &str = "select count(*) from webhooks where disabled_because <> ''";

pub async fn counts(db: &Db) -> sqlx::Result<Counts> {
    let open = fetch!(db, all, (String, i64, i64), OPEN)?;
    let of = |state: SendState| open.iter().find(|(code, ..)| code == state.code());
    let (missed,) = fetch!(db, one, (i64,), MISSED)?;
    let (unknown,) = fetch!(db, one, (i64,), UNKNOWN)?;
    let (disabled,) = fetch!(db, one, (i64,), DISABLED)?;
    let breakers = fetch!(
        db,
        all,
        (String, String),
        "select webhook_id, state from webhook_health \
         order by case state when 'closed' then 1 else 0 end, webhook_id limit $1",
        BREAKERS
    )?;
    Ok(Counts {
        scheduled: of(SendState::Scheduled).map_or(0, |(_, sends, _)| *sends),
        sending: of(SendState::Sending).map_or(0, |(_, sends, _)| *sends),
        users: of(SendState::Sending).map_or(0, |(.., users)| *users),
        missed,
        unknown,
        disabled,
        breakers,
    })
}

#[cfg(test)]
mod tests;
