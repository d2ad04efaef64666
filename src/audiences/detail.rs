use crate::ui::PageHeader;
use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

pub struct AudiencePage;

#[lazy_route]
impl LazyRoute for AudiencePage {
    fn data() -> Self {
        Self
    }

    fn view(_this: Self) -> AnyView {
        view! { <PageHeader title="Audience" /> }.into_any()
    }
}
