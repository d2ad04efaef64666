//! The time that retention goes by. What it deletes is gone for good, so a clock that leaps must not make messages old:
//! a machine may think that it is 2106. Its time follows the clock, but runs so many times as fast as the steady one at
//! the most, from where it was when the server last ran. Days without a server are made up for within hours, and whoever
//! has a clock that is years ahead has weeks to see it.

use crate::{
    clock::{HOUR, Millis},
    db::Db,
    execute, fetch,
};
use std::sync::{Mutex, PoisonError};

const FASTER: i64 = 24;
/// How often it is written.
const WRITTEN: Millis = HOUR;

#[derive(Debug, Default)]
pub struct Pace(Mutex<Memory>);

#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    seen: Option<Seen>,
    /// The steady time of the last look at which nothing had ended yet.
    nothing_at: Option<Millis>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    /// The latest time that it was.
    time: Millis,
    steady: Millis,
    written: Millis,
}

impl Seen {
    /// What time it is, where the clock says `now`.
    fn at(&mut self, now: Millis, steady: Millis) -> Millis {
        let most = self.time.saturating_add((steady - self.steady).max(0).saturating_mul(FASTER));
        let time = now.min(most);
        (self.time, self.steady) = (self.time.max(time), steady);
        time
    }
}

impl Pace {
    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What time it is for retention, where the clock says `now` and the steady time is `steady`, all in ms.
    pub async fn time(&self, db: &Db, now: Millis, steady: Millis) -> sqlx::Result<Millis> {
        let known = *self.memory();
        let mut seen = match known.seen {
            Some(seen) => seen,
            None => match kept(db).await? {
                Some(time) => Seen { time, steady: known.nothing_at.unwrap_or(steady), written: time },
                // Nothing has ended that could be deleted.
                None => {
                    self.memory().nothing_at = Some(steady);
                    return Ok(now);
                }
            },
        };
        let time = seen.at(now, steady);
        if seen.time >= seen.written + WRITTEN {
            keep(db, seen.time).await?;
            seen.written = seen.time;
        }
        self.memory().seen = Some(seen);
        Ok(time)
    }
}

/// As it was written last; before it ever was, when something ended last.
async fn kept(db: &Db) -> sqlx::Result<Option<Millis>> {
    let sql = "select coalesce((select cast(value as bigint) from settings where key = 'retention_time'), \
               (select max(finished_at) from sends))";
    Ok(fetch!(db, one, (Option<i64>,), sql)?.0)
}

/// Of several nodes the latest counts.
async fn keep(db: &Db, time: Millis) -> sqlx::Result<()> {
    let sql = "insert into settings (key, value) values ('retention_time', $1) on conflict (key) do update \
               set value = excluded.value where cast(settings.value as bigint) < $2";
    execute!(db, sql, time.to_string(), time)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::DAY, delivery::testing::put_send, on_both_databases};
    use proptest::prelude::*;

    proptest! {
        /// Whatever is done to the clock.
        #[test]
        fn it_is_never_ahead_of_the_clock_and_never_runs_away(
            looks in prop::collection::vec((0..2 * HOUR, -400 * DAY..40_000 * DAY), 1..40),
        ) {
            let (began, mut steady) = (1_000 * DAY, 5);
            let mut seen = Seen { time: began, steady, written: began };
            for (passes, set) in looks {
                steady += passes;
                let now = began + steady + set;
                let before = seen.time;
                let time = seen.at(now, steady);
                prop_assert!(time <= now && time <= before + FASTER * passes);
                prop_assert!(time == now || time == before + FASTER * passes, "and follows it as it may");
            }
            prop_assert!(seen.time <= began + FASTER * steady);
        }
    }

    on_both_databases!(a_leap_makes_nothing_old_and_days_without_a_server_are_made_up_for, |db| async move {
        let (pace, start) = (Pace::default(), 1_000 * DAY);
        assert_eq!(pace.time(&db, 90_000 * DAY, 0).await.unwrap(), 90_000 * DAY, "nothing is there to delete");
        put_send(&db, "s", 1, 1, 0).await;
        execute!(db, "update sends set finished_at = $1", start).unwrap();
        assert_eq!(pace.time(&db, 40_000 * DAY, 0).await.unwrap(), start, "a leap while it had never run");
        assert_eq!(pace.time(&db, start, 0).await.unwrap(), start, "the clock is right again");
        let looked = Pace::default();
        looked.memory().nothing_at = Some(-HOUR);
        assert_eq!(looked.time(&db, start + 2 * DAY, 0).await.unwrap(), start + DAY, "an hour since the last look");
        assert_eq!(pace.time(&db, start + HOUR, HOUR).await.unwrap(), start + HOUR);
        assert_eq!(pace.time(&db, 40_000 * DAY, 2 * HOUR).await.unwrap(), start + 25 * HOUR);
        // Another process goes on from there, after two days.
        let again = Pace::default();
        assert_eq!(again.time(&db, start + 3 * DAY, 0).await.unwrap(), start + 25 * HOUR);
        assert_eq!(again.time(&db, start + 3 * DAY + HOUR, HOUR).await.unwrap(), start + 49 * HOUR);
        assert_eq!(again.time(&db, start + 3 * DAY + 2 * HOUR, 2 * HOUR).await.unwrap(), start + 73 * HOUR);
        assert_eq!(again.time(&db, start + 3 * DAY + 3 * HOUR, 3 * HOUR).await.unwrap(), start + 75 * HOUR);
    });
}
