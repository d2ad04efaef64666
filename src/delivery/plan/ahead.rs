//! While a chunk is written the next one is read: a million users are planned in little more than the longer of both.

use super::super::{Chunk, ids::SendKey};
use crate::clock::{Millis, SECOND};
use std::collections::HashMap;

/// Sends at a time whose chunks are read ahead, so that many do not fill the memory.
const SENDS: usize = 4;
/// What was read longer ago, before a pause say, is read again: the audience may have changed.
const FRESH: Millis = 5 * SECOND;

struct Read {
    after: String,
    chunk: Chunk,
    at: Millis,
}

/// Chunks that were read and not yet written.
#[derive(Default)]
pub struct Ahead(HashMap<SendKey, Read>);

impl Ahead {
    /// Forgets what is of none of the sends or too old. Of a clock that was set back, too.
    pub fn keep(&mut self, open: &[SendKey], now: Millis) {
        self.0.retain(|key, read| open.contains(key) && (0..FRESH).contains(&(now - read.at)));
    }

    /// The chunk after a cursor, if that is what was read.
    pub fn take(&mut self, key: &SendKey, after: Option<&str>) -> Option<Chunk> {
        let read = self.0.remove(key)?;
        (Some(read.after.as_str()) == after).then_some(read.chunk)
    }

    pub fn has_room(&self) -> bool {
        self.0.len() < SENDS
    }

    pub fn put(&mut self, key: SendKey, after: String, chunk: Chunk, at: Millis) {
        self.0.insert(key, Read { after, chunk, at });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_follows_and_is_fresh_is_taken() {
        let (key, mut ahead) = (SendKey::new("w", "s"), Ahead::default());
        let put = |ahead: &mut Ahead| ahead.put(key.clone(), "c".into(), Chunk::default(), 1_000);
        put(&mut ahead);
        assert!(ahead.take(&key, Some("c")).is_some());
        assert!(ahead.take(&key, Some("c")).is_none(), "once");
        for other in [None, Some("b")] {
            put(&mut ahead);
            assert!(ahead.take(&key, other).is_none());
        }
        for (open, now, kept) in
            [(true, 1_000, true), (true, 1_000 + FRESH, false), (true, 999, false), (false, 1_000, false)]
        {
            put(&mut ahead);
            ahead.keep(if open { std::slice::from_ref(&key) } else { &[] }, now);
            assert_eq!(ahead.take(&key, Some("c")).is_some(), kept, "{open} {now}");
        }
        for number in 0..SENDS {
            assert!(ahead.has_room());
            ahead.put(SendKey::new("w", number.to_string()), "c".into(), Chunk::default(), 0);
        }
        assert!(!ahead.has_room());
    }
}
