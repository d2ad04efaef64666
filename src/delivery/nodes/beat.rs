//! A node's heartbeat: says that it lives, and looks who else does.

use super::{
    DEAD_AFTER, FRESH, Membership, View,
    store::{self, Doing, Living},
};
use crate::{
    clock::{Clock, Millis},
    config::Roles,
    db::Db,
    delivery::{claim::InHand, supervise::Stopping},
};
use futures::FutureExt;
use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{Notify, Semaphore};

const EVERY: Duration = Duration::from_secs(5);
/// While it waits to be known by all, and after a heartbeat that failed.
const SOON: Duration = Duration::from_secs(1);
/// A heartbeat that takes longer has failed.
const BOUND: Duration = Duration::from_secs(4);

/// Who this process is among the nodes.
#[derive(Clone, Debug)]
pub struct Me {
    pub id: String,
    pub name: String,
    pub roles: Roles,
    pub started_at: Millis,
}

pub struct Heart {
    pub db: Db,
    pub clock: Clock,
    pub me: Me,
    pub members: Membership,
    pub in_hand: InHand,
    /// What POSTs take of, and how many there are in all.
    pub posts: (Arc<Semaphore>, usize),
    /// This node's part has changed.
    pub dispatch: Arc<Notify>,
}

/// What it remembers from one heartbeat to the next.
#[derive(Default)]
struct Memory {
    joined: Option<Joined>,
    /// What the others were told last that it knows.
    said: i64,
    /// When the clock was last set, and by how much in ms.
    step: Option<(Instant, Millis)>,
}

impl Memory {
    /// By how much the clock was set so shortly ago that others may not have beaten since: each follows at a heartbeat of
    /// its own.
    fn step(&self, now: Instant) -> Millis {
        let lately = |at: Instant| now < at + Duration::from_millis(DEAD_AFTER.unsigned_abs());
        self.step.filter(|(at, _)| lately(*at)).map_or(0, |(_, by)| by)
    }
}

struct Joined {
    no: i64,
    /// When it was last heard of for certain.
    at: Instant,
    admitted: bool,
}

impl Heart {
    /// Beats until it is told that the node has done its last; then the node is gone.
    pub async fn run(self, gone: Stopping) {
        let mut memory = Memory::default();
        let wanted = self.members.beat();
        loop {
            let beat = AssertUnwindSafe(tokio::time::timeout(BOUND, self.beat(&mut memory))).catch_unwind();
            let wait = match beat.await {
                Ok(Ok(Ok(admitted))) => {
                    if admitted {
                        EVERY
                    } else {
                        SOON
                    }
                }
                failed => {
                    let cause = match failed {
                        Ok(Ok(Err(error))) => error.to_string(),
                        Ok(_) => "it took too long".into(),
                        Err(_) => "it panicked".into(),
                    };
                    tracing::warn!(
                        cause,
                        "a heartbeat failed; without one for 10 s this node stops sending until it has one"
                    );
                    metrics::counter!("reachwire_heartbeats_failed_total").increment(1);
                    SOON
                }
            };
            tokio::select! {
                () = gone.wait() => break,
                () = wanted.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        let left = tokio::time::timeout(BOUND, store::leave(&self.db, &self.me.id)).await;
        if !matches!(left, Ok(Ok(()))) {
            tracing::warn!("the other nodes could not be told that this one has stopped; they find out in 15 s");
        }
    }

    /// Whether it has its part.
    async fn beat(&self, memory: &mut Memory) -> sqlx::Result<bool> {
        let began = Instant::now();
        let heard_of = memory.joined.as_ref().is_some_and(|joined| began < joined.at + FRESH);
        let knows = self.members.settled();
        let doing = Doing {
            in_hand: i64::try_from(self.in_hand.len()).unwrap_or(i64::MAX),
            posts: i64::try_from(self.posts.1.saturating_sub(self.posts.0.available_permits())).unwrap_or(i64::MAX),
            knows,
        };
        let now = self.clock.now();
        let there = heard_of && store::beat(&self.db, &self.me.id, doing, knows > memory.said, now).await?;
        if !there {
            let no = store::join(&self.db, &self.me, self.clock.now()).await?;
            memory.joined = Some(Joined { no, at: began, admitted: false });
        }
        memory.said = if there { knows } else { 0 };
        if let Some(joined) = &mut memory.joined {
            joined.at = began;
        }
        if self.db.is_sqlite() {
            return Ok(true); // Nobody else is there, whatever rows the dead have left.
        }
        let asked = self.clock.now();
        let (mut living, told) = store::living(&self.db, asked, memory.step(began)).await?;
        if let Some(away) = told.and_then(|told| self.clock.follow(asked, told, self.clock.now())) {
            // One that is still remembered counts, too.
            memory.step = Some((began, memory.step(began) + away));
            tracing::info!(away_ms = away, "the clock follows the database's");
            // Seen from the new time, in which others may have beaten already.
            (living, _) = store::living(&self.db, self.clock.now(), memory.step(began)).await?;
        }
        let Some(joined) = &mut memory.joined else { return Ok(false) };
        joined.admitted |= may_begin(&living, &self.me.id, joined.no);
        let workers: Vec<&Living> = living.iter().filter(|node| node.worker).collect();
        let view = View {
            me: self.me.id.clone(),
            newest: workers.iter().map(|node| node.joined_no).max().unwrap_or(0),
            workers: workers.iter().map(|node| node.id.clone()).collect(),
            admitted: joined.admitted,
            fresh_until: Some(began + FRESH),
        };
        let admitted = view.admitted;
        if self.members.see(view) {
            self.dispatch.notify_one();
        }
        Ok(admitted || !self.me.roles.worker)
    }
}

/// All other workers that live know of this join.
fn may_begin(living: &[Living], me: &str, joined_no: i64) -> bool {
    let others = living.iter().filter(|node| node.worker && node.id != me);
    let mut knows = others.map(|node| node.knows >= joined_no);
    knows.all(|knows| knows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_the_clock_is_remembered_until_everybody_has_followed() {
        let (at, dead) = (Instant::now(), Duration::from_millis(DEAD_AFTER.unsigned_abs()));
        let memory = Memory { step: Some((at, -7)), ..Memory::default() };
        let steps = [Duration::ZERO, dead - Duration::from_millis(1), dead].map(|later| memory.step(at + later));
        assert_eq!(steps, [-7, -7, 0]);
        assert!(dead >= 2 * EVERY + BOUND, "each follows at one heartbeat and is heard of at the next");
    }
}
