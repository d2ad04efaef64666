//! Loops that do not die in silence: one that ends early is logged, counts as dead, and is started again with backoff.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinHandle};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);
/// A loop that ran for this long has recovered.
const STEADY: Duration = Duration::from_secs(60);

/// Whether a loop is alive: set at every completed round, cleared when the loop dies.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<AtomicBool>);

impl Pulse {
    pub fn new() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    pub fn beat(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn alive(&self) -> bool {
        self.0.load(Ordering::Relaxed)
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
            pulse.0.store(false, Ordering::Relaxed);
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
                    assert!(!pulse.alive());
                    pulse.beat();
                    Ok(())
                }
            }
        }
    }

    #[tokio::test]
    async fn a_loop_that_dies_is_started_again() {
        let (_asking, stopping) = Stopping::channel();
        let pulse = Pulse::new();
        supervise(Mortal::default(), pulse.clone(), stopping).await.unwrap();
        assert!(pulse.alive(), "its third run beat");
    }
}
