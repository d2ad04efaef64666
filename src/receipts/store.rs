//! Keeping receipts: every one that was taken, the latest status of each user, and those that could not be placed.

use super::{known::Known, model::Problem, rank::Rank};
use crate::{
    clock::Millis,
    db::{Db, Tx, bulk},
    delivery::{ids::SendKey, store as sends},
    fetch,
    steps::Step,
    wire::receipt::Receipt,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
};

/// Of each webhook, and those that came in one moment with the last of them.
const PROBLEMS_KEPT: i64 = 1_000;

/// A receipt whose request has passed its signature.
#[derive(Clone, Debug)]
pub struct ToTake {
    pub workspace_id: String,
    /// What is known to be wrong with it already.
    pub problem: Option<String>,
    pub send_id: String,
    pub seq: i64,
    pub sent_at: Millis,
    /// As it was posted, for the log.
    pub receipt: Receipt,
}

impl ToTake {
    fn row(&self) -> Row<'_> {
        let (msg_id, status) = (clean(&self.receipt.msg_id), clean(&self.receipt.status));
        Row { seq: self.seq, msg_id, status, sent_at: self.sent_at }
    }
}

/// PostgreSQL keeps no NUL, and one receipt must not spoil a transaction.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// `Err` is why it was only logged.
pub type Taken = Result<(), String>;

#[derive(Serialize)]
struct Row<'a> {
    seq: i64,
    msg_id: Cow<'a, str>,
    status: Cow<'a, str>,
    sent_at: Millis,
}

impl Row<'_> {
    fn rank(&self, received_at: Millis) -> Rank<'_> {
        let (msg_id, status) = (self.msg_id.as_ref().into(), self.status.as_ref().into());
        Rank::new(self.sent_at, received_at, msg_id, status)
    }
}

/// One transaction. The same receipt twice changes nothing; the latest by its time is the user's status.
pub async fn take(db: &Db, receipts: &[ToTake], now: Millis) -> sqlx::Result<Vec<Taken>> {
    let mut taken: Vec<Taken> = receipts.iter().map(|receipt| receipt.problem.clone().map_or(Ok(()), Err)).collect();
    let mut sends: BTreeMap<SendKey, Vec<usize>> = BTreeMap::new();
    for (place, receipt) in receipts.iter().enumerate().filter(|(_, receipt)| receipt.problem.is_none()) {
        sends.entry(SendKey::new(&receipt.workspace_id, &receipt.send_id)).or_default().push(place);
    }
    let mut tx = db.begin().await?;
    tx.by_index().await?;
    // In the order of their keys: who takes others' too must not wait for one who waits for him.
    for (key, places) in sends {
        take_of_send(&mut tx, &key, receipts, places, &mut taken, now).await?;
    }
    log_problems(&mut tx, receipts, &taken, now).await?;
    tx.commit_between(Step::ReceiptsWritten, Step::ReceiptsCommitted).await?;
    let bad = taken.iter().filter(|taken| taken.is_err()).count();
    metrics::counter!("reachwire_receipts_total", "result" => "taken").increment((taken.len() - bad) as u64);
    metrics::counter!("reachwire_receipts_total", "result" => "problem").increment(bad as u64);
    Ok(taken)
}

/// Those of one send, at their `places`.
async fn take_of_send(
    tx: &mut Tx,
    key: &SendKey,
    receipts: &[ToTake],
    mut places: Vec<usize>,
    taken: &mut [Taken],
    now: Millis,
) -> sqlx::Result<()> {
    sends::lock(tx, key).await?;
    let send = "select webhook_id, receipts_until from sends where workspace_id = $1 and id = $2";
    let send = fetch!(tx, optional, (String, Option<Millis>), send, &key.workspace_id, &key.send_id)?;
    // In the order in which they are kept.
    places.sort_unstable_by_key(|place| receipts[*place].seq);
    let seqs: Vec<i64> = places.iter().map(|place| receipts[*place].seq).collect();
    let known = Known::read(tx, key, &seqs).await?;
    places.retain(|place| {
        let receipt = &receipts[*place];
        let judged = match &send {
            Some((webhook, until))
                if *webhook == receipt.receipt.callback_params.webhook_id && known.is_sent_to(receipt.seq) =>
            {
                match until {
                    None => Err("the webhook takes no receipts".into()),
                    Some(until) if *until < now => Err("the retention period is over".into()),
                    Some(_) => Ok(()),
                }
            }
            _ => Err("unknown actionId".into()),
        };
        let good = judged.is_ok();
        taken[*place] = judged;
        good
    });
    if places.is_empty() {
        return Ok(());
    }
    let good: Vec<Row> = places.iter().map(|place| receipts[*place].row()).collect();
    crate::bulk!(
        tx,
        execute,
        &bulk::rows(&good)?,
        (seq bigint, msg_id text, status text, sent_at bigint),
        "insert into receipts (workspace_id, send_id, seq, msg_id, status, sent_at, received_at) \
         select $2, $3, r.seq, r.msg_id, r.status, r.sent_at, $4 from ",
        " where true on conflict do nothing",
        &key.workspace_id,
        &key.send_id,
        now,
    )?;
    count_latest(tx, key, &good, &known, now).await
}

/// How many users have which status now.
async fn count_latest(tx: &mut Tx, key: &SendKey, good: &[Row<'_>], known: &Known, now: Millis) -> sqlx::Result<()> {
    let mut latest: HashMap<i64, Rank> = HashMap::new();
    for row in good {
        let rank = row.rank(now);
        if known.rank(row.seq).is_none_or(|before| rank < *before) {
            rank.keep_first(&mut latest, row.seq);
        }
    }
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for (seq, rank) in &latest {
        *counts.entry(&rank.status).or_default() += 1;
        if let Some(before) = known.rank(*seq) {
            *counts.entry(&before.status).or_default() -= 1;
        }
    }
    for (status, users) in counts {
        crate::execute!(
            tx,
            "insert into receipt_counts (workspace_id, send_id, status, users) values ($1, $2, $3, $4) \
             on conflict (workspace_id, send_id, status) do update set users = receipt_counts.users + excluded.users",
            &key.workspace_id,
            &key.send_id,
            status,
            users
        )?;
    }
    Ok(())
}

#[derive(Serialize)]
struct ProblemRow<'a> {
    workspace_id: &'a str,
    webhook_id: &'a str,
    id: String,
    reason: &'a str,
    /// In JSON a NUL is written as an escape, which is text like any other.
    receipt: String,
}

/// The same problem again changes nothing: its id is made of it.
async fn log_problems(tx: &mut Tx, receipts: &[ToTake], taken: &[Taken], now: Millis) -> sqlx::Result<()> {
    let problems: Vec<ProblemRow> = receipts
        .iter()
        .zip(taken)
        .filter_map(|(receipt, taken)| {
            let reason = taken.as_ref().err()?;
            let (workspace_id, webhook_id) = (&receipt.workspace_id, &receipt.receipt.callback_params.webhook_id);
            let receipt = serde_json::to_string(&receipt.receipt).unwrap_or_default();
            let id = hex::encode(&Sha256::digest(format!("{reason}\n{receipt}"))[..16]);
            Some(ProblemRow { workspace_id, webhook_id, id, reason, receipt })
        })
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    crate::bulk!(
        tx,
        execute,
        &bulk::rows(&problems)?,
        (workspace_id text, webhook_id text, id text, reason text, receipt text),
        "insert into receipt_problems (workspace_id, webhook_id, id, received_at, reason, receipt) \
         select r.workspace_id, r.webhook_id, r.id, $2, r.reason, r.receipt from ",
        " where true on conflict do nothing",
        now,
    )?;
    // Anybody may post receipts for a webhook without authentication: the log must not grow for ever.
    for (workspace_id, webhook_id) in
        problems.iter().map(|row| (row.workspace_id, row.webhook_id)).collect::<BTreeSet<_>>()
    {
        crate::execute!(
            tx,
            "delete from receipt_problems where workspace_id = $1 and webhook_id = $2 and received_at < (
                 select received_at from receipt_problems where workspace_id = $1 and webhook_id = $2
                 order by received_at desc limit 1 offset $3)",
            workspace_id,
            webhook_id,
            PROBLEMS_KEPT
        )?;
    }
    Ok(())
}

/// How many of the problems that are kept are about a send: their receipts name it.
pub async fn not_taken(db: &Db, workspace_id: &str, send_id: &str) -> sqlx::Result<i64> {
    let (problems,) = fetch!(
        db,
        one,
        (i64,),
        "select count(*) from sends s join receipt_problems p \
         on p.workspace_id = s.workspace_id and p.webhook_id = s.webhook_id \
         where s.workspace_id = $1 and s.id = $2 and p.receipt like $3",
        workspace_id,
        send_id,
        format!("%\"{send_id}-%")
    )?;
    Ok(problems)
}

/// The latest problems of a webhook's receipts.
pub async fn problems(db: &Db, workspace_id: &str, webhook_id: &str, limit: i64) -> sqlx::Result<Vec<Problem>> {
    fetch!(
        db,
        all,
        Problem,
        "select id, received_at, reason, receipt from receipt_problems \
         where workspace_id = $1 and webhook_id = $2 order by received_at desc, id limit $3",
        workspace_id,
        webhook_id,
        limit
    )
}
