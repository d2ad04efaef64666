//! How a webhook's endpoint is doing, in words: on the list, on its page, and where a task waits for it.

use crate::{
    delivery::health::Standing,
    ui::{
        Badge, Note, Time, Tone,
        format::{count, duration_ms, percent},
    },
};
use leptos::prelude::*;

/// A word, and below it what it is about.
pub fn health(standing: Standing) -> AnyView {
    let badge = |tone, text: &'static str| view! { <Badge tone text /> };
    match standing {
        Standing::Untried => badge(Tone::Neutral, "Not known yet").into_any(),
        Standing::Healthy => badge(Tone::Ok, "Healthy").into_any(),
        Standing::Failing { failed, of, reason } => {
            let told = format!("{} of {} requests ({}): {reason}", count(failed), count(of), percent(failed, of));
            view! { <span>{badge(Tone::Warn, "Slow/failing")} <span class="under whole">{told}</span></span> }
                .into_any()
        }
        Standing::Slow { average } => {
            let told = format!("A request takes {} on average", duration_ms(average));
            view! { <span>{badge(Tone::Warn, "Slow/failing")} <span class="under whole">{told}</span></span> }
                .into_any()
        }
        Standing::Paused { until, reason } => view! {
            <span>
                {badge(Tone::Warn, "Paused by the breaker")}
                <span class="under whole">"until " <Time ms=until /> ": " {reason}</span>
            </span>
        }
        .into_any(),
        Standing::Probing { reason } => view! {
            <span>
                {badge(Tone::Warn, "Paused by the breaker")}
                <span class="under whole">"One request is tried next: " {reason}</span>
            </span>
        }
        .into_any(),
        Standing::Disabled { because, at } => view! {
            <span>{badge(Tone::Bad, "Disabled")} <span class="under whole">{since(at)} {because}</span></span>
        }
        .into_any(),
    }
}

/// On the webhook's page when the engine disabled it; it goes when somebody enables it again.
pub(super) fn notice(standing: Standing) -> Option<AnyView> {
    let Standing::Disabled { because, at } = standing else { return None };
    let note = view! {
        <Note tone=Tone::Warn>
            <p>
                "Reachwire disabled this webhook. " {since(at)} {because}
                ". Its tasks wait. Enable it when the endpoint works again, or edit it first."
            </p>
        </Note>
    };
    Some(note.into_any())
}

fn since(at: Option<i64>) -> Option<AnyView> {
    at.map(|ms| view! { <Time ms /> ": " }.into_any())
}
