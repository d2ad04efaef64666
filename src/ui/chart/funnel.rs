//! From many to few.

use leptos::prelude::*;

use crate::ui::format::count;

/// One step of a funnel. `note` says what was lost before it and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunnelStep {
    pub label: String,
    pub value: i64,
    pub note: String,
}

impl FunnelStep {
    pub fn new(label: impl Into<String>, value: i64, note: impl Into<String>) -> Self {
        Self { label: label.into(), value, note: note.into() }
    }
}

/// Steps one below the other, each a bar in proportion to the largest. Its texts are the table.
#[component]
pub fn Funnel(#[prop(into)] steps: Signal<Vec<FunnelStep>>) -> impl IntoView {
    let rows = move || {
        let steps = steps.get();
        let largest = steps.iter().map(|step| step.value).max().unwrap_or(0).max(1) as f64;
        let row = |(index, step): (usize, FunnelStep)| {
            let width = format!("{:.2}%", step.value.max(0) as f64 * 100.0 / largest);
            let depth = format!("{:.2}", (1.0 - index as f64 * 0.13).max(0.35));
            view! {
                <li>
                    <span class="step">{step.label}</span>
                    <svg aria-hidden="true"><rect width=width height="100%" rx="4" fill-opacity=depth></rect></svg>
                    <b>{count(step.value)}</b>
                    <span class="lost">{step.note}</span>
                </li>
            }
        };
        steps.into_iter().enumerate().map(row).collect_view()
    };
    view! { <ol class="funnel">{rows}</ol> }
}
