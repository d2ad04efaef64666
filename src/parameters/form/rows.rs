//! Rows that are added and removed. Before the wasm has arrived the rows that are there can be filled in.

use crate::{
    error::FieldError,
    parameters::model::ROWS_MAX,
    ui::{Button, CellError, Glyph, Icon, form_rows},
};
use leptos::prelude::*;

/// The rows of one list. `field` is its name in the input, `word` what a row is called, `row` shows one at its place.
pub fn row_list<R: Copy + Send + Sync + 'static>(
    rows: RwSignal<Vec<R>>,
    field: &'static str,
    (add, word): (&'static str, &'static str),
    blank: fn() -> R,
    errors: Signal<Vec<FieldError>>,
    row: impl Fn(R, usize) -> AnyView + Copy + Send + Sync + 'static,
) -> AnyView {
    let list = form_rows(rows, move |own, place| {
        let remove = move |_| {
            rows.update(|rows| {
                rows.remove(place);
            });
        };
        view! {
            <fieldset class="panel parameter">
                <legend>{format!("{word} {}", place + 1)}</legend>
                <div class="body">
                    {row(own, place)}
                    <div class="actions">
                        <button type="button" class="btn bare danger" on:click=remove>
                            <Icon glyph=Glyph::Close />
                            "Remove"
                            <span class="sr">{format!(" {} {}", word.to_lowercase(), place + 1)}</span>
                        </button>
                    </div>
                </div>
            </fieldset>
        }
        .into_any()
    });
    let full = Signal::derive(move || rows.with(Vec::len) >= ROWS_MAX);
    view! {
        {list}
        <CellError name=super::input(field) errors />
        <div class="actions">
            <Button
                label=add
                icon=Glyph::Plus
                disabled=full
                on_click=move |()| rows.update(|rows| rows.push(blank()))
            />
            <span class="quiet">{format!("Up to {ROWS_MAX}.")}</span>
        </div>
    }
    .into_any()
}

/// The rows that a form starts with: those that are there, or a blank one.
pub fn start<T, R: Send + Sync + 'static>(those: Vec<T>, blank: fn() -> R, new: impl Fn(T) -> R) -> RwSignal<Vec<R>> {
    let mut rows: Vec<R> = those.into_iter().map(new).collect();
    if rows.is_empty() {
        rows.push(blank());
    }
    RwSignal::new(rows)
}
