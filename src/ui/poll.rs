//! Looking again every so often, while somebody can see it.

use crate::error::{AppError, AppResult};
use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;

/// After so many looks without an answer it is asked once more: the network may have lost the question.
const PATIENCE: u32 = 30;

/// Questions are numbered from 1.
#[derive(Clone, Copy, Default)]
struct Asked {
    last: u32,
    /// The latest that was answered.
    answered: u32,
    /// Since the last one.
    looks: u32,
}

impl Asked {
    /// Whether to ask now: nothing is open, or one question for long.
    fn is_due(&self) -> bool {
        match self.last - self.answered {
            0 => true,
            1 => self.looks >= PATIENCE,
            _ => false,
        }
    }

    /// Whether an answer tells something newer than what was told before.
    fn hear(&mut self, number: u32) -> bool {
        let newer = number > self.answered;
        self.answered = self.answered.max(number);
        newer
    }
}

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

/// Keeps `shown` as the server has it, by [`look_every`]. `load` asks, or not (`None`) when nothing moves. That somebody
/// was signed out, or may not see it any more, or that it is gone, is told once in `lost`, and nothing more is asked;
/// other failures are tried again.
pub fn follow<T, Loading>(
    shown: RwSignal<T>,
    lost: RwSignal<Option<AppError>>,
    pause: Duration,
    load: impl Fn(&T) -> Option<Loading> + Clone + 'static,
) where
    T: PartialEq + Send + Sync + 'static,
    Loading: Future<Output = AppResult<T>> + 'static,
{
    let asked = StoredValue::new(Asked::default());
    look_every(pause, move || {
        // Gone with the page.
        let Some(due) = asked.try_update_value(|asked| {
            asked.looks += 1;
            asked.is_due()
        }) else {
            return;
        };
        if !due || lost.try_with_untracked(Option::is_some) != Some(false) {
            return;
        }
        let Some(loading) = shown.try_with_untracked(&load).flatten() else { return };
        let Some(number) = asked.try_update_value(|asked| {
            (asked.last, asked.looks) = (asked.last + 1, 0);
            asked.last
        }) else {
            return;
        };
        spawn_local(async move {
            let loaded = loading.await;
            if asked.try_update_value(|asked| asked.hear(number)) != Some(true) {
                return;
            }
            match loaded {
                Ok(next) => {
                    if shown.try_with_untracked(|shown| *shown != next) == Some(true) {
                        let _ = shown.try_set(next);
                    }
                }
                Err(error @ (AppError::Unauthenticated | AppError::Forbidden | AppError::NotFound)) => {
                    let _ = lost.try_set(Some(error));
                }
                Err(_) => {}
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_question_is_asked_once_more_and_an_older_answer_tells_nothing() {
        let mut asked = Asked::default();
        assert!(asked.is_due());
        asked.last = 1;
        assert!(!asked.is_due(), "one is open");
        asked.looks = PATIENCE;
        assert!(asked.is_due());
        (asked.last, asked.looks) = (2, 2 * PATIENCE);
        assert!(!asked.is_due(), "no third one");
        assert!(asked.hear(2) && asked.is_due());
        assert!(!asked.hear(1), "it was asked before");
        assert_eq!((asked.answered, asked.is_due()), (2, true));
    }
}
