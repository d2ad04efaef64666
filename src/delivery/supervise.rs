//! Loops that do not die in silence: one that ends early is logged, counts as dead, and is started again with backoff.
//! One that hangs can't be ended safely, because what it holds is not known; it shows in how long ago it beat.

use crate::{
    clock::{Clock, MINUTE, Millis},
    format::duration_ms,
};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinHandle};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);
/// A loop that ran for this long has recovered.
const STEADY: Duration = Duration::from_secs(60);
/// A loop that has not completed a round for so long stands still. A round may wait a minute for SQLite's writer.
pub const STILL: Millis = 2 * MINUTE;

/// A loop's sign of life: whether it is alive, cleared when it dies, and when it last completed a round.
#[derive(Clone)]
pub struct Pulse(Arc<Beats>);

struct Beats {
    name: &'static str,
    clock: Clock,
    alive: AtomicBool,
    /// By the clock's steady time.
    last: AtomicI64,
}

impl Pulse {
    /// Of the loop with this name. A loop that has not run yet has time for its first round.
    pub fn new(name: &'static str, clock: Clock) -> Self {
        let last = AtomicI64::new(clock.steady());
        Self(Arc::new(Beats { name, clock, alive: AtomicBool::new(true), last }))
    }

    pub fn name(&self) -> &'static str {
        self.0.name
    }

    pub fn beat(&self) {
        self.0.last.store(self.0.clock.steady(), Ordering::Relaxed);
        self.0.alive.store(true, Ordering::Relaxed);
    }

    pub fn alive(&self) -> bool {
        self.0.alive.load(Ordering::Relaxed)
    }

    fn died(&self) {
        self.0.alive.store(false, Ordering::Relaxed);
    }

    /// How long ago it last completed a round, in ms.
    pub fn age(&self) -> Millis {
        (self.0.clock.steady() - self.0.last.load(Ordering::Relaxed)).max(0)
    }

    /// What is wrong with the loop, for people; `None` when it runs.
    pub fn trouble(&self) -> Option<String> {
        let age = self.age();
        if !self.alive() {
            Some("it died and has not completed a round since; the log says why".into())
        } else if age >= STILL {
            Some(format!("it stands still: its last round ended {} ago", duration_ms(age)))
        } else {
            None
        }
    }
}

/// Whether the engine was asked to stop.
#[derive(Clone, Debug)]
pub struct Stopping(watch::Receiver<bool>);

impl Stopping {
    pub fn channel() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    pub fn asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Until it is asked for; a sender that is gone asks for it too.
    pub async fn wait(&self) {
        let _ = self.0.clone().wait_for(|asked| *asked).await;
    }
}

/// A loop of the engine. What it must not forget when it dies is in `self`.
pub trait Loop: Send + Sync + 'static {
    const NAME: &'static str;

    /// Runs until a stop is asked for; an error ends this run, and another begins.
    fn run(&self, pulse: &Pulse, stopping: &Stopping) -> impl Future<Output = sqlx::Result<()>> + Send;
}

/// Runs a loop until it ends in order.
pub fn supervise<L: Loop>(this: L, pulse: Pulse, stopping: Stopping) -> JoinHandle<()> {
    let this = Arc::new(this);
    tokio::spawn(async move {
        let mut wait = FIRST;
        loop {
            let started = Instant::now();
            let (running, beating, stop) = (this.clone(), pulse.clone(), stopping.clone());
            let cause = match tokio::spawn(async move { running.run(&beating, &stop).await }).await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            pulse.died();
            if started.elapsed() > STEADY {
                wait = FIRST;
            }
            tracing::error!(name = L::NAME, cause, again_in_ms = wait.as_millis() as u64, "a loop of the engine died");
            metrics::counter!("reachwire_loop_deaths_total", "loop" => L::NAME).increment(1);
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[derive(Default)]
    struct Mortal(AtomicUsize);

    impl Loop for Mortal {
        const NAME: &'static str = "mortal";

        async fn run(&self, pulse: &Pulse, _stopping: &Stopping) -> sqlx::Result<()> {
            match self.0.fetch_add(1, Ordering::SeqCst) {
                0 => panic!("dies by a panic"),
                1 => Err(sqlx::Error::PoolClosed),
                _ => {
                    assert!(pulse.trouble().is_some_and(|why| why.contains("died")));
                    pulse.beat();
                    Ok(())
                }
            }
        }
    }

    #[tokio::test]
    async fn a_loop_that_dies_is_started_again() {
        let (_asking, stopping) = Stopping::channel();
        let pulse = Pulse::new("mortal", Clock::manual(0));
        supervise(Mortal::default(), pulse.clone(), stopping).await.unwrap();
        assert!(pulse.alive(), "its third run beat");
    }

    #[test]
    fn a_loop_that_hangs_is_seen() {
        let clock = Clock::manual(5);
        let pulse = Pulse::new("hanging", clock.clone());
        clock.advance(STILL - 1);
        assert_eq!((pulse.trouble(), pulse.age()), (None, STILL - 1), "it may be in its first round");
        clock.advance(1);
        assert_eq!(pulse.trouble().unwrap(), "it stands still: its last round ended 2 min ago");
        pulse.beat();
        assert_eq!((pulse.trouble(), pulse.age()), (None, 0));
    }
}
