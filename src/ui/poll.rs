//! Looking again every so often, while somebody can see it.

use crate::error::{AppError, AppResult};
use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;

/// After so many looks without an answer it is asked anew: the network may have lost the question.
const PATIENCE: u32 = 30;

/// Calls `look` every `pause` until its owner goes (browser only): not while the page is hidden, as in a tab behind
/// another, and at once when it is shown again.
fn look_every(pause: Duration, look: impl Fn() + Clone + 'static) {
    Effect::new(move |_| {
        let look = look.clone();
        let look = move || {
            if !document().hidden() {
                look();
            }
        };
        // The event is the document's, and comes up to the window.
        let again = look.clone();
        let shown = window_event_listener_untyped("visibilitychange", move |_| again());
        on_cleanup(move || shown.remove());
        if let Ok(timer) = set_interval_with_handle(look, pause) {
            on_cleanup(move || timer.clear());
        }
    });
}

/// Keeps `shown` as the server has it, by [`look_every`], with one question at a time. `load` asks, or not (`None`) when
/// nothing moves. Who was signed out in the meantime is told so once in `lost`, and nothing more is asked; other
/// failures are tried again.
pub fn follow<T, Loading>(
    shown: RwSignal<T>,
    lost: RwSignal<Option<AppError>>,
    pause: Duration,
    load: impl Fn(&T) -> Option<Loading> + Clone + 'static,
) where
    T: PartialEq + Send + Sync + 'static,
    Loading: Future<Output = AppResult<T>> + 'static,
{
    // Looks since the question that has no answer yet.
    let asking = StoredValue::new(0_u32);
    look_every(pause, move || {
        let Some(looks) = asking.try_get_value() else { return };
        if (1..PATIENCE).contains(&looks) {
            asking.set_value(looks + 1);
            return;
        }
        if lost.try_with_untracked(Option::is_some) != Some(false) {
            return;
        }
        let Some(loading) = shown.try_with_untracked(&load).flatten() else { return };
        asking.set_value(1);
        spawn_local(async move {
            let loaded = loading.await;
            asking.try_set_value(0);
            match loaded {
                Ok(next) => {
                    if shown.try_with_untracked(|shown| *shown != next) == Some(true) {
                        let _ = shown.try_set(next);
                    }
                }
                Err(error @ AppError::Unauthenticated) => {
                    let _ = lost.try_set(Some(error));
                }
                Err(_) => {}
            }
        });
    });
}
