//! The parts of a whole. The legend beside the drawing has every number.

use leptos::prelude::*;

use crate::ui::badge::Tone;
use crate::ui::format::{count, percent};

/// One part of a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    pub label: String,
    pub value: i64,
    pub tone: Tone,
}

impl Slice {
    pub fn new(label: impl Into<String>, value: i64, tone: Tone) -> Self {
        Self { label: label.into(), value, tone }
    }
}

fn total(slices: &[Slice]) -> i64 {
    slices.iter().map(|slice| slice.value.max(0)).sum()
}

/// Each slice with where it starts and how long it is, in percent of the whole.
fn spans(slices: &[Slice]) -> Vec<(f64, f64, Tone)> {
    let whole = total(slices).max(1) as f64;
    let mut start = 0.0;
    let span = |slice: &Slice| {
        let length = slice.value.max(0) as f64 * 100.0 / whole;
        start += length;
        (start - length, length, slice.tone)
    };
    slices.iter().map(span).filter(|(_, length, _)| *length > 0.0).collect()
}

fn legend(slices: Vec<Slice>) -> impl IntoView {
    let whole = total(&slices);
    let rows = slices.into_iter().map(|slice| {
        view! {
            <li>
                <i class=format!("swatch {}", slice.tone.chart_class())></i>
                <span>{slice.label}</span>
                <b>{count(slice.value)}</b>
                <span class="quiet">{percent(slice.value, whole)}</span>
            </li>
        }
    });
    view! { <ul class="shares">{rows.collect_view()}</ul> }
}

/// Parts of a whole in one bar.
#[component]
pub fn StackedBar(#[prop(into)] label: String, slices: Vec<Slice>) -> impl IntoView {
    let bars = spans(&slices).into_iter().map(|(x, width, tone)| {
        view! { <rect class=tone.chart_class() x=format!("{x:.3}%") width=format!("{width:.3}%") height="100%"></rect> }
    });
    view! {
        <figure class="stacked">
            <svg class="stacked-bar" role="img" aria-label=label>{bars.collect_view()}</svg>
            {legend(slices)}
        </figure>
    }
    .into_any()
}

/// Parts of a whole in a ring, the whole in its middle.
#[component]
pub fn Donut(#[prop(into)] label: String, slices: Vec<Slice>) -> impl IntoView {
    let whole = total(&slices);
    // A hair of ground between neighbours keeps them apart without colour; a lone slice closes the ring.
    let spans = spans(&slices);
    let gap = if spans.len() > 1 { 0.6 } else { 0.0 };
    let arcs = spans.into_iter().map(|(start, length, tone)| {
        let dash = format!("{:.3} 100", (length - gap).max(0.2));
        view! {
            <circle
                class=tone.chart_class()
                cx="50"
                cy="50"
                r="40"
                pathLength="100"
                stroke-dasharray=dash
                stroke-dashoffset=format!("{:.3}", -start)
                transform="rotate(-90 50 50)"
            ></circle>
        }
    });
    view! {
        <figure class="donut">
            <div class="ring">
                <svg viewBox="0 0 100 100" role="img" aria-label=label>
                    <circle class="track" cx="50" cy="50" r="40"></circle>
                    {arcs.collect_view()}
                </svg>
                <b aria-hidden="true">{count(whole)}</b>
            </div>
            {legend(slices)}
        </figure>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_follow_each_other_and_leave_out_what_is_nothing() {
        let slices = [Slice::new("a", 1, Tone::Ok), Slice::new("b", 0, Tone::Bad), Slice::new("c", 3, Tone::Warn)];
        assert_eq!(spans(&slices), [(0.0, 25.0, Tone::Ok), (25.0, 75.0, Tone::Warn)]);
        assert!(spans(&[Slice::new("a", 0, Tone::Ok)]).is_empty());
    }
}
