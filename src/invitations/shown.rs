//! Links between being made and being shown: kept in memory, taken once by whoever made them.

use super::model::MadeLinks;
use crate::{
    clock::{MINUTE, Millis},
    secrets::random_hex,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// How long they wait for the page that shows them.
const WAITS: Millis = 10 * MINUTE;
/// Pages that wait at a time; the oldest gives way.
const WAITING_MAX: usize = 50;

struct Waiting {
    owner: String,
    until: Millis,
    links: MadeLinks,
}

#[derive(Clone, Default)]
pub struct Shown(Arc<Mutex<HashMap<String, Waiting>>>);

impl Shown {
    /// Keeps `links` for `owner`; the key of their page.
    pub fn put(&self, owner: &str, links: MadeLinks, now: Millis) -> String {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, waiting| waiting.until > now);
        if all.len() >= WAITING_MAX
            && let Some(oldest) = all.iter().min_by_key(|(_, waiting)| waiting.until).map(|(key, _)| key.clone())
        {
            all.remove(&oldest);
        }
        let key = random_hex(16);
        all.insert(key.clone(), Waiting { owner: owner.into(), until: now + WAITS, links });
        key
    }

    /// What `owner` has not seen yet.
    pub fn take(&self, owner: &str, key: &str, now: Millis) -> Option<MadeLinks> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.get(key).is_none_or(|waiting| waiting.owner != owner || waiting.until <= now) {
            return None;
        }
        all.remove(key).map(|waiting| waiting.links)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_shown_once_to_who_made_them() {
        let shown = Shown::default();
        let links = MadeLinks { csv: "x".into(), ..MadeLinks::default() };
        let key = shown.put("ada", links.clone(), 0);
        assert_eq!(shown.take("bob", &key, 1), None);
        assert_eq!(shown.take("ada", &key, 1), Some(links.clone()));
        assert_eq!(shown.take("ada", &key, 1), None);
        let late = shown.put("ada", links.clone(), 0);
        assert_eq!(shown.take("ada", &late, WAITS), None);
        let first = shown.put("ada", links.clone(), 1);
        for now in 2..=WAITING_MAX as i64 + 1 {
            shown.put("ada", links.clone(), now);
        }
        assert_eq!(shown.take("ada", &first, 60), None, "the oldest gave way");
        assert!(shown.0.lock().unwrap().len() <= WAITING_MAX);
    }
}
