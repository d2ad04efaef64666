//! Time as a parameter: schedules, retries and expiry are tested without sleeping.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

/// Unix milliseconds.
pub type Millis = i64;

pub const SECOND: Millis = 1_000;
pub const MINUTE: Millis = 60 * SECOND;
pub const HOUR: Millis = 60 * MINUTE;
pub const DAY: Millis = 24 * HOUR;

#[derive(Clone)]
pub enum Clock {
    System,
    /// Stands still until a test moves it.
    Manual(Arc<AtomicI64>),
    /// The system's, and so many milliseconds ahead of it.
    Ahead(Arc<AtomicI64>),
}

impl Clock {
    pub fn manual(now: Millis) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(now)))
    }

    pub fn now(&self) -> Millis {
        let system = || jiff::Timestamp::now().as_millisecond();
        match self {
            Self::System => system(),
            Self::Manual(now) => now.load(Ordering::SeqCst),
            Self::Ahead(ahead) => system() + ahead.load(Ordering::SeqCst),
        }
    }

    /// Milliseconds since some moment of this process, that only grow: for how long something takes, whoever sets the
    /// machine's clock meanwhile.
    pub fn steady(&self) -> Millis {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        let system = || i64::try_from(BEGAN.elapsed().as_millis()).unwrap_or(i64::MAX);
        match self {
            Self::System => system(),
            Self::Manual(now) => now.load(Ordering::SeqCst),
            Self::Ahead(ahead) => system() + ahead.load(Ordering::SeqCst),
        }
    }

    /// Moves a clock that can be moved; the system's is nobody's to move.
    pub fn advance(&self, by: Millis) {
        if let Self::Manual(clock) | Self::Ahead(clock) = self {
            clock.fetch_add(by, Ordering::SeqCst);
        }
    }
}

/// A new id: a UUIDv7, 32 hex digits, so that ids sort by the time they were made.
pub fn new_id() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

/// Whether a text that came back from a page could be one.
pub fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
