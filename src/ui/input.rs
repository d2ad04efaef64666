//! Inputs of text and of one of many. The browser owns what is typed: a new value of the signal is written to the
//! input, and what was typed before the wasm arrived is kept and reported to `on_input`.

use leptos::html::{self, ElementType};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};

use super::form::{SelectOption, wire};
use crate::error::FieldError;

/// An element with a value.
pub(super) trait Editable {
    fn read(&self) -> String;
    fn write(&self, value: &str);
}

macro_rules! editable {
    ($($element:ty),*) => {$(
        impl Editable for $element {
            fn read(&self) -> String {
                self.value()
            }
            fn write(&self, value: &str) {
                self.set_value(value);
            }
        }
    )*};
}
editable!(HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement);

/// Keeps an element and a signal together. The first run only listens to what is already typed.
fn follow<E>(node: NodeRef<E>, value: Signal<String>, on_input: Option<Callback<String>>)
where
    E: ElementType + 'static,
    E::Output: Editable + JsCast + Clone + 'static,
{
    Effect::new(move |ran: Option<()>| {
        let wanted = value.get();
        let Some(element) = node.get() else { return };
        let shown = element.read();
        if shown == wanted {
            return;
        }
        match (ran, on_input) {
            (None, Some(on_input)) => on_input.run(shown),
            (None, None) => {}
            (Some(()), _) => element.write(&wanted),
        }
    });
}

/// `None` for an attribute that is not wanted.
fn present(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// One line of text: also numbers, e-mail addresses, passwords, dates (`type_`). `id` is `name` unless given.
#[component]
pub fn TextInput(
    #[prop(into)] name: String,
    #[prop(optional, into)] id: String,
    #[prop(optional, into)] value: Signal<String>,
    #[prop(default = "text".into(), into)] type_: String,
    #[prop(optional, into)] placeholder: String,
    #[prop(optional, into)] maxlength: Option<u32>,
    #[prop(optional, into)] autocomplete: String,
    #[prop(optional, into)] inputmode: String,
    /// For an input without a visible label.
    #[prop(optional, into)]
    aria_label: String,
    /// The browser itself refuses an empty input; without it only the server does.
    #[prop(optional)]
    required: bool,
    #[prop(optional, into)] disabled: Signal<bool>,
    /// Shown as a machine has it: addresses, keys.
    #[prop(optional)]
    mono: bool,
    #[prop(optional, into)] errors: Option<Signal<Vec<FieldError>>>,
    #[prop(optional, into)] on_input: Option<Callback<String>>,
) -> impl IntoView {
    let wiring = wire(&name, id, required, errors);
    let node = NodeRef::<html::Input>::new();
    follow(node, value, on_input);
    view! {
        <input
            node_ref=node
            class="input"
            class:mono=mono
            id=wiring.id
            name=name
            type=type_
            value=value.get_untracked()
            placeholder=present(placeholder)
            maxlength=maxlength.map(|n| n.to_string())
            autocomplete=present(autocomplete)
            inputmode=present(inputmode)
            required=required
            disabled=move || disabled.get()
            aria-label=present(aria_label)
            aria-required=wiring.required.then_some("true")
            aria-describedby=wiring.described_by
            aria-invalid=move || wiring.invalid.get().then_some("true")
            on:input=move |event| {
                if let Some(on_input) = on_input {
                    on_input.run(event_target_value(&event));
                }
            }
        />
    }
}

/// Several lines of text.
#[component]
pub fn TextArea(
    #[prop(into)] name: String,
    #[prop(optional, into)] id: String,
    #[prop(optional, into)] value: Signal<String>,
    #[prop(default = 3)] rows: u32,
    #[prop(optional, into)] placeholder: String,
    #[prop(optional, into)] maxlength: Option<u32>,
    #[prop(optional)] required: bool,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional)] mono: bool,
    #[prop(optional, into)] errors: Option<Signal<Vec<FieldError>>>,
    #[prop(optional, into)] on_input: Option<Callback<String>>,
) -> impl IntoView {
    let wiring = wire(&name, id, required, errors);
    let node = NodeRef::<html::Textarea>::new();
    follow(node, value, on_input);
    view! {
        <textarea
            node_ref=node
            class="input"
            class:mono=mono
            id=wiring.id
            name=name
            rows=rows.to_string()
            placeholder=present(placeholder)
            maxlength=maxlength.map(|n| n.to_string())
            required=required
            disabled=move || disabled.get()
            aria-required=wiring.required.then_some("true")
            aria-describedby=wiring.described_by
            aria-invalid=move || wiring.invalid.get().then_some("true")
            on:input=move |event| {
                if let Some(on_input) = on_input {
                    on_input.run(event_target_value(&event));
                }
            }
            inner_html=escaped(&value.get_untracked())
        ></textarea>
    }
}

/// Leptos writes a textarea's children as they are (`ESCAPE_CHILDREN` is false for it). A first line break is doubled,
/// because browsers drop the first.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    if cfg!(feature = "ssr") && text.starts_with('\n') { format!("\n{text}") } else { text }
}

/// One of many. `prompt` is a first entry with the empty value.
#[component]
pub fn Select(
    #[prop(into)] name: String,
    #[prop(optional, into)] id: String,
    #[prop(into)] options: Signal<Vec<SelectOption>>,
    #[prop(optional, into)] selected: Signal<String>,
    #[prop(optional, into)] prompt: String,
    #[prop(optional, into)] aria_label: String,
    #[prop(optional)] required: bool,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional, into)] errors: Option<Signal<Vec<FieldError>>>,
    #[prop(optional, into)] on_input: Option<Callback<String>>,
) -> impl IntoView {
    let wiring = wire(&name, id, required, errors);
    let node = NodeRef::<html::Select>::new();
    follow(node, selected, on_input);
    let entries = move || {
        let chosen = selected.get_untracked();
        let first = (!prompt.is_empty()).then(|| SelectOption::new("", prompt.clone()));
        let entry = |option: SelectOption| {
            let is_chosen = option.value == chosen;
            view! { <option value=option.value disabled=option.disabled selected=is_chosen>{option.label}</option> }
        };
        first.into_iter().chain(options.get()).map(entry).collect_view()
    };
    view! {
        <select
            node_ref=node
            class="select"
            id=wiring.id
            name=name
            required=required
            disabled=move || disabled.get()
            aria-label=present(aria_label)
            aria-required=wiring.required.then_some("true")
            aria-describedby=wiring.described_by
            aria-invalid=move || wiring.invalid.get().then_some("true")
            on:change=move |event| {
                if let Some(on_input) = on_input {
                    on_input.run(event_target_value(&event));
                }
            }
        >
            {entries}
        </select>
    }
}

/// A day and a time, typed in `zone` (an IANA name, shown beside it). The value is `2026-11-22T10:00`.
#[component]
pub fn DateTimeField(
    #[prop(into)] name: String,
    #[prop(optional, into)] value: Signal<String>,
    #[prop(into)] zone: String,
    #[prop(optional)] required: bool,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional, into)] errors: Option<Signal<Vec<FieldError>>>,
    #[prop(optional, into)] on_input: Option<Callback<String>>,
) -> impl IntoView {
    let wiring = wire(&name, String::new(), required, errors);
    let node = NodeRef::<html::Input>::new();
    follow(node, value, on_input);
    view! {
        <span class="with-zone">
            <input
                node_ref=node
                class="input"
                id=wiring.id
                name=name
                type="datetime-local"
                value=value.get_untracked()
                required=required
                disabled=move || disabled.get()
                aria-required=wiring.required.then_some("true")
                aria-describedby=wiring.described_by
                aria-invalid=move || wiring.invalid.get().then_some("true")
                on:input=move |event| {
                    if let Some(on_input) = on_input {
                        on_input.run(event_target_value(&event));
                    }
                }
            />
            <span class="quiet">{zone}</span>
        </span>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_text_area_stays_text() {
        for (text, html) in [
            ("</textarea><h1>x", "&lt;/textarea>&lt;h1>x</textarea>"),
            ("?a=1&reg=2", "?a=1&amp;reg=2</textarea>"),
            ("\nx", ">\n\nx</textarea>"),
        ] {
            let owner = Owner::new();
            let page = owner.with(|| view! { <TextArea name="t" value=text.to_string() /> }.to_html());
            assert!(page.contains(html), "{page}");
        }
    }
}
