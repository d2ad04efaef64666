//! A task's page: progress while it sends, the way from audience to receipt, and what every user got.

pub mod api;
mod batches;
mod controls;
mod live;
mod unknown;
mod users;

use super::{
    list::state_badge,
    model::{TaskDetail, TaskLive},
};
use crate::{
    access::{
        model::{Area, Permission},
        reader_may,
    },
    delivery::model::SendState,
    error::AppError,
    ui::{
        CodeBlock, ErrorNote, Fact, Facts, FormErrors, PageHeader, Panel, Scope, Skeleton, Time, follow,
        query::use_query,
    },
    wire::text::variable_names,
};
use api::{load_task, load_task_live};
use batches::Batches;
pub use controls::delete_question;
use controls::{Actions, controls};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use live::Live;
use std::time::Duration;
use users::Users;
pub use users::result_badge;

/// Between two looks while it sends: never more than 2 s behind.
const POLL: Duration = Duration::from_millis(1_000);

pub fn task_page() -> AnyView {
    let scope = Scope::here();
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let actions = Actions::new();
    let detail = Resource::new(move || id.get(), load_task);
    let live = Resource::new(move || (id.get(), actions.done()), |(id, _)| load_task_live(id));
    let pulse = RwSignal::new(Pulse::default());
    view! {
        <Transition fallback=|| view! { <Skeleton /> }>
            {move || Suspend::new(async move {
                let loaded = (detail.await, live.await);
                scope.show(move || match loaded {
                    (Ok(detail), Ok(first)) => view! { <Page detail first pulse actions /> }.into_any(),
                    (Err(error), _) | (_, Err(error)) => view! {
                        <PageHeader title="Task" crumbs=vec![("Webhook", "/tasks")] />
                        <ErrorNote error />
                    }
                    .into_any(),
                })
            })}
        </Transition>
        <Rows id detail pulse />
    }
    .into_any()
}

/// A task as the page has loaded it, for all its parts.
type Detail = Resource<Result<TaskDetail, AppError>>;

/// The tables have their own resources: they must not stand inside the Suspense above.
#[component]
fn Rows(id: Memo<String>, detail: Detail, pulse: RwSignal<Pulse>) -> impl IntoView {
    let query = use_query();
    let batches = Memo::new(move |_| query.read().get("view") == Some("batches"));
    let current = Signal::derive(move || {
        let view = if batches.get() { "?view=batches" } else { "" };
        format!("/tasks/{}{view}", id.get())
    });
    view! {
        <Panel padded=false>
            {move || {
                let base = format!("/tasks/{}", id.get());
                let items = vec![("Users".to_string(), base.clone()), ("Batches".to_string(), format!("{base}?view=batches"))];
                view! { <crate::ui::Tabs items current label="What was sent" /> }
            }}
            {move || if batches.get() { view! { <Batches id detail pulse /> }.into_any() } else { view! { <Users id detail pulse /> }.into_any() }}
        </Panel>
    }
}

/// When the tables are read anew: at each turn of the state, and each twentieth of the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse(Option<SendState>, i64, i64);

impl Pulse {
    fn of(live: &TaskLive) -> Self {
        let progress = &live.progress;
        let part = |users: i64| users * 20 / progress.planned.max(1);
        let receipts = live.receipts.iter().map(|(_, users)| users).sum();
        Self(Some(progress.state), part(progress.accepted + progress.failed + progress.skipped), part(receipts))
    }
}

#[component]
fn Page(detail: TaskDetail, first: TaskLive, pulse: RwSignal<Pulse>, actions: Actions) -> impl IntoView {
    let may_send = reader_may(Permission::Manage(Area::ReachWebhook));
    let live = RwSignal::new(first);
    let lost = RwSignal::new(None::<AppError>);
    look_again(detail.id.clone(), live, lost, actions);
    Effect::new(move |before: Option<Pulse>| {
        let next = Pulse::of(&live.read());
        // What the page came with is not read again.
        if before.is_some_and(|before| before != next) {
            pulse.set(next);
        }
        next
    });
    let state = Memo::new(move |_| live.read().progress.state);
    let error = Signal::derive(move || lost.get().or_else(|| actions.refused()));
    let intro = format!("To “{}” through {}, as {}.", detail.audience, detail.webhook, detail.id_type);
    let controls = may_send.then(|| controls(&detail, live, actions));
    let facts = facts(&detail, live);
    let passed = passed(&detail);
    let for_results = detail.clone();
    view! {
        <PageHeader
            title=detail.name.clone()
            crumbs=vec![("User Marketing", ""), ("Reach Marketing", ""), ("Webhook", "/tasks")]
            intro
            badge=view! { <span aria-live="polite">{move || state_badge(state.get())}</span> }.into_any()
        >
            {controls}
        </PageHeader>
        <FormErrors error />
        <div class="grid">
            <Live live detail />
            <div class="grid cols">
                <live::Results live detail=for_results />
                <Panel title="Task">{facts} {passed}</Panel>
            </div>
        </div>
    }
    .into_any()
}

/// Looks again every second until the task has ended, then more rarely while receipts may come.
fn look_again(id: String, live: RwSignal<TaskLive>, lost: RwSignal<Option<AppError>>, actions: Actions) {
    let ticks = StoredValue::new(0_u32);
    follow(live, lost, POLL, move |now| {
        ticks.try_update_value(|ticks| *ticks = ticks.wrapping_add(1));
        // After Pause and Stop, too: what was under way ends later.
        let waits =
            matches!(now.progress.state, SendState::Sending | SendState::Scheduled) || now.progress.waiting() > 0;
        let receipts = now.progress.receipts_until.is_some_and(|until| until > now.now);
        let wants = waits || (receipts && ticks.try_get_value().is_some_and(|ticks| ticks.is_multiple_of(5)));
        // One that is deleted is asked for no more.
        let deleted = matches!(actions.delete.value().get_untracked(), Some(Ok(())));
        let wants = wants && !deleted && !actions.delete.pending().get_untracked();
        wants.then(|| load_task_live(id.clone()))
    });
}

/// What interfaces were told when the values were chosen: kept as it was then.
fn passed(detail: &TaskDetail) -> Option<AnyView> {
    let told: Vec<_> =
        detail.passed.iter().filter(|one| !one.associated.is_empty() || !one.system.is_empty()).collect();
    if told.is_empty() {
        return None;
    }
    let text = serde_json::to_string_pretty(&told).unwrap_or_default();
    let details = view! {
        <details>
            <summary>"What was passed to the interfaces"</summary>
            <CodeBlock id="passed" text label="What was passed to the interfaces" />
        </details>
    };
    Some(details.into_any())
}

fn facts(detail: &TaskDetail, live: RwSignal<TaskLive>) -> AnyView {
    let campaigns = detail.campaigns.iter().map(|(id, name)| {
        view! { <a class="block" href=format!("/campaigns/{id}")>{name.clone()}</a> }
    });
    let campaigns = campaigns.collect_view();
    let values = detail.values.iter().cloned().map(|(display, name, value)| {
        let class = if variable_names(&value).is_empty() { "" } else { "with-variables" };
        view! { <Fact label=display><span class=class title=name>{value}</span></Fact> }
    });
    let values = values.collect_view();
    let variables = detail.variables.iter().map(|variable| view! { <span class="block mono">{variable.told()}</span> });
    let (variables, some) = (variables.collect_view(), !detail.variables.is_empty());
    let variables = some.then(|| view! { <Fact label="Variables">{variables}</Fact> });
    let created = (detail.created_by.clone(), detail.created_at);
    let times = move || {
        let progress = live.read().progress.clone();
        let one = |label: &'static str, ms: Option<i64>| ms.map(|ms| view! { <Fact label><Time ms /></Fact> });
        view! {
            {one("Due", Some(progress.due_at))}
            {one("Started", progress.started_at)}
            {one("Ended", progress.finished_at)}
            {one("Receipts until", progress.receipts_until.filter(|_| progress.started_at.is_some()))}
            {one("Messages deleted", progress.emptied_at)}
        }
    };
    let (audience, audience_href) = (detail.audience.clone(), format!("/audiences/{}", detail.audience_id));
    let (webhook, webhook_href) = (detail.webhook.clone(), format!("/webhooks/{}", detail.webhook_id));
    let (used, current) = (detail.webhook_version, detail.current_version);
    let version = (used > 0).then(|| {
        let changed = if used < current { format!(" of {current}") } else { String::new() };
        let href = format!("{webhook_href}/versions?from={used}&to={current}");
        view! { " (" <a href=href>{format!("version {used}{changed}")}</a> ")" }
    });
    let id_type = format!("{}, encryption {}", detail.id_type, detail.encryption.label());
    let associated = !detail.campaigns.is_empty();
    view! {
        <Facts>
            <Fact label="Audience"><a href=audience_href>{audience}</a></Fact>
            <Fact label="Webhook"><a href=webhook_href>{webhook}</a> {version}</Fact>
            <Fact label="Send ID Type">{id_type}</Fact>
            {associated.then(|| view! { <Fact label="Sub-campaigns">{campaigns}</Fact> })}
            {values}
            {variables}
            {times}
            <Fact label="Created">{created.0} ", " <Time ms=created.1 /></Fact>
        </Facts>
    }
    .into_any()
}
