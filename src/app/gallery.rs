//! `/ui`: every part of the design system in every state, for those who build pages. Switch the theme in the bar.

mod charts;
mod forms;
mod lists;
mod words;

use super::not_found::NotFoundPage;
use leptos::prelude::*;

use crate::ui::{Badge, Button, LinkButton, PageHeader, Tone};
use charts::ChartsSection;
use forms::FormsSection;
use lists::ListsSection;
use words::WordsSection;

/// A moment that examples hang on (unix ms): the gallery looks the same every day.
const NOW: i64 = 1_795_338_005_000;

pub fn gallery_page() -> AnyView {
    // For development: release builds carry none of it.
    if !cfg!(debug_assertions) {
        return view! { <NotFoundPage /> }.into_any();
    }
    view! {
        <PageHeader
            title="Design system"
            crumbs=vec![("Development", ""), ("Overview", "/")]
            intro="What pages are made of. Every part in every state, in light and in dark."
            badge=view! { <Badge tone=Tone::Run text="Living"/> }.into_any()
        >
            <LinkButton href="/webhooks" label="Webhook Management"/>
            <Button label="Open a dialog" primary=true opens="gallery-dialog"/>
        </PageHeader>
        <div class="gallery">
            <WordsSection/>
            <ListsSection/>
            <FormsSection/>
            <ChartsSection/>
        </div>
    }
    .into_any()
}
