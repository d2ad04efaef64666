//! The frame of a page: header, panels, tabs, steps.

use leptos::prelude::*;
use leptos_meta::Title;

/// The head of a page: crumbs, the only `<h1>`, an introduction, the state, and the actions as children. Sets the
/// document's title too.
#[component]
pub fn PageHeader(
    #[prop(into)] title: Signal<String>,
    /// Label and address of the rooms above; "" when there is no page to go to.
    #[prop(optional)]
    crumbs: Vec<(&'static str, &'static str)>,
    #[prop(optional, into)] intro: String,
    #[prop(optional)] badge: Option<AnyView>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let crumbs = (!crumbs.is_empty()).then(|| {
        let items = crumbs.into_iter().map(|(label, href)| match href {
            "" => view! { <li>{label}</li> }.into_any(),
            href => view! { <li><a href=href>{label}</a></li> }.into_any(),
        });
        view! {
            <nav class="crumbs" aria-label="Breadcrumb">
                <ol>{items.collect_view()}</ol>
            </nav>
        }
    });
    // The server writes the document's title when what made the header may have gone already.
    let first = title.get_untracked();
    view! {
        <Title text=move || title.try_get().unwrap_or_else(|| first.clone()) />
        <div class="page-head">
            <div>
                {crumbs}
                <div class="page-title">
                    <h1>{move || title.get()}</h1>
                    {badge}
                </div>
                {(!intro.is_empty()).then(|| view! { <p>{intro}</p> })}
            </div>
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </div>
    }
    .into_any()
}

/// A surface that holds one subject. Without `title` it has no head; with `padded=false` its content (a table, tabs)
/// reaches the edges.
#[component]
pub fn Panel(
    #[prop(optional, into)] title: String,
    #[prop(optional)] actions: Option<AnyView>,
    #[prop(default = true)] padded: bool,
    children: Children,
) -> impl IntoView {
    let head = (!title.is_empty() || actions.is_some()).then(|| {
        view! {
            <header>
                {(!title.is_empty()).then(|| view! { <h2>{title}</h2> })}
                {actions.map(|actions| view! { <div class="actions">{actions}</div> })}
            </header>
        }
    });
    let body = if padded { view! { <div class="body">{children()}</div> }.into_any() } else { children() };
    view! { <section class="panel">{head} {body}</section> }.into_any()
}

/// Views of one thing, each with its own address. `current` is the address of the open one.
#[component]
pub fn Tabs(
    /// Label and address.
    items: Vec<(String, String)>,
    #[prop(into)] current: Signal<String>,
    #[prop(default = "Views".into(), into)] label: String,
) -> impl IntoView {
    let items = items.into_iter().map(|(label, href)| {
        let address = href.clone();
        let here = move || (current.get() == address).then_some("page");
        view! { <a href=href aria-current=here>{label}</a> }
    });
    view! { <nav class="tabs" aria-label=label>{items.collect_view()}</nav> }
}

/// Where one is in a sequence. `current` counts from 0; a number past the end means that all is done.
#[component]
pub fn Stepper(#[prop(into)] steps: Vec<String>, #[prop(into)] current: Signal<u32>) -> impl IntoView {
    let steps = steps.into_iter().zip(0_u32..).map(|(label, number)| {
        let class = move || if number < current.get() { "done" } else { "" };
        let here = move || (number == current.get()).then_some("step");
        view! {
            <li class=class aria-current=here>
                <span class="mark" aria-hidden="true">{number + 1}</span>
                {label}
                <span class="sr">{move || if number < current.get() { " (done)" } else { "" }}</span>
            </li>
        }
    });
    view! { <ol class="stepper">{steps.collect_view()}</ol> }
}
