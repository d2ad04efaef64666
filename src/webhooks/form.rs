use crate::ui::PageHeader;
use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

pub struct WebhookFormPage;

#[lazy_route]
impl LazyRoute for WebhookFormPage {
    fn data() -> Self {
        Self
    }

    fn view(_this: Self) -> AnyView {
        view! { <PageHeader title="Create Webhook" /> }.into_any()
    }
}
