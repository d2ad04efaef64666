//! Roles, groups and attributes, as they are changed.

use crate::{
    access::model::Attributes,
    error::{AppError, FieldError},
    members::{
        add::{group_field, role_field},
        api::SaveMember,
        model::{ATTRIBUTE_MAX, ATTRIBUTES_MAX, MemberDetail},
    },
    ui::{Button, CellError, Field, FormErrors, Glyph, Icon, Panel, SubmitButton, TextArea, TextInput, form_rows},
    webhooks::fields::in_argument,
};
use leptos::{form::ActionForm, prelude::*};

/// An attribute as it is edited: a value on each line.
#[derive(Clone, Copy)]
struct Row {
    name: RwSignal<String>,
    values: RwSignal<String>,
}

impl Row {
    fn new(name: &str, values: &[String]) -> Self {
        Self { name: RwSignal::new(name.into()), values: RwSignal::new(values.join("\n")) }
    }
}

pub(super) fn membership(detail: &MemberDetail, save: ServerAction<SaveMember>) -> AnyView {
    let error: Signal<Option<AppError>> = Signal::derive(move || save.value().get().and_then(Result::err));
    let errors = in_argument("input", error);
    let (id, seen) = (detail.row.id.clone(), detail.seen.clone());
    let roles = role_field("input[roles]", &detail.choices.roles, detail.roles.clone(), errors);
    let groups = group_field("input[groups]", &detail.choices, detail.groups.clone(), errors);
    let attributes = attribute_rows(&detail.attributes, errors);
    view! {
        <ActionForm action=save>
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="seen" value=seen />
            <Panel title="Roles, groups and attributes" padded=false>
                <div class="body">
                    <div class="fields">
                        <FormErrors error />
                        {roles}
                        {groups}
                        <div class="fields" role="group" aria-label="Attributes">
                            <p class="quiet">
                                "Attributes are the member's row-level permissions, such as region: East, North. Interfaces that ask for them are told them."
                            </p>
                            {attributes}
                        </div>
                    </div>
                </div>
                <div class="sticky-foot">
                    <SubmitButton label="Save" pending=save.pending() />
                </div>
            </Panel>
        </ActionForm>
    }
    .into_any()
}

fn attribute_rows(attributes: &Attributes, errors: Signal<Vec<FieldError>>) -> AnyView {
    let mut start: Vec<Row> = attributes.iter().map(|(name, values)| Row::new(name, values)).collect();
    if start.is_empty() {
        // One can be filled in before the wasm has arrived.
        start.push(Row::new("", &[]));
    }
    let rows = RwSignal::new(start);
    let list = form_rows(rows, move |own, place| row(own, place, rows, errors));
    let full = Signal::derive(move || rows.with(Vec::len) >= ATTRIBUTES_MAX);
    view! {
        {list}
        <CellError name="input[attributes]" errors />
        <div class="actions">
            <Button
                label="Add attribute"
                icon=Glyph::Plus
                disabled=full
                on_click=move |()| rows.update(|rows| rows.push(Row::new("", &[])))
            />
        </div>
    }
    .into_any()
}

fn row(own: Row, place: usize, rows: RwSignal<Vec<Row>>, errors: Signal<Vec<FieldError>>) -> AnyView {
    let name = move |field: &str| format!("input[attributes][{place}][{field}]");
    let remove = move |_| {
        rows.update(|rows| {
            rows.remove(place);
        });
    };
    view! {
        <fieldset class="panel parameter">
            <legend>{format!("Attribute {}", place + 1)}</legend>
            <div class="body">
                <div class="row-fields wide">
                    <Field label="Name" name=name("name") errors>
                        <TextInput
                            name=name("name")
                            value=own.name
                            maxlength=ATTRIBUTE_MAX as u32
                            autocomplete="off"
                            on_input=move |text| own.name.set(text)
                        />
                    </Field>
                    <Field label="Values" name=name("values") help="One on each line." errors>
                        <TextArea
                            name=name("values")
                            value=own.values
                            rows=2
                            on_input=move |text| own.values.set(text)
                        />
                    </Field>
                </div>
                <div class="actions">
                    <button type="button" class="btn bare danger" on:click=remove>
                        <Icon glyph=Glyph::Close />
                        "Remove"
                        <span class="sr">{format!(" attribute {}", place + 1)}</span>
                    </button>
                </div>
            </div>
        </fieldset>
    }
    .into_any()
}
