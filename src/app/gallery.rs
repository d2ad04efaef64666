use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
pub struct GalleryPage;
#[lazy_route]
impl LazyRoute for GalleryPage {
    fn data() -> Self {
        Self
    }
    fn view(_this: Self) -> AnyView {
        ().into_any()
    }
}
