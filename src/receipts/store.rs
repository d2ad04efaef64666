//! Keeping receipts: every one that was taken, the latest status of each user, and those that could not be placed.

use super::model::Problem;
use crate::{
    clock::Millis,
    db::{Db, Tx, bulk},
    delivery::{ids::SendKey, store as sends},
    fetch,
    steps::Step,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

/// Of each webhook, and those that came in one moment with the last of them.
const PROBLEMS_KEPT: i64 = 1_000;

/// A receipt whose request has passed its signature.
#[derive(Clone, Debug)]
pub struct ToTake {
    pub webhook_id: String,
    pub workspace_id: String,
    /// What is known to be wrong with it already.
    pub problem: Option<String>,
    pub send_id: String,
    pub seq: i64,
    pub msg_id: String,
    pub status: String,
    pub sent_at: Millis,
    /// As it was posted, for the log.
    pub text: String,
}

/// `Err` is why it was only logged.
pub type Taken = Result<(), String>;

#[derive(Serialize)]
struct Row<'a> {
    place: usize,
    workspace_id: &'a str,
    send_id: &'a str,
    seq: i64,
    msg_id: &'a str,
    status: &'a str,
    sent_at: Millis,
}

#[derive(sqlx::FromRow)]
struct Known {
    place: i64,
    webhook_id: String,
    receipts_until: Option<i64>,
    sent: bool,
    status: Option<String>,
    sent_at: Option<i64>,
    received_at: Option<i64>,
    msg_id: Option<String>,
}

/// Of several receipts of one user the first in this order is the user's status: the latest by its own time, of equal
/// ones that which came first. Lists ask for the same order in SQL (`delivery::report`).
type Rank<'a> = (Reverse<Millis>, Millis, &'a str, &'a str);

impl Row<'_> {
    fn rank(&self, received_at: Millis) -> Rank<'_> {
        (Reverse(self.sent_at), received_at, self.msg_id, self.status)
    }
}

impl Known {
    fn rank(&self) -> Option<Rank<'_>> {
        Some((Reverse(self.sent_at?), self.received_at?, self.msg_id.as_deref()?, self.status.as_deref()?))
    }
}

/// One transaction. The same receipt twice changes nothing; the latest by its time is the user's status.
pub async fn take(db: &Db, receipts: &[ToTake], now: Millis) -> sqlx::Result<Vec<Taken>> {
    let keys: BTreeSet<SendKey> = receipts
        .iter()
        .filter(|receipt| receipt.problem.is_none())
        .map(|receipt| SendKey::new(&receipt.workspace_id, &receipt.send_id))
        .collect();
    let mut tx = db.begin().await?;
    tx.by_index().await?;
    for key in &keys {
        sends::lock(&mut tx, key).await?;
    }
    let known = known(&mut tx, receipts).await?;
    let taken: Vec<Taken> = receipts
        .iter()
        .enumerate()
        .map(|(place, receipt)| match &receipt.problem {
            Some(problem) => Err(problem.clone()),
            None => judge(receipt, known.get(&place), now),
        })
        .collect();
    let good: Vec<Row> = rows(receipts).filter(|row| taken[row.place].is_ok()).collect();
    if !good.is_empty() {
        insert(&mut tx, &good, now).await?;
        count_latest(&mut tx, &good, &known, now).await?;
    }
    log_problems(&mut tx, receipts, &taken, now).await?;
    tx.commit_between(Step::ReceiptsWritten, Step::ReceiptsCommitted).await?;
    let bad = taken.iter().filter(|taken| taken.is_err()).count();
    metrics::counter!("reachwire_receipts_total", "result" => "taken").increment((taken.len() - bad) as u64);
    metrics::counter!("reachwire_receipts_total", "result" => "problem").increment(bad as u64);
    Ok(taken)
}

fn rows(receipts: &[ToTake]) -> impl Iterator<Item = Row<'_>> {
    receipts.iter().enumerate().map(|(place, receipt)| Row {
        place,
        workspace_id: &receipt.workspace_id,
        send_id: &receipt.send_id,
        seq: receipt.seq,
        msg_id: &receipt.msg_id,
        status: &receipt.status,
        sent_at: receipt.sent_at,
    })
}

async fn known(tx: &mut Tx, receipts: &[ToTake]) -> sqlx::Result<HashMap<usize, Known>> {
    let asked: Vec<Row> = rows(receipts).filter(|row| receipts[row.place].problem.is_none()).collect();
    let found = crate::bulk!(
        tx,
        fetch Known,
        &bulk::rows(&asked)?,
        (place bigint, workspace_id text, send_id text, seq bigint),
        "select place, webhook_id, receipts_until, sent, status, sent_at, received_at, msg_id from (\
         select r.place, s.webhook_id, s.receipts_until, (p.first_batch is not null and r.seq < p.first_seq + p.users \
         and p.skips not like '%,' || cast(r.seq as text) || ',%') as sent, x.status, x.sent_at, x.received_at, \
         x.msg_id, row_number() over (partition by r.place order by x.sent_at desc, x.received_at, x.msg_id, x.status) \
         as nth from ",
        " join sends s on s.workspace_id = r.workspace_id and s.id = r.send_id \
         join send_pages p on p.workspace_id = r.workspace_id and p.send_id = r.send_id and p.first_seq = \
         (select max(q.first_seq) from send_pages q where q.workspace_id = r.workspace_id and q.send_id = r.send_id \
         and q.first_seq <= r.seq) \
         left join receipts x on x.workspace_id = r.workspace_id and x.send_id = r.send_id and x.seq = r.seq) as ranked \
         where nth = 1",
    )?;
    Ok(found.into_iter().filter_map(|known| Some((usize::try_from(known.place).ok()?, known))).collect())
}

fn judge(receipt: &ToTake, known: Option<&Known>, now: Millis) -> Taken {
    match known {
        Some(known) if known.sent && known.webhook_id == receipt.webhook_id => match known.receipts_until {
            None => Err("the webhook takes no receipts".into()),
            Some(until) if until < now => Err("the retention period is over".into()),
            Some(_) => Ok(()),
        },
        _ => Err("unknown actionId".into()),
    }
}

async fn insert(tx: &mut Tx, good: &[Row<'_>], now: Millis) -> sqlx::Result<()> {
    crate::bulk!(
        tx,
        execute,
        &bulk::rows(good)?,
        (workspace_id text, send_id text, seq bigint, msg_id text, status text, sent_at bigint),
        "insert into receipts (workspace_id, send_id, seq, msg_id, status, sent_at, received_at) \
         select r.workspace_id, r.send_id, r.seq, r.msg_id, r.status, r.sent_at, $2 from ",
        " where true on conflict do nothing",
        now,
    )?;
    Ok(())
}

/// How many users have which status now.
async fn count_latest(tx: &mut Tx, good: &[Row<'_>], known: &HashMap<usize, Known>, now: Millis) -> sqlx::Result<()> {
    let mut latest: BTreeMap<(&str, &str, i64), &Row> = BTreeMap::new();
    for row in good {
        let before = known.get(&row.place).and_then(Known::rank);
        if before.is_some_and(|before| before <= row.rank(now)) {
            continue;
        }
        let newest = latest.entry((row.workspace_id, row.send_id, row.seq)).or_insert(row);
        if row.rank(now) < newest.rank(now) {
            *newest = row;
        }
    }
    let mut counts: BTreeMap<(&str, &str, &str), i64> = BTreeMap::new();
    for row in latest.into_values() {
        *counts.entry((row.workspace_id, row.send_id, row.status)).or_default() += 1;
        if let Some(before) = known.get(&row.place).and_then(|known| known.status.as_deref()) {
            *counts.entry((row.workspace_id, row.send_id, before)).or_default() -= 1;
        }
    }
    for ((workspace_id, send_id, status), users) in counts {
        crate::execute!(
            tx,
            "insert into receipt_counts (workspace_id, send_id, status, users) values ($1, $2, $3, $4) \
             on conflict (workspace_id, send_id, status) do update set users = receipt_counts.users + excluded.users",
            workspace_id,
            send_id,
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
    receipt: &'a str,
}

/// The same problem again changes nothing: its id is made of it.
async fn log_problems(tx: &mut Tx, receipts: &[ToTake], taken: &[Taken], now: Millis) -> sqlx::Result<()> {
    let problems: Vec<ProblemRow> = receipts
        .iter()
        .zip(taken)
        .filter_map(|(receipt, taken)| {
            let reason = taken.as_ref().err()?;
            let (workspace_id, webhook_id) = (&receipt.workspace_id, &receipt.webhook_id);
            let id = hex::encode(&Sha256::digest(format!("{reason}\n{}", receipt.text))[..16]);
            Some(ProblemRow { workspace_id, webhook_id, id, reason, receipt: &receipt.text })
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
