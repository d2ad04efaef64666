//! One of many that are loaded when they are wanted, found by typing. By keyboard: down opens and goes on, up goes
//! back, Enter chooses, Escape closes.

use super::{
    badge::Tone,
    button::Button,
    form::{SelectOption, wire},
    note::Note,
};
use leptos::{
    ev::KeyboardEvent,
    html,
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::{Element, HtmlElement, HtmlInputElement},
};
use std::sync::Arc;

/// How many are shown at a time; typing narrows them down.
const SHOWN: usize = 100;

/// What there is to choose from.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Choices {
    /// Not asked for yet.
    #[default]
    Waiting,
    Loading,
    Ready(Arc<Vec<SelectOption>>),
    /// Why there is nothing.
    Failed(String),
}

/// The chosen value is in a hidden input `name`; its label is what is shown. Opening it, and Retry after a failure,
/// run `load`.
#[component]
pub fn Combobox(
    #[prop(into)] name: String,
    /// What is chosen; the value "" is nothing.
    #[prop(into)]
    chosen: Signal<SelectOption>,
    #[prop(into)] choices: Signal<Choices>,
    /// Asks for the choices; true goes around what is kept of them.
    load: Callback<bool>,
    on_choose: Callback<SelectOption>,
) -> impl IntoView {
    let wiring = wire(&name, String::new(), false, None);
    let input = NodeRef::<html::Input>::new();
    let typed = RwSignal::new(None::<String>);
    let open = RwSignal::new(false);
    let active = RwSignal::new(0_usize);
    let list_id = format!("{name}-list");
    // The first that fit what is typed, and how many more do.
    let fitting = Memo::new(move |_| {
        let Choices::Ready(all) = choices.get() else { return (Vec::new(), 0) };
        let wanted = typed.get().unwrap_or_default().to_lowercase();
        let fits = |option: &&SelectOption| {
            wanted.is_empty() || option.label.to_lowercase().contains(&wanted) || option.value.to_lowercase() == wanted
        };
        let found = all.iter().filter(fits).count();
        (all.iter().filter(fits).take(SHOWN).cloned().collect::<Vec<_>>(), found.saturating_sub(SHOWN))
    });
    let show = move || {
        if !open.get_untracked() {
            open.set(true);
            active.set(0);
            load.run(false);
        }
    };
    // The focus leaves, too, when the page goes, and its signals with it.
    let close = move || {
        let Some(label) = chosen.try_with_untracked(|chosen| chosen.label.clone()) else { return };
        open.set(false);
        typed.set(None);
        if let Some(input) = input.get_untracked() {
            input.set_value(&label);
        }
    };
    let choose = move |option: SelectOption| {
        on_choose.run(option);
        close();
        if let Some(input) = input.get_untracked() {
            tell_form(input);
        }
    };
    // What was emptied is chosen no more.
    let leave = move || {
        if typed.try_get_untracked().flatten().as_deref() == Some("") {
            choose(SelectOption::default());
        } else {
            close();
        }
    };
    let pressed = move |event: KeyboardEvent| {
        let count = fitting.with_untracked(|(shown, _)| shown.len());
        match event.key().as_str() {
            "ArrowDown" if !open.get_untracked() => show(),
            "ArrowDown" => {
                active.update(|active| *active = (*active + 1).min(count.saturating_sub(1)));
                into_view(input, active.get_untracked());
            }
            "ArrowUp" => {
                active.update(|active| *active = active.saturating_sub(1));
                into_view(input, active.get_untracked());
            }
            // On Retry it presses.
            "Enter" if !is_input(&event) => return,
            "Enter" if open.get_untracked() && typed.with_untracked(|typed| typed.as_deref() == Some("")) => leave(),
            "Enter" if open.get_untracked() => {
                let option = fitting.with_untracked(|(shown, _)| shown.get(active.get_untracked()).cloned());
                if let Some(option) = option {
                    choose(option);
                }
            }
            "Enter" => show(),
            "Escape" if open.get_untracked() => {
                close();
                // It closes the list alone, not the dialog around it.
                event.stop_propagation();
            }
            _ => return,
        }
        event.prevent_default();
    };
    // What is chosen may be changed from outside: by a copy, or because what it hangs on was changed.
    Effect::new(move |_| {
        let label = chosen.with(|chosen| chosen.label.clone());
        if !open.get_untracked()
            && let Some(input) = input.get()
        {
            input.set_value(&label);
        }
    });
    let listed = list_id.clone();
    let entries = move || {
        let (shown, more) = fitting.get();
        let listed = listed.clone();
        let entry = move |(place, option): (usize, SelectOption)| {
            let text = if option.label == option.value {
                option.label.clone()
            } else {
                format!("{} ({})", option.label, option.value)
            };
            view! {
                <li
                    id=format!("{listed}-{place}")
                    role="option"
                    class:active=move || active.get() == place
                    aria-selected=move || (active.get() == place).to_string()
                    // Before the input loses the focus.
                    on:mousedown=move |_| choose(option.clone())
                >
                    {text}
                </li>
            }
        };
        let none = shown.is_empty().then(|| view! { <li class="quiet" role="presentation">"No value fits."</li> });
        let more = (more > 0)
            .then(|| view! { <li class="quiet" role="presentation">{format!("{more} more: type to find them.")}</li> });
        view! { {shown.into_iter().enumerate().map(entry).collect_view()} {none} {more} }
    };
    let content = move || match choices.get() {
        Choices::Waiting | Choices::Loading => {
            view! { <p class="quiet" role="status">"Loading values…"</p> }.into_any()
        }
        Choices::Failed(reason) => view! {
            <Note tone=Tone::Bad><p>{reason}</p></Note>
            <div class="actions">
                <Button
                    label="Retry"
                    on_click=move |()| {
                        // The button goes; the focus would go with it.
                        if let Some(input) = input.get_untracked() {
                            let _ = input.focus();
                        }
                        load.run(true);
                    }
                />
            </div>
        }
        .into_any(),
        Choices::Ready(_) => {
            view! { <ul id=list_id.clone() role="listbox" aria-label="Values">{entries.clone()}</ul> }.into_any()
        }
    };
    let (controls, descendant) = (format!("{name}-list"), format!("{name}-list"));
    view! {
        <div
            class="combobox"
            on:keydown=pressed
            on:focusout=move |event| {
                let inside = event.related_target().and_then(|to| to.dyn_into::<Element>().ok());
                let own = input.get_untracked().and_then(|input| input.parent_element());
                if !inside.is_some_and(|to| own.is_some_and(|own| own.contains(Some(&to)))) {
                    leave();
                }
            }
        >
            <input type="hidden" name=name value=move || chosen.with(|chosen| chosen.value.clone()) />
            <input
                node_ref=input
                class="input"
                id=wiring.id
                type="text"
                role="combobox"
                autocomplete="off"
                placeholder="Select a value"
                value=chosen.get_untracked().label
                aria-expanded=move || open.get().to_string()
                aria-controls=controls
                aria-autocomplete="list"
                aria-activedescendant=move || {
                    (open.get() && fitting.with(|(shown, _)| !shown.is_empty())).then(|| format!("{descendant}-{}", active.get()))
                }
                aria-required=wiring.required.then_some("true")
                aria-describedby=wiring.described_by
                aria-invalid=move || wiring.invalid.get().then_some("true")
                on:click=move |_| show()
                on:input=move |event| {
                    // Not the form's: nothing is chosen yet.
                    event.stop_propagation();
                    show();
                    active.set(0);
                    typed.set(Some(event_target_value(&event)));
                }
            />
            <div
                class="combobox-list"
                hidden=move || !open.get()
                // The focus stays where it is.
                on:mousedown=|event| event.prevent_default()
            >
                {content}
            </div>
        </div>
    }
}

fn is_input(event: &KeyboardEvent) -> bool {
    event.target().is_some_and(|target| target.dyn_ref::<HtmlInputElement>().is_some())
}

/// The form hears that the hidden input has another value, once it has it.
fn tell_form(input: HtmlInputElement) {
    request_animation_frame(move || {
        let hidden = input.previous_element_sibling();
        let event = document().create_event("Event");
        if let (Some(hidden), Ok(event)) = (hidden, event) {
            event.init_event_with_bubbles_and_cancelable("input", true, false);
            let _ = hidden.dispatch_event(&event);
        }
    });
}

/// Scrolls the list so far that its entry at `place` is seen.
fn into_view(input: NodeRef<html::Input>, place: usize) {
    let Some(list) = input.get_untracked().and_then(|input| input.next_element_sibling()) else { return };
    let entry = list.query_selector(&format!("[role=option]:nth-child({})", place + 1)).ok().flatten();
    let Some(entry) = entry.and_then(|entry| entry.dyn_into::<HtmlElement>().ok()) else { return };
    let (top, bottom) = (entry.offset_top(), entry.offset_top() + entry.offset_height());
    if top < list.scroll_top() {
        list.set_scroll_top(top);
    } else if bottom > list.scroll_top() + list.client_height() {
        list.set_scroll_top(bottom - list.client_height());
    }
}
