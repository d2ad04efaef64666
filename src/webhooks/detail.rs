//! A webhook's own page: what it is, how it is tested, where receipts go.

mod curl;

use super::{
    api::{DeleteWebhook, SetWebhookEnabled, TestWebhook, get_webhook, list_tests},
    delete::DeleteDialog,
    form::{MessagePreview, Sample},
    health::{health, notice},
    list::{latest_test, may_manage, what_follows},
    model::{TESTING, TestSends, Webhook, WebhookDetail, WebhookInput, certificate_summary},
    test_send::{TestSend, log_href},
};
use crate::{
    access::reader_may_either,
    delivery::health::Standing,
    receipts::{api::receipt_problems, model::Problem},
    ui::{
        Badge, Button, CodeBlock, EmptyState, ErrorNote, Fact, Facts, FormErrors, LinkButton, PageHeader, Panel, Scope,
        Skeleton, SubmitButton, TableWrap, Time, Tone,
        format::{count, counted},
    },
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_params_map;

pub fn webhook_page() -> AnyView {
    let (page_scope, tests_scope, problems_scope) = (Scope::here(), Scope::here(), Scope::here());
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let switch = ServerAction::<SetWebhookEnabled>::new();
    let test = ServerAction::<TestWebhook>::new();
    let webhook = Resource::new(move || (id.get(), switch.version().get()), |(id, _)| get_webhook(id));
    let tests = Resource::new(move || (id.get(), test.version().get()), |(id, _)| list_tests(id));
    let problems = Resource::new(move || id.get(), receipt_problems);
    view! {
        <Transition fallback=|| view! { <Panel><Skeleton /></Panel> }>
            {move || Suspend::new(async move {
                let loaded = webhook.await;
                page_scope.show(move || match loaded {
                    Ok(detail) => page(detail, switch, test),
                    Err(error) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Transition>
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let loaded = tests.await;
                tests_scope.show(|| loaded.map(history).unwrap_or_else(|_| ().into_any()))
            })}
        </Transition>
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let loaded = problems.await;
                problems_scope.show(|| loaded.map(not_taken).unwrap_or_else(|_| ().into_any()))
            })}
        </Transition>
    }
    .into_any()
}

fn page(detail: WebhookDetail, switch: ServerAction<SetWebhookEnabled>, test: ServerAction<TestWebhook>) -> AnyView {
    let WebhookDetail { webhook, receipt_url, now } = detail;
    let (tone, word) = if webhook.enabled { (Tone::Ok, "Enabled") } else { (Tone::Neutral, "Disabled") };
    let badge = view! { <Badge tone text=word /> }.into_any();
    let delete = ServerAction::<DeleteWebhook>::new();
    let error = Signal::derive(move || {
        let switched = switch.value().get().and_then(Result::err);
        switched.or_else(|| delete.value().get().and_then(Result::err))
    });
    let actions = may_manage().then(|| actions(&webhook, switch, delete));
    let standing = webhook.standing(now);
    let definition = definition(&webhook, standing.clone());
    let parameters = parameters(&webhook.input);
    let receipts = receipts(&webhook, &receipt_url);
    let sample = Signal::stored(Sample::from(&webhook));
    let title = webhook.input.name.clone();
    let guide = format!("/guide?webhook={}", webhook.id);
    let tests = reader_may_either(TESTING);
    view! {
        <PageHeader
            title
            crumbs=vec![("Configuration Management", ""), ("Webhook Management", "/webhooks")]
            badge
        >
            <LinkButton href=guide label="Integration guide" />
            {actions}
        </PageHeader>
        <FormErrors error />
        <div class="grid">
            {notice(standing)}
            <div class="grid halves">
                <Panel title="Webhook">{definition}</Panel>
                <Panel title="Webhook Parameters" padded=false>{parameters}</Panel>
            </div>
            <div class="grid halves">
                <section id="test-send">
                    <Panel title="Test Send">
                        {if tests {
                            view! { <TestSend webhook action=test /> }.into_any()
                        } else {
                            view! { <p>"Your role does not allow test sends."</p> }.into_any()
                        }}
                    </Panel>
                </section>
                <MessagePreview sample />
            </div>
            {receipts}
        </div>
    }
    .into_any()
}

fn actions(webhook: &Webhook, switch: ServerAction<SetWebhookEnabled>, delete: ServerAction<DeleteWebhook>) -> AnyView {
    let id = webhook.id.clone();
    let edit = format!("/webhooks/{id}/edit");
    let copy = format!("/webhooks/new?copy={id}");
    let grants = format!("/webhooks/{id}/grants");
    let (own, name, tasks) = (id.clone(), webhook.input.name.clone(), webhook.tasks);
    let enabled = webhook.enabled;
    let label = if enabled { "Disable" } else { "Enable" };
    view! {
        <ActionForm action=switch>
            <input type="hidden" name="id" value=id />
            {(!enabled).then(|| view! { <input type="hidden" name="enabled" value="true" /> })}
            <SubmitButton label secondary=true pending=switch.pending() />
        </ActionForm>
        <LinkButton href=copy label="Copy" />
        <LinkButton href=grants label="Grant" />
        <Button label="Delete" danger=true opens="delete-webhook" />
        <LinkButton href=edit label="Edit" primary=true />
        <DeleteDialog dialog="delete-webhook".to_string() id=own name enabled tasks action=delete />
    }
    .into_any()
}

fn definition(webhook: &Webhook, standing: Standing) -> AnyView {
    let input = &webhook.input;
    let pace = match input.users_per_second {
        0 => "no limit".to_string(),
        users => format!("{} users per second", count(users)),
    };
    let requests = format!("{}, {} at once", counted(input.batch_size, "user"), counted(input.concurrency, "request"));
    let disabled = (!webhook.enabled).then(|| {
        let text = what_follows(&input.name, false);
        view! { <Fact label="Disabled">{text}</Fact> }
    });
    let (url, authentication) = (input.url.clone(), input.authentication.label());
    let (id_types, tasks) = (input.id_types.join(", "), counted(webhook.tasks, "task"));
    let used = format!("/tasks?webhook={}", webhook.id);
    let versions = format!("/webhooks/{}/versions", webhook.id);
    let grants = format!("/webhooks/{}/grants", webhook.id);
    let version = webhook.version;
    let after_crash = input.after_crash().label();
    let environment = if input.pass_environment { "passed in headers" } else { "not passed" };
    let old_key = webhook.old_key_until.map(|ms| {
        view! { <Fact label="Old key">"verifies receipts until " <Time ms /></Fact> }
    });
    let certificates = [("CA certificate", &input.ca_certificate), ("Client certificate", &input.client_certificate)];
    let certificates = certificates.into_iter().filter(|(_, pem)| !pem.is_empty()).map(|(label, pem)| {
        let summary = certificate_summary(pem);
        view! { <Fact label>{summary}</Fact> }
    });
    let certificates = certificates.collect_view();
    // Who may test sees all of them below.
    let test = (!reader_may_either(TESTING)).then(|| latest_test(webhook.test.clone(), None));
    let test = test.map(|test| view! { <Fact label="Latest test">{test}</Fact> });
    view! {
        <Facts>
            <Fact label="Request URL">
                <span class="mono">{url}</span>
            </Fact>
            <Fact label="Authentication Method">{authentication}</Fact>
            <Fact label="Send ID Type">{id_types}</Fact>
            <Fact label="Users per request">{requests}</Fact>
            <Fact label="Users per second">{pace}</Fact>
            <Fact label="Environment">{environment}</Fact>
            <Fact label="After a crash">{after_crash}</Fact>
            <Fact label="Used by"><a href=used>{tasks}</a></Fact>
            <Fact label="Grants"><a href=grants>"Who may use it"</a></Fact>
            <Fact label="Version"><a href=versions>{format!("{version}, all versions")}</a></Fact>
            {old_key}
            <Fact label="Health">{health(standing)}</Fact>
            {certificates}
            {test}
            {disabled}
        </Facts>
    }
    .into_any()
}

fn parameters(input: &WebhookInput) -> AnyView {
    if input.parameters.is_empty() {
        return view! {
            <EmptyState
                title="No parameters"
                text="Every message is the same. Parameters are values that the marketer supplies for each task."
            />
        }
        .into_any();
    }
    let rows = input.parameters.iter().cloned().map(|parameter| {
        view! {
            <tr>
                <td class="mono">{parameter.name}</td>
                <td data-label="Display Name">{parameter.display_name}</td>
                <td data-label="Parameter Type">{parameter.kind.label()}</td>
                <td data-label="Required">{if parameter.required { "Yes" } else { "No" }}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <TableWrap label="Webhook Parameters">
            <table class="stack dense">
                <thead>
                    <tr>
                        <th scope="col">"Parameter Name"</th>
                        <th scope="col">"Display Name"</th>
                        <th scope="col">"Parameter Type"</th>
                        <th scope="col">"Required"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
    }
    .into_any()
}

fn receipts(webhook: &Webhook, receipt_url: &str) -> AnyView {
    let input = &webhook.input;
    let settings = if input.receipts_enabled {
        let statuses = input.statuses.iter().map(|status| format!("{} = {}", status.code, status.value));
        let (statuses, retention) = (statuses.collect::<Vec<_>>().join(", "), counted(input.retention_days, "day"));
        view! {
            <Fact label="Data retention period">{retention}</Fact>
            <Fact label="Statuses">{statuses}</Fact>
        }
        .into_any()
    } else {
        view! { <Fact label="Receipt settings">"Not enabled: receipts for this webhook are refused."</Fact> }.into_any()
    };
    let (url, curl) = (receipt_url.to_string(), curl::command(webhook, receipt_url));
    view! {
        <Panel title="Delivery receipts">
            <div class="grid">
                <Facts>
                    <Fact label="Receipt URL">
                        <span class="mono">{url}</span>
                    </Fact>
                    {settings}
                </Facts>
                <p class="quiet">
                    "Your system reports here what became of each message, with the callback_params that came with it. To try it, fill in the "
                    <code>"actionId"</code> " of a message that you received:"
                </p>
                <CodeBlock id="receipt-curl" text=curl copy=true label="curl command" />
            </div>
        </Panel>
    }
    .into_any()
}

fn history(tests: TestSends) -> AnyView {
    if tests.rows.is_empty() {
        return ().into_any();
    }
    let now = tests.now;
    let rows = tests.rows.into_iter().map(move |test| {
        view! {
            <tr>
                <td>{latest_test(Some(test.result), Some(now))}</td>
                <td data-label="By">{test.by}</td>
                <td class="num fit">
                    <LinkButton href=log_href(&test.id) label="Download Logs" bare=true external=true />
                </td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <Panel title="Latest tests" padded=false>
            <TableWrap label="Latest tests">
                <table class="stack">
                    <thead>
                        <tr>
                            <th scope="col">"Result"</th>
                            <th scope="col">"By"</th>
                            <th scope="col">
                                <span class="sr">"Actions"</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableWrap>
        </Panel>
    }
    .into_any()
}

/// The log of receipts that this webhook's system posted and that were not taken.
fn not_taken(problems: Vec<Problem>) -> AnyView {
    if problems.is_empty() {
        return ().into_any();
    }
    let rows = problems.into_iter().map(|problem| {
        view! {
            <tr>
                <td><Time ms=problem.received_at /></td>
                <td data-label="Reason">{problem.reason}</td>
                <td>
                    <details>
                        <summary>"Receipt"</summary>
                        <CodeBlock id=format!("receipt-{}", problem.id) text=problem.receipt copy=true label="receipt" />
                    </details>
                </td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <Panel title="Receipts that were not taken" padded=false>
            <TableWrap label="Receipts that were not taken">
                <table class="stack">
                    <thead>
                        <tr>
                            <th scope="col">"Received"</th>
                            <th scope="col">"Reason"</th>
                            <th scope="col">"Receipt"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableWrap>
        </Panel>
    }
    .into_any()
}
