use crate::ui::PageHeader;
use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

pub struct OverviewPage;

#[lazy_route]
impl LazyRoute for OverviewPage {
    fn data() -> Self {
        Self
    }

    fn view(_this: Self) -> AnyView {
        view! { <PageHeader title="Overview" /> }.into_any()
    }
}
