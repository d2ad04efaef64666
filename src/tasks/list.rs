use crate::ui::PageHeader;
use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

pub struct TasksPage;

#[lazy_route]
impl LazyRoute for TasksPage {
    fn data() -> Self {
        Self
    }

    fn view(_this: Self) -> AnyView {
        view! { <PageHeader title="Webhook" /> }.into_any()
    }
}
