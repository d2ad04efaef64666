//! The webhook's parameters under their display names, and the variables of its text parameters.

use super::super::model::{TaskInput, ValueInput, VariableInput, WebhookChoice, value_field};
use crate::{
    error::FieldError,
    parameters::call::{Calls, ParameterCall},
    ui::{Choice, Dialog, Field, Note, Select, SelectOption, TextArea, TextInput, Tone, close_dialog, open_dialog},
    webhooks::date_value::DateValue,
    webhooks::model::{Parameter, ParameterType, TEXT_MAX, VALUE_MAX},
    wire::text::is_variable_name,
};
use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys::HtmlTextAreaElement};

const DIALOG: &str = "insert-variable";

/// The inputs of the chosen webhook's parameters.
#[component]
pub fn Parameters(
    chosen: Memo<Option<WebhookChoice>>,
    tags: Vec<String>,
    input: TaskInput,
    errors: Signal<Vec<FieldError>>,
    /// Called after a variable was inserted or removed.
    edited: Callback<()>,
) -> impl IntoView {
    let variables = RwSignal::new(input.variables.clone());
    let target = RwSignal::new((0_usize, String::new()));
    let input = StoredValue::new(input);
    let inputs = move || match chosen.get() {
        None => view! { <p class="quiet">"Select a webhook; its parameters appear here."</p> }.into_any(),
        Some(choice) if choice.webhook.input.parameters.is_empty() => {
            view! { <p class="quiet">"This webhook has no parameters."</p> }.into_any()
        }
        Some(choice) => {
            let parameters = choice.webhook.input.parameters;
            let calls = Calls::new(&parameters, |name| input.with_value(|input| chosen_before(input, name)));
            let shared = Shared { calls, variables, target, errors, edited };
            let inputs = parameters.into_iter().enumerate().map(|(place, parameter)| {
                let value = input.with_value(|input| input.value_of(&parameter.name).to_string());
                one(place, parameter, value, shared)
            });
            inputs.collect_view().into_any()
        }
    };
    view! {
        {inputs}
        <InsertVariable tags variables target edited />
    }
    .into_any()
}

/// What the inputs share.
#[derive(Clone, Copy)]
struct Shared {
    calls: Calls,
    variables: RwSignal<Vec<VariableInput>>,
    /// Which text the dialog inserts into: the parameter's place and name.
    target: RwSignal<(usize, String)>,
    errors: Signal<Vec<FieldError>>,
    edited: Callback<()>,
}

/// What the task was saved with, for a parameter that is called.
fn chosen_before(input: &TaskInput, name: &str) -> SelectOption {
    let value = input.values.iter().find(|value| value.name == name);
    let option = |value: &ValueInput| {
        SelectOption::new(&value.value, if value.shown.is_empty() { &value.value } else { &value.shown })
    };
    value.map(option).unwrap_or_default()
}

fn one(place: usize, parameter: Parameter, value: String, shared: Shared) -> AnyView {
    let Shared { calls, variables, target, errors, edited } = shared;
    let name = value_field(place);
    let control = match parameter.kind {
        ParameterType::Text => view! { <TextArea name=name.clone() value maxlength=TEXT_MAX as u32 /> }.into_any(),
        ParameterType::Date => {
            let (time_name, label) = (format!("task[values][{place}][time]"), parameter.display_name.clone());
            view! { <DateValue name=name.clone() time_name label value /> }.into_any()
        }
        ParameterType::Numeric => view! { <TextInput name=name.clone() value inputmode="decimal" /> }.into_any(),
        ParameterType::Call => {
            let shown_name = format!("task[values][{place}][shown]");
            let parameter = parameter.clone();
            view! { <ParameterCall name=name.clone() shown_name parameter calls /> }.into_any()
        }
        ParameterType::String => view! { <TextInput name=name.clone() value maxlength=VALUE_MAX as u32 /> }.into_any(),
    };
    let text = parameter.kind == ParameterType::Text;
    let own = parameter.name.clone();
    view! {
        <div class="grid tight">
            <input type="hidden" name=format!("task[values][{place}][name]") value=parameter.name.clone() />
            <Field label=parameter.display_name name required=parameter.required errors>
                {control}
            </Field>
            {text.then(|| view! { <Variables place parameter=own variables target edited /> })}
        </div>
    }
    .into_any()
}

/// The variables of one text, and the button that inserts another.
#[component]
fn Variables(
    place: usize,
    parameter: String,
    variables: RwSignal<Vec<VariableInput>>,
    target: RwSignal<(usize, String)>,
    edited: Callback<()>,
) -> impl IntoView {
    let (own, of) = (parameter.clone(), parameter);
    let remove = move |index: usize| {
        variables.update(|all| {
            all.remove(index);
        });
        edited.run(());
    };
    let rows = move || {
        let of = of.clone();
        variables
            .get()
            .into_iter()
            .enumerate()
            .filter(move |(_, variable)| variable.parameter == of)
            .map(|(index, variable)| {
                let hidden = |key: &str, value: &str| {
                    let name = format!("task[variables][{index}][{key}]");
                    view! { <input type="hidden" name=name value=value.to_string() /> }
                };
                view! {
                    <span class="chip">
                        {hidden("parameter", &variable.parameter)}
                        {hidden("name", &variable.name)}
                        {hidden("tag", &variable.tag)}
                        {hidden("when_empty", &variable.when_empty)}
                        {hidden("default", &variable.default)}
                        {variable.told()}
                        <button
                            type="button"
                            class="chip-remove"
                            aria-label=format!("Remove variable {}", variable.name)
                            on:click=move |_| remove(index)
                        >
                            "×"
                        </button>
                    </span>
                }
            })
            .collect_view()
    };
    let open = move |_| {
        target.set((place, own.clone()));
        open_dialog(DIALOG);
    };
    view! {
        <div class="chips">
            <button type="button" class="btn bare" on:click=open>"+ Insert variable"</button>
            {rows}
        </div>
    }
}

/// "In the dialog box, select the tag for the variable, enter the variable name, and specify ..." (seed 000).
#[component]
fn InsertVariable(
    tags: Vec<String>,
    variables: RwSignal<Vec<VariableInput>>,
    target: RwSignal<(usize, String)>,
    edited: Callback<()>,
) -> impl IntoView {
    let tag = RwSignal::new(String::new());
    let name = RwSignal::new(String::new());
    let when_empty = RwSignal::new("nothing".to_string());
    let default = RwSignal::new(String::new());
    let problem = RwSignal::new(None::<String>);
    let none = tags.is_empty();
    let options: Vec<SelectOption> = tags.into_iter().map(|tag| SelectOption::new(tag.clone(), tag)).collect();
    let choose = move |chosen: String| {
        // The tag's name, when it can be one, is the likeliest variable name.
        if is_variable_name(&chosen) && (name.read().is_empty() || name.get_untracked() == tag.get_untracked()) {
            name.set(chosen.clone());
        }
        tag.set(chosen);
    };
    let insert = move || {
        let (place, parameter) = target.get_untracked();
        let variable = VariableInput {
            parameter: parameter.clone(),
            name: name.get_untracked().trim().to_string(),
            tag: tag.get_untracked(),
            when_empty: when_empty.get_untracked(),
            default: default.get_untracked(),
        };
        let taken = variables
            .with_untracked(|all| all.iter().any(|other| other.parameter == parameter && other.name == variable.name));
        let wrong = if variable.tag.is_empty() {
            Some("Select the tag whose value is sent.".to_string())
        } else if !is_variable_name(&variable.name) {
            Some("The variable name is 1 to 32 English letters, digits and underscores.".to_string())
        } else if taken {
            Some(format!("This text has a variable {} already. Choose another name.", variable.name))
        } else if variable.when_empty == "default" && variable.default.is_empty() {
            Some("Enter the default to send.".to_string())
        } else {
            None
        };
        if wrong.is_some() {
            problem.set(wrong);
            return;
        }
        problem.set(None);
        insert_text(place, &format!("${{{}}}", variable.name));
        variables.update(|all| all.push(variable));
        for signal in [tag, name, default] {
            signal.set(String::new());
        }
        close_dialog(DIALOG);
        edited.run(());
    };
    view! {
        <Dialog id=DIALOG title="Insert variable">
            {none.then(|| view! { <Note tone=Tone::Warn>"There are no tags yet: import customers with tags first."</Note> })}
            <div
                class="fields"
                on:keydown=move |event| {
                    if event.key() == "Enter" {
                        event.prevent_default();
                        insert();
                    }
                }
            >
                <div role="alert">{move || problem.get().map(|text| view! { <Note tone=Tone::Bad>{text}</Note> })}</div>
                <Field label="Tag" name="variable-tag">
                    <Select name="variable-tag" options selected=tag prompt="Select the tag" on_input=Callback::new(choose) />
                </Field>
                <Field label="Variable name" name="variable-name">
                    <TextInput name="variable-name" value=name maxlength=32_u32 on_input=Callback::new(move |text| name.set(text)) />
                </Field>
                <Field label="When the tag is empty" name="variable-when-empty">
                    <Choice
                        name="variable-when-empty"
                        options=vec![
                            SelectOption::new("nothing", "Send nothing in its place"),
                            SelectOption::new("default", "Send a default"),
                            SelectOption::new("skip", "Skip this user"),
                        ]
                        selected=when_empty
                        on_input=Callback::new(move |rule| when_empty.set(rule))
                    />
                </Field>
                <div hidden=move || when_empty.get() != "default">
                    <Field label="Default" name="variable-default">
                        <TextInput name="variable-default" value=default on_input=Callback::new(move |text| default.set(text)) />
                    </Field>
                </div>
            </div>
            <footer class="actions end">
                <button type="button" class="btn" data-dialog-close="">"Cancel"</button>
                <button type="button" class="btn primary" on:click=move |_| insert()>"Insert"</button>
            </footer>
        </Dialog>
    }
    .into_any()
}

/// Writes `text` where the cursor stands in the text area of the parameter at `place`.
fn insert_text(place: usize, text: &str) {
    let Some(area) = document()
        .get_element_by_id(&value_field(place))
        .and_then(|element| element.dyn_into::<HtmlTextAreaElement>().ok())
    else {
        return;
    };
    let end = area.selection_end().ok().flatten();
    let start = area.selection_start().ok().flatten();
    let (start, end) = (start.unwrap_or(u32::MAX), end.unwrap_or(u32::MAX));
    // Positions count UTF-16 units.
    let units: Vec<u16> = area.value().encode_utf16().collect();
    let at = |position: u32| (position as usize).min(units.len());
    let value = [&units[..at(start)], &text.encode_utf16().collect::<Vec<u16>>(), &units[at(end)..]].concat();
    area.set_value(&String::from_utf16_lossy(&value));
}
