//! Short news that needs no answer.

use std::time::Duration;

use leptos::prelude::*;

use super::badge::Tone;
use super::icon::{Glyph, Icon};

/// How long good news stays. Bad news stays until it is dismissed.
const STAYS: Duration = Duration::from_secs(6);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Toast {
    id: u32,
    tone: Tone,
    text: String,
}

/// The way to show news; from [`use_toasts`].
#[derive(Clone, Copy)]
pub struct Toasts {
    items: RwSignal<Vec<Toast>>,
    last: StoredValue<u32>,
}

impl Toasts {
    fn new() -> Self {
        Self { items: RwSignal::new(Vec::new()), last: StoredValue::new(0) }
    }

    /// Shows `text`. Call it in the browser: from an event or an action's continuation.
    pub fn show(&self, tone: Tone, text: impl Into<String>) {
        let toasts = *self;
        let id = toasts.last.get_value().wrapping_add(1);
        toasts.last.set_value(id);
        toasts.items.update(|items| items.push(Toast { id, tone, text: text.into() }));
        if cfg!(not(feature = "ssr")) && tone != Tone::Bad {
            set_timeout(move || toasts.dismiss(id), STAYS);
        }
    }

    fn dismiss(&self, id: u32) {
        // The page may have gone while the timer ran.
        let _ = self.items.try_update(|items| items.retain(|toast| toast.id != id));
    }
}

/// The toasts of the page around; without a [`Toasts`] area around, news goes nowhere.
pub fn use_toasts() -> Toasts {
    use_context::<Toasts>().unwrap_or_else(Toasts::new)
}

/// Provides [`use_toasts`] to its children and shows the news below them.
#[component]
pub fn Toasts(children: Children) -> impl IntoView {
    let toasts = Toasts::new();
    provide_context(toasts);
    let row = move |toast: Toast| {
        let id = toast.id;
        view! {
            <div class=format!("toast {}", toast.tone.class())>
                <span>{toast.text}</span>
                <button type="button" class="btn bare icon-only" aria-label="Dismiss" on:click=move |_| toasts.dismiss(id)>
                    <Icon glyph=Glyph::Close/>
                </button>
            </div>
        }
    };
    view! {
        {children()}
        <div class="toasts" role="status" aria-live="polite">
            <For each=move || toasts.items.get() key=|toast| toast.id children=row/>
        </div>
    }
}
