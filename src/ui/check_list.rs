//! Any of many: check boxes below a search that narrows them down.

use leptos::html;
use leptos::prelude::*;

use super::form::wire;
use super::format::count;
use super::input::TextInput;
use crate::error::FieldError;

/// One of the many. A disabled one is shown greyed; say why in its note.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckItem {
    pub value: String,
    pub label: String,
    /// Beside the label, in small; the search looks in it too.
    pub note: String,
    pub checked: bool,
    pub disabled: bool,
}

impl CheckItem {
    pub fn new(value: impl Into<String>, label: impl Into<String>, note: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), note: note.into(), ..Self::default() }
    }

    pub fn checked(self, checked: bool) -> Self {
        Self { checked, ..self }
    }

    pub fn disabled(self, disabled: bool) -> Self {
        Self { disabled, ..self }
    }

    fn fits(&self, wanted: &str) -> bool {
        wanted.is_empty() || self.label.to_lowercase().contains(wanted) || self.note.to_lowercase().contains(wanted)
    }
}

/// Any of `items`. Posts `name[0]`, `name[1]`, ..., which reads as a `Vec<String>`; what the search hides stays
/// checked. Without the wasm all are shown.
#[component]
pub fn CheckList(
    #[prop(into)] name: String,
    items: Vec<CheckItem>,
    /// Of the search.
    #[prop(into)]
    placeholder: String,
    #[prop(optional, into)] errors: Option<Signal<Vec<FieldError>>>,
) -> impl IntoView {
    let wiring = wire(&name, String::new(), false, errors);
    let wanted = RwSignal::new(String::new());
    let chosen = RwSignal::new(items.iter().filter(|item| item.checked).count() as i64);
    let nodes: StoredValue<Vec<NodeRef<html::Input>>> =
        StoredValue::new(items.iter().map(|_| NodeRef::new()).collect());
    let recount = move || {
        let is_on = |node: &&NodeRef<html::Input>| node.get_untracked().is_some_and(|input| input.checked());
        chosen.set(nodes.with_value(|all| all.iter().filter(is_on).count()) as i64);
    };
    // What was pressed before the wasm arrived.
    Effect::new(move |_| recount());
    let search = format!("{name}-search");
    let own = name.clone();
    let rows = items.into_iter().enumerate().map(move |(index, item)| {
        let name = own.clone();
        let CheckItem { value, label, note, checked, disabled } = item.clone();
        view! {
            <div hidden=move || wanted.with(|wanted| !item.fits(wanted))>
                <label class="check">
                    <input
                        node_ref=nodes.with_value(|all| all.get(index).copied()).unwrap_or_default()
                        type="checkbox"
                        id=format!("{name}-{index}")
                        name=format!("{name}[{index}]")
                        value=value
                        checked=checked
                        disabled=disabled
                        on:change=move |_| recount()
                    />
                    <span>{label} " " <small>{note}</small></span>
                </label>
            </div>
        }
    });
    let rows = rows.collect_view();
    view! {
        <div class="check-list" class:invalid=move || wiring.invalid.get()>
            // Not the form's: it has no part in what is sent, and Enter does not submit.
            <div on:keydown=|event| {
                if event.key() == "Enter" {
                    event.prevent_default();
                }
            }>
                <TextInput
                    id=search
                    name=""
                    type_="search"
                    placeholder=placeholder.clone()
                    aria_label=placeholder
                    autocomplete="off"
                    on_input=move |text: String| wanted.set(text.trim().to_lowercase())
                />
            </div>
            <div
                class="rows"
                id=wiring.id
                role="group"
                aria-labelledby=format!("{name}-label")
                aria-describedby=wiring.described_by
            >
                {rows}
            </div>
            <small role="status">{move || format!("{} selected", count(chosen.get()))}</small>
        </div>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn the_search_looks_in_label_and_note() {
        let item = CheckItem::new("1", "Ada Lovelace", "ada@example.com");
        for wanted in ["", "lovel", "@example", "ada"] {
            assert!(item.fits(wanted), "{wanted}");
        }
        assert!(!item.fits("grace"));
    }

    #[test]
    fn it_posts_what_is_checked_under_its_place() {
        let owner = Owner::new();
        let items = vec![CheckItem::new("a", "Ada", ""), CheckItem::new("b", "Bo", "").checked(true)];
        let page = owner.with(|| view! { <CheckList name="m" items placeholder="Search" /> }.to_html());
        assert!(page.contains("name=\"m[1]\"") && page.contains("1 selected"), "{page}");
        assert_eq!(page.matches(" checked").count(), 1, "{page}");
    }
}
