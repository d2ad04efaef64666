//! Outcomes by colour and word.

use leptos::prelude::*;

/// What a thing's state means for the reader. Colour never stands alone: there is always a word beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Nothing to say: skipped, never tested, stopped.
    #[default]
    Neutral,
    /// Under way.
    Run,
    /// Done well.
    Ok,
    /// Waiting, or look at it.
    Warn,
    /// Failed.
    Bad,
    /// Unknown: nobody can say yet what happened.
    Odd,
}

impl Tone {
    /// The class that colours a badge, note or tile.
    pub fn class(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Run => "run",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Odd => "odd",
        }
    }

    /// The class whose `currentColor` is the tone's chart colour.
    pub fn chart_class(self) -> &'static str {
        match self {
            Self::Neutral => "c-neutral",
            Self::Run => "c-run",
            Self::Ok => "c-ok",
            Self::Warn => "c-warn",
            Self::Bad => "c-bad",
            Self::Odd => "c-odd",
        }
    }
}

/// A state: a dot and a word.
#[component]
pub fn Badge(tone: Tone, #[prop(into)] text: String) -> impl IntoView {
    view! { <span class=format!("badge {}", tone.class())>{text}</span> }
}

/// A small piece of code inside a sentence: a variable, a parameter.
#[component]
pub fn Chip(#[prop(into)] text: String) -> impl IntoView {
    view! { <span class="chip">{text}</span> }
}
