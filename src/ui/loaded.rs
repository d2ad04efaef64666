//! What is loaded, in its place on a page.

use super::{ErrorNote, Scope, Skeleton};
use crate::error::AppResult;
use leptos::prelude::*;

/// Shows what a resource loads, or why there is nothing: the shape of rows at first, later what was there until the
/// next is.
#[component]
pub fn Loaded<T: Clone + Send + Sync + 'static>(
    what: Resource<AppResult<T>>,
    show: impl Fn(T) -> AnyView + Copy + Send + Sync + 'static,
    /// Of the shape.
    #[prop(default = 5)]
    rows: u32,
) -> impl IntoView {
    let scope = Scope::here();
    view! {
        <Transition fallback=move || view! { <Skeleton rows /> }>
            {move || Suspend::new(async move {
                let loaded = what.await;
                scope.show(move || match loaded {
                    Ok(loaded) => show(loaded),
                    Err(error) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Transition>
    }
    .into_any()
}
