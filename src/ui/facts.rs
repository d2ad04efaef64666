//! Facts where the eye looks for them.

use leptos::prelude::*;

use super::badge::Tone;
use super::icon::{Glyph, Icon};

/// A list of labelled values; holds [`Fact`]s.
#[component]
pub fn Facts(children: Children) -> impl IntoView {
    view! { <dl class="facts">{children()}</dl> }
}

/// One labelled value.
#[component]
pub fn Fact(#[prop(into)] label: String, children: Children) -> impl IntoView {
    view! {
        <div>
            <dt>{label}</dt>
            <dd>{children()}</dd>
        </div>
    }
}

/// A number that matters, ready for reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tile {
    pub label: String,
    pub value: String,
    /// A share or a comparison, in small.
    pub note: String,
    pub tone: Tone,
}

impl Tile {
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), ..Self::default() }
    }

    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    pub fn tone(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

/// Numbers side by side; wraps where it is narrow.
#[component]
pub fn Tiles(#[prop(into)] items: Signal<Vec<Tile>>) -> impl IntoView {
    let tiles = move || {
        let tile = |tile: Tile| {
            view! {
                <div>
                    <dt>{tile.label}</dt>
                    <dd class=tile.tone.class()>{tile.value} " " <small>{tile.note}</small></dd>
                </div>
            }
        };
        items.get().into_iter().map(tile).collect_view()
    };
    view! { <dl class="tiles">{tiles}</dl> }
}

/// Text as a machine has it: a message, a request. `copy` adds a button that copies it; `wrap` is for one long word that
/// must be seen whole, such as a link; `label` names it for those who do not see it.
#[component]
pub fn CodeBlock(
    #[prop(into)] id: String,
    #[prop(into)] text: Signal<String>,
    #[prop(optional)] copy: bool,
    #[prop(optional)] wrap: bool,
    #[prop(default = "Code".into(), into)] label: String,
) -> impl IntoView {
    let button = copy.then(|| {
        view! {
            <button type="button" class="btn bare icon-only copy" data-copy=id.clone() aria-label=format!("Copy {label}")>
                <Icon glyph=Glyph::Copy/>
            </button>
        }
    });
    view! {
        <div class="code-block">
            <pre class="code" class:wrap=wrap id=id tabindex="0" role="region" aria-label=label>
                {move || text.get()}
            </pre>
            {button}
        </div>
    }
}
