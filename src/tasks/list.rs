//! Reach Marketing > Webhook: the list of sending tasks.

use super::{
    api::{DeleteTask, PAGE, list_tasks},
    detail::delete_question,
    model::{TaskList, TaskRow},
};
use crate::{
    access::{
        model::{Area, Permission},
        reader_may,
    },
    delivery::model::{Progress, SendState},
    ui::{
        Badge, EmptyState, FilterSelect, Filters, FormErrors, LinkButton, ListParams, Loaded, PageHeader, Pager, Panel,
        RowMenu, SelectOption, SortTh, TableWrap, Time, Tone, format::count, use_list_params,
    },
};
use leptos::prelude::*;

const FILTERS: &[&str] = &["state", "webhook"];

pub fn tasks_page() -> AnyView {
    let params = use_list_params(FILTERS);
    let delete = ServerAction::<DeleteTask>::new();
    let list = Resource::new(
        move || (params.get(), delete.version().get()),
        |(params, _)| {
            let (state, webhook) = (params.filter("state").to_string(), params.filter("webhook").to_string());
            list_tasks(params.q, state, webhook, params.sort, params.page)
        },
    );
    let error = Signal::derive(move || delete.value().get().and_then(Result::err));
    let may_send = reader_may(Permission::Manage(Area::ReachWebhook));
    let states = SendState::ALL.map(|state| SelectOption::new(state.code(), state.label())).to_vec();
    view! {
        <PageHeader
            title="Webhook"
            crumbs=vec![("User Marketing", ""), ("Reach Marketing", "")]
            intro="Tasks that send one webhook to one audience."
        >
            {may_send.then(|| view! { <LinkButton href="/tasks/new" label="Create Sending Task" primary=true /> })}
        </PageHeader>
        <FormErrors error />
        <Panel padded=false>
            <Filters
                action="/tasks"
                params
                placeholder="Search task, audience or webhook"
                selects=vec![FilterSelect::new("state", "All statuses", states)]
            />
            <Loaded what=list show=move |list| table(list, params, delete, may_send) />
        </Panel>
    }
    .into_any()
}

fn table(list: TaskList, params: Memo<ListParams>, delete: ServerAction<DeleteTask>, may_send: bool) -> AnyView {
    if list.rows.is_empty() && !params.read_untracked().is_filtered() {
        return view! {
            <EmptyState
                title="No sending task yet"
                text="A task sends one webhook to one audience: pick the users, fill in the message, see who will get it, and send."
            >
                {may_send.then(|| view! { <LinkButton href="/tasks/new" label="Create Sending Task" primary=true /> })}
            </EmptyState>
        }
        .into_any();
    }
    if list.rows.is_empty() {
        return view! { <EmptyState title="No task matches" text="Change the search or the filters." /> }.into_any();
    }
    let now = list.now;
    let rows = list.rows.into_iter().map(|task| row(task, now, delete, may_send)).collect_view();
    view! {
        <TableWrap label="Tasks">
            <table class="stack dense">
                <thead>
                    <tr>
                        <SortTh params key="name" label="Task name" />
                        <th scope="col">"Status"</th>
                        <th scope="col">"Audience, ID type"</th>
                        <th scope="col">"Webhook"</th>
                        <th scope="col" class="num">"Sub-campaigns"</th>
                        <th scope="col" class="num">"Total sends"</th>
                        <th scope="col" class="num">"Successful sends"</th>
                        <SortTh params key="due" label="Send time, type" />
                        <th scope="col"><span class="sr">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
        <Pager params total=list.total page_size=PAGE noun="tasks" />
    }
    .into_any()
}

fn row(task: TaskRow, now: i64, delete: ServerAction<DeleteTask>, may_send: bool) -> AnyView {
    let changes = task.changes(now);
    let (id, progress) = (task.id.clone(), &task.progress);
    let sends = progress.accepted + progress.failed + progress.unknown;
    let confirm = format!("delete-{id}");
    let menu = (may_send && (changes.edit || changes.delete)).then(|| {
        let (question, edit) = (confirm.clone(), format!("/tasks/{id}/edit"));
        let menu = format!("menu-{id}");
        view! {
            <RowMenu id=menu label=format!("More actions for {}", task.name)>
                {changes.edit.then(|| view! { <a href=edit>"Edit"</a> })}
                {changes.delete.then(|| view! { <button type="button" class="danger" data-dialog-open=question>"Delete"</button> })}
            </RowMenu>
            {delete_question(confirm, &id, &task.name, delete)}
        }
    });
    view! {
        <tr>
            <td><a class="title" href=format!("/tasks/{}", task.id)>{task.name.clone()}</a></td>
            <td data-label="Status">{state_badge(progress.state)}</td>
            <td data-label="Audience, ID type">
                <span>{task.audience.clone()} <span class="under">{task.id_type.clone()}</span></span>
            </td>
            <td data-label="Webhook">{task.webhook.clone()}</td>
            <td class="num" data-label="Sub-campaigns" title=task.campaigns.join("\n")>{task.campaigns.len()}</td>
            <td class="num" data-label="Total sends">{count(sends)}</td>
            <td class="num" data-label="Successful sends">{count(progress.accepted)}</td>
            <td data-label="Send time, type">
                <span>
                    <Time ms=progress.due_at seconds=false />
                    <span class="under">{if task.scheduled { "Scheduled" } else { "Immediate" }}</span>
                </span>
            </td>
            <td class="row-actions">{menu}</td>
        </tr>
    }
    .into_any()
}

/// Users who are decided, by outcome, for the bar of a task's progress.
pub fn decided(now: &Progress) -> Vec<(Tone, i64)> {
    vec![(Tone::Run, now.accepted), (Tone::Bad, now.failed), (Tone::Odd, now.unknown), (Tone::Neutral, now.skipped)]
}

/// A status, in its colour.
pub fn state_badge(state: SendState) -> AnyView {
    let tone = match state {
        SendState::Scheduled => Tone::Neutral,
        SendState::Missed => Tone::Warn,
        SendState::Sending => Tone::Run,
        SendState::Paused => Tone::Warn,
        SendState::Stopped => Tone::Odd,
        SendState::Finished => Tone::Ok,
        SendState::Failed => Tone::Bad,
    };
    view! { <Badge tone text=state.label() /> }.into_any()
}
