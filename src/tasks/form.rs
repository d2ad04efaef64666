use crate::ui::PageHeader;
use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

pub struct TaskFormPage;

#[lazy_route]
impl LazyRoute for TaskFormPage {
    fn data() -> Self {
        Self
    }

    fn view(_this: Self) -> AnyView {
        view! { <PageHeader title="Create Sending Task" /> }.into_any()
    }
}
