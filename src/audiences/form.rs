use crate::ui::PageHeader;
use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

pub struct NewAudiencePage;

#[lazy_route]
impl LazyRoute for NewAudiencePage {
    fn data() -> Self {
        Self
    }

    fn view(_this: Self) -> AnyView {
        view! { <PageHeader title="Create Audience" /> }.into_any()
    }
}
