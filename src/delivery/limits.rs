//! How much may be in hand: per webhook POSTs at once and users per second, over all webhooks POSTs at once, and a
//! fair share for every send.

use crate::clock::{Millis, SECOND};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::Semaphore;

/// Claimed for every POST that may run: one runs, one waits at the door, so that no POST waits for a commit.
const IN_HAND: usize = 2;

/// Users per second. A batch is taken whole, and what it took too much is paid back by waiting.
#[derive(Debug)]
struct Bucket {
    per_second: i64,
    /// In thousandths of a user, so that milliseconds add up exactly.
    level: i64,
    at: Millis,
}

impl Bucket {
    fn new(per_second: i64, now: Millis) -> Self {
        Self { per_second, level: 1, at: now }
    }

    fn refill(&mut self, now: Millis) {
        // A tenth of a second may be saved up: what is late to a round is not lost.
        let most = (self.per_second * SECOND / 10).max(1);
        self.level = self.level.saturating_add((now - self.at).max(0).saturating_mul(self.per_second)).min(most);
        self.at = now;
    }

    fn batches(&self, batch_size: i64) -> usize {
        let size = batch_size * SECOND;
        usize::try_from((self.level.max(0) + size - 1) / size).unwrap_or(0)
    }

    /// Until the next batch may go, in ms.
    fn wait(&self) -> Millis {
        if self.level > 0 { 0 } else { -self.level / self.per_second + 1 }
    }
}

struct Lane {
    in_hand: usize,
    concurrency: usize,
    doors: Arc<Semaphore>,
    bucket: Option<Bucket>,
}

/// A send that has something to claim.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OpenSend {
    pub workspace_id: String,
    pub id: String,
    pub webhook_id: String,
    pub batch_size: i64,
    /// The webhook's.
    pub version: i64,
    pub concurrency: i64,
    pub users_per_second: Option<i64>,
}

pub struct Limits {
    posts_at_once: usize,
    in_hand: usize,
    lanes: HashMap<String, Lane>,
    turn: usize,
}

impl Limits {
    pub fn new(posts_at_once: usize) -> Self {
        Self { posts_at_once, in_hand: 0, lanes: HashMap::new(), turn: 0 }
    }

    pub fn in_hand(&self) -> usize {
        self.in_hand
    }

    /// How many batches each send may claim now: those that may claim none are left out. The second is how long, in
    /// ms, until a limit of users per second lets something through.
    pub fn shares<'a>(&mut self, open: &'a [OpenSend], now: Millis) -> (Vec<(&'a OpenSend, usize)>, Option<Millis>) {
        let mut of_webhook: HashMap<&str, usize> = HashMap::new();
        for send in open {
            *of_webhook.entry(&send.webhook_id).or_default() += 1;
        }
        // A slow webhook must not take every POST from the others, nor from those whose POSTs run.
        let run = self.lanes.iter().filter(|(id, lane)| lane.in_hand > 0 && !of_webhook.contains_key(id.as_str()));
        let most = (self.posts_at_once / (of_webhook.len() + run.count()).max(1)).max(1);
        let mut free = (IN_HAND * self.posts_at_once).saturating_sub(self.in_hand);
        let mut free_of: HashMap<&str, usize> = HashMap::new();
        let mut wait: Option<Millis> = None;
        for send in open {
            if !free_of.contains_key(send.webhook_id.as_str()) {
                let lane = self.lane(send, now);
                let room = (IN_HAND * lane.concurrency.min(most)).saturating_sub(lane.in_hand);
                let by_rate = lane.bucket.as_ref().map_or(usize::MAX, |bucket| bucket.batches(send.batch_size));
                if let Some(bucket) = lane.bucket.as_ref().filter(|bucket| room > 0 && bucket.wait() > 0) {
                    wait = Some(wait.map_or(bucket.wait(), |least| least.min(bucket.wait())));
                }
                free_of.insert(&send.webhook_id, room.min(by_rate));
            }
        }
        self.turn = self.turn.wrapping_add(1);
        let first = self.turn.checked_rem(open.len()).unwrap_or(0);
        let mut shares = Vec::new();
        let mut left = open.len();
        for send in open[first..].iter().chain(&open[..first]) {
            let of_lane = of_webhook.get_mut(send.webhook_id.as_str());
            let room = free_of.get_mut(send.webhook_id.as_str());
            if let (Some(of_lane), Some(room)) = (of_lane, room) {
                let share = room.div_ceil(*of_lane).min(free.div_ceil(left));
                (*of_lane, left) = (*of_lane - 1, left - 1);
                (*room, free) = (*room - share, free - share);
                if share > 0 {
                    shares.push((send, share));
                }
            }
        }
        (shares, wait)
    }

    fn lane(&mut self, send: &OpenSend, now: Millis) -> &mut Lane {
        let concurrency = usize::try_from(send.concurrency).unwrap_or(1).clamp(1, self.posts_at_once);
        let lane = self.lanes.entry(send.webhook_id.clone()).or_insert_with(|| Lane {
            in_hand: 0,
            concurrency,
            doors: Arc::new(Semaphore::new(concurrency)),
            bucket: None,
        });
        if lane.concurrency != concurrency {
            // Those that run end by the old limit; the webhook was disabled meanwhile, so they are few.
            (lane.concurrency, lane.doors) = (concurrency, Arc::new(Semaphore::new(concurrency)));
        }
        let rate = send.users_per_second.filter(|rate| *rate > 0);
        if lane.bucket.as_ref().map(|bucket| bucket.per_second) != rate {
            lane.bucket = rate.map(|rate| Bucket::new(rate, now));
        }
        if let Some(bucket) = &mut lane.bucket {
            bucket.refill(now);
        }
        lane
    }

    /// A batch of so many users was claimed: the doors through which its POST goes.
    pub fn take(&mut self, webhook_id: &str, users: i64) -> Option<Arc<Semaphore>> {
        let lane = self.lanes.get_mut(webhook_id)?;
        lane.in_hand += 1;
        self.in_hand += 1;
        if let Some(bucket) = &mut lane.bucket {
            bucket.level -= users * SECOND;
        }
        Some(lane.doors.clone())
    }

    pub fn give_back(&mut self, webhook_id: &str) {
        if let Some(lane) = self.lanes.get_mut(webhook_id) {
            lane.in_hand = lane.in_hand.saturating_sub(1);
            self.in_hand = self.in_hand.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(id: &str, webhook: &str, concurrency: i64, rate: Option<i64>) -> OpenSend {
        OpenSend {
            workspace_id: "w".into(),
            id: id.into(),
            webhook_id: webhook.into(),
            batch_size: 10,
            version: 1,
            concurrency,
            users_per_second: rate,
        }
    }

    /// What each send gets, in the order of the sends.
    fn shares(limits: &mut Limits, open: &[OpenSend], now: Millis) -> Vec<usize> {
        let (shares, _) = limits.shares(open, now);
        open.iter().map(|send| shares.iter().find(|(of, _)| of.id == send.id).map_or(0, |(_, share)| *share)).collect()
    }

    #[test]
    fn a_webhooks_concurrency_holds_over_its_sends() {
        let mut limits = Limits::new(64);
        let open = [send("a", "w1", 4, None), send("b", "w1", 4, None)];
        assert_eq!(shares(&mut limits, &open, 0), [4, 4], "two in hand for each POST that may run");
        for _ in 0..8 {
            limits.take("w1", 10);
        }
        assert_eq!(shares(&mut limits, &open, 0), [0, 0]);
        limits.give_back("w1");
        assert_eq!(shares(&mut limits, &open, 0).iter().sum::<usize>(), 1);
        let turns: Vec<_> = (0..2).map(|_| shares(&mut limits, &open, 0)).collect();
        assert_ne!(turns[0], turns[1], "the one that is free goes round");
    }

    #[test]
    fn a_slow_webhook_leaves_room_for_another() {
        let mut limits = Limits::new(8);
        let open = [send("a", "slow", 64, None), send("b", "fast", 64, None)];
        assert_eq!(shares(&mut limits, &open, 0), [8, 8]);
        for _ in 0..8 {
            limits.take("slow", 10);
        }
        assert_eq!(shares(&mut limits, &open, 0), [0, 8]);
    }

    #[test]
    fn who_waits_for_answers_keeps_his_part_and_who_has_nothing_to_do_takes_none() {
        let mut limits = Limits::new(8);
        let open = [send("a", "slow", 64, None), send("b", "fast", 64, None)];
        limits.shares(&open, 0);
        limits.take("slow", 10);
        assert_eq!(shares(&mut limits, &open[1..], 0), [8], "one of the other runs");
        limits.give_back("slow");
        assert_eq!(shares(&mut limits, &open[1..], 0), [16]);
    }

    #[test]
    fn users_per_second_hold_over_any_second() {
        let mut limits = Limits::new(64);
        let open = [send("a", "w1", 64, Some(100))];
        let mut sent = Vec::new();
        for now in 0..5_000 {
            let (shares, wait) = limits.shares(&open, now);
            let batches = shares.first().map_or(0, |(_, share)| *share);
            assert!(batches > 0 || wait.is_some_and(|wait| wait > 0));
            for _ in 0..batches {
                limits.take("w1", 10);
                limits.give_back("w1");
                sent.push(now);
            }
        }
        assert!((49..=51).contains(&sent.len()), "5 s at 100 users/s in batches of 10: {}", sent.len());
        assert!(sent.windows(12).all(|some| some[11] - some[0] > 1_000), "{sent:?}");
    }

    #[test]
    fn a_rate_below_the_batch_size_spaces_the_batches() {
        let mut limits = Limits::new(64);
        let open = [send("a", "w1", 64, Some(1))];
        assert_eq!(shares(&mut limits, &open, 0), [1]);
        limits.take("w1", 10);
        limits.give_back("w1");
        let (none, wait) = limits.shares(&open, 0);
        assert!(none.is_empty() && wait == Some(10_000));
        assert_eq!(shares(&mut limits, &open, 9_000), [0]);
        assert_eq!(shares(&mut limits, &open, 10_001), [1]);
    }
}
