//! "Create Webhook Parameter", and editing one. Which parts are shown is for CSS to say (`asks`, `if-yes`, `if-no`), so
//! that the form is whole without the wasm; what is hidden is sent and not kept.

mod constants;
mod interface;
mod rows;

use super::{
    api::{SaveParameter, get_parameter_form},
    model::{DESCRIPTION_MAX, Kind, NAME_MAX, ParameterForm, ParameterInput},
};
use crate::{
    error::{AppError, FieldError},
    ui::{
        Choice, ErrorNote, Field, FormErrors, LinkButton, PageHeader, Panel, Scope, SelectOption, Skeleton,
        SubmitButton, TextArea, TextInput,
    },
    webhooks::fields::in_argument,
};
use constants::ConstantFields;
use interface::InterfaceFields;
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_params_map;

pub fn parameter_form_page() -> AnyView {
    let scope = Scope::here();
    // As the page was opened: when the browser leaves it, the address's id is the next page's.
    let id = use_params_map().read_untracked().get("id");
    let title = if id.is_some() { "Edit Webhook Parameter" } else { "Create Webhook Parameter" };
    let save = ServerAction::<SaveParameter>::new();
    let form = Resource::new(|| (), move |()| get_parameter_form(id.clone()));
    view! {
        <PageHeader
            title
            crumbs=vec![
                ("Configuration Management", ""),
                ("Webhook Parameter Management", "/webhook-parameters"),
            ]
        />
        <Suspense fallback=|| view! { <Panel><Skeleton /></Panel> }>
            {move || Suspend::new(async move {
                let loaded = form.await;
                scope.show(move || match loaded {
                    Ok(form) => fields(form, save),
                    Err(error) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Suspense>
    }
    .into_any()
}

/// The name of an input: `input[url]`.
fn input(field: &str) -> String {
    format!("input[{field}]")
}

/// "No" and "Yes", as the server reads them.
fn no_or_yes() -> Vec<SelectOption> {
    vec![SelectOption::new("false", "No"), SelectOption::new("true", "Yes")]
}

fn fields(form: ParameterForm, save: ServerAction<SaveParameter>) -> AnyView {
    let ParameterForm { parameter, others } = form;
    let error: Signal<Option<AppError>> = Signal::derive(move || save.value().get().and_then(Result::err));
    let errors = in_argument("input", error);
    let has_key = parameter.as_ref().is_some_and(|parameter| parameter.has_key);
    let (id, version, back) = match &parameter {
        Some(parameter) => (parameter.id.clone(), parameter.version, format!("/webhook-parameters/{}", parameter.id)),
        None => (String::new(), 0, "/webhook-parameters".to_string()),
    };
    let start = parameter.map(|parameter| parameter.input).unwrap_or_default();
    let choices: Vec<SelectOption> = others.into_iter().map(|one| SelectOption::new(one.id, one.name)).collect();
    let identity = identity(&start, errors);
    view! {
        <ActionForm action=save>
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="version" value=version.to_string() />
            <Panel padded=false>
                <div class="body">
                    <div class="fields asks">
                        <FormErrors error />
                        {identity}
                        <div class="fields if-no">
                            <InterfaceFields start=start.clone() choices=choices.clone() has_key errors />
                        </div>
                        <div class="fields if-yes">
                            <ConstantFields start choices errors />
                        </div>
                    </div>
                </div>
                <div class="sticky-foot">
                    <LinkButton href=back label="Cancel" />
                    <SubmitButton label="OK" pending=save.pending() />
                </div>
            </Panel>
        </ActionForm>
    }
    .into_any()
}

fn identity(start: &ParameterInput, errors: Signal<Vec<FieldError>>) -> AnyView {
    let kinds = Kind::ALL.map(|kind| SelectOption::new(kind.code(), kind.label())).to_vec();
    let (name, kind, description) = (start.name.clone(), start.kind.code(), start.description.clone());
    view! {
        <Field label="Parameter Name" name=input("name") required=true errors>
            <TextInput name=input("name") value=name maxlength=NAME_MAX as u32 autocomplete="off" />
        </Field>
        <Field
            label="Parameter Type"
            name=input("kind")
            help="Interface-based: the values are fetched from your interface for each task. Constant-based: they stand here."
            errors
        >
            <Choice name=input("kind") options=kinds selected=kind />
        </Field>
        <Field label="Parameter Description" name=input("description") errors>
            <TextArea name=input("description") value=description maxlength=DESCRIPTION_MAX as u32 />
        </Field>
    }
    .into_any()
}
