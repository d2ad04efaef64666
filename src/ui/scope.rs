//! Whose the loaded content of a page is.

use leptos::prelude::*;

/// The scope, below the page's, of what one [`Suspend`] shows.
///
/// A `Suspend` puts its content in place one tick after it was made. When it runs anew within that tick, everything
/// that was made in its own scope is gone, and the page breaks ("a reactive value that has already been disposed"). So
/// the content is made in a scope below the page's, which goes when the content after the next is made, or the page.
#[derive(Clone, Copy)]
pub struct Scope(StoredValue<(Owner, Vec<Owner>)>);

/// Contents that may be on their way into the page at a time.
const KEPT: usize = 3;

impl Scope {
    /// In the page, or the part of it, that is being made. One for each `Suspend`: only so many contents are kept.
    pub fn here() -> Self {
        Self(StoredValue::new((Owner::current().unwrap_or_default(), Vec::new())))
    }

    /// Makes content; nothing when the page has gone.
    pub fn show(self, content: impl FnOnce() -> AnyView) -> AnyView {
        let Some(owner) = self.0.try_with_value(|(page, _)| page.child()) else {
            return ().into_any();
        };
        let view = owner.with(content);
        self.0.try_update_value(|(_, shown)| {
            shown.push(owner);
            if shown.len() > KEPT {
                drop(shown.remove(0));
            }
        });
        view
    }
}
