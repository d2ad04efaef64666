//! The breakers in a round of the dispatcher: taken after the sends' rows, fed with what ended, asked before every
//! claim, written before the commit.

pub use super::store::{HealthRow, Hook};

use super::{
    super::{
        health::{Breaker, Health},
        record::{End, Finished, OURS, UNREADABLE},
        verdict::NOT_SENT,
    },
    MayClaim, Policy, Signal, Turn, store,
};
use crate::{clock::Millis, db::Tx};
use std::collections::{BTreeMap, BTreeSet};

/// HTTP 410 Gone.
const GONE: u16 = 410;

/// Those of the webhooks that a round is about; their rows are held until its transaction ends.
pub struct Breakers {
    policy: Policy,
    health: BTreeMap<Hook, Health>,
    changed: BTreeSet<Hook>,
    turns: Vec<(Hook, Turn)>,
}

impl Breakers {
    /// Takes those that hear of something now, and those that may have to let a probe go.
    pub async fn take(
        tx: &mut Tx,
        policy: Policy,
        ended: &[Finished],
        probed: impl Iterator<Item = Hook>,
    ) -> sqlx::Result<Self> {
        // A batch that says nothing may have been the probe.
        let hooks: BTreeSet<Hook> = by_hook(ended).map(|(hook, _)| hook).chain(probed).collect();
        let health = store::take(tx, hooks.iter()).await?;
        Ok(Self { policy, health, changed: BTreeSet::new(), turns: Vec::new() })
    }

    pub fn hear(&mut self, ended: &[Finished], now: Millis) {
        for (hook, ended) in by_hook(ended) {
            let Some(health) = self.health.get_mut(&hook) else { continue };
            let before = health.clone();
            for finished in ended {
                let probe = health.is_probe(finished.claim.lease_until);
                match signal(finished) {
                    Some(signal) => {
                        let turn = health.hear(signal, probe, now, self.policy);
                        if health.breaker == Breaker::Closed {
                            health.took += finished.duration_ms;
                        }
                        if turn != Turn::Same {
                            self.turns.push((hook.clone(), turn));
                        }
                    }
                    None if probe => health.no_probe(now),
                    None => {}
                }
            }
            if *health != before {
                self.changed.insert(hook);
            }
        }
    }

    /// Whether batches may be claimed: `None`, or how many at the most.
    pub fn most(&self, hook: &Hook, wanted: usize, now: Millis) -> Option<usize> {
        match self.health.get(hook).map_or(MayClaim::Any, |health| health.may_claim(now)) {
            MayClaim::Any => Some(wanted),
            MayClaim::Probe => Some(1),
            MayClaim::Nothing => None,
        }
    }

    /// A batch was claimed under a lease until then: of a breaker that is not closed, the probe.
    pub fn claimed(&mut self, hook: &Hook, lease_until: Millis, now: Millis) {
        if let Some(health) = self.health.get_mut(hook).filter(|health| health.may_claim(now) == MayClaim::Probe) {
            health.begin_probe(lease_until);
            self.changed.insert(hook.clone());
        }
    }

    /// Writes what has changed, and disables what is to be: the last thing before the commit. What turned.
    pub async fn write(mut self, tx: &mut Tx, now: Millis) -> sqlx::Result<Vec<(Hook, Turn)>> {
        let changed = self.changed.iter().filter_map(|hook| Some((hook, self.health.get(hook)?)));
        store::write(tx, changed).await?;
        // In order, as all rows are taken; the webhooks' before the logs', as whoever saves a webhook takes them.
        self.turns.sort_by(|(one, _), (other, _)| one.cmp(other));
        let (mut turns, mut disabled) = (Vec::with_capacity(self.turns.len()), Vec::new());
        for (hook, turn) in self.turns {
            if let Turn::Disable(because) = &turn {
                let Some(name) = store::disable(tx, &hook, because, now).await? else { continue };
                disabled.push((hook.clone(), name, because.clone()));
            }
            turns.push((hook, turn));
        }
        for (hook, name, because) in disabled {
            store::record_disabled(tx, &hook, &name, &because, now).await?;
        }
        Ok(turns)
    }
}

/// Says what turned, once it is on disk. Whether something was closed, so that there is more to claim at once.
pub fn tell(turns: &[(Hook, Turn)]) -> bool {
    for (hook, turn) in turns {
        let webhook = &hook.webhook_id;
        let name = match turn {
            Turn::Same => continue,
            Turn::Opened => {
                tracing::info!(webhook, "the breaker is open: nothing but a probe is sent after its time");
                "opened"
            }
            Turn::Closed => {
                tracing::info!(webhook, "the breaker is closed: the endpoint answers again");
                "closed"
            }
            Turn::Disable(because) => {
                tracing::warn!(webhook, because, "the webhook was disabled; its sends wait until somebody enables it");
                "disabled"
            }
        };
        metrics::counter!("reachwire_breaker_turns_total", "turn" => name).increment(1);
    }
    turns.iter().any(|(_, turn)| *turn == Turn::Closed)
}

/// Results that follow each other and are of one webhook, as most do.
fn by_hook(ended: &[Finished]) -> impl Iterator<Item = (Hook, &[Finished])> {
    let of_one = |one: &Finished, next: &Finished| {
        one.webhook_id == next.webhook_id && one.claim.key.workspace_id == next.claim.key.workspace_id
    };
    ended.chunk_by(of_one).filter_map(|run| {
        let first = run.first()?;
        let (workspace_id, webhook_id) = (first.claim.key.workspace_id.clone(), first.webhook_id.clone());
        Some((Hook { workspace_id, webhook_id }, run))
    })
}

/// What a batch says of its endpoint; `None` when no POST was made, or the fault is ours.
fn signal(finished: &Finished) -> Option<Signal<'_>> {
    match (&finished.end, finished.http_status) {
        (End::Released(_), _) => None,
        (End::Retry(reason, _), None) if reason == OURS => None,
        (End::Retry(reason, asked), _) => Some(Signal::Ill(reason, *asked)),
        (End::Failed(_), Some(GONE)) => Some(Signal::Gone),
        (End::Failed(reason), None) if reason == UNREADABLE || reason.starts_with(NOT_SENT) => None,
        // It answered what is no answer.
        (End::Failed(reason), None) => Some(Signal::Ill(reason, None)),
        (End::Accepted | End::Failed(_), _) => Some(Signal::Alive),
    }
}
