//! PostgreSQL chooses how to find rows by what it has counted of its tables, and counts a table that grows fast only
//! after a minute. The first big send would be over by then, each round of it reading all of its batches.

use crate::{db::Db, execute};

/// Batches after which it is to count for the first time; for the next time so many times as many.
const FIRST: i64 = 5_000;
const GROWTH: i64 = 10;

/// What this process has added since.
pub struct Statistics {
    batches: i64,
    next: i64,
}

impl Default for Statistics {
    fn default() -> Self {
        Self { batches: 0, next: FIRST }
    }
}

impl Statistics {
    /// There are so many more batches.
    pub async fn grown(&mut self, db: &Db, batches: i64) {
        self.batches += batches;
        if db.is_sqlite() || self.batches < self.next {
            return;
        }
        (self.batches, self.next) = (0, self.next.saturating_mul(GROWTH));
        // Who has locked a table for long, to mend it, is not waited for.
        if let Err(error) = execute!(db, "analyze (skip_locked) send_batches, send_pages") {
            tracing::warn!(%error, "PostgreSQL could not count its tables");
        }
    }
}
