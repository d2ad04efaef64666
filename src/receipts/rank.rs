//! Which of several receipts of one user is the user's status.

use crate::clock::Millis;
use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::{HashMap, hash_map::Entry},
};

/// The first in this order: the latest by its own time, of equal ones that which came first. Lists ask for the same
/// order in SQL (`delivery::report`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank<'a> {
    sent_at: Reverse<Millis>,
    received_at: Millis,
    msg_id: Cow<'a, str>,
    pub status: Cow<'a, str>,
}

impl<'a> Rank<'a> {
    pub fn new(sent_at: Millis, received_at: Millis, msg_id: Cow<'a, str>, status: Cow<'a, str>) -> Self {
        Self { sent_at: Reverse(sent_at), received_at, msg_id, status }
    }

    /// Puts it in the place of a user's, unless that comes before it.
    pub fn keep_first(self, ranks: &mut HashMap<i64, Self>, seq: i64) {
        match ranks.entry(seq) {
            Entry::Vacant(place) => {
                place.insert(self);
            }
            Entry::Occupied(mut first) if self < *first.get() => {
                first.insert(self);
            }
            Entry::Occupied(_) => {}
        }
    }
}
