//! Rows of a form that come, go and move.

use leptos::prelude::*;

/// Shows the rows, each at its place. All are made anew when one comes, goes or moves: the names of their inputs hold
/// their place, and an input that is used again for another row would keep what was typed into it. What was typed is
/// in the rows' signals.
pub fn form_rows<R: Copy + Send + Sync + 'static>(
    rows: RwSignal<Vec<R>>,
    row: impl Fn(R, usize) -> AnyView + Clone + Send + Sync + 'static,
) -> AnyView {
    let times = StoredValue::new(0_u32);
    let each = move || {
        let all = rows.get();
        times.update_value(|times| *times = times.wrapping_add(1));
        let time = times.get_value();
        all.into_iter().enumerate().map(move |(place, own)| (time, place, own)).collect::<Vec<_>>()
    };
    view! { <For each key=|(time, place, _)| (*time, *place) children=move |(_, place, own)| row(own, place) /> }
        .into_any()
}
