//! Moments in the reader's zone.

pub use crate::format::time::{Form, exact, iso, relative, text};

use leptos::prelude::*;

/// The IANA name of the zone in which times are shown; the shell provides it. Without it: UTC on the server, the
/// browser's own zone there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserZone(pub String);

/// The reader's zone, if somebody said it.
pub fn user_zone() -> Option<String> {
    use_context::<UserZone>().map(|zone| zone.0).filter(|zone| !zone.is_empty())
}

/// A moment (unix ms) in the reader's zone, the exact time on hover. With `now` (unix ms, from the same answer as
/// `ms`) it is written as `5 min ago`; with `seconds=false` without seconds.
#[component]
pub fn Time(ms: i64, #[prop(optional)] now: Option<i64>, #[prop(default = true)] seconds: bool) -> impl IntoView {
    let zone = user_zone();
    let zone = zone.as_deref();
    let shown = match now {
        Some(now) => relative(ms, now),
        None => text(ms, zone, if seconds { Form::Full } else { Form::Minute }),
    };
    view! { <time datetime=iso(ms) title=exact(ms, zone)>{shown}</time> }
}
