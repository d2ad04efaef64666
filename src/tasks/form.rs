//! Create Sending Task (seed 000): one form, with the dry run and a message beside it while one fills it in.

mod dry_run_panel;
mod parameters;

use super::{
    api::{SubmitTask, fitting_id_types, load_task_form},
    model::{NAME_MAX, TaskForm, WebhookChoice, field},
};
use crate::{
    error::FieldError,
    ui::{
        Button, Choice, DateTimeField, Dialog, ErrorNote, Field, FormErrors, LinkButton, MultiSelect, PageHeader,
        Panel, Scope, Select, SelectOption, Skeleton, SubmitButton, Switch, TextInput, correctable, corrected,
        format::counted, query::use_query, time,
    },
    webhooks::{
        model::{TestInput, TestValue},
        test_send::TestSend,
    },
    wire::message::Encryption,
};
use dry_run_panel::{DryRunPanel, read_form};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use parameters::Parameters;

/// The id of the form, by which the dry run reads it.
const FORM: &str = "task-form";
const TEST_DIALOG: &str = "test-send";

pub fn task_form_page() -> AnyView {
    let scope = Scope::here();
    // As the page was opened: when the browser leaves it, the address's id is the next page's.
    let id = StoredValue::new(use_params_map().read_untracked().get("id").unwrap_or_default());
    let form = Resource::new(|| (), move |()| load_task_form(id.get_value()));
    let title = id.with_value(|id| if id.is_empty() { "Create Sending Task" } else { "Edit Sending Task" });
    view! {
        <PageHeader
            title
            crumbs=vec![("User Marketing", ""), ("Reach Marketing", ""), ("Webhook", "/tasks")]
        />
        <Suspense fallback=|| view! { <Skeleton /> }>
            {move || Suspend::new(async move {
                let loaded = form.await;
                scope.show(move || match loaded {
                    Ok(form) => view! { <Form form new=id.with_value(String::is_empty) /> }.into_any(),
                    Err(error) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Form(form: TaskForm, new: bool) -> impl IntoView {
    let action = ServerAction::<SubmitTask>::new();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let (errors, corrections) = correctable(error);
    let changed = RwSignal::new(0_u32);
    let edited = move || changed.update(|times| *times = times.wrapping_add(1));

    // Chosen in the address: what other pages link to, and what "Show its parameters" sends without the wasm.
    let query = use_query().get_untracked();
    let asked = |name: &str, kept: &str| query.get(&field(name)).or(query.get(name)).unwrap_or(kept).to_string();
    let input = form.input.clone();
    let webhook = RwSignal::new(asked("webhook_id", &input.webhook_id));
    let audience = asked("audience_id", &input.audience_id);
    let name = asked("name", &input.name);

    let webhooks = StoredValue::new(form.webhooks.clone());
    let chosen = Memo::new(move |_| {
        webhooks.with_value(|all| all.iter().find(|choice| choice.webhook.id == webhook.get()).cloned())
    });
    let id_type = RwSignal::new(input.id_type.clone());
    let scheduled = RwSignal::new(input.scheduled);
    let test = RwSignal::new(TestInput::default());
    let zone = input.time_zone.clone();

    let campaigns = sub_campaigns(&form, errors);
    let chosen_audience = RwSignal::new(audience.clone());
    let crowd = receiving_crowd(&form, chosen_audience, errors);
    let webhook_field = select_webhook(&form, chosen_audience, webhook, errors);
    let (encryption, send_at, field_zone) = (input.encryption.clone(), input.send_at.clone(), zone.clone());
    let parameters = view! {
        <Parameters chosen tags=form.tags input errors edited=Callback::new(move |()| edited()) />
    };
    view! {
        <div class="grid cols">
            <ActionForm
                action
                attr:id=FORM
                attr:class="grid"
                attr:novalidate=""
                on:input=move |event| {
                    corrected(corrections, &event);
                    edited();
                }
            >
                // Disabled, and the first: Enter in an input does not send to everybody.
                <button type="submit" disabled=true hidden=true></button>
                <FormErrors error />
                <input type="hidden" name="id" value=form.id.clone() />
                <input type="hidden" name="new" value=new.to_string() />
                <input type="hidden" name=field("time_zone") value=zone />
                <Panel title="Who and what">
                    <div class="fields">
                        <Field label="Name" name=field("name") required=true errors>
                            <TextInput name=field("name") value=name maxlength=NAME_MAX as u32 placeholder="Spring coupon" />
                        </Field>
                        {campaigns}
                        {crowd}
                        {webhook_field}
                    </div>
                </Panel>
                <Panel title="Message">
                    <div class="fields">
                        {parameters}
                        {move || send_id_type(chosen.get(), id_type, errors)}
                        <Field label="Encryption" name=field("encryption") errors help="How the ID is encrypted before it is sent.">
                            <Choice
                                name=field("encryption")
                                options=Encryption::ALL.map(|e| SelectOption::new(e.code(), e.label())).to_vec()
                                selected=encryption
                            />
                        </Field>
                    </div>
                </Panel>
                <Panel title="When">
                    <div class="fields switched">
                        <Switch
                            name=field("scheduled")
                            label="Scheduled sending"
                            checked=scheduled
                            on_change=Callback::new(move |on| scheduled.set(on))
                        />
                        <div class="if-on">
                            <Field
                                label="Sending time"
                                name=field("send_at")
                                errors
                                help="Without Scheduled sending, the task is sent as soon as it is submitted."
                            >
                                <DateTimeField name=field("send_at") value=send_at zone=field_zone />
                            </Field>
                        </div>
                    </div>
                </Panel>
                <div class="panel sticky-foot">
                    <LinkButton href="/tasks" label="Cancel" bare=true />
                    {test_send_button(chosen, test)}
                    <SubmitButton label="Submit Sending Task" pending=action.pending() />
                </div>
            </ActionForm>
            <DryRunPanel form_id=FORM changed />
        </div>
        {move || {
            chosen.get().filter(|choice| choice.unavailable.is_none()).map(|choice| {
                view! {
                    <Dialog id=TEST_DIALOG title="Test Send">
                        <TestSend webhook=choice.webhook initial=test />
                    </Dialog>
                }
            })
        }}
    }
    .into_any()
}

/// Opens the test with what is typed in the form.
fn test_send_button(chosen: Memo<Option<WebhookChoice>>, test: RwSignal<TestInput>) -> impl IntoView {
    move || {
        chosen.get().filter(|choice| choice.unavailable.is_none()).map(|choice| {
            let webhook_id = choice.webhook.id;
            let copy = move |()| {
                let task = read_form(FORM).unwrap_or_default();
                test.set(TestInput {
                    webhook_id: webhook_id.clone(),
                    encryption: task.encryption(),
                    id_type: task.id_type,
                    values: task
                        .values
                        .into_iter()
                        .map(|value| TestValue {
                            name: value.name,
                            value: value.value,
                            time: value.time,
                            shown: value.shown,
                        })
                        .collect(),
                    ..Default::default()
                });
            };
            view! { <Button label="Test Send" opens=TEST_DIALOG on_click=Callback::new(copy) /> }
        })
    }
}

fn sub_campaigns(form: &TaskForm, errors: Signal<Vec<FieldError>>) -> AnyView {
    let options: Vec<SelectOption> = form.campaigns.iter().map(|(id, name)| SelectOption::new(id, name)).collect();
    if options.is_empty() {
        return view! {
            <p class="quiet">
                "There are no sub-campaigns to associate yet: " <a href="/campaigns">"Marketing Campaigns"</a> "."
            </p>
        }
        .into_any();
    }
    let chosen = form.input.campaigns.clone();
    view! {
        <Field label="Associate sub-campaigns" name=field("campaigns") errors>
            <MultiSelect name=field("campaigns") options selected=chosen />
        </Field>
    }
    .into_any()
}

fn receiving_crowd(form: &TaskForm, audience: RwSignal<String>, errors: Signal<Vec<FieldError>>) -> AnyView {
    if form.audiences.is_empty() {
        return view! {
            <p class="quiet">
                "There is no audience yet: " <a href="/audiences/new">"Create Audience"</a> " to say who receives this."
            </p>
        }
        .into_any();
    }
    let now = form.now;
    let option = |choice: &super::model::AudienceChoice| {
        let label = format!(
            "{} · {} · updated {}",
            choice.name,
            counted(choice.size, "customer"),
            time::relative(choice.updated_at, now)
        );
        SelectOption::new(&choice.id, label)
    };
    let options: Vec<SelectOption> = form.audiences.iter().map(option).collect();
    view! {
        <Field label="Receiving crowd" name=field("audience_id") required=true errors>
            <Select
                name=field("audience_id")
                options
                selected=audience
                prompt="Select Audience"
                on_input=Callback::new(move |id| audience.set(id))
            />
        </Field>
    }
    .into_any()
}

fn select_webhook(
    form: &TaskForm,
    audience: RwSignal<String>,
    webhook: RwSignal<String>,
    errors: Signal<Vec<FieldError>>,
) -> AnyView {
    // Known after the audience was asked: until then nothing is said against a webhook.
    // No resource: one that is read here would bring the fallback back, and the focus would be lost.
    let fitting = RwSignal::new(None::<Vec<String>>);
    Effect::new(move |_| {
        let of = audience.get();
        fitting.set(None);
        leptos::task::spawn_local(async move {
            let id_types = if of.is_empty() { None } else { fitting_id_types(of.clone()).await.ok() };
            if audience.try_get_untracked() == Some(of) {
                fitting.set(id_types);
            }
        });
    });
    let choices = StoredValue::new(form.webhooks.clone());
    let options = Signal::derive(move || {
        let fitting = fitting.get();
        choices
            .with_value(|choices| choices.iter().map(|choice| option(choice, fitting.as_deref())).collect::<Vec<_>>())
    });
    let help = if form.webhooks.is_empty() {
        "There is no webhook yet. An administrator creates one in Webhook Management."
    } else {
        "Only enabled webhooks whose ID types fit the audience can be chosen; the list says why others cannot."
    };
    view! {
        <Field label="Select Webhook" name=field("webhook_id") required=true errors help>
            <Select
                name=field("webhook_id")
                options
                selected=webhook
                prompt="Select Webhook"
                on_input=Callback::new(move |id| webhook.set(id))
            />
        </Field>
        <noscript>
            <button type="submit" class="btn" formmethod="get" formaction="/tasks/new">"Show its parameters"</button>
        </noscript>
    }
    .into_any()
}

/// A webhook in the list; one that can't be chosen is grey and says why.
fn option(choice: &WebhookChoice, fitting: Option<&[String]>) -> SelectOption {
    let input = &choice.webhook.input;
    let reason = choice.unavailable.clone().or_else(|| {
        let fits = fitting.is_none_or(|fitting| input.id_types.iter().any(|id_type| fitting.contains(id_type)));
        (!fits).then(|| format!("nobody in the audience has {}", input.id_types.join(" or ")))
    });
    match reason {
        Some(reason) => SelectOption::new(&choice.webhook.id, format!("{}: {reason}", input.name)).disabled(true),
        None => SelectOption::new(&choice.webhook.id, &input.name),
    }
}

fn send_id_type(chosen: Option<WebhookChoice>, id_type: RwSignal<String>, errors: Signal<Vec<FieldError>>) -> AnyView {
    let Some(choice) = chosen else { return ().into_any() };
    // One of the webhook's; the first unless another was chosen before.
    let id_types = choice.webhook.input.id_types;
    if !id_types.contains(&id_type.get_untracked()) {
        id_type.set(id_types.first().cloned().unwrap_or_default());
    }
    let options: Vec<SelectOption> = id_types.iter().map(|code| SelectOption::new(code, code)).collect();
    view! {
        <Field label="Send ID Type" name=field("id_type") required=true errors>
            <Choice
                name=field("id_type")
                options
                selected=id_type
                on_input=Callback::new(move |code| id_type.set(code))
            />
        </Field>
    }
    .into_any()
}
