use crate::ui::PageHeader;
use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

pub struct WebhooksPage;

#[lazy_route]
impl LazyRoute for WebhooksPage {
    fn data() -> Self {
        Self
    }

    fn view(_this: Self) -> AnyView {
        view! { <PageHeader title="Webhook Management" /> }.into_any()
    }
}
