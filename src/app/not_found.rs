//! No page stands at this address.

use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text="Not found" />
        <main class="alone">
            <h1>"There is no page at this address"</h1>
            <p>"The link may be old, or the thing it led to has been deleted."</p>
            // A whole load: the session stands in the page that the server makes.
            <p><a href="/" rel="external">"Back to the overview"</a></p>
        </main>
    }
}
