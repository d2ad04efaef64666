//! Inputs that are pressed, not typed: chips and switches. What was pressed before the wasm arrived is kept.

use leptos::html;
use leptos::prelude::*;

use super::form::{SelectOption, wire};
use crate::error::FieldError;

/// The inputs of a group with their values.
type Nodes = StoredValue<Vec<(String, NodeRef<html::Input>)>>;

/// The values whose input is checked now.
fn checked(nodes: Nodes) -> Vec<String> {
    let is_on = |node: &NodeRef<html::Input>| node.get_untracked().is_some_and(|input| input.checked());
    nodes.with_value(|all| all.iter().filter(|(_, node)| is_on(node)).map(|(value, _)| value.clone()).collect())
}

fn nodes_for(options: &[SelectOption]) -> Nodes {
    StoredValue::new(options.iter().map(|option| (option.value.clone(), NodeRef::new())).collect())
}

fn node_of(nodes: Nodes, index: usize) -> NodeRef<html::Input> {
    nodes.with_value(|all| all.get(index).map(|(_, node)| *node)).unwrap_or_default()
}

/// Any of a few, as chips. Posts `name[0]`, `name[1]`, ..., which reads as a `Vec<String>`.
#[component]
pub fn MultiSelect(
    #[prop(into)] name: String,
    options: Vec<SelectOption>,
    #[prop(optional)] selected: Vec<String>,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional, into)] errors: Option<Signal<Vec<FieldError>>>,
    #[prop(optional, into)] on_change: Option<Callback<Vec<String>>>,
) -> impl IntoView {
    let wiring = wire(&name, String::new(), false, errors);
    let nodes = nodes_for(&options);
    let report = move || {
        if let Some(on_change) = on_change {
            on_change.run(checked(nodes));
        }
    };
    let initial = selected.clone();
    Effect::new(move |_| {
        let now = checked(nodes);
        if now.len() != initial.len() || now.iter().any(|value| !initial.contains(value)) {
            report();
        }
    });
    let chips = options.into_iter().enumerate().map(|(index, option)| {
        let is_on = selected.contains(&option.value);
        let greyed = option.disabled;
        view! {
            <label class="pick">
                <input
                    node_ref=node_of(nodes, index)
                    type="checkbox"
                    id=format!("{name}-{index}")
                    name=format!("{name}[{index}]")
                    value=option.value
                    checked=is_on
                    disabled=move || greyed || disabled.get()
                    on:change=move |_| report()
                />
                <span>{option.label}</span>
            </label>
        }
    });
    view! {
        <div
            class="choice"
            id=wiring.id
            role="group"
            aria-labelledby=format!("{name}-label")
            aria-describedby=wiring.described_by
            class:invalid=move || wiring.invalid.get()
        >
            {chips.collect_view()}
        </div>
    }
}

/// One of a few, as chips.
#[component]
pub fn Choice(
    #[prop(into)] name: String,
    options: Vec<SelectOption>,
    #[prop(optional, into)] selected: Signal<String>,
    /// For a choice without a field around it.
    #[prop(optional, into)]
    aria_label: String,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional, into)] errors: Option<Signal<Vec<FieldError>>>,
    #[prop(optional, into)] on_input: Option<Callback<String>>,
) -> impl IntoView {
    let wiring = wire(&name, String::new(), false, errors);
    let nodes = nodes_for(&options);
    let report = move || {
        if let (Some(on_input), Some(value)) = (on_input, checked(nodes).pop()) {
            on_input.run(value);
        }
    };
    Effect::new(move |ran: Option<()>| {
        let wanted = selected.get();
        if checked(nodes).first().is_none_or(|shown| *shown == wanted) && ran.is_none() {
            return;
        }
        if ran.is_none() {
            report();
        } else {
            nodes.with_value(|all| {
                for (value, node) in all {
                    if let Some(input) = node.get_untracked() {
                        input.set_checked(*value == wanted);
                    }
                }
            });
        }
    });
    let initial = selected.get_untracked();
    let chips = options.into_iter().enumerate().map(|(index, option)| {
        let is_on = option.value == initial;
        let greyed = option.disabled;
        view! {
            <label class="pick">
                <input
                    node_ref=node_of(nodes, index)
                    type="radio"
                    id=format!("{name}-{index}")
                    name=name.clone()
                    value=option.value
                    checked=is_on
                    disabled=move || greyed || disabled.get()
                    on:change=move |_| report()
                />
                <span>{option.label}</span>
            </label>
        }
    });
    let labelled_by = aria_label.is_empty().then(|| format!("{name}-label"));
    let label = (!aria_label.is_empty()).then_some(aria_label);
    view! {
        <div
            class="choice"
            id=wiring.id
            role="radiogroup"
            aria-label=label
            aria-labelledby=labelled_by
            aria-describedby=wiring.described_by
            class:invalid=move || wiring.invalid.get()
        >
            {chips.collect_view()}
        </div>
    }
}

/// On or off; posts "true" when on. With `bare` the label is heard but not seen (in a table that says it).
#[component]
pub fn Switch(
    #[prop(into)] name: String,
    #[prop(optional, into)] id: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] checked: Signal<bool>,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional)] bare: bool,
    #[prop(optional, into)] on_change: Option<Callback<bool>>,
) -> impl IntoView {
    let wiring = wire(&name, id, false, None);
    let node = NodeRef::<html::Input>::new();
    Effect::new(move |ran: Option<()>| {
        let wanted = checked.get();
        let Some(input) = node.get() else { return };
        let shown = input.checked();
        match (ran, on_change) {
            (None, Some(on_change)) if shown != wanted => on_change.run(shown),
            (Some(()), _) if shown != wanted => input.set_checked(wanted),
            _ => {}
        }
    });
    view! {
        <label class="switch">
            <input
                node_ref=node
                type="checkbox"
                role="switch"
                id=wiring.id
                name=name
                value="true"
                checked=checked.get_untracked()
                disabled=move || disabled.get()
                aria-describedby=wiring.described_by
                on:change=move |event| {
                    if let Some(on_change) = on_change {
                        on_change.run(event_target_checked(&event));
                    }
                }
            />
            <span class="track" aria-hidden="true"></span>
            <span class:sr=bare>{label}</span>
        </label>
    }
}
