//! Claiming: a batch that is due becomes leased, and its attempt is on disk, before its POST.

use super::{
    batch::{self, BatchState, Event, Was},
    ids::SendKey,
    store::{self, Delta},
};
use crate::{
    clock::Millis,
    db::{Tx, bulk, from_json},
    fetch,
    steps::{self, Step},
};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A batch in hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Shared by those of a round.
    pub key: Arc<SendKey>,
    pub batch_no: i64,
    pub first_seq: i64,
    pub last_seq: i64,
    pub size: i64,
    /// Only grows; what is recorded of the batch must carry it.
    pub lease_no: i64,
    pub lease_until: Millis,
    /// The number of this attempt, from 1.
    pub attempt: i64,
    /// The tries of the present budget, this one included.
    pub tries: i64,
    /// When this attempt began.
    pub started_at: Millis,
    /// The time of the first attempt: `send_time` on every one.
    pub sent_at: Millis,
    pub before: Before,
}

/// What a batch was when it was claimed, and is again when no POST is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    /// It has never been POSTed.
    Pending,
    /// It has, and why that was not the end of it.
    Retry(String),
    /// A crash hid the outcome of an attempt.
    Unknown,
}

impl Before {
    pub fn was(&self) -> Was {
        match self {
            Self::Pending => Was::Pending,
            Self::Retry(_) => Was::Retry,
            Self::Unknown => Was::Unknown,
        }
    }
}

/// The numbers of a send's batches, and of their leases.
type Held = HashMap<Arc<SendKey>, HashSet<(i64, i64)>>;

/// The batches that this process holds, by the numbers of their leases: however late, their results will come.
#[derive(Clone, Debug, Default)]
pub struct InHand(Arc<Mutex<Held>>);

impl InHand {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn take(&self, claim: &Claim) {
        self.held().entry(claim.key.clone()).or_default().insert((claim.batch_no, claim.lease_no));
    }

    pub fn give_back(&self, claim: &Claim) {
        let mut held = self.held();
        let Some(of_send) = held.get_mut(&claim.key) else { return };
        of_send.remove(&(claim.batch_no, claim.lease_no));
        if of_send.is_empty() {
            held.remove(&claim.key);
        }
    }

    pub fn has(&self, key: &SendKey, batch_no: i64, lease_no: i64) -> bool {
        self.held().get(key).is_some_and(|held| held.contains(&(batch_no, lease_no)))
    }

    pub fn len(&self) -> usize {
        self.held().values().map(HashSet::len).sum()
    }
}

/// From when, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    pub now: Millis,
    pub until: Millis,
}

/// As [`due`] reads it.
#[derive(Deserialize)]
struct Due {
    batch_no: i64,
    first_seq: i64,
    last_seq: i64,
    size: i64,
    state: String,
    attempts: i64,
    tries: i64,
    lease_no: i64,
    sent_at: Option<i64>,
    reason: Option<String>,
}

/// Batches that follow each other.
#[derive(Serialize)]
struct Run<'a> {
    workspace_id: &'a str,
    send_id: &'a str,
    first: i64,
    last: i64,
}

/// At most `most` batches of a send whose row the caller holds and which is being sent.
pub async fn due(tx: &mut Tx, key: &SendKey, most: usize, lease: Lease) -> sqlx::Result<Vec<Claim>> {
    // As one text: a row for each would cost more than to find it.
    let (array, skip) = match tx {
        Tx::Sqlite(_) => ("json_array", ""),
        Tx::Postgres(_) => ("json_build_array", " for update skip locked"),
    };
    let joined = match tx {
        Tx::Sqlite(_) => "group_concat(line, ',')",
        Tx::Postgres(_) => "string_agg(line, ',')",
    };
    let sql = format!(
        "select coalesce({joined}, '') from (select cast({array}(batch_no, first_seq, last_seq, size, state, \
         attempts, tries, lease_no, sent_at, reason) as text) as line from send_batches \
         where workspace_id = $1 and send_id = $2 and {} and run_at <= $3 \
         order by run_at, batch_no limit $4{skip}) as found",
        batch::from(Event::Claimed)
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let (lines,) = fetch!(tx, one, (String,), AssertSqlSafe(sql), &key.workspace_id, &key.send_id, lease.now, most)?;
    let found: Vec<Due> = from_json(&format!("[{lines}]"))?;
    let shared = Arc::new(key.clone());
    let claims: Vec<Claim> = found
        .into_iter()
        .map(|due| Claim {
            key: shared.clone(),
            batch_no: due.batch_no,
            first_seq: due.first_seq,
            last_seq: due.last_seq,
            size: due.size,
            lease_no: due.lease_no + 1,
            lease_until: lease.until,
            attempt: due.attempts + 1,
            tries: due.tries + 1,
            started_at: lease.now,
            sent_at: due.sent_at.unwrap_or(lease.now),
            before: match BatchState::from_code(&due.state) {
                Some(BatchState::Unknown) => Before::Unknown,
                Some(BatchState::Retry) => Before::Retry(due.reason.unwrap_or_default()),
                _ => Before::Pending,
            },
        })
        .collect();
    let unknown: i64 = claims.iter().filter(|claim| claim.before == Before::Unknown).map(|claim| claim.size).sum();
    if unknown > 0 {
        store::add(tx, key, Delta { unknown: -unknown, ..Delta::default() }, lease.now).await?;
    }
    Ok(claims)
}

/// Writes the claims of a round: the leases and that their attempts have begun. The caller holds the rows of the sends
/// since [`due`] has found them, so that they are what they were.
pub async fn write(tx: &mut Tx, claims: impl Iterator<Item = &Claim>, lease: Lease) -> sqlx::Result<()> {
    let mut claims: Vec<(&SendKey, i64)> = claims.map(|claim| (&*claim.key, claim.batch_no)).collect();
    claims.sort_unstable();
    let runs: Vec<Run> = claims
        .chunk_by(|one, next| one.0 == next.0 && one.1 + 1 == next.1)
        .filter_map(|run| {
            let ((key, first), (_, last)) = (run.first()?, run.last()?);
            Some(Run { workspace_id: &key.workspace_id, send_id: &key.send_id, first: *first, last: *last })
        })
        .collect();
    if runs.is_empty() {
        return Ok(());
    }
    crate::bulk!(
        tx,
        execute,
        &bulk::rows(&runs)?,
        (workspace_id text, send_id text, first bigint, last bigint),
        "update send_batches set state = $4, lease_no = lease_no + 1, lease_until = $2, attempts = attempts + 1, \
         tries = tries + 1, started_at = $3, sent_at = coalesce(sent_at, $3) from ",
        " where send_batches.workspace_id = r.workspace_id and send_batches.send_id = r.send_id \
         and send_batches.batch_no between r.first and r.last",
        lease.until,
        lease.now,
        BatchState::Leased.code(),
    )?;
    steps::at(Step::ClaimWritten);
    Ok(())
}
