//! What to say when there is something to say: a note, an error, nothing yet, not yet.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::badge::Tone;
use super::icon::{Glyph, Icon};
use super::query::to_query;
use crate::error::AppError;

/// A remark beside the matter. Say what it means and what to do.
#[component]
pub fn Note(#[prop(optional)] tone: Tone, children: Children) -> impl IntoView {
    let glyph = match tone {
        Tone::Ok => Glyph::Check,
        Tone::Warn | Tone::Bad => Glyph::Alert,
        _ => Glyph::Info,
    };
    view! {
        <div class=format!("note {}", tone.class())>
            <Icon glyph/>
            <div class="note-body">{children()}</div>
        </div>
    }
}

/// The address of the sign-in page that comes back to where the reader is.
pub(super) fn sign_in_href(path: &str, search: &str) -> String {
    let here = if search.is_empty() { path.to_string() } else { format!("{path}?{}", search.trim_start_matches('?')) };
    format!("/sign-in{}", to_query([("next", here)]))
}

/// In place of content that could not be had: what is wrong, and the way on.
#[component]
pub fn ErrorNote(
    error: AppError,
    /// What it would take, in words.
    #[prop(optional, into)]
    takes: String,
) -> impl IntoView {
    // The page is as well as what it shows: a page of something that is not there answers 404.
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>()
        && let Ok(status) = http::StatusCode::from_u16(error.status())
    {
        response.set_status(status);
    }
    let location = use_location();
    let title = match &error {
        AppError::Unauthenticated => "You are not signed in",
        AppError::Forbidden | AppError::NotGranted => "You may not see this",
        AppError::NotFound => "Not found",
        AppError::Conflict(_) => "Not possible now",
        AppError::Invalid(_) => "That does not fit",
        AppError::RateLimited(_) => "Too many tries",
        AppError::Internal(_) => "Something went wrong",
        AppError::Unreachable(_) => "No answer from the server",
    };
    let text = match &error {
        // There is no form here that could keep what was typed.
        AppError::Unauthenticated => "Your session has ended. Sign in again to see this.".to_string(),
        AppError::NotFound => "It may have been deleted, or it belongs to another workspace.".to_string(),
        other => other.to_string(),
    };
    let (pathname, search) = (location.pathname, location.search);
    let way_on = match &error {
        AppError::Unauthenticated => {
            let href = move || sign_in_href(&pathname.get(), &search.get());
            view! { <a class="btn primary" href=href>"Sign in"</a> }.into_any()
        }
        AppError::Forbidden | AppError::NotFound => view! { <a class="btn" href="/">"To the overview"</a> }.into_any(),
        _ => {
            let href = move || format!("{}?{}", pathname.get(), search.get());
            view! { <a class="btn" href=href rel="external">"Try again"</a> }.into_any()
        }
    };
    view! {
        <div class="blank error" role="alert">
            <Icon glyph=Glyph::Alert/>
            <p class="title">{title}</p>
            <p>{text}</p>
            {(!takes.is_empty()).then(|| view! { <p>{takes}</p> })}
            <div class="actions">{way_on}</div>
        </div>
    }
    .into_any()
}

/// Nothing here yet: what the thing is, and the first step as children.
#[component]
pub fn EmptyState(
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="blank">
            <p class="title">{title}</p>
            <p>{text}</p>
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </div>
    }
}

/// The shape of rows that are on their way.
#[component]
pub fn Skeleton(#[prop(default = 5)] rows: u32) -> impl IntoView {
    let rows = (0..rows).map(|_| view! { <div class="row"><i></i><i></i><i></i></div> });
    view! {
        <div class="skeleton" role="status">
            <span class="sr">"Loading"</span>
            {rows.collect_view()}
        </div>
    }
}
