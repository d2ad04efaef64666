//! Fields and their errors. A [`Field`] tells the input inside it which texts describe it, so inputs need only a name.

use leptos::context::Provider;
use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::{Element, HtmlElement};
use std::collections::BTreeSet;

use super::badge::Tone;
use super::note::Note;
use crate::error::{AppError, FieldError};

/// One entry of a select, a multi-select or a choice. A disabled one is shown greyed; say why in its label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectOption {
    pub value: String,
    pub label: String,
    pub disabled: bool,
}

impl SelectOption {
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), disabled: false }
    }

    pub fn disabled(self, disabled: bool) -> Self {
        Self { disabled, ..self }
    }
}

/// What a field tells the input inside it.
#[derive(Clone)]
struct FieldContext {
    name: String,
    described_by: String,
    required: bool,
    errors: Signal<Vec<FieldError>>,
}

/// How an input is tied to its field: ids and states.
pub(super) struct Wiring {
    pub id: String,
    pub described_by: Option<String>,
    pub invalid: Signal<bool>,
    pub required: bool,
}

/// Ties the input `name` to the field around it, or to `errors` and its [`CellError`] when it stands by itself.
pub(super) fn wire(name: &str, id: String, required: bool, errors: Option<Signal<Vec<FieldError>>>) -> Wiring {
    let field = use_context::<FieldContext>().filter(|field| field.name == name);
    let described_by = match &field {
        Some(field) => Some(field.described_by.clone()),
        None => errors.map(|_| error_id(name)),
    };
    let errors = errors.or(field.as_ref().map(|field| field.errors)).unwrap_or_default();
    let own = name.to_string();
    Wiring {
        id: if id.is_empty() { name.to_string() } else { id },
        invalid: Signal::derive(move || errors.with(|all| all.iter().any(|error| error.field == own))),
        required: required || field.as_ref().is_some_and(|field| field.required),
        described_by,
    }
}

fn error_id(name: &str) -> String {
    format!("{name}-error")
}

/// What is wrong with the field `name`.
fn messages(errors: Signal<Vec<FieldError>>, name: String) -> impl Fn() -> String + Send + Sync + 'static {
    move || {
        let of_field = |error: &FieldError| (error.field == name).then(|| error.message.clone());
        errors.with(|all| all.iter().filter_map(of_field).collect::<Vec<_>>()).join(" ")
    }
}

/// What is wrong with an input that stands by itself, as in a table, or with a group of inputs: below it.
#[component]
pub fn CellError(#[prop(into)] name: String, #[prop(into)] errors: Signal<Vec<FieldError>>) -> impl IntoView {
    let id = error_id(&name);
    view! { <div class="field"><span class="error" id=id>{messages(errors, name)}</span></div> }
}

/// A label, an input (as the child), help, and the errors of the field `name`. `required` marks it for people; the
/// server decides.
#[component]
pub fn Field(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    #[prop(optional)] required: bool,
    #[prop(optional, into)] help: String,
    #[prop(optional, into)] errors: Signal<Vec<FieldError>>,
    children: Children,
) -> impl IntoView {
    let (label_id, help_id, error_id) = (format!("{name}-label"), format!("{name}-help"), error_id(&name));
    let described_by = if help.is_empty() { error_id.clone() } else { format!("{help_id} {error_id}") };
    let context = FieldContext { name: name.clone(), described_by, required, errors };
    let messages = messages(errors, name.clone());
    view! {
        <div class="field">
            <label id=label_id for=name class:req=required>{label}</label>
            <Provider value=context>{children()}</Provider>
            {(!help.is_empty()).then(|| view! { <span class="help" id=help_id>{help}</span> })}
            <span class="error" id=error_id>{messages}</span>
        </div>
    }
}

/// Fields whose error was told and that were changed since.
pub type Corrections = RwSignal<BTreeSet<String>>;

/// [`field_errors`] that go when their field is changed: give the form `on:input=move |event| corrected(corrections, &event)`.
pub fn correctable(error: Signal<Option<AppError>>) -> (Signal<Vec<FieldError>>, Corrections) {
    let (told, corrections) = (field_errors(error), Corrections::default());
    Effect::new(move |_| {
        error.track();
        corrections.set(BTreeSet::new());
    });
    let errors = Signal::derive(move || {
        let corrections = corrections.read();
        told.get().into_iter().filter(|error| !corrections.contains(&error.field)).collect()
    });
    (errors, corrections)
}

/// Notes which field an event is about.
pub fn corrected(corrections: Corrections, event: &leptos::web_sys::Event) {
    use leptos::wasm_bindgen::JsCast;
    let element = event.target().and_then(|target| target.dyn_into::<leptos::web_sys::Element>().ok());
    let name = element.and_then(|element| element.get_attribute("name")).unwrap_or_default();
    if !name.is_empty() && !corrections.read_untracked().contains(&name) {
        corrections.update(|all| {
            all.insert(name);
        });
    }
}

/// The field errors of an action's answer.
pub fn field_errors(error: Signal<Option<AppError>>) -> Signal<Vec<FieldError>> {
    Signal::derive(move || error.with(|error| error.as_ref().map(|e| e.fields().to_vec()).unwrap_or_default()))
}

/// What stands above a form that was refused: the errors that belong to no field, or how many fields to look at. It leads
/// to the first of them, or here when there is none: either may be far from the button that was pressed.
#[component]
pub fn FormErrors(#[prop(into)] error: Signal<Option<AppError>>) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    Effect::new(move |ran: Option<()>| {
        let Some(named) = error.with(|error| error.as_ref().map(has_fields)) else { return };
        // What was told before this was shown anew needs no second look.
        if ran.is_some() || named {
            // The fields learn of it at the same time.
            request_animation_frame(move || {
                if let Some(banner) = node.get_untracked() {
                    lead_to(named, &banner);
                }
            });
        }
    });
    let content = move || error.get().map(|error| view! { <Note tone=Tone::Bad>{explain(error)}</Note> }.into_any());
    view! { <div node_ref=node class="form-errors" role="alert" tabindex="-1">{content}</div> }
}

fn has_fields(error: &AppError) -> bool {
    error.fields().iter().any(|error| !error.field.is_empty())
}

/// What is wrong with a form, or tells so where nothing there can have the focus.
const WRONG: &str = "[aria-invalid=true], .invalid input:not(:disabled), .field > .error:not(:empty)";

/// Focuses the first input that is wrong, of the form around the banner or else of the page; without one, the banner.
fn lead_to(named: bool, banner: &HtmlElement) {
    let around = if named { "form, dialog, main" } else { "form, dialog" };
    let around = banner.closest(around).ok().flatten();
    let target = around.and_then(|around| first_shown(&around)).unwrap_or_else(|| banner.clone());
    if target.tab_index() < 0 {
        // A text can have the focus when it is told so, and is scrolled to then.
        let _ = target.set_attribute("tabindex", "-1");
    }
    // Fails only for an element that has left the page.
    let _ = target.focus();
}

fn first_shown(around: &Element) -> Option<HtmlElement> {
    let found = around.query_selector(WRONG).ok().flatten()?.dyn_into::<HtmlElement>().ok()?;
    found.offset_parent().is_some().then_some(found)
}

fn explain(error: AppError) -> AnyView {
    match error {
        AppError::Invalid(fields) => {
            let named = fields.iter().filter(|field| !field.field.is_empty()).count();
            let count = match named {
                0 => String::new(),
                1 => "One field needs a correction.".to_string(),
                many => format!("{many} fields need a correction."),
            };
            let loose = fields.into_iter().filter(|field| field.field.is_empty()).map(|field| field.message);
            let lines = loose.chain((!count.is_empty()).then_some(count));
            lines.map(|line| view! { <p>{line}</p> }).collect_view().into_any()
        }
        AppError::Unauthenticated => view! {
            <p>{AppError::Unauthenticated.to_string()} " " <a href="/sign-in" target="_blank">"Sign in in a new tab"</a></p>
        }
        .into_any(),
        other => view! { <p>{other.to_string()}</p> }.into_any(),
    }
}
