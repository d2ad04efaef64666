//! The webhook's parameters: rows that are added, removed and moved. Before the wasm has arrived the rows that are
//! there can be filled in.

use super::state::ParameterRow;
use crate::{
    error::FieldError,
    ui::{Button, CellError, Field, Glyph, Icon, Select, SelectOption, Switch, TextInput, form_rows},
    webhooks::model::{PARAMETER_NAME_MAX, PARAMETERS_MAX, Parameter, ParameterType},
};
use leptos::{prelude::*, web_sys::DragEvent};

/// What all rows share.
#[derive(Clone, Copy)]
struct Rows {
    rows: RwSignal<Vec<ParameterRow>>,
    callable: StoredValue<Vec<SelectOption>>,
    /// The place of the row that is being dragged.
    dragged: RwSignal<Option<usize>>,
    errors: Signal<Vec<FieldError>>,
}

#[component]
pub fn ParameterRows(
    rows: RwSignal<Vec<ParameterRow>>,
    /// The parameters that can be called: id and name.
    callable: Vec<(String, String)>,
    #[prop(into)] errors: Signal<Vec<FieldError>>,
) -> impl IntoView {
    let callable = callable.into_iter().map(|(id, name)| SelectOption::new(id, name)).collect();
    let form = Rows { rows, callable: StoredValue::new(callable), dragged: RwSignal::new(None), errors };
    let list = form_rows(rows, move |row, place| parameter(form, row, place));
    let full = Signal::derive(move || rows.with(Vec::len) >= PARAMETERS_MAX);
    view! {
        <fieldset class="fields">
            <legend>"Webhook Parameters"</legend>
            <p class="quiet">"Values that the marketer supplies for each task. A webhook may have none."</p>
            {list}
            <CellError name="input[parameters]" errors />
            <div class="actions">
                <Button
                    label="Add Template Parameter"
                    icon=Glyph::Plus
                    disabled=full
                    on_click=move |()| rows.update(|rows| rows.push(ParameterRow::new(Parameter::default())))
                />
            </div>
        </fieldset>
    }
    .into_any()
}

fn parameter(form: Rows, row: ParameterRow, place: usize) -> AnyView {
    let Rows { rows, callable, dragged, errors } = form;
    let last = rows.with_untracked(Vec::len).saturating_sub(1);
    let name = move |field: &str| format!("input[parameters][{place}][{field}]");
    let kinds = ParameterType::ALL.map(|kind| SelectOption::new(kind.code(), kind.label())).to_vec();
    let kind = Signal::derive(move || row.kind.get().code().to_string());
    let drop = move |event: DragEvent| {
        event.prevent_default();
        if let Some(from) = dragged.get_untracked() {
            dragged.set(None);
            rows.update(|rows| {
                let row = rows.remove(from);
                rows.insert(place, row);
            });
        }
    };
    let call = move || {
        (row.kind.get() == ParameterType::Call).then(|| {
            view! {
                <Field
                    label="Constant or interface"
                    name=name("call")
                    required=true
                    help="From Webhook Parameter Management."
                    errors
                >
                    <Select
                        name=name("call")
                        options=callable.get_value()
                        selected=row.call
                        prompt="Select a parameter"
                        on_input=move |id| row.call.set(id)
                    />
                </Field>
            }
        })
    };
    view! {
        <fieldset
            class="panel parameter"
            class:dropping=move || dragged.get().is_some_and(|from| from != place)
            on:dragover=move |event| if dragged.get_untracked().is_some() { event.prevent_default() }
            on:drop=drop
        >
            <legend>
                <span
                    class="grip"
                    draggable="true"
                    aria-hidden="true"
                    title="Drag to reorder"
                    on:dragstart=move |event: DragEvent| {
                        carry(&event, place);
                        dragged.set(Some(place));
                    }
                    on:dragend=move |_| dragged.set(None)
                >
                    "⠿ "
                </span>
                {format!("Parameter {}", place + 1)}
            </legend>
            <div class="row-fields">
                <Field label="Parameter Name" name=name("name") required=true errors>
                    <TextInput
                        name=name("name")
                        value=row.name
                        maxlength=PARAMETER_NAME_MAX as u32
                        autocomplete="off"
                        mono=true
                        on_input=move |text| row.name.set(text)
                    />
                </Field>
                <Field label="Display Name" name=name("display_name") required=true errors>
                    <TextInput
                        name=name("display_name")
                        value=row.display_name
                        maxlength=PARAMETER_NAME_MAX as u32
                        autocomplete="off"
                        on_input=move |text| row.display_name.set(text)
                    />
                </Field>
                <Field label="Parameter Type" name=name("kind") errors>
                    <Select
                        name=name("kind")
                        options=kinds
                        selected=kind
                        on_input=move |code: String| row.kind.set(ParameterType::from_code(&code).unwrap_or_default())
                    />
                </Field>
                {call}
            </div>
            <div class="actions">
                <Switch
                    name=name("required")
                    label="Required"
                    checked=row.required
                    on_change=move |required| row.required.set(required)
                />
                <MoveButton rows place to=place.checked_sub(1) word="up" />
                <MoveButton rows place to=(place < last).then_some(place + 1) word="down" />
                <button
                    type="button"
                    class="btn bare danger"
                    on:click=move |_| rows.update(|rows| { rows.remove(place); })
                >
                    <Icon glyph=Glyph::Close />
                    "Remove"
                    <span class="sr">{format!(" parameter {}", place + 1)}</span>
                </button>
            </div>
        </fieldset>
    }
    .into_any()
}

/// Firefox drags nothing without data.
#[cfg(feature = "hydrate")]
fn carry(event: &DragEvent, place: usize) {
    if let Some(data) = event.data_transfer() {
        let _ = data.set_data("text/plain", &place.to_string());
    }
}

#[cfg(not(feature = "hydrate"))]
fn carry(_: &DragEvent, _: usize) {}

/// Moves a row up or down; the focus goes with it, so that it can be pressed again.
#[component]
fn MoveButton(
    rows: RwSignal<Vec<ParameterRow>>,
    place: usize,
    /// Where to; `None` at the end.
    to: Option<usize>,
    word: &'static str,
) -> impl IntoView {
    let id = move |place: usize| format!("move-{place}-{word}");
    let press = move |_| {
        let Some(to) = to else { return };
        rows.update(|rows| rows.swap(place, to));
        request_animation_frame(move || focus(&id(to)));
    };
    view! {
        <button type="button" class="btn bare" id=id(place) aria-disabled=to.is_none().then_some("true") on:click=press>
            {format!("Move {word}")}
            <span class="sr">{format!(" parameter {}", place + 1)}</span>
        </button>
    }
}

fn focus(id: &str) {
    use leptos::wasm_bindgen::JsCast;
    let element = document().get_element_by_id(id).and_then(|element| element.dyn_into().ok());
    if let Some(element) = element {
        let element: leptos::web_sys::HtmlElement = element;
        // Fails only for an element that has left the page.
        let _ = element.focus();
    }
}
