//! Time as a parameter: schedules, retries and expiry are tested without sleeping.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicI64, Ordering},
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
    /// The database's, which several nodes share: the system's at the first look, what has passed since by the steady
    /// time, and so many milliseconds (see [`Clock::follow`]). Whoever sets this machine's clock moves nothing.
    Shared(Arc<AtomicI64>),
}

/// The first look of this process at both times.
static BEGAN: LazyLock<(Millis, Millis)> = LazyLock::new(|| (since_boot(), jiff::Timestamp::now().as_millisecond()));

/// Milliseconds since then that nobody sets.
fn passed() -> Millis {
    since_boot() - BEGAN.0
}

/// Also while the machine sleeps: what it holds may be another's when it wakes up.
#[cfg(target_os = "linux")]
fn since_boot() -> Millis {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    time.tv_sec * SECOND + Millis::from(time.tv_nsec) / 1_000_000
}

#[cfg(not(target_os = "linux"))]
fn since_boot() -> Millis {
    static FIRST: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
    i64::try_from(FIRST.elapsed().as_millis()).unwrap_or(i64::MAX)
}

/// Differences below this are not worth a jump, in ms.
const CLOSE: Millis = 200;
/// An answer that took longer tells the time no more, in ms.
const TELLING: Millis = SECOND;

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
            Self::Shared(ahead) => BEGAN.1 + passed() + ahead.load(Ordering::SeqCst),
        }
    }

    /// Milliseconds since some moment of this process, that only grow: for how long something takes, whoever sets the
    /// machine's clock meanwhile.
    pub fn steady(&self) -> Millis {
        match self {
            // The database's clock may be set, too.
            Self::System | Self::Shared(_) => passed(),
            Self::Manual(now) => now.load(Ordering::SeqCst),
            Self::Ahead(ahead) => passed() + ahead.load(Ordering::SeqCst),
        }
    }

    /// One for several machines, to [follow](Clock::follow) the database's; a clock of a test stays what it is.
    pub fn shared(self) -> Self {
        match self {
            Self::System => Self::Shared(Arc::default()),
            other => other,
        }
    }

    /// The database said `told` between `asked` and `heard`, as this clock had it then. How far it was away, in ms,
    /// when it was set.
    pub fn follow(&self, asked: Millis, told: Millis, heard: Millis) -> Option<Millis> {
        let Self::Shared(ahead) = self else { return None };
        let away = told - (asked + (heard - asked) / 2);
        if !(0..=TELLING).contains(&(heard - asked)) || away.abs() < CLOSE {
            return None;
        }
        ahead.fetch_add(away, Ordering::SeqCst);
        Some(away)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_clock_goes_by_what_the_database_says() {
        let clock = Clock::System.shared();
        let before = clock.now();
        assert_eq!(clock.follow(before, before + CLOSE - 1, before), None, "as good as the same");
        assert_eq!(clock.follow(before, before + 60_000, before + TELLING + 1), None, "who knows when that was");
        assert_eq!(clock.follow(before, before + 60_050, before + 100), Some(60_000));
        assert!((60_000..70_000).contains(&(clock.now() - before)));
        let now = clock.now();
        assert_eq!(clock.follow(now, now - 60_000, now), Some(-60_000), "back again");
        assert_eq!(Clock::manual(5).shared().follow(5, 90_000, 5), None);
        assert_eq!(Clock::manual(5).shared().now(), 5);
    }
}
