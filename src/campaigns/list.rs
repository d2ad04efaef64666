use crate::ui::PageHeader;
use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

pub struct CampaignsPage;

#[lazy_route]
impl LazyRoute for CampaignsPage {
    fn data() -> Self {
        Self
    }

    fn view(_this: Self) -> AnyView {
        view! { <PageHeader title="Marketing Campaigns" /> }.into_any()
    }
}
