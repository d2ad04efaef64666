use crate::ui::PageHeader;
use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

pub struct AudiencesPage;

#[lazy_route]
impl LazyRoute for AudiencesPage {
    fn data() -> Self {
        Self
    }

    fn view(_this: Self) -> AnyView {
        view! { <PageHeader title="Audiences" /> }.into_any()
    }
}
