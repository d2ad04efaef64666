//! Looks at the queue every few seconds (PostgreSQL: 15) and sets the gauges, whether anybody asks for them or not.

use super::{
    health::Breaker,
    labels,
    queue::{self, Counts, Due},
    supervise::{Loop, Pulse, Stopping},
};
use crate::{
    clock::{Clock, Millis, SECOND},
    db::Db,
};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Every node of a PostgreSQL asks, and is to ask little.
fn poll(db: &Db) -> Duration {
    Duration::from_secs(if db.is_sqlite() { 5 } else { 15 })
}

pub struct Watcher {
    pub db: Db,
    pub clock: Clock,
    /// When this process began.
    pub began: Millis,
    /// Of all loops, this one too.
    pub pulses: Vec<Pulse>,
    /// Webhooks whose breaker was told: one that is gone counts as closed.
    pub told: Mutex<BTreeSet<String>>,
}

impl Loop for Watcher {
    const NAME: &'static str = "watch";

    async fn run(&self, pulse: &Pulse, stopping: &Stopping) -> sqlx::Result<()> {
        while !stopping.asked() {
            // First, so that a database that does not answer does not hide a loop that hangs.
            for pulse in &self.pulses {
                metrics::gauge!("reachwire_loop_age_seconds", "loop" => pulse.name()).set(seconds(pulse.age()));
            }
            let now = self.clock.now();
            let due = queue::due(&self.db, self.began, now).await?;
            let counts = queue::counts(&self.db).await?;
            self.tell(&due, counts, now);
            pulse.beat();
            tokio::select! {
                () = tokio::time::sleep(poll(&self.db)) => {}
                () = stopping.wait() => {}
            }
        }
        Ok(())
    }
}

impl Watcher {
    fn tell(&self, due: &Due, counts: Counts, now: Millis) {
        metrics::gauge!("reachwire_due_age_seconds").set(seconds(due.oldest.unwrap_or(0)));
        metrics::gauge!("reachwire_stuck_seconds").set(seconds(due.stuck.as_ref().map_or(0, |(_, still)| *still)));
        metrics::gauge!("reachwire_batches_leased").set(due.leased as f64);
        metrics::gauge!("reachwire_queue_users").set(counts.users as f64);
        metrics::gauge!("reachwire_users_unknown").set(counts.unknown as f64);
        metrics::gauge!("reachwire_webhooks_disabled").set(counts.disabled as f64);
        let sends = [("scheduled", counts.scheduled), ("sending", counts.sending), ("missed", counts.missed)];
        for (state, sends) in sends {
            metrics::gauge!("reachwire_sends", "state" => state).set(sends as f64);
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gone = std::mem::take(&mut *told);
        for (webhook, state) in counts.breakers {
            let Some(label) = labels::of_its_own(&webhook) else { continue };
            metrics::gauge!("reachwire_breaker_state", "webhook" => label).set(number(&state));
            gone.remove(&webhook);
            told.insert(webhook);
        }
        for label in gone.iter().filter_map(|webhook| labels::of_its_own(webhook)) {
            metrics::gauge!("reachwire_breaker_state", "webhook" => label).set(number(Breaker::Closed.code()));
        }
        metrics::gauge!("reachwire_watch_timestamp_seconds").set(seconds(now));
    }
}

/// As the help of the gauge says.
fn number(state: &str) -> f64 {
    match Breaker::from_code(state).unwrap_or_default() {
        Breaker::Closed => 0.0,
        Breaker::HalfOpen => 1.0,
        Breaker::Open => 2.0,
    }
}

fn seconds(ms: Millis) -> f64 {
    ms as f64 / SECOND as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics_exporter_prometheus::PrometheusBuilder;

    #[tokio::test]
    async fn gauges_say_what_was_found_and_a_webhook_that_is_gone_is_closed() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let (db, _folder) = crate::db::testing::sqlite().await;
        let (clock, told) = (Clock::manual(0), Mutex::default());
        let watcher = Watcher { db, clock, began: 0, pulses: Vec::new(), told };
        let due = Due { oldest: Some(1_500), stuck: Some(("a".into(), 250)), leased: 3 };
        let counts = Counts {
            scheduled: 1,
            sending: 2,
            missed: 4,
            users: 5,
            unknown: 6,
            disabled: 7,
            breakers: vec![("watch-a".into(), "open".into()), ("watch-b".into(), "half_open".into())],
        };
        let shown = |due: &Due, counts| {
            metrics::with_local_recorder(&recorder, || watcher.tell(due, counts, 9_000));
            recorder.handle().render()
        };
        let page = shown(&due, counts);
        for line in [
            "reachwire_due_age_seconds 1.5",
            "reachwire_stuck_seconds 0.25",
            "reachwire_batches_leased 3",
            "reachwire_sends{state=\"scheduled\"} 1",
            "reachwire_sends{state=\"sending\"} 2",
            "reachwire_sends{state=\"missed\"} 4",
            "reachwire_queue_users 5",
            "reachwire_users_unknown 6",
            "reachwire_webhooks_disabled 7",
            "reachwire_breaker_state{webhook=\"watch-a\"} 2",
            "reachwire_breaker_state{webhook=\"watch-b\"} 1",
            "reachwire_watch_timestamp_seconds 9",
        ] {
            assert!(page.lines().any(|shown| shown == line), "{line}: {page}");
        }
        let counts = Counts { breakers: vec![("watch-b".into(), "open".into())], ..Counts::default() };
        let page = shown(&Due::default(), counts);
        let lines = [
            "reachwire_due_age_seconds 0",
            "reachwire_stuck_seconds 0",
            "reachwire_breaker_state{webhook=\"watch-a\"} 0",
            "reachwire_breaker_state{webhook=\"watch-b\"} 2",
        ];
        for line in lines {
            assert!(page.lines().any(|shown| shown == line), "{line}: {page}");
        }
    }
}
