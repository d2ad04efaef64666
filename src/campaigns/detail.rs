use crate::ui::PageHeader;
use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

pub struct CampaignPage;

#[lazy_route]
impl LazyRoute for CampaignPage {
    fn data() -> Self {
        Self
    }

    fn view(_this: Self) -> AnyView {
        view! { <PageHeader title="Campaign" /> }.into_any()
    }
}
