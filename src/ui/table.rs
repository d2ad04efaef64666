//! What stands around the rows of a list: filters above, orders in the head, pages below. All are links and a GET form,
//! so they work without the wasm.

use leptos::prelude::*;
use leptos_router::{components::Form, hooks::use_location};

use super::form::SelectOption;
use super::format::count;
use super::input::{Select, TextInput};
use super::list::ListParams;

/// One filter: the name in the address, what "all" is called ("All ID types"), and the values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterSelect {
    pub name: String,
    pub label: String,
    pub options: Vec<SelectOption>,
}

impl FilterSelect {
    pub fn new(name: impl Into<String>, label: impl Into<String>, options: Vec<SelectOption>) -> Self {
        Self { name: name.into(), label: label.into(), options }
    }
}

/// A day to filter by: the name in the address, and what it is called ("From").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterDay {
    pub name: String,
    pub label: String,
}

impl FilterDay {
    pub fn new(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self { name: name.into(), label: label.into() }
    }
}

/// The address of this page with another list state.
fn href_to(params: impl Fn() -> ListParams + Send + Sync + 'static) -> impl Fn() -> String + Send + Sync + 'static {
    let path = use_location().pathname;
    move || format!("{}{}", path.get(), params().to_query())
}

/// With scripts, Enter and a change of a select submit; without them this does. (A button that is there for all would
/// be sent along as a nameless value.)
const APPLY: &str = r#"<button type="submit" class="btn">Apply</button>"#;

/// Search and filters of the list at `action`; children are the list's own actions, at the right. It stands outside of
/// what is loaded anew when the address changes, or what is typed in the meantime is lost with it.
#[component]
pub fn Filters(
    #[prop(into)] action: String,
    #[prop(into)] params: Signal<ListParams>,
    #[prop(into)] placeholder: String,
    #[prop(optional)] selects: Vec<FilterSelect>,
    #[prop(optional)] days: Vec<FilterDay>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    // Memos: what another filter does to the address does not take back what is being typed here.
    let search = Memo::new(move |_| params.with(|params| params.q.clone()));
    let selects = selects.into_iter().map(|select| {
        let name = select.name.clone();
        let selected = Memo::new(move |_| params.with(|params| params.filter(&name).to_string()));
        view! {
            <Select
                id=format!("filter-{}", select.name)
                name=select.name
                options=select.options
                prompt=select.label.clone()
                aria_label=select.label
                selected
            />
        }
    });
    let selects = selects.collect_view();
    let days = days.into_iter().map(|day| {
        let name = day.name.clone();
        let value = Memo::new(move |_| params.with(|params| params.filter(&name).to_string()));
        view! {
            <label class="filter-day">
                <span>{day.label}</span>
                <TextInput id=format!("filter-{}", day.name) name=day.name type_="date" value />
            </label>
        }
    });
    let days = days.collect_view();
    let sort = move || {
        let sort = params.with(|params| params.sort.clone());
        (!sort.is_empty()).then(|| view! { <input type="hidden" name="sort" value=sort/> })
    };
    let (path, form_label) = (action.clone(), placeholder.clone());
    let clear = move || {
        let kept = params.with(|params| {
            params.is_filtered().then(|| ListParams { sort: params.sort.clone(), ..ListParams::default() }.to_query())
        });
        kept.map(|query| view! { <a class="btn bare" href=format!("{path}{query}")>"Clear"</a> })
    };
    view! {
        <div class="filters">
            <Form
                method="GET"
                action=action
                attr:class="filter-form"
                attr:role="search"
                attr:aria-label=form_label
                attr:data-submit-on-change=""
                attr:data-drop-empty=""
            >
                <TextInput
                    id="filter-q"
                    name="q"
                    type_="search"
                    value=search
                    placeholder=placeholder.clone()
                    aria_label=placeholder
                />
                {selects}
                {days}
                {sort}
                <noscript inner_html=APPLY></noscript>
                {clear}
            </Form>
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </div>
    }
    .into_any()
}

/// The head of a column by which the list can be ordered.
#[component]
pub fn SortTh(
    #[prop(into)] params: Signal<ListParams>,
    #[prop(into)] key: String,
    #[prop(into)] label: String,
    #[prop(optional)] numeric: bool,
) -> impl IntoView {
    let own = key.clone();
    let order = Memo::new(move |_| {
        params.with(|params| params.order().filter(|(key, _)| *key == own).map(|(_, descending)| descending))
    });
    let sorted = move || order.get().map(|down| if down { "descending" } else { "ascending" });
    let arrow = move || match order.get() {
        Some(true) => "↓",
        Some(false) => "↑",
        None => "↕",
    };
    let href = href_to(move || params.with(|params| params.sorted_by(&key)));
    view! {
        <th scope="col" class:num=numeric aria-sort=sorted>
            <a class="sort" href=href>{label}<span aria-hidden="true">{arrow}</span></a>
        </th>
    }
}

/// One step in the pages: a link, or greyed where there is no further.
fn step(label: &'static str, href: Option<String>) -> AnyView {
    match href {
        Some(href) => view! { <a class="btn" href=href>{label}</a> }.into_any(),
        None => view! { <span class="btn" aria-disabled="true">{label}</span> }.into_any(),
    }
}

/// Pages by number: "51–100 of 23,570", previous and next.
#[component]
pub fn Pager(
    #[prop(into)] params: Signal<ListParams>,
    total: i64,
    page_size: i64,
    /// What is counted, in the plural: "webhooks".
    #[prop(optional, into)]
    noun: String,
    /// The name of the landmark, where a page has several lists.
    #[prop(default = "Pages".into(), into)]
    label: String,
) -> impl IntoView {
    let path = use_location().pathname;
    let size = page_size.max(1);
    let last = ((total.max(0) + size - 1) / size).max(1);
    let noun = if total == 1 { noun.strip_suffix('s').map_or(noun.clone(), str::to_string) } else { noun };
    let range = move || {
        let first = params.with(|params| params.offset(size));
        let end = (first + size).min(total);
        match (total, last) {
            (total, _) if first >= total => format!("{} {noun}", count(total)),
            (total, 1) => format!("{} {noun}", count(total)),
            (total, _) => format!("{}–{} of {} {noun}", count(first + 1), count(end), count(total)),
        }
    };
    let steps = move || {
        let (params, path) = (params.get(), path.get());
        let to = |page: i64| format!("{path}{}", params.at_page(page).to_query());
        let previous = (params.page > 1).then(|| to((params.page - 1).min(last)));
        let next = (params.page < last).then(|| to(params.page + 1));
        (last > 1 || params.page > 1).then(|| (step("Previous", previous), step("Next", next)))
    };
    view! {
        <nav class="foot" aria-label=label>
            <span>{range}</span>
            <span class="actions">{steps}</span>
        </nav>
    }
    .into_any()
}

/// Pages of a list too long to count: first and next. `next` is the mark of the next page, if there is one.
#[component]
pub fn KeysetPager(
    #[prop(into)] params: Signal<ListParams>,
    next: Option<String>,
    /// What is known of the size: "about 23,570 users".
    #[prop(optional, into)]
    note: String,
    /// The name of the landmark, where a page has several lists.
    #[prop(default = "Pages".into(), into)]
    label: String,
) -> impl IntoView {
    let path = use_location().pathname;
    let steps = move || {
        let (params, path) = (params.get(), path.get());
        let to = |after: &str| format!("{path}{}", params.starting_after(after).to_query());
        let first = (!params.after.is_empty()).then(|| to(""));
        let next = next.as_deref().map(to);
        (first.is_some() || next.is_some()).then(|| (step("First page", first), step("Next", next)))
    };
    view! {
        <nav class="foot" aria-label=label>
            <span>{note}</span>
            <span class="actions">{steps}</span>
        </nav>
    }
    .into_any()
}

/// Lets a table scroll sideways inside itself, by keyboard too. A table of the class `stack` becomes cards below 640 px
/// instead; give its cells `data-label`.
#[component]
pub fn TableWrap(#[prop(into)] label: String, children: Children) -> impl IntoView {
    view! { <div class="table-wrap" role="region" tabindex="0" aria-label=label>{children()}</div> }
}
