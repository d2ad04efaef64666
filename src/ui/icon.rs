//! The few pictures of the console, drawn on a 16 px grid.

use leptos::prelude::*;

/// A picture. Always decoration: the words stand beside it or in the control's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    Alert,
    Check,
    ChevronDown,
    Close,
    Copy,
    Info,
    Menu,
    More,
    Plus,
    Search,
    Theme,
}

impl Glyph {
    /// Every glyph, for the gallery.
    pub const ALL: [Self; 11] = [
        Self::Alert,
        Self::Check,
        Self::ChevronDown,
        Self::Close,
        Self::Copy,
        Self::Info,
        Self::Menu,
        Self::More,
        Self::Plus,
        Self::Search,
        Self::Theme,
    ];

    fn path(self) -> &'static str {
        match self {
            Self::Alert => "M8 2.2 14.3 13.3H1.7ZM8 6.4v3.2M8 11.5h0",
            Self::Check => "m3 8.5 3.2 3.2L13 4.6",
            Self::ChevronDown => "m4.2 6.3 3.8 3.8 3.8-3.8",
            Self::Close => "m4 4 8 8M12 4l-8 8",
            Self::Copy => "M5.5 5.5h7.3v7.8H5.5ZM10.5 5.3V2.7H3.2v7.8h2.1",
            Self::Info => "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8ZM8 7.4v3.4M8 5.1h0",
            Self::Menu => "M2 4.2h12M2 8h12M2 11.8h12",
            Self::More => "M3.2 8h0M8 8h0M12.8 8h0",
            Self::Plus => "M8 3v10M3 8h10",
            Self::Search => "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.4 10.4 14 14",
            Self::Theme => "M8 1.8a6.2 6.2 0 1 0 0 12.4ZM8 1.8a6.2 6.2 0 0 1 0 12.4M10.6 3.8v8.4M12.7 6v4",
        }
    }
}

/// Draws a glyph in the colour and size of the text around it.
#[component]
pub fn Icon(glyph: Glyph) -> impl IntoView {
    let class = if glyph == Glyph::More { "icon dots" } else { "icon" };
    view! {
        <svg class=class viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
            <path d=glyph.path()></path>
        </svg>
    }
}
