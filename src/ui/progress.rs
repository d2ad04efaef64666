//! Long work, while it goes on.

use leptos::prelude::*;

use super::badge::Tone;
use super::format::count;

/// A bar of what is done, by outcome; what is odd is shown and counts as not done. `caption` says it in words ("18,358 of
/// 23,570 decided", the default without the last word); `rate` and `left` are ready texts ("210,400 users/s", "about 2 s left").
#[component]
pub fn Progress(
    #[prop(into)] parts: Signal<Vec<(Tone, i64)>>,
    #[prop(into)] total: Signal<i64>,
    #[prop(into)] label: String,
    #[prop(optional, into)] caption: Signal<String>,
    #[prop(optional, into)] rate: Signal<String>,
    #[prop(optional, into)] left: Signal<String>,
) -> impl IntoView {
    let done = move || {
        parts.with(|parts| parts.iter().filter(|(tone, _)| *tone != Tone::Odd).map(|(_, n)| n.max(&0)).sum::<i64>())
    };
    let share = move |n: i64| n.max(0) as f64 * 100.0 / total.get().max(1) as f64;
    let words = move || match caption.get() {
        text if text.is_empty() => format!("{} of {}", count(done()), count(total.get())),
        text => text,
    };
    let pace = move || {
        let texts = [rate.get(), left.get()];
        texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ")
    };
    let bars = move || {
        let mut start = 0.0;
        let bar = |(tone, n): (Tone, i64)| {
            let (x, width) = (start, share(n).min(100.0));
            start += width;
            view! { <rect class=tone.chart_class() x=format!("{x:.3}%") width=format!("{width:.3}%") height="100%"></rect> }
        };
        parts.get().into_iter().map(bar).collect_view()
    };
    view! {
        <div class="progress">
            <div class="progress-text">
                <b>{words}</b>
                <span class="quiet">{pace}</span>
            </div>
            <svg
                class="progress-bar"
                role="progressbar"
                aria-label=label
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=move || format!("{:.0}", share(done()).min(100.0))
                aria-valuetext=words
            >
                {bars}
            </svg>
        </div>
    }
}
