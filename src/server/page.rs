//! What surrounds the application: the HTML document, the contexts that pages find, the page after a panic.

use super::AppState;
use crate::{access::session_info, account::model as account, app::App, error::internal};
use axum::response::{Html, IntoResponse, Response};
use http::{StatusCode, request::Parts};
use leptos::{config::LeptosOptions, nonce::Nonce, prelude::*};
use leptos_meta::{HashedStylesheet, MetaTags};
use std::any::Any;

/// The contexts of every render and server function.
pub fn contexts(state: &AppState) -> impl Fn() + Clone + Send + 'static {
    let state = state.clone();
    move || {
        provide_context(state.clone());
        // The nonce that the policy's header names.
        if let Some(nonce) = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Nonce>().cloned()) {
            provide_context(nonce);
        }
    }
}

pub fn shell(options: LeptosOptions) -> impl IntoView {
    // What its reader has chosen stands in the page, so that the first paint is right. `data-account-theme` tells
    // theme.js of whom the choice is.
    let session = session_info();
    let language = account::language(session.as_ref().map_or("", |session| session.language.as_str()));
    let theme = session.as_ref().and_then(|session| account::theme(&session.theme));
    let of_account = session.is_some().then(|| theme.unwrap_or_default());
    view! {
        <!DOCTYPE html>
        <html lang=language data-theme=theme data-account-theme=of_account>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <HashedStylesheet options=options.clone() id="style" />
                <script src="/theme.js"></script>
                <AutoReload options=options.clone() />
                <HydrationScripts options=options.clone() />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// A panic is our fault: the page says so and names the id that the log has.
pub fn panic_page(panic: Box<dyn Any + Send>) -> Response {
    let cause = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a text");
    let error = internal(format!("panic: {cause}"));
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Something went wrong</title></head><body>\
         <main><h1>Something went wrong</h1><p>{error}</p><p><a href=\"/\">Back to the overview</a></p></main></body></html>"
    );
    (StatusCode::INTERNAL_SERVER_ERROR, Html(page)).into_response()
}
