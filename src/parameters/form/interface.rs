//! What an interface-based parameter has: where the values are, and what is passed to get them.

use super::{
    input, no_or_yes,
    rows::{row_list, start},
};
use crate::{
    error::FieldError,
    parameters::model::{OtherSetting, ParameterInput, SHORT_MAX, Source, SystemSetting, SystemValue},
    ui::{Choice, Field, Note, Select, SelectOption, TextInput, Tone},
    webhooks::model::{Authentication, URL_MAX},
};
use leptos::prelude::*;

/// A setting as it is edited; `value` and `text` belong to one kind or the other.
#[derive(Clone, Copy)]
struct Row {
    name: RwSignal<String>,
    display_name: RwSignal<String>,
    /// The code of a [`SystemValue`] or of a [`Source`].
    value: RwSignal<String>,
    parameter: RwSignal<String>,
    text: RwSignal<String>,
}

impl Row {
    fn of(name: String, display_name: String, value: &str) -> Self {
        Self {
            name: RwSignal::new(name),
            display_name: RwSignal::new(display_name),
            value: RwSignal::new(value.into()),
            parameter: RwSignal::default(),
            text: RwSignal::default(),
        }
    }

    fn system(setting: SystemSetting) -> Self {
        Self::of(setting.name, setting.display_name, setting.value.code())
    }

    fn other(setting: OtherSetting) -> Self {
        let row = Self::of(setting.name, setting.display_name, setting.source.code());
        row.parameter.set(setting.parameter);
        row.text.set(setting.text);
        row
    }
}

#[component]
pub fn InterfaceFields(
    start: ParameterInput,
    /// The other parameters of the workspace.
    choices: Vec<SelectOption>,
    has_key: bool,
    #[prop(into)] errors: Signal<Vec<FieldError>>,
) -> impl IntoView {
    let with_system = start.with_system.to_string();
    let with_others = start.with_others.to_string();
    let address = address(&start, has_key, errors);
    let system = system_settings(start.system, errors);
    let others = other_settings(start.others, choices, errors);
    view! {
        {address}
        <div class="fields asks">
            <Field
                label="Associate with system parameters"
                name=input("with_system")
                help="Tells the interface who loads the values."
                errors
            >
                <Choice name=input("with_system") options=no_or_yes() selected=with_system />
            </Field>
            <div class="fields if-yes" role="group" aria-label="System parameters">
                {system}
            </div>
        </div>
        <div class="fields asks">
            <Field
                label="Associate with other parameters"
                name=input("with_others")
                help="Passes what was chosen for other parameters, so that lists can cascade, or a fixed text."
                errors
            >
                <Choice name=input("with_others") options=no_or_yes() selected=with_others />
            </Field>
            <div class="fields if-yes" role="group" aria-label="Other parameters">
                {others}
            </div>
        </div>
    }
    .into_any()
}

fn address(start: &ParameterInput, has_key: bool, errors: Signal<Vec<FieldError>>) -> AnyView {
    let url = RwSignal::new(start.url.clone());
    let authentications = Authentication::ALL.map(|one| SelectOption::new(one.label(), one.label())).to_vec();
    let authentication = start.authentication.label();
    let key_help = if has_key { "Leave it empty to keep the key that is there." } else { "Signs every request." };
    let insecure = move || {
        let http = url.with(|url| url.trim_start().starts_with("http://"));
        http.then(|| {
            view! {
                <Note tone=Tone::Warn>
                    <p>"http sends what is passed, the values and the signatures readable by everyone on the way. Use https if the interface has it."</p>
                </Note>
            }
        })
    };
    view! {
        <Field label="Interface URL" name=input("url") required=true help="http or https; https is recommended." errors>
            <TextInput
                name=input("url")
                value=url
                inputmode="url"
                maxlength=URL_MAX as u32
                mono=true
                on_input=move |text| url.set(text)
            />
        </Field>
        {insecure}
        <div class="fields asks">
            <Field label="Authentication Method" name=input("authentication") errors>
                <Choice name=input("authentication") options=authentications selected=authentication />
            </Field>
            <div class="if-yes">
                <Field label="Key" name=input("key") required=!has_key help=key_help errors>
                    <TextInput name=input("key") type_="password" autocomplete="new-password" mono=true />
                </Field>
            </div>
        </div>
    }
    .into_any()
}

/// A setting's name and display name.
fn names(
    row: Row,
    name: impl Fn(&str) -> String + Copy + Send + Sync + 'static,
    errors: Signal<Vec<FieldError>>,
) -> AnyView {
    view! {
        <Field label="Parameter name" name=name("name") required=true errors>
            <TextInput
                name=name("name")
                value=row.name
                autocomplete="off"
                mono=true
                on_input=move |text| row.name.set(text)
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
    }
    .into_any()
}

fn limits() -> impl IntoView {
    let text = format!(
        "Parameter name: 1 to {SHORT_MAX} English letters, digits and underscores. Display name: 1 to {SHORT_MAX} characters."
    );
    view! { <p class="quiet">{text}</p> }
}

fn system_settings(those: Vec<SystemSetting>, errors: Signal<Vec<FieldError>>) -> AnyView {
    let blank = || Row::system(SystemSetting::default());
    let rows = start(those, blank, Row::system);
    let row = move |row: Row, place: usize| {
        let name = move |field: &str| format!("input[system][{place}][{field}]");
        let values = SystemValue::ALL.map(|value| SelectOption::new(value.code(), value.label())).to_vec();
        view! {
            <div class="row-fields wide">
                {names(row, name, errors)}
                <Field label="Parameter value" name=name("value") errors>
                    <Select
                        name=name("value")
                        options=values
                        selected=row.value
                        on_input=move |code| row.value.set(code)
                    />
                </Field>
            </div>
        }
        .into_any()
    };
    let list = row_list(rows, "system", ("Add system parameter", "System parameter"), blank, errors, row);
    view! { {limits()} {list} }.into_any()
}

fn other_settings(those: Vec<OtherSetting>, choices: Vec<SelectOption>, errors: Signal<Vec<FieldError>>) -> AnyView {
    let blank = || Row::other(OtherSetting::default());
    let rows = start(those, blank, Row::other);
    let none = choices.is_empty();
    let choices = StoredValue::new(choices);
    let row = move |row: Row, place: usize| {
        let name = move |field: &str| format!("input[others][{place}][{field}]");
        let sources = Source::ALL.map(|source| SelectOption::new(source.code(), source.label())).to_vec();
        view! {
            <div class="row-fields wide by-source">
                {names(row, name, errors)}
                <Field label="Parameter value" name=name("source") errors>
                    <Select
                        name=name("source")
                        options=sources
                        selected=row.value
                        on_input=move |code| row.value.set(code)
                    />
                </Field>
                <div class="if-associated">
                    <Field label="Associated parameter selection" name=name("parameter") required=true errors>
                        <Select
                            name=name("parameter")
                            options=choices.get_value()
                            prompt="Choose a parameter"
                            selected=row.parameter
                            on_input=move |id| row.parameter.set(id)
                        />
                    </Field>
                </div>
                <div class="if-manual">
                    <Field
                        label="Manual input"
                        name=name("text")
                        required=true
                        help="Several values: with the separator agreed with the third party."
                        errors
                    >
                        <TextInput
                            name=name("text")
                            value=row.text
                            autocomplete="off"
                            on_input=move |text| row.text.set(text)
                        />
                    </Field>
                </div>
            </div>
        }
        .into_any()
    };
    let list = row_list(rows, "others", ("Add parameter", "Parameter"), blank, errors, row);
    let first = none.then(|| {
        view! {
            <Note tone=Tone::Neutral>
                <p>"There is no other parameter yet to associate with."</p>
            </Note>
        }
    });
    view! { {limits()} {first} {list} }.into_any()
}
