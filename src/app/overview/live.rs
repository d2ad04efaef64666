//! What moves on Overview: what is being sent, what waits for a person, what goes wrong.

use super::now::{IllWebhook, Named, Now, SendingTask, Tasks, load_now};
use crate::{
    access::{
        model::{Area, Permission},
        reader_may,
    },
    delivery::model::SendState,
    error::AppError,
    tasks::{
        list::{decided, state_badge},
        model::TaskRow,
    },
    ui::{
        EmptyState, FormErrors, Note, Panel, Progress, TableWrap, Time, Tone, follow,
        format::{about_ms, count, counted, rate},
    },
    webhooks::health::health,
};
use leptos::prelude::*;
use std::time::Duration;

/// Between two looks.
const POLL: Duration = Duration::from_secs(3);

#[component]
pub fn Live(first: Now) -> impl IntoView {
    let shown = RwSignal::new(first);
    let lost = RwSignal::new(None::<AppError>);
    follow(shown, lost, POLL, |_| Some(load_now()));
    let waiting = move || shown.read().tasks.as_ref().and_then(waiting);
    let sending = move || shown.read().tasks.as_ref().map(sending);
    let failures = move || shown.read().tasks.as_ref().map(failures);
    let newest = Memo::new(move |_| shown.read().tasks.as_ref().map(|tasks| tasks.recent.clone()));
    let recent = move || recent(newest.read().as_deref());
    let webhooks = move || shown.read().webhooks.as_ref().map(|webhooks| ill(webhooks));
    view! {
        <FormErrors error=lost />
        {waiting}
        {sending}
        <div class="grid cols even">{failures} {webhooks}</div>
        <Panel title="Recent sending tasks" padded=false>{recent}</Panel>
    }
    .into_any()
}

/// Links to tasks; how many there are besides is said.
fn links(tasks: &[Named], in_all: i64) -> AnyView {
    let more = in_all - i64::try_from(tasks.len()).unwrap_or(in_all);
    let link = |task: &Named| view! { <li><a href=format!("/tasks/{}", task.id)>{task.name.clone()}</a></li> };
    view! {
        <ul>
            {tasks.iter().map(link).collect_view()}
            {(more > 0).then(|| view! { <li>{format!("and {}", counted(more, "other"))}</li> })}
        </ul>
    }
    .into_any()
}

/// Nothing when nobody has to do anything.
fn waiting(tasks: &Tasks) -> Option<AnyView> {
    let missed = (tasks.missed_in_all > 0).then(|| {
        let text = format!("{} missed the time", counted(tasks.missed_in_all, "task"));
        let href = format!("/tasks?state={}", SendState::Missed.code());
        let links = links(&tasks.missed, tasks.missed_in_all);
        view! {
            <Note tone=Tone::Warn>
                <p><a href=href>{text}</a> " and did not begin: somebody must decide."</p>
                {links}
            </Note>
        }
    });
    let unknown = (tasks.users_unknown > 0).then(|| {
        let text = format!(
            "The outcome for {} is unknown: the receiving system may have their messages or not. Somebody must send them \
             again or say what they count as.",
            counted(tasks.users_unknown, "user")
        );
        let links = links(&tasks.unknown, tasks.unknown_in_all);
        view! { <Note tone=Tone::Odd><p>{text}</p> {links}</Note> }
    });
    let any = missed.is_some() || unknown.is_some();
    any.then(|| {
        view! { <Panel title="Waiting for a person"><div class="grid">{missed} {unknown}</div></Panel> }.into_any()
    })
}

fn sending(tasks: &Tasks) -> AnyView {
    if tasks.sending.is_empty() {
        return view! {
            <Panel title="Sending now" padded=false>
                <EmptyState title="Nothing is being sent" text="Tasks appear here while they send, with their pace." />
            </Panel>
        }
        .into_any();
    }
    let more = tasks.sending_in_all - i64::try_from(tasks.sending.len()).unwrap_or(tasks.sending_in_all);
    let more = (more > 0).then(|| {
        let href = format!("/tasks?state={}", SendState::Sending.code());
        let text = format!("{} sending", counted(more, "other task"));
        view! { <a href=href>{text}</a> }
    });
    let more = more.into_any();
    let rows = tasks.sending.iter().map(row).collect_view();
    view! {
        <Panel title="Sending now" padded=false actions=more>
            <TableWrap label="Sending now">
                <table class="stack">
                    <thead>
                        <tr>
                            <th scope="col">"Task name"</th>
                            <th scope="col">"Webhook"</th>
                            <th scope="col">"Users decided"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableWrap>
        </Panel>
    }
    .into_any()
}

fn row(task: &SendingTask) -> AnyView {
    let now = &task.progress;
    let parts = decided(now);
    let left = now.left(task.rate).map_or_else(String::new, |ms| format!("{} left", about_ms(ms)));
    // One that waits for its webhook has none.
    let pace = if task.rate > 0.0 { rate(task.rate, "users") } else { String::new() };
    view! {
        <tr>
            <td><a class="title" href=format!("/tasks/{}", task.id)>{task.name.clone()}</a></td>
            <td data-label="Webhook">{task.webhook.clone()}</td>
            <td data-label="Users decided">
                <Progress parts total=now.total() label=format!("Progress of {}", task.name) rate=pace left />
            </td>
        </tr>
    }
    .into_any()
}

fn failures(tasks: &Tasks) -> AnyView {
    let title = "Failures of the last hour";
    if tasks.failures.is_empty() {
        return view! {
            <Panel title padded=false>
                <EmptyState title="Nothing has failed" text="Why users failed in the last hour stands here." />
            </Panel>
        }
        .into_any();
    }
    let failures = tasks.failures.iter().map(|(reason, users)| {
        view! {
            <tr>
                <td>{reason.clone()}</td>
                <td class="num" data-label="Users">{count(*users)}</td>
            </tr>
        }
    });
    let rows = failures.collect_view();
    let cut = tasks.looked_at.map(|requests| {
        let text = format!("Of the latest {}; there are more", counted(requests, "failed request"));
        view! { <span class="quiet">{text}</span> }
    });
    let cut = cut.into_any();
    view! {
        <Panel title padded=false actions=cut>
            <TableWrap label=title>
                <table class="stack">
                    <thead><tr><th scope="col">"Reason"</th><th scope="col" class="num">"Users"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableWrap>
        </Panel>
    }
    .into_any()
}

fn ill(webhooks: &[IllWebhook]) -> AnyView {
    let title = "Slow and paused webhooks";
    if webhooks.is_empty() {
        return view! {
            <Panel title padded=false>
                <EmptyState title="All webhooks are well" text="Those that answer slowly, fail, or are paused by the breaker stand here." />
            </Panel>
        }
        .into_any();
    }
    let may = reader_may(Permission::View(Area::WebhookManagement));
    let webhooks = webhooks.iter().map(|webhook| {
        let name = if may {
            view! { <a class="title" href=format!("/webhooks/{}", webhook.id)>{webhook.name.clone()}</a> }.into_any()
        } else {
            webhook.name.clone().into_any()
        };
        view! {
            <tr>
                <td>{name}</td>
                <td data-label="Health">{health(webhook.standing.clone())}</td>
            </tr>
        }
    });
    let rows = webhooks.collect_view();
    view! {
        <Panel title padded=false>
            <TableWrap label=title>
                <table class="stack">
                    <thead><tr><th scope="col">"Webhook"</th><th scope="col">"Health"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableWrap>
        </Panel>
    }
    .into_any()
}

fn recent(tasks: Option<&[TaskRow]>) -> AnyView {
    match tasks {
        None => view! { <EmptyState title="Not yours to see" text="Your roles do not open sending tasks." /> }.into_any(),
        Some([]) => {
            view! { <EmptyState title="Nothing has been sent yet" text="Sending tasks and their progress appear here." /> }
                .into_any()
        }
        Some(tasks) => table(tasks),
    }
}

fn table(tasks: &[TaskRow]) -> AnyView {
    let rows = tasks.iter().map(|task| {
        let progress = &task.progress;
        let parts = decided(progress);
        let total = progress.audience.max(progress.planned);
        view! {
            <tr>
                <td><a class="title" href=format!("/tasks/{}", task.id)>{task.name.clone()}</a></td>
                <td data-label="Audience">{task.audience.clone()}</td>
                <td data-label="Webhook">{task.webhook.clone()}</td>
                <td data-label="Users decided"><Progress parts total label=format!("Progress of {}", task.name) /></td>
                <td data-label="Send time"><Time ms=progress.due_at seconds=false /></td>
                <td data-label="Status">{state_badge(progress.state)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <TableWrap label="Recent sending tasks">
            <table class="stack">
                <thead>
                    <tr>
                        <th scope="col">"Task name"</th>
                        <th scope="col">"Audience"</th>
                        <th scope="col">"Webhook"</th>
                        <th scope="col">"Users decided"</th>
                        <th scope="col">"Send time"</th>
                        <th scope="col">"Status"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
    }
    .into_any()
}
