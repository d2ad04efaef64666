//! What a constant-based parameter has: its values, and on which other parameter they depend.

use super::{
    input, no_or_yes,
    rows::{row_list, start as rows_of},
};
use crate::{
    error::FieldError,
    parameters::model::{ConstantValue, ParameterInput, SHORT_MAX},
    ui::{Choice, Field, Select, SelectOption, TextInput},
};
use leptos::prelude::*;

/// A value as it is edited.
#[derive(Clone, Copy)]
struct Row {
    when: RwSignal<String>,
    value: RwSignal<String>,
    display_name: RwSignal<String>,
}

impl Row {
    fn new(constant: ConstantValue) -> Self {
        Self {
            when: RwSignal::new(constant.when),
            value: RwSignal::new(constant.value),
            display_name: RwSignal::new(constant.display_name),
        }
    }
}

#[component]
pub fn ConstantFields(
    start: ParameterInput,
    /// The other parameters of the workspace.
    choices: Vec<SelectOption>,
    #[prop(into)] errors: Signal<Vec<FieldError>>,
) -> impl IntoView {
    let with_associated = start.with_associated.to_string();
    let blank = || Row::new(ConstantValue::default());
    let rows = rows_of(start.constants, blank, Row::new);
    let row = move |row: Row, place: usize| constant(row, place, errors);
    let list = row_list(rows, "constants", ("Add value", "Value"), blank, errors, row);
    let limits = format!(
        "Parameter value: 1 to {SHORT_MAX} English letters, digits and signs. Display name: 1 to {SHORT_MAX} characters."
    );
    view! {
        // Both the choice of the parameter and a column of the values depend on the answer.
        <div class="fields asks">
            <Field
                label="Associate with other parameters"
                name=input("with_associated")
                help="Yes: which values there are depends on what was chosen for another parameter."
                errors
            >
                <Choice name=input("with_associated") options=no_or_yes() selected=with_associated />
            </Field>
            <div class="if-yes">
                <Field label="Associated parameter" name=input("associated") required=true errors>
                    <Select
                        name=input("associated")
                        options=choices
                        prompt="Choose a parameter"
                        selected=start.associated
                    />
                </Field>
            </div>
            <div class="fields" role="group" aria-label="Parameter value settings">
                <p class="quiet">{limits}</p>
                {list}
            </div>
        </div>
    }
    .into_any()
}

fn constant(row: Row, place: usize, errors: Signal<Vec<FieldError>>) -> AnyView {
    let name = move |field: &str| format!("input[constants][{place}][{field}]");
    view! {
        <div class="row-fields">
            <div class="if-associated">
                <Field label="Associated value" name=name("when") required=true errors>
                    <TextInput
                        name=name("when")
                        value=row.when
                        autocomplete="off"
                        on_input=move |text| row.when.set(text)
                    />
                </Field>
            </div>
            <Field label="Parameter value" name=name("value") required=true errors>
                <TextInput
                    name=name("value")
                    value=row.value
                    autocomplete="off"
                    mono=true
                    on_input=move |text| row.value.set(text)
                />
            </Field>
            <Field label="Display name" name=name("display_name") required=true errors>
                <TextInput
                    name=name("display_name")
                    value=row.display_name
                    autocomplete="off"
                    on_input=move |text| row.display_name.set(text)
                />
            </Field>
        </div>
    }
    .into_any()
}
