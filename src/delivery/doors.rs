//! The doors of a webhook: so many of its POSTs may run at once, however many batches wait. How many changes with how
//! many webhooks have something to do; who is inside stays until he is done.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

#[derive(Debug)]
pub struct Doors {
    places: Mutex<Places>,
    /// A place may be free.
    freed: Notify,
    /// There is no place left at all.
    shut: Notify,
}

#[derive(Debug)]
struct Places {
    all: usize,
    taken: usize,
}

/// Somebody inside; he leaves when this is dropped.
#[derive(Debug)]
pub struct Inside(Arc<Doors>);

impl Doors {
    pub fn new(places: usize) -> Self {
        Self { places: Mutex::new(Places { all: places, taken: 0 }), freed: Notify::new(), shut: Notify::new() }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many may be inside from now on.
    pub fn allow(&self, places: usize) {
        let before = std::mem::replace(&mut self.places().all, places);
        if places > before {
            self.freed.notify_waiters();
        }
        if places == 0 {
            self.shut.notify_waiters();
        }
    }

    /// More are inside than there are places now.
    pub fn are_crowded(&self) -> bool {
        let places = self.places();
        places.taken > places.all
    }

    /// Until there is no place at all: nobody need wait for one.
    pub async fn are_shut(&self) {
        loop {
            let mut shut = std::pin::pin!(self.shut.notified());
            shut.as_mut().enable();
            if self.places().all == 0 {
                return;
            }
            shut.await;
        }
    }

    /// Waits for a place. Whoever stops waiting takes none.
    pub async fn enter(self: &Arc<Self>) -> Inside {
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            // From here on nothing is missed.
            freed.as_mut().enable();
            if let Some(inside) = self.try_enter() {
                return inside;
            }
            freed.await;
        }
    }

    fn try_enter(self: &Arc<Self>) -> Option<Inside> {
        let mut places = self.places();
        if places.taken >= places.all {
            return None;
        }
        places.taken += 1;
        Some(Inside(self.clone()))
    }

    #[cfg(test)]
    pub fn all(&self) -> usize {
        self.places().all
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.places().taken -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    #[test]
    fn who_waits_enters_when_somebody_leaves_or_there_are_more_places() {
        let doors = Arc::new(Doors::new(2));
        let (first, second) = (doors.enter().now_or_never().unwrap(), doors.enter().now_or_never().unwrap());
        assert!(doors.enter().now_or_never().is_none());
        doors.allow(1);
        drop(first);
        assert!(doors.enter().now_or_never().is_none(), "one is inside, and there is one place");
        let mut waiting = Box::pin(doors.enter());
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(second);
        let third = waiting.as_mut().now_or_never().unwrap();
        let mut waiting = Box::pin(doors.enter());
        assert!(waiting.as_mut().now_or_never().is_none());
        doors.allow(2);
        let fourth = waiting.as_mut().now_or_never().unwrap();
        drop((third, fourth));
        assert_eq!(doors.places().taken, 0);
    }

    #[test]
    fn who_waits_hears_that_there_is_no_place_any_more() {
        let doors = Arc::new(Doors::new(1));
        let inside = doors.enter().now_or_never().unwrap();
        let mut shut = Box::pin(doors.are_shut());
        assert!(shut.as_mut().now_or_never().is_none() && !doors.are_crowded());
        doors.allow(0);
        assert!(shut.as_mut().now_or_never().is_some() && doors.are_crowded());
        drop(inside);
        assert!(!doors.are_crowded() && doors.enter().now_or_never().is_none());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn everybody_comes_in_and_never_too_many() {
        const MOST: usize = 5;
        let (doors, inside) = (Arc::new(Doors::new(1)), Arc::new(AtomicUsize::new(0)));
        let visit = |number: usize| {
            let (doors, inside) = (doors.clone(), inside.clone());
            tokio::spawn(async move {
                doors.allow(1 + number % MOST);
                let waits = doors.enter();
                if number.is_multiple_of(7) {
                    // One who comes and goes away again, whether it is his turn or not.
                    let _ = tokio::time::timeout(Duration::from_micros(number as u64), waits).await;
                    return;
                }
                let _inside = waits.await;
                assert!(inside.fetch_add(1, Ordering::SeqCst) < MOST);
                tokio::task::yield_now().await;
                inside.fetch_sub(1, Ordering::SeqCst);
            })
        };
        let visits = futures::future::join_all((0..5_000).map(visit));
        let visits = tokio::time::timeout(Duration::from_secs(30), visits).await.unwrap();
        assert!(visits.iter().all(Result::is_ok));
        assert_eq!(doors.places().taken, 0);
    }
}
