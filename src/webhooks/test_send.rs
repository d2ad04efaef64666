//! "Test Send": one form for the webhook's page and for the task form.

use super::{
    api::TestWebhook,
    date_value::DateValue,
    fields::in_argument,
    model::{Parameter, ParameterType, TestInput, TestOutcome, Webhook},
};
use crate::{
    error::FieldError,
    parameters::call::{Calls, ParameterCall},
    ui::{
        Choice, CodeBlock, Field, FormErrors, LinkButton, Note, SelectOption, SubmitButton, TextArea, TextInput, Tone,
    },
};
use leptos::{form::ActionForm, prelude::*};

/// Where the log of a test is downloaded.
pub fn log_href(test_id: &str) -> String {
    format!("/files/test-sends/{test_id}")
}

/// Sends one message to a test ID, by the webhook as it is saved. It stands in a form of its own: not inside another.
#[component]
pub fn TestSend(
    webhook: Webhook,
    /// What the inputs start with and follow: ID type, values, encryption.
    #[prop(optional, into)]
    initial: Signal<TestInput>,
    /// To know when a test was made.
    #[prop(optional)]
    action: Option<ServerAction<TestWebhook>>,
) -> impl IntoView {
    let action = action.unwrap_or_default();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let errors = in_argument("test", error);
    let first = webhook.input.id_types.first().cloned().unwrap_or_default();
    let id_types = webhook.input.id_types.iter().map(|code| SelectOption::new(code, code)).collect();
    let id_type = Signal::derive(move || {
        initial.with(|input| if input.id_type.is_empty() { first.clone() } else { input.id_type.clone() })
    });
    // The variant's name, as it is read again.
    let encryption = Signal::derive(move || initial.with(|input| format!("{:?}", input.encryption)));
    let parameters = webhook.input.parameters.clone();
    let calls = Calls::new(&parameters, |name| initial.with_untracked(|input| chosen(input, name)));
    Effect::new(move |before: Option<()>| {
        let input = initial.get();
        if before.is_some() {
            calls.start_with(&parameters, |name| chosen(&input, name));
        }
    });
    let values = webhook.input.parameters.into_iter().enumerate();
    let values = values.map(|(place, parameter)| value_field(place, parameter, initial, calls, errors)).collect_view();
    view! {
        <ActionForm action>
            <div class="fields">
                <FormErrors error />
                <input type="hidden" name="test[webhook_id]" value=webhook.id />
                <input type="hidden" name="test[encryption]" value=move || encryption.get() />
                <Field label="ID type" name="test[id_type]" required=true errors>
                    <Choice name="test[id_type]" options=id_types selected=id_type />
                </Field>
                <Field label="Test ID" name="test[test_id]" required=true errors>
                    <TextInput name="test[test_id]" autocomplete="off" />
                </Field>
                {values}
                <div class="actions">
                    <SubmitButton label="Test Send" pending=action.pending() />
                </div>
                <div role="status">
                    {move || action.value().get().and_then(Result::ok).map(|outcome| result(outcome).into_any())}
                </div>
            </div>
        </ActionForm>
    }
    .into_any()
}

/// What the form starts with for a parameter that is called.
fn chosen(input: &TestInput, name: &str) -> SelectOption {
    let value = input.values.iter().find(|value| value.name == name);
    value.map(|value| SelectOption::new(&value.value, value.label())).unwrap_or_default()
}

fn value_field(
    place: usize,
    parameter: Parameter,
    initial: Signal<TestInput>,
    calls: Calls,
    errors: Signal<Vec<FieldError>>,
) -> AnyView {
    let name = format!("test[values][{place}][value]");
    let own = parameter.name.clone();
    let value = Signal::derive(move || initial.with(|input| input.value(&own).to_string()));
    let input = match parameter.kind {
        ParameterType::Text => view! { <TextArea name=name.clone() value /> }.into_any(),
        ParameterType::Call => {
            view! { <ParameterCall name=name.clone() parameter=parameter.clone() calls /> }.into_any()
        }
        ParameterType::String => view! { <TextInput name=name.clone() value /> }.into_any(),
        ParameterType::Numeric => view! { <TextInput name=name.clone() value inputmode="decimal" /> }.into_any(),
        ParameterType::Date => {
            let (time_name, label) = (format!("test[values][{place}][time]"), parameter.display_name.clone());
            view! { <DateValue name=name.clone() time_name label value /> }.into_any()
        }
    };
    view! {
        <input type="hidden" name=format!("test[values][{place}][name]") value=parameter.name />
        <Field label=parameter.display_name name required=parameter.required errors>
            {input}
        </Field>
    }
    .into_any()
}

fn result(outcome: TestOutcome) -> impl IntoView {
    let (tone, text) = if outcome.result.ok {
        (Tone::Ok, "Test successful. Check that the test ID has received the message.".to_string())
    } else {
        (Tone::Bad, format!("Test failed: {}", outcome.result.reason))
    };
    view! {
        <Note tone>
            <p>{text}</p>
            <div class="actions">
                <LinkButton href=log_href(&outcome.id) label="Download Logs" external=true />
            </div>
        </Note>
        <details>
            <summary>"Log"</summary>
            <CodeBlock id="test-log" text=outcome.log copy=true label="log of the test" />
        </details>
    }
}
