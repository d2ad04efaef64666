//! Loaded values, for a few minutes.

use crate::{
    clock::{MINUTE, Millis},
    parameters::model::Values,
};
use std::{collections::HashMap, sync::Arc};

/// How long values are kept.
const KEPT: Millis = 5 * MINUTE;
/// Lists, and values in all of them.
const LISTS_MAX: usize = 1_000;
const VALUES_MAX: usize = 200_000;
/// Bytes of the texts of all of them.
const BYTES_MAX: usize = 32 << 20;

#[derive(Default)]
pub struct Cache {
    lists: HashMap<String, Kept>,
    values: usize,
    bytes: usize,
}

struct Kept {
    list: Arc<Values>,
    bytes: usize,
    at: Millis,
}

impl Cache {
    /// A list that was put less than [`KEPT`] before `now`.
    pub fn get(&self, key: &str, now: Millis) -> Option<Arc<Values>> {
        self.lists.get(key).filter(|kept| is_young(kept, now)).map(|kept| kept.list.clone())
    }

    /// Keeps a list; the oldest ones make room for it.
    pub fn put(&mut self, key: String, list: Arc<Values>, now: Millis) {
        self.remove(&key);
        let old: Vec<String> =
            self.lists.iter().filter(|(_, kept)| !is_young(kept, now)).map(|(key, _)| key.clone()).collect();
        old.iter().for_each(|key| self.remove(key));
        let bytes = key.len() + list.items.iter().map(|item| item.value.len() + item.name.len()).sum::<usize>();
        if bytes > BYTES_MAX || list.items.len() > VALUES_MAX {
            return;
        }
        let full = |cache: &Self| {
            cache.lists.len() >= LISTS_MAX
                || cache.values + list.items.len() > VALUES_MAX
                || cache.bytes + bytes > BYTES_MAX
        };
        while full(self) {
            let oldest = self.lists.iter().min_by_key(|(_, kept)| kept.at).map(|(key, _)| key.clone());
            match oldest {
                Some(oldest) => self.remove(&oldest),
                None => return,
            }
        }
        self.values += list.items.len();
        self.bytes += bytes;
        self.lists.insert(key, Kept { list, bytes, at: now });
    }

    fn remove(&mut self, key: &str) {
        if let Some(kept) = self.lists.remove(key) {
            self.values -= kept.list.items.len();
            self.bytes -= kept.bytes;
        }
    }
}

fn is_young(kept: &Kept, now: Millis) -> bool {
    (0..KEPT).contains(&(now - kept.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::interface::Item;

    fn list(values: usize, name: &str) -> Arc<Values> {
        let item = |number: usize| Item { value: number.to_string(), name: name.into() };
        Arc::new(Values { items: (0..values).map(item).collect(), ..Values::default() })
    }

    #[test]
    fn values_are_kept_for_five_minutes() {
        let mut cache = Cache::default();
        cache.put("a".into(), list(1, "n"), 1_000);
        assert_eq!(cache.get("a", 1_000 + KEPT - 1), Some(list(1, "n")));
        assert_eq!(cache.get("a", 1_000 + KEPT), None);
        assert_eq!(cache.get("a", 999), None, "the clock was put back");
        assert_eq!(cache.get("b", 1_000), None);
        cache.put("a".into(), list(2, "n"), 2_000);
        assert_eq!((cache.get("a", 2_000), cache.values), (Some(list(2, "n")), 2));
        cache.put("b".into(), list(1, "n"), 2_000 + KEPT);
        assert_eq!((cache.lists.len(), cache.values), (1, 1), "what is too old goes");
    }

    #[test]
    fn the_oldest_make_room() {
        let mut cache = Cache::default();
        for number in 0..=LISTS_MAX {
            cache.put(number.to_string(), list(0, ""), number as Millis);
        }
        assert_eq!(cache.lists.len(), LISTS_MAX);
        assert!(cache.get("0", 1_001).is_none() && cache.get("1", 1_001).is_some());

        let mut cache = Cache::default();
        for number in 0..30 {
            cache.put(number.to_string(), list(10_000, "n"), number);
        }
        assert_eq!((cache.lists.len(), cache.values), (20, VALUES_MAX));
        assert!(cache.get("9", 30).is_none() && cache.get("10", 30).is_some());

        let mut cache = Cache::default();
        for number in 0..10 {
            cache.put(number.to_string(), list(1, &"n".repeat(BYTES_MAX / 4)), number);
        }
        assert!(cache.lists.len() == 3 && cache.bytes <= BYTES_MAX);
        cache.put("huge".into(), list(1, &"n".repeat(BYTES_MAX)), 10);
        assert_eq!((cache.lists.len(), cache.get("huge", 10)), (3, None), "what can't fit drives nobody out");
    }
}
