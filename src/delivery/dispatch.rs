//! The dispatcher: one loop, one transaction each round. A round records what has ended since the last one and claims
//! what there is room for, so that many results share one commit, and a claim costs none of its own.

use super::{
    SendState,
    batch::{self, Event},
    breaker::{
        self,
        round::{Breakers, Hook},
    },
    claim::{self, Claim, InHand, Lease},
    context::{Context, ContextError, Contexts},
    control,
    courier::Courier,
    doubt::{self, Doubt, Round},
    ids::SendKey,
    limits::{Limits, OpenSend},
    nodes::Membership,
    overdue, rate,
    record::{self, End, Finished, RetryPolicy},
    recover, store,
    supervise::{Loop, Pulse, Stopping},
    wake::{self, News},
};
use crate::{
    clock::{Clock, Millis},
    db::{Db, Tx},
    fetch,
    secrets::MasterKey,
    steps::{self, Step},
};
use sqlx::AssertSqlSafe;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::{Mutex, Notify, mpsc};

/// What a round has written may be due again: so soon it is looked at, in ms.
const AFTERWARDS: Millis = 100;

/// It outlives a dead loop: nothing that ended is forgotten.
pub struct Dispatcher {
    pub db: Db,
    pub clock: Clock,
    pub master_key: MasterKey,
    pub lease: Millis,
    pub policy: RetryPolicy,
    pub breaker: breaker::Policy,
    pub courier: Courier,
    pub wake: Arc<Notify>,
    pub limits: Limits,
    pub members: Membership,
    pub contexts: Contexts,
    pub results: mpsc::UnboundedReceiver<Finished>,
    /// Ended and not yet recorded.
    pub ended: Vec<Finished>,
    /// This node's id, and the number of its last round.
    pub node: String,
    pub rounds: i64,
    /// Whether the last round is on disk is not known.
    pub doubt: Option<Doubt>,
    /// Claimed and not yet recorded.
    pub in_hand: InHand,
    /// After so many hours a send is given up.
    pub give_up_hours: i64,
    /// What another process of this SQLite file left leased has been taken back, and what is too old given up.
    pub recovered: bool,
}

/// When to look again.
enum Next {
    Event,
    /// Or after so many ms.
    Within(Millis),
}

/// A send that may claim.
struct Wanted {
    key: SendKey,
    context: Arc<Context>,
    most: usize,
    /// Users per second, if there is a limit; and users in a batch.
    rate: Option<i64>,
    batch_size: i64,
    /// The breaker is not closed: at most one, to see.
    probe: bool,
}

impl Wanted {
    fn hook(&self) -> Hook {
        Hook { workspace_id: self.key.workspace_id.clone(), webhook_id: self.context.common.webhook_id.clone() }
    }
}

impl Loop for Mutex<Dispatcher> {
    const NAME: &'static str = "dispatch";

    async fn run(&self, pulse: &Pulse, stopping: &Stopping) -> sqlx::Result<()> {
        self.lock().await.run(pulse, stopping).await
    }
}

impl Dispatcher {
    /// Until a stop was asked for and everything in hand is recorded.
    async fn run(&mut self, pulse: &Pulse, stopping: &Stopping) -> sqlx::Result<()> {
        if !self.recovered && self.db.is_sqlite() {
            // One process per file: every lease is a dead one's.
            recover::expired(&self.db, &self.in_hand, Millis::MAX, self.clock.now()).await?;
        }
        if !self.recovered {
            // What became too old while nothing ran must not go out first.
            while overdue::give_up(&self.db, self.give_up_hours, self.clock.now()).await? > 0 {}
        }
        self.recovered = true;
        loop {
            self.collect();
            let next = self.round(stopping.asked()).await?;
            pulse.beat();
            let done = self.limits.in_hand() == 0 && self.ended.is_empty() && self.doubt.is_none();
            if stopping.asked() && done {
                return Ok(());
            }
            let poll = match next {
                Next::Event => wake::poll(&self.db),
                Next::Within(ms) => wake::poll(&self.db).min(Duration::from_millis(ms.max(1).unsigned_abs())),
            };
            tokio::select! {
                biased;
                Some(finished) = self.results.recv() => self.take(finished),
                () = self.wake.notified() => {}
                () = tokio::time::sleep(poll) => {}
            }
        }
    }

    fn collect(&mut self) {
        while let Ok(finished) = self.results.try_recv() {
            self.take(finished);
        }
    }

    fn take(&mut self, finished: Finished) {
        let posted = !matches!(finished.end, End::Released(_));
        let accepted = finished.end == End::Accepted;
        self.limits.give_back(&finished.webhook_id, posted.then_some((finished.duration_ms, accepted)));
        self.ended.push(finished);
    }

    async fn round(&mut self, stopping: bool) -> sqlx::Result<Next> {
        self.make_sure().await?;
        let now = self.clock.now();
        let view = self.members.view();
        self.limits.share_among(view.clone());
        let poll = i64::try_from(wake::poll(&self.db).as_millis()).unwrap_or(i64::MAX);
        let mut open = if stopping { Vec::new() } else { open_sends(&self.db, now, now + poll).await? };
        if !stopping {
            self.contexts.keep(&open);
        }
        let later = open.iter().map(|send| send.due_at - now).filter(|wait| *wait > 0).min();
        open.retain(|send| send.due_at <= now);
        let (shares, wait) = self.limits.shares(&open, now);
        if self.limits.is_settled() {
            self.members.settle(&view);
        }
        let wait = wait.into_iter().chain(later).min();
        let wanted = self.with_contexts(shares).await?;
        if self.ended.is_empty() && wanted.is_empty() {
            return Ok(wait.map_or(Next::Event, Next::Within));
        }
        let began = self.courier.traced.begin();
        let mut tx = self.db.begin().await?;
        // The transaction may have waited for its turn.
        let now = self.clock.now();
        let lease = Lease { now, until: now + self.lease };
        tx.by_index().await?;
        let states = lock_all(&mut tx, &self.ended, &wanted).await?;
        let probed = wanted.iter().filter(|want| want.probe).map(Wanted::hook);
        let mut breakers = Breakers::take(&mut tx, self.breaker, &self.ended, probed).await?;
        let rated = wanted.iter().filter_map(|want| Some((want.hook(), want.rate?))).collect();
        let mut rates = rate::take(&mut tx, &rated, now).await?;
        let stale = record::many(&mut tx, &self.ended, &states, self.policy, now, rand::random).await?;
        let mut claims: Vec<(Arc<Context>, Vec<Claim>)> = Vec::new();
        breakers.hear(&self.ended, now);
        for want in wanted {
            let hook = want.hook();
            let most = breakers.most(&hook, want.most, now).map(|most| if want.probe { most.min(1) } else { most });
            let mut rate = rates.get_mut(&hook);
            let by_rate = rate.as_ref().map_or(usize::MAX, |rate| rate.batches(want.batch_size, now));
            if let (Some(SendState::Sending), Some(most @ 1..)) =
                (states.get(&want.key), most.map(|most| most.min(by_rate)))
            {
                let due = claim::due(&mut tx, &want.key, most, lease).await?;
                if let Some(rate) = &mut rate {
                    rate.spend(due.iter().map(|claim| claim.size).sum(), now);
                }
                if !due.is_empty() {
                    breakers.claimed(&hook, lease.until, now);
                }
                claims.push((want.context, due));
            }
        }
        claim::write(&mut tx, claims.iter().flat_map(|(_, claims)| claims), lease).await?;
        rate::write(&mut tx, &rates).await?;
        let turns = breakers.write(&mut tx, now).await?;
        let turned = turns.iter().any(|(_, turn)| *turn != breaker::Turn::Same);
        if turned {
            wake::tell(&mut tx, News::Changed).await?;
        }
        let number = doubt::number(&mut tx, &self.node, &mut self.rounds).await?;
        let afterwards = (!self.ended.is_empty()).then_some(AFTERWARDS);
        let round = Round { recorded: self.ended.len(), stale, turns };
        if let Err(error) = tx.commit().await {
            let doubt = number.map(|number| Doubt::new(number, round, claims));
            // If its claims are on disk, nobody is to take them back as lost.
            doubt.iter().flat_map(|doubt| &doubt.claimed).for_each(|claimed| self.in_hand.take(&claimed.claim));
            self.doubt = doubt;
            return Err(error);
        }
        let closed = self.is_on_disk(round);
        for (context, claims) in claims {
            let doors =
                claims.iter().filter_map(|claim| self.limits.take(&context.common.webhook_id, claim.size)).last();
            if let Some(doors) = doors {
                claims.iter().for_each(|claim| self.in_hand.take(claim));
                self.courier.traced.claimed(&claims, began);
                steps::at(Step::ClaimCommitted);
                self.courier.spawn(context, claims, doors);
            }
        }
        for (hook, rate) in rates {
            self.limits.learn(&hook.webhook_id, rate);
        }
        metrics::gauge!("reachwire_batches_in_hand").set(self.limits.in_hand() as f64);
        let wait = if closed { Some(0) } else { wait.into_iter().chain(afterwards).min() };
        Ok(wait.map_or(Next::Event, Next::Within))
    }

    /// Finds out what became of a round whose commit was not answered.
    async fn make_sure(&mut self) -> sqlx::Result<()> {
        let on_disk = match &self.doubt {
            Some(doubt) => doubt.is_on_disk(&self.db, &self.node).await?,
            None => return Ok(()),
        };
        let Some(doubt) = self.doubt.take() else { return Ok(()) };
        tracing::info!(on_disk, claimed = doubt.claimed.len(), "what became of a round whose commit was not answered");
        if on_disk {
            self.is_on_disk(doubt.round);
            self.ended.extend(doubt.claimed);
        } else {
            doubt.claimed.iter().for_each(|claimed| self.in_hand.give_back(&claimed.claim));
        }
        Ok(())
    }

    /// What follows when a round is on disk. Whether a breaker was closed.
    fn is_on_disk(&mut self, Round { recorded, stale, turns }: Round) -> bool {
        if turns.iter().any(|(_, turn)| *turn != breaker::Turn::Same) {
            self.courier.changes.add();
        }
        let closed = breaker::round::tell(&turns);
        let recorded: Vec<Finished> = self.ended.drain(..recorded).collect();
        count(&recorded, stale);
        self.courier.traced.recorded(&recorded);
        for finished in recorded {
            self.in_hand.give_back(&finished.claim);
            steps::at(Step::RecordCommitted);
        }
        closed
    }

    /// The sends that may claim, with what their messages have in common. One that has become unusable is given up.
    async fn with_contexts(&mut self, shares: Vec<(&OpenSend, usize)>) -> sqlx::Result<Vec<Wanted>> {
        let mut wanted = Vec::with_capacity(shares.len());
        for (send, share) in shares {
            let key = SendKey::new(&send.workspace_id, &send.id);
            let found = self.contexts.get(&self.db, &self.master_key, &self.courier.poster, &key, send.version).await;
            match found {
                Ok(context) => wanted.push(Wanted {
                    key,
                    context,
                    most: share,
                    rate: send.rate(),
                    batch_size: send.batch_size,
                    probe: send.probe,
                }),
                Err(ContextError::Sql(sqlx::Error::RowNotFound)) => {}
                Err(ContextError::Sql(error)) => return Err(error),
                Err(ContextError::Unusable(reason)) => {
                    let mut tx = self.db.begin().await?;
                    if store::lock(&mut tx, &key).await? == Some(SendState::Sending) {
                        control::fail(&mut tx, &key, &reason, self.clock.now()).await?;
                    }
                    tx.commit().await?;
                }
            }
        }
        Ok(wanted)
    }
}

/// Those with something to claim until `before`, and from when on, but for webhooks whose breaker lets nothing through
/// until then. The conditions on states are the partial indexes' own, by which SQLite knows that it may use them.
async fn open_sends(db: &Db, now: Millis, before: Millis) -> sqlx::Result<Vec<OpenSend>> {
    let sql = format!(
        "select * from (select s.workspace_id, s.id, s.webhook_id, s.batch_size, w.version, w.concurrency, \
         w.users_per_second, coalesce(h.state, 'closed') <> 'closed' as probe, s.due_at as sent_from, \
         (select case when coalesce(h.state, 'closed') <> 'closed' and h.open_until > b.run_at then h.open_until \
         else b.run_at end from send_batches b where b.workspace_id = s.workspace_id and b.send_id = s.id \
         and b.{} order by b.run_at limit 1) as due_at from sends s join webhooks w on w.workspace_id = s.workspace_id and w.id = s.webhook_id \
         left join webhook_health h on h.workspace_id = w.workspace_id and h.webhook_id = w.id \
         where s.state in ('scheduled', 'sending') and s.state = 'sending' and s.batches > 0 and w.enabled \
         ) o where due_at <= $1 order by sent_from, id",
        batch::from(Event::Claimed)
    );
    let mut open = fetch!(db, all, OpenSend, AssertSqlSafe(sql), before)?;
    // What is due already is due now, in whatever order.
    open.iter_mut().for_each(|send| send.due_at = send.due_at.max(now));
    Ok(open)
}

/// Takes the rows of all sends of the round, in order.
async fn lock_all(tx: &mut Tx, ended: &[Finished], wanted: &[Wanted]) -> sqlx::Result<BTreeMap<SendKey, SendState>> {
    let mut keys: Vec<&SendKey> =
        ended.iter().map(|finished| &*finished.claim.key).chain(wanted.iter().map(|want| &want.key)).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut states = BTreeMap::new();
    for key in keys {
        if let Some(state) = store::lock(tx, key).await? {
            states.insert(key.clone(), state);
        }
    }
    Ok(states)
}

fn count(ended: &[Finished], stale: usize) {
    let mut counts: BTreeMap<&'static str, (u64, u64)> = BTreeMap::new();
    for finished in ended {
        let outcome = match finished.end {
            End::Accepted => "accepted",
            End::Failed(_) => "failed",
            End::Retry(..) => "retry",
            End::Released(_) => "released",
        };
        let (batches, users) = counts.entry(outcome).or_default();
        (*batches, *users) = (*batches + 1, *users + finished.claim.size.unsigned_abs());
    }
    for (outcome, (batches, users)) in counts {
        metrics::counter!("reachwire_batches_total", "outcome" => outcome).increment(batches);
        metrics::counter!("reachwire_users_total", "outcome" => outcome).increment(users);
    }
    if stale > 0 {
        tracing::warn!(stale, "results came after their leases had ended; they change nothing");
        metrics::counter!("reachwire_stale_results_total").increment(stale as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        delivery::testing::{claim, put_planned, put_webhook, record},
        on_both_databases,
    };

    on_both_databases!(only_sends_with_something_due_are_open, |db| async move {
        put_webhook(&db, "http://127.0.0.1:9/", 1).await;
        put_planned(&db, "busy", &[1, 1]).await;
        let waits = put_planned(&db, "waits", &[1]).await;
        let open = async |now| {
            let open = open_sends(&db, now, now).await.unwrap();
            open.into_iter().map(|send| send.id).collect::<Vec<_>>()
        };
        assert_eq!(open(1).await, ["busy", "waits"]);
        let claims = claim(&db, &waits, 1, 1).await;
        assert_eq!(open(1).await, ["busy"], "its only batch is in hand");
        record(&db, &claims[0], End::Retry("HTTP 503".into(), Some(5_000)), 1).await;
        let soon = open_sends(&db, 4_000, 6_000).await.unwrap();
        assert_eq!(soon.iter().map(|send| send.due_at).collect::<Vec<_>>(), [4_000, 5_001]);
        assert_eq!((open(5_000).await, open(5_001).await), (vec!["busy".into()], vec!["busy".into(), "waits".into()]));
    });
}
