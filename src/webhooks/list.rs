//! Webhook Management: the list.

use super::{
    api::{DeleteWebhook, list_webhooks, set_webhook_enabled},
    delete::DeleteDialog,
    health::health,
    model::{PAGE_SIZE, TESTING, TestResult, Webhook, WebhookOrder, WebhookPage, WebhookQuery},
};
use crate::{
    access::{
        model::{Area, Permission},
        reader_may, reader_may_either,
    },
    customers::model::PRESET_ID_TYPES,
    grants::model::Standing,
    ui::{
        Badge, EmptyState, FilterSelect, Filters, FormErrors, LinkButton, ListParams, Loaded, PageHeader, Pager, Panel,
        RowMenu, SelectOption, SortTh, Switch, TableWrap, Time, Tone,
        format::{count, counted},
        use_list_params, use_toasts,
    },
};
use leptos::prelude::*;

/// A switch that was turned: the webhook's id and name, its new state, and the switch to turn back on failure.
#[derive(Clone)]
struct Turn {
    id: String,
    name: String,
    enabled: bool,
    shown: RwSignal<bool>,
}

/// May the reader change webhooks?
pub(super) fn may_manage() -> bool {
    reader_may(Permission::Manage(Area::WebhookManagement))
}

pub fn webhooks_page() -> AnyView {
    let params = use_list_params(&["id_type", "state"]);
    let delete = ServerAction::<DeleteWebhook>::new();
    let page =
        Resource::new(move || (params.get(), delete.version().get()), |(params, _)| list_webhooks(query(&params)));
    let toasts = use_toasts();
    let turn = Action::new(move |turn: &Turn| {
        let turn = turn.clone();
        async move {
            match set_webhook_enabled(turn.id, turn.enabled).await {
                Ok(()) => toasts.show(Tone::Ok, what_follows(&turn.name, turn.enabled)),
                Err(error) => {
                    turn.shown.set(!turn.enabled);
                    toasts.show(Tone::Bad, error.to_string());
                }
            }
        }
    });
    let manages = may_manage();
    view! {
        <PageHeader
            title="Webhook Management"
            crumbs=vec![("Configuration Management", ""), ("Marketing Configuration", "")]
            intro="Endpoints of your own systems that tasks send to."
        >
            {manages.then(|| view! { <LinkButton href="/webhooks/new" label="Create Webhook" primary=true /> })}
        </PageHeader>
        <FormErrors error=Signal::derive(move || delete.value().get().and_then(Result::err)) />
        <Panel padded=false>
            <Filters action="/webhooks" params placeholder="Search name or URL" selects=selects() />
            <Loaded what=page show=move |page| table(page, params, manages, turn, delete) />
        </Panel>
    }
    .into_any()
}

fn query(params: &ListParams) -> WebhookQuery {
    let (order, descending) = match params.order() {
        Some(("tested", descending)) => (WebhookOrder::LatestTest, descending),
        Some(("tasks", descending)) => (WebhookOrder::Tasks, descending),
        Some((_, descending)) => (WebhookOrder::Name, descending),
        None => (WebhookOrder::Name, false),
    };
    WebhookQuery {
        search: params.q.clone(),
        id_type: params.filter("id_type").to_string(),
        enabled: match params.filter("state") {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        },
        order,
        descending,
        offset: params.offset(PAGE_SIZE),
    }
}

fn selects() -> Vec<FilterSelect> {
    let id_types = PRESET_ID_TYPES.iter().map(|(code, _)| SelectOption::new(*code, *code)).collect();
    let states = vec![SelectOption::new("on", "Enabled"), SelectOption::new("off", "Disabled")];
    vec![
        FilterSelect::new("id_type", "All ID types", id_types),
        FilterSelect::new("state", "Enabled and disabled", states),
    ]
}

/// What turning the switch means for tasks.
pub(super) fn what_follows(name: &str, enabled: bool) -> String {
    if enabled {
        format!("{name} is enabled: tasks can use it, and those that waited for it go on.")
    } else {
        format!(
            "{name} is disabled: no new task can use it, and those that are sending wait until it is enabled again."
        )
    }
}

fn table(
    page: WebhookPage,
    params: Memo<ListParams>,
    manages: bool,
    turn: Action<Turn, ()>,
    delete: ServerAction<DeleteWebhook>,
) -> AnyView {
    if page.total == 0 {
        return empty(params.get_untracked().is_filtered(), manages);
    }
    let now = page.now;
    let needs_grants = page.standings.is_some();
    let standing =
        move |webhook: &Webhook| page.standings.as_ref().map(|all| all.get(&webhook.id).copied().unwrap_or_default());
    let rows: Vec<(Webhook, Option<Standing>)> = page
        .rows
        .into_iter()
        .map(|webhook| {
            let standing = standing(&webhook);
            (webhook, standing)
        })
        .collect();
    // Everything that a row shows is in its key: a row is never written over with another webhook's switch.
    let key = move |(webhook, standing): &(Webhook, Option<Standing>)| {
        let tested = webhook.test.as_ref().map(|test| test.at);
        (webhook.id.clone(), webhook.updated_at, tested, webhook.tasks, webhook.standing(now), *standing)
    };
    view! {
        <TableWrap label="Webhooks">
            <table class="stack dense">
                <thead>
                    <tr>
                        <SortTh params key="name" label="Webhook" />
                        <th scope="col">"Send ID types"</th>
                        <th scope="col">"Enabled"</th>
                        <th scope="col">"Health"</th>
                        {needs_grants.then(|| view! { <th scope="col">"Granted to you"</th> })}
                        <SortTh params key="tested" label="Latest test" />
                        <SortTh params key="tasks" label="Used by tasks" numeric=true />
                        <th scope="col">
                            <span class="sr">"Actions"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>
                    <For
                        each=move || rows.clone()
                        key=key
                        children=move |(webhook, standing)| row(webhook, standing, now, manages, turn, delete)
                    />
                </tbody>
            </table>
        </TableWrap>
        <Pager params total=page.total page_size=PAGE_SIZE noun="webhooks" />
    }
    .into_any()
}

fn empty(filtered: bool, manages: bool) -> AnyView {
    if filtered {
        return view! { <EmptyState title="No match" text="No webhook fits the search and the filters." /> }.into_any();
    }
    view! {
        <EmptyState
            title="No webhooks yet"
            text="A webhook is an address of your own system, a CRM or a coupon engine, that tasks send their messages to."
        >
            {manages.then(|| view! { <LinkButton href="/webhooks/new" label="Create Webhook" primary=true /> })}
        </EmptyState>
    }
    .into_any()
}

fn row(
    webhook: Webhook,
    standing: Option<Standing>,
    now: i64,
    manages: bool,
    turn: Action<Turn, ()>,
    delete: ServerAction<DeleteWebhook>,
) -> AnyView {
    let href = format!("/webhooks/{}", webhook.id);
    let endpoint = health(webhook.standing(now));
    let (test, edit) = (format!("{href}#test-send"), format!("{href}/edit"));
    let (id, name, tasks) = (webhook.id, webhook.input.name, webhook.tasks);
    let (copy, dialog) = (format!("/webhooks/new?copy={id}"), format!("delete-{id}"));
    let grants = format!("/webhooks/{id}/grants");
    let used = (tasks > 0).then(|| {
        view! { <a href=format!("/tasks?webhook={id}") aria-label=format!("{} use {name}", counted(tasks, "task"))>{count(tasks)}</a> }
    });
    let unused = (tasks == 0).then_some("0");
    let shown = RwSignal::new(webhook.enabled);
    let tests = reader_may_either(TESTING);
    let (asked, own, named) = (dialog.clone(), id.clone(), name.clone());
    let turned = {
        let (id, name) = (id.clone(), name.clone());
        move |enabled| {
            shown.set(enabled);
            turn.dispatch(Turn { id: id.clone(), name: name.clone(), enabled, shown });
        }
    };
    // The switch beside it may have been turned since.
    let question = move || {
        manages.then(|| {
            let (dialog, id, name) = (asked.clone(), own.clone(), named.clone());
            view! { <DeleteDialog dialog id name enabled=shown.get() tasks action=delete /> }
        })
    };
    view! {
        <tr>
            <td>
                <a class="title" href=href.clone()>{name.clone()}</a>
                <span class="under mono">{webhook.input.url}</span>
            </td>
            <td data-label="Send ID types">{webhook.input.id_types.join(", ")}</td>
            <td data-label="Enabled">
                <Switch
                    id=format!("enabled-{id}")
                    name="enabled"
                    label=format!("{name} enabled")
                    checked=shown
                    disabled=!manages
                    bare=true
                    on_change=turned
                />
            </td>
            <td data-label="Health">{endpoint}</td>
            {standing.map(|standing| view! { <td data-label="Granted to you">{granted(standing)}</td> })}
            <td data-label="Latest test">{latest_test(webhook.test, Some(now))}</td>
            <td class="num" data-label="Used by tasks">{used} {unused}</td>
            <td class="num fit">
                {tests
                    .then(|| view! { <a class="btn bare" href=test.clone() aria-label=format!("Test {name}")>"Test"</a> })}
                <RowMenu id=format!("menu-{id}") label=format!("More actions for {name}")>
                    <a href=href>"Details"</a>
                    {tests.then(|| view! { <a href=test.clone()>"Test Send"</a> })}
                    {manages
                        .then(|| {
                            view! {
                                <a href=edit>"Edit"</a>
                                <a href=copy>"Copy"</a>
                                <a href=grants>"Grant"</a>
                                <button type="button" class="danger" data-dialog-open=dialog.clone()>"Delete"</button>
                            }
                        })}
                </RowMenu>
                {question}
            </td>
        </tr>
    }
    .into_any()
}

/// Whether the reader may use a webhook, and until when.
fn granted(standing: Standing) -> AnyView {
    let (tone, word, time) = match standing {
        Standing::Granted(None) => (Tone::Ok, "Granted", None),
        Standing::Granted(Some(until)) => (Tone::Ok, "Granted until", Some(until)),
        Standing::Begins(at) => (Tone::Run, "Granted from", Some(at)),
        Standing::Expired(at) => (Tone::Neutral, "Not granted, expired", Some(at)),
        Standing::Never => (Tone::Neutral, "Not granted", None),
    };
    let time = time.map(|ms| view! { " " <small><Time ms seconds=false /></small> });
    view! { <span><Badge tone text=word /> {time}</span> }.into_any()
}

/// The result of a test in a word, its time, and why it failed.
pub(super) fn latest_test(test: Option<TestResult>, now: Option<i64>) -> AnyView {
    let Some(test) = test else {
        return view! { <Badge tone=Tone::Neutral text="Never tested" /> }.into_any();
    };
    let (tone, word) = if test.ok { (Tone::Ok, "OK") } else { (Tone::Bad, "Failed") };
    let reason = (!test.ok).then(|| view! { <span class="under whole">{test.reason}</span> });
    let time = match now {
        Some(now) => view! { <Time ms=test.at now /> }.into_any(),
        None => view! { <Time ms=test.at /> }.into_any(),
    };
    view! {
        <span>
            <Badge tone text=word />
            " "
            <small>{time}</small>
            {reason}
        </span>
    }
    .into_any()
}
