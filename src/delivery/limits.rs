//! How much may be in hand: per webhook POSTs at once and users per second, over all webhooks POSTs at once, and a
//! fair share for every send. A webhook that answers slowly, or not at all, keeps to its share; what is left over goes
//! to the others.

use super::{doors::Doors, nodes::View, rate::Rate};
use crate::clock::{Millis, SECOND};
use std::{collections::HashMap, sync::Arc};

/// Claimed for every POST that may run: one runs, one waits at the door, so that no POST waits for a commit.
const IN_HAND: usize = 2;
/// From this time of a POST on, in ms, on average, nothing is gained by a second one at the door: it would only take a
/// place among all POSTs from those who answer at once.
const SLOW: Millis = SECOND;
/// An endpoint that answers fast is done with what waits at its doors before the next commit. So much more is claimed
/// for it as it takes in this time, in ms: a commit then carries many results. Not more than it has accepted without a
/// failure, though: one that falls ill is not sent a crowd. And only when one send has something to do, for several
/// take turns batch by batch.
const AHEAD: Millis = 64;
/// And no more than this many users, whose values are in memory,
const AHEAD_USERS: i64 = 16_000;
/// and batches, over all webhooks.
const AHEAD_BATCHES: usize = 1_024;
/// Webhooks whose pace is remembered when they have nothing to do.
const REMEMBERED: usize = 1_000;
/// Nodes that share a rate ask for it no more often than this, in ms; what they are late is saved up for longer.
const TURN: Millis = 25;

struct Lane {
    in_hand: usize,
    /// POSTs at once over all nodes.
    whole: i64,
    /// This node's part of them.
    concurrency: usize,
    doors: Arc<Doors>,
    /// As this node saw it last.
    rate: Option<Rate>,
    /// When other nodes take of the rate, too: not before this is it asked for again.
    next_try: Millis,
    /// How long its POSTs take, in ms: the latest count most. `None` before the first has ended.
    pace: Option<Millis>,
    /// Batches that it has accepted since one failed.
    accepted: usize,
}

impl Lane {
    fn is_slow(&self) -> bool {
        self.pace.is_some_and(|pace| pace >= SLOW)
    }

    fn is_fast(&self) -> bool {
        self.pace.is_some_and(|pace| pace < SLOW)
    }

    /// How many may be in hand, for POSTs that run or are next, when so many may run.
    fn places(&self, posts: usize) -> usize {
        let each = if self.is_slow() { 1 } else { IN_HAND };
        each * self.concurrency.min(posts)
    }

    /// How many more may be in hand, ahead of their turn.
    fn ahead(&self, posts: usize, batch_size: i64) -> usize {
        // With a limit of users per second nothing is gained.
        let Some(pace) = self.pace.filter(|pace| *pace < SLOW && self.rate.is_none()) else { return 0 };
        let each = usize::try_from(AHEAD / pace.max(1)).unwrap_or(0);
        let most = usize::try_from(AHEAD_USERS / batch_size.max(1)).unwrap_or(0);
        (each * self.concurrency.min(posts)).min(most).min(self.accepted)
    }

    /// What may be claimed more, when so many of its POSTs may run, `sends` have something to do, and so do `webhooks`
    /// in all. The second is how long, in ms, it is until its users per second let something through.
    fn room(
        &self,
        send: &OpenSend,
        posts: usize,
        sends: usize,
        webhooks: usize,
        now: Millis,
    ) -> (Room, Option<Millis>) {
        let places = self.places(posts);
        let next = if send.probe { self.concurrency.min(1) } else { places.saturating_sub(self.in_hand) };
        let by_rate = self.by_rate(send.batch_size, now);
        let wait = self.rate.filter(|_| next > 0 && by_rate == 0);
        let wait = wait.map(|rate| rate.wait(now).max(self.next_try - now));
        let ahead = if send.probe || sends > 1 {
            0
        } else {
            let most = self.ahead(posts, send.batch_size).min(AHEAD_BATCHES / webhooks.max(1));
            most.saturating_sub(self.in_hand.saturating_sub(places))
        };
        (Room { next: next.min(by_rate), ahead, sends }, wait)
    }

    /// How many batches its users per second let through now.
    fn by_rate(&self, batch_size: i64, now: Millis) -> usize {
        let asks = self.next_try <= now || self.next_try > now + TURN;
        self.rate.map_or(usize::MAX, |rate| if asks { rate.batches(batch_size, now) } else { 0 })
    }
}

/// What a webhook has room for, in batches.
struct Room {
    /// For POSTs that run or are next.
    next: usize,
    /// Ahead of their turn; of webhooks with one send.
    ahead: usize,
    /// Among how many it is divided.
    sends: usize,
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
    /// The webhook's breaker is not closed: one batch, to see.
    pub probe: bool,
    /// When its first batch is due and the breaker lets it through.
    pub due_at: Millis,
}

impl OpenSend {
    /// Users per second, if there is a limit.
    pub fn rate(&self) -> Option<i64> {
        self.users_per_second.filter(|rate| *rate > 0)
    }
}

pub struct Limits {
    posts_at_once: usize,
    /// The nodes that share each webhook's limit.
    view: Arc<View>,
    /// When shares were asked for last.
    now: Millis,
    in_hand: usize,
    lanes: HashMap<String, Lane>,
    turn: usize,
    /// How many batches each open send has got, by its id; one that comes begins where others of its webhook stand.
    given: HashMap<String, usize>,
}

impl Limits {
    pub fn new(posts_at_once: usize) -> Self {
        Self {
            posts_at_once,
            view: Arc::new(View::alone()),
            now: 0,
            in_hand: 0,
            lanes: HashMap::new(),
            turn: 0,
            given: HashMap::new(),
        }
    }

    pub fn in_hand(&self) -> usize {
        self.in_hand
    }

    /// Who shares the limits from now on.
    pub fn share_among(&mut self, view: Arc<View>) {
        self.view = view;
    }

    /// No webhook has more POSTs running than this node may have, so that others may have theirs.
    pub fn is_settled(&self) -> bool {
        self.lanes.values().all(|lane| !lane.doors.are_crowded())
    }

    /// How many batches each send may claim now: those that may claim none are left out. The second is how long, in
    /// ms, until a limit of users per second lets something through.
    pub fn shares<'a>(&mut self, open: &'a [OpenSend], now: Millis) -> (Vec<(&'a OpenSend, usize)>, Option<Millis>) {
        self.now = now;
        let mut sends: HashMap<&str, usize> = HashMap::new();
        for send in open {
            *sends.entry(&send.webhook_id).or_default() += 1;
        }
        self.know(open, &sends);
        self.turn = self.turn.wrapping_add(1);
        let parts = self.parts(&sends);
        for (id, part) in &parts {
            if let Some(lane) = self.lanes.get(id) {
                lane.doors.allow(*part);
            }
        }
        let part = |id: &str| parts.get(id).copied().unwrap_or(1);
        let taken: usize = self.lanes.iter().map(|(id, lane)| lane.in_hand.min(lane.places(part(id)))).sum();
        let free = (IN_HAND * self.posts_at_once).saturating_sub(taken);
        let mut wait: Option<Millis> = None;
        let mut rooms: HashMap<&str, Room> = HashMap::new();
        for send in open {
            let id = send.webhook_id.as_str();
            let (Some(lane), false) = (self.lanes.get(id), rooms.contains_key(id)) else { continue };
            let (room, until) = lane.room(send, part(id), sends.get(id).copied().unwrap_or(1), sends.len(), now);
            wait = wait.into_iter().chain(until).min();
            rooms.insert(id, room);
        }
        (self.divide(open, free, rooms), wait)
    }

    /// Divides what is free among the sends, within what each webhook has room for.
    fn divide<'a>(
        &mut self,
        open: &'a [OpenSend],
        mut free: usize,
        mut rooms: HashMap<&str, Room>,
    ) -> Vec<(&'a OpenSend, usize)> {
        // Who has got least comes first: what is left over when room is divided goes to him.
        self.greet(open);
        let mut order: Vec<&OpenSend> = open.iter().collect();
        order.sort_by_key(|send| self.given.get(&send.id).copied());
        let scarce = rooms.values().map(|room| room.next).sum::<usize>() > free;
        let mut shares = Vec::new();
        let mut left = open.len();
        for send in order {
            let Some(room) = rooms.get_mut(send.webhook_id.as_str()) else { continue };
            let next = room.next.div_ceil(room.sends).min(if scarce { free.div_ceil(left) } else { free });
            let share = next + room.ahead;
            (room.sends, left) = (room.sends - 1, left - 1);
            (room.next, free) = (room.next - next, free - next);
            if share > 0 {
                *self.given.entry(send.id.clone()).or_default() += share;
                shares.push((send, share));
            }
        }
        shares
    }

    /// Has a lane for each webhook with something to do, with the limits that hold now; too many others are forgotten.
    fn know(&mut self, open: &[OpenSend], sends: &HashMap<&str, usize>) {
        if self.lanes.len() > REMEMBERED {
            self.lanes.retain(|id, lane| lane.in_hand > 0 || sends.contains_key(id.as_str()));
        }
        for send in open {
            self.lane(send, self.now);
        }
        for (id, lane) in &mut self.lanes {
            lane.concurrency = self.view.part(id, lane.whole).min(self.posts_at_once);
        }
    }

    /// Knows the open sends and no others.
    fn greet(&mut self, open: &[OpenSend]) {
        let mut least: HashMap<&str, usize> = HashMap::new();
        let known = open.iter().filter_map(|send| Some((send.webhook_id.as_str(), *self.given.get(&send.id)?)));
        for (webhook, given) in known {
            let of_webhook = least.entry(webhook).or_insert(given);
            *of_webhook = given.min(*of_webhook);
        }
        let of_all = least.values().min().copied().unwrap_or(0);
        let begins = |send: &OpenSend| least.get(send.webhook_id.as_str()).copied().unwrap_or(of_all);
        let given = |send: &OpenSend| self.given.get(&send.id).copied().unwrap_or_else(|| begins(send));
        self.given = open.iter().map(|send| (send.id.clone(), given(send))).collect();
    }

    /// How many POSTs of each webhook may run, of those that have something to do or whose POSTs run: the same for all,
    /// but no more than a webhook's own limit. What is left over goes round among those that are known to answer fast.
    fn parts(&self, sends: &HashMap<&str, usize>) -> HashMap<String, usize> {
        let busy = |(id, lane): &(&String, &Lane)| lane.in_hand > 0 || sends.contains_key(id.as_str());
        let mut lanes: Vec<_> = self.lanes.iter().filter(busy).collect();
        lanes.sort_unstable_by_key(|(id, lane)| (lane.concurrency, *id));
        let (mut left, mut equal) = (self.posts_at_once, self.posts_at_once);
        for (place, (_, lane)) in lanes.iter().enumerate() {
            equal = left / (lanes.len() - place);
            if lane.concurrency > equal {
                break;
            }
            left -= lane.concurrency;
        }
        let more: Vec<_> = lanes.iter().filter(|(_, lane)| lane.concurrency > equal).collect();
        left -= equal * more.len();
        let mut parts: HashMap<String, usize> =
            lanes.iter().map(|(id, lane)| ((*id).clone(), lane.concurrency.min(equal.max(1)))).collect();
        if equal == 0 {
            return parts; // More webhooks than POSTs: they take turns for what is free.
        }
        let more: Vec<_> = more.into_iter().filter(|(_, lane)| lane.is_fast()).collect();
        let first = self.turn.checked_rem(more.len()).unwrap_or(0);
        for (id, _) in more[first..].iter().chain(&more[..first]).take(left) {
            *parts.entry((*id).clone()).or_default() += 1;
        }
        parts
    }

    fn lane(&mut self, send: &OpenSend, now: Millis) {
        let lane = self.lanes.entry(send.webhook_id.clone()).or_insert_with(|| Lane {
            in_hand: 0,
            whole: 0,
            concurrency: 0,
            doors: Arc::new(Doors::new(0)),
            rate: None,
            next_try: 0,
            pace: None,
            accepted: 0,
        });
        lane.whole = send.concurrency.max(1);
        let per_second = send.rate();
        if lane.rate.map(Rate::per_second) != per_second {
            (lane.rate, lane.next_try) = (per_second.map(|per_second| Rate::new(per_second, now)), 0);
        }
    }

    /// What a claim found of a webhook's rate, and left of it.
    pub fn learn(&mut self, webhook_id: &str, rate: Rate) {
        if let Some(lane) = self.lanes.get_mut(webhook_id) {
            lane.rate = Some(rate);
            lane.next_try = if self.view.is_alone() { 0 } else { self.now + TURN };
        }
    }

    /// A batch of so many users was claimed: the doors through which its POST goes.
    pub fn take(&mut self, webhook_id: &str, users: i64) -> Option<Arc<Doors>> {
        let lane = self.lanes.get_mut(webhook_id)?;
        lane.in_hand += 1;
        self.in_hand += 1;
        if let Some(rate) = &mut lane.rate {
            rate.spend(users, self.now);
        }
        Some(lane.doors.clone())
    }

    /// A batch left the hand; how long its POST took, in ms, if there was one, and whether it was accepted.
    pub fn give_back(&mut self, webhook_id: &str, posted: Option<(Millis, bool)>) {
        if let Some(lane) = self.lanes.get_mut(webhook_id) {
            let took = posted.map(|(took, _)| took);
            if let Some((_, accepted)) = posted {
                lane.accepted = if accepted { lane.accepted.saturating_add(1) } else { 0 };
            }
            lane.in_hand = lane.in_hand.saturating_sub(1);
            lane.pace = took.map(|took| lane.pace.map_or(took, |pace| (pace * 3 + took) / 4)).or(lane.pace);
            self.in_hand = self.in_hand.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests;
