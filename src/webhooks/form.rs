//! "Create Webhook", and editing one that is disabled.

mod certificates;
mod preview;
mod receipts;
mod rows;
mod state;

pub use preview::{MessagePreview, Sample};

use super::{
    api::{SaveWebhook, SetWebhookEnabled, generate_key, get_webhook_form},
    fields::in_argument,
    list::may_manage,
    model::{Authentication, KEY_MAX, KeyOverlap, NAME_MAX, URL_MAX, Webhook, WebhookForm},
};
use crate::{
    delivery::model::AfterCrash,
    error::{AppError, FieldError},
    ui::{
        Button, Choice, CodeBlock, ErrorNote, Field, FormErrors, LinkButton, MultiSelect, Note, PageHeader, Panel,
        Scope, Select, SelectOption, Skeleton, SubmitButton, Switch, TextInput, Tone, query::use_query,
    },
};
use certificates::certificates;
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_params_map;
use receipts::ReceiptSettings;
use rows::ParameterRows;
use state::FormState;

/// Behind the name of a copy.
const COPY: &str = " copy";

pub fn webhook_form_page() -> AnyView {
    let scope = Scope::here();
    // As the page was opened: when the browser leaves it, the address's id is the next page's.
    let id = use_params_map().read_untracked().get("id");
    let copy = use_query().read_untracked().get("copy").map(str::to_string).filter(|_| id.is_none());
    let copies = copy.is_some();
    let title = if id.is_some() { "Edit Webhook" } else { "Create Webhook" };
    let save = ServerAction::<SaveWebhook>::new();
    let disable = ServerAction::<SetWebhookEnabled>::new();
    let form = Resource::new(move || disable.version().get(), move |_| get_webhook_form(id.clone(), copy.clone()));
    view! {
        <PageHeader
            title
            crumbs=vec![("Configuration Management", ""), ("Webhook Management", "/webhooks")]
        />
        <Transition fallback=|| view! { <Panel><Skeleton /></Panel> }>
            {move || Suspend::new(async move {
                let loaded = form.await;
                scope.show(move || match loaded {
                    Ok(WebhookForm { webhook: Some(webhook), .. }) if webhook.enabled && !copies => {
                        still_enabled(webhook, disable)
                    }
                    Ok(form) => fields(form, copies, save),
                    Err(error) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Transition>
    }
    .into_any()
}

/// An enabled webhook is not edited; here is the way to disable it.
fn still_enabled(webhook: Webhook, disable: ServerAction<SetWebhookEnabled>) -> AnyView {
    let back = format!("/webhooks/{}", webhook.id);
    let error = Signal::derive(move || disable.value().get().and_then(Result::err));
    view! {
        <Panel>
            <div class="fields">
                <FormErrors error />
                <Note tone=Tone::Warn>
                    <p>"Disable “" {webhook.input.name} "” before editing it."</p>
                    <p>"While it is disabled no new task can use it, and tasks that are sending wait until it is enabled again."</p>
                </Note>
                <div class="actions">
                    {may_manage()
                        .then(|| {
                            view! {
                                <ActionForm action=disable>
                                    <input type="hidden" name="id" value=webhook.id />
                                    <SubmitButton label="Disable" pending=disable.pending() />
                                </ActionForm>
                            }
                        })}
                    <LinkButton href=back label="Cancel" />
                </div>
            </div>
        </Panel>
    }
    .into_any()
}

fn fields(form: WebhookForm, copies: bool, save: ServerAction<SaveWebhook>) -> AnyView {
    let WebhookForm { webhook, id_types, callable } = form;
    let mut input = webhook.as_ref().map(|webhook| webhook.input.clone()).unwrap_or_default();
    if copies {
        input.name = input.name.chars().take(NAME_MAX - COPY.len()).collect::<String>() + COPY;
    }
    let error: Signal<Option<AppError>> = Signal::derive(move || save.value().get().and_then(Result::err));
    let errors = in_argument("input", error);
    let has_client_key = webhook.as_ref().is_some_and(|webhook| webhook.has_client_key);
    let certificates = certificates(&input, has_client_key, copies, errors);
    let state = FormState::new(input);
    let has_key = webhook.as_ref().is_some_and(|webhook| webhook.has_key);
    let statuses = webhook.as_ref().map(|webhook| webhook.input.statuses.clone()).unwrap_or_default();
    let (frozen, suggested) = if copies { (Vec::new(), statuses) } else { (statuses, Vec::new()) };
    let original = webhook.as_ref().filter(|_| copies);
    let copied = original.map(|webhook| {
        let text = format!("A copy of “{}”. It is disabled until you enable it.", webhook.input.name);
        view! {
            <input type="hidden" name="copy" value=webhook.id.clone() />
            <Note><p>{text}</p></Note>
        }
    });
    let (id, version, back) = match &webhook {
        Some(webhook) if !copies => (webhook.id.clone(), webhook.version, format!("/webhooks/{}", webhook.id)),
        _ => (String::new(), 0, "/webhooks".to_string()),
    };
    let id_types = id_types.into_iter().map(|one| SelectOption::new(one.code.clone(), one.code)).collect();
    let webhook_id = id.clone();
    view! {
        <div class="grid cols">
            <ActionForm action=save>
                <input type="hidden" name="id" value=id />
                <input type="hidden" name="version" value=version.to_string() />
                <Panel padded=false>
                    <div class="body">
                        <div class="fields">
                            <FormErrors error />
                            {copied}
                            {identity(state, has_key, copies, errors)}
                            <Field label="Send ID Type" name="input[id_types]" required=true errors help="One or more; each task uses one.">
                                <MultiSelect
                                    name="input[id_types]"
                                    options=id_types
                                    selected=state.id_types.get_untracked()
                                    on_change=move |chosen| state.id_types.set(chosen)
                                />
                            </Field>
                            <ParameterRows rows=state.parameters callable errors />
                            <Field
                                label="Environment"
                                name="input[pass_environment]"
                                help="Says in headers which organization, workspace and task a request comes from."
                            >
                                <Switch
                                    name="input[pass_environment]"
                                    label="Enable Environment Parameter Passing"
                                    checked=state.pass_environment
                                    on_change=move |on| state.pass_environment.set(on)
                                />
                            </Field>
                            {pace(state, errors)}
                            {after_crash(state, errors)}
                            {certificates}
                            <ReceiptSettings state frozen suggested errors />
                        </div>
                    </div>
                    <div class="sticky-foot">
                        <LinkButton href=back label="Cancel" />
                        <SubmitButton label="OK" pending=save.pending() />
                    </div>
                </Panel>
            </ActionForm>
            <MessagePreview sample=Signal::derive(move || state.sample(&webhook_id)) />
        </div>
    }
    .into_any()
}

fn identity(state: FormState, has_key: bool, copies: bool, errors: Signal<Vec<FieldError>>) -> AnyView {
    let key_help = if has_key && copies {
        "Leave it empty to use the original's key."
    } else if has_key {
        "Leave it empty to keep the key that is there. It can be replaced, not shown."
    } else {
        "Signs every request; receipts are signed with it, too."
    };
    let authentications = Authentication::ALL.map(|one| SelectOption::new(one.label(), one.label())).to_vec();
    let choose = move |label: String| state.authentication.set(Authentication::from_label(&label).unwrap_or_default());
    let insecure = move || {
        let http = state.url.with(|url| url.trim_start().starts_with("http://"));
        http.then(|| {
            view! {
                <Note tone=Tone::Warn>
                    <p>"http sends messages and signatures readable by everyone on the way. Use https if the receiver has it."</p>
                </Note>
            }
        })
    };
    view! {
        <Field label="Webhook Name" name="input[name]" required=true errors>
            <TextInput name="input[name]" value=state.name maxlength=NAME_MAX as u32 autocomplete="off" />
        </Field>
        <Field label="Authentication Method" name="input[authentication]" errors>
            <Choice
                name="input[authentication]"
                options=authentications
                selected=Signal::derive(move || state.authentication.get().label().to_string())
                on_input=choose
            />
        </Field>
        <div hidden=move || state.authentication.get() == Authentication::None>
            <div class="fields">
                <Field label="Key" name="input[key]" required=!has_key help=key_help errors>
                    <TextInput
                        name="input[key]"
                        type_="password"
                        value=state.key
                        maxlength=KEY_MAX as u32
                        autocomplete="new-password"
                        mono=true
                        on_input=move |text| state.key.set(text)
                    />
                </Field>
                {generated(state)}
                {(has_key && !copies).then(|| overlap(state))}
            </div>
        </div>
        <Field label="Request URL" name="input[url]" required=true help="http or https; https is recommended." errors>
            <TextInput
                name="input[url]"
                value=state.url
                inputmode="url"
                maxlength=URL_MAX as u32
                mono=true
                on_input=move |url| state.url.set(url)
            />
        </Field>
        {insecure}
    }
    .into_any()
}

/// A key made on the server: shown here once, and never again after it was saved.
fn generated(state: FormState) -> AnyView {
    let generate = Action::new(|_: &()| generate_key());
    let made = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        if let Some(Ok(key)) = generate.value().get() {
            state.key.set(key.clone());
            made.set(Some(key));
        }
    });
    let failed = move || generate.value().get().and_then(Result::err).map(|error| view! { <ErrorNote error /> });
    let shown = move || {
        let key = made.get().filter(|key| state.key.with(|typed| typed == key))?;
        Some(view! {
            <Note tone=Tone::Warn><p>"Copy the key now and give it to the receiving system. It is not shown again."</p></Note>
            <CodeBlock id="generated-key" text=key copy=true label="key" />
        })
    };
    view! {
        <div class="actions">
            <Button label="Generate key" on_click=move |()| { generate.dispatch(()); } />
        </div>
        {failed}
        {shown}
    }
    .into_any()
}

/// How long the key that is being replaced still verifies receipts.
fn overlap(state: FormState) -> AnyView {
    let options = KeyOverlap::ALL.map(|(_, code, label)| SelectOption::new(code, label)).to_vec();
    let help = "Requests are signed with the new key at once.";
    view! {
        <div hidden=move || state.key.with(String::is_empty)>
            <Field label="Receipts signed with the old key are accepted for" name="overlap" help>
                <Select name="overlap" options />
            </Field>
        </div>
    }
    .into_any()
}

/// What becomes of messages whose outcome a crash hid.
fn after_crash(state: FormState, errors: Signal<Vec<FieldError>>) -> AnyView {
    let options = AfterCrash::ALL.map(|one| SelectOption::new(one.code(), one.label())).to_vec();
    let help = "When the server stops before an answer is recorded, nobody knows whether your system has the messages. \
                Choose the first if it ignores ids that it knows.";
    view! {
        <Field label="After a crash" name="input[after_crash]" help errors>
            <Choice
                name="input[after_crash]"
                options
                selected=Signal::stored(state.after_crash.code().to_string())
            />
        </Field>
    }
    .into_any()
}

fn pace(state: FormState, errors: Signal<Vec<FieldError>>) -> AnyView {
    let fields = [
        ("Users per request", "batch_size", state.pace.batch_size, "1 to 100."),
        ("Requests at once", "concurrency", state.pace.concurrency, "1 to 64."),
        ("Users per second", "users_per_second", state.pace.users_per_second, "0: no limit."),
    ];
    let fields = fields.map(|(label, field, value, help)| {
        let name = format!("input[{field}]");
        view! {
            <Field label name=name.clone() help errors>
                <TextInput name type_="number" value=value.to_string() inputmode="numeric" />
            </Field>
        }
    });
    view! { <div class="row-fields">{fields.into_iter().collect_view()}</div> }.into_any()
}
