//! A campaign's own page: its dates, its sub-campaigns, the tasks associated with it.

use super::{
    api::{CreateCampaign, DeleteCampaign, UpdateCampaign, get_campaign},
    form::{CREATE, CreateDialog, EDIT, EditDialog, may_change},
    list::day,
    model::{Campaign, CampaignDetail, CampaignKind, CampaignTask},
};
use crate::{
    delivery::model::SendState,
    tasks::list::state_badge,
    ui::{
        Badge, Button, ConfirmAction, EmptyState, ErrorNote, Fact, Facts, FormErrors, LinkButton, PageHeader, Panel,
        Scope, Skeleton, TableWrap, Time, Tone, format::count,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

const DELETE: &str = "delete-campaign";

/// The page's actions; they outlive what is loaded anew.
#[derive(Clone, Copy)]
struct Actions {
    edit: ServerAction<UpdateCampaign>,
    create: ServerAction<CreateCampaign>,
    delete: ServerAction<DeleteCampaign>,
}

pub fn campaign_page() -> AnyView {
    let scope = Scope::here();
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let actions = Actions { edit: ServerAction::new(), create: ServerAction::new(), delete: ServerAction::new() };
    // A refusal belongs to the campaign that it was about.
    Effect::watch(move || id.get(), move |_, _, _| actions.delete.clear(), false);
    let campaign = Resource::new(
        move || (id.get(), actions.edit.version().get(), actions.create.version().get()),
        |(id, ..)| get_campaign(id),
    );
    view! {
        <Transition fallback=|| view! { <Panel><Skeleton /></Panel> }>
            {move || Suspend::new(async move {
                let loaded = campaign.await;
                scope.show(move || match loaded {
                    Ok(detail) => page(detail, actions),
                    Err(error) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Transition>
    }
    .into_any()
}

fn page(detail: CampaignDetail, actions: Actions) -> AnyView {
    let CampaignDetail { campaign, parent, subs, tasks } = detail;
    let error = Signal::derive(move || actions.delete.value().get().and_then(Result::err));
    let main = campaign.kind == CampaignKind::Main;
    let facts = facts(&campaign, parent.as_ref());
    let title = campaign.name.clone();
    let controls = may_change().then(|| controls(&campaign));
    let dialogs = may_change().then(|| dialogs(&campaign, actions));
    let subs = main.then(|| sub_campaigns(subs));
    view! {
        <PageHeader title crumbs=vec![("User Marketing", ""), ("Marketing Campaigns", "/campaigns")]>
            {controls}
        </PageHeader>
        <FormErrors error />
        <div class="grid">
            <Panel title=campaign.kind.label()>{facts}</Panel>
            {subs}
            {task_table(tasks, main)}
        </div>
        {dialogs}
    }
    .into_any()
}

fn controls(campaign: &Campaign) -> AnyView {
    let create = (campaign.kind == CampaignKind::Main)
        .then(|| view! { <Button label="Create Sub-campaign" primary=true opens=CREATE /> });
    view! {
        <Button label="Delete" danger=true opens=DELETE />
        <Button label="Edit" opens=EDIT />
        {create}
    }
    .into_any()
}

fn dialogs(campaign: &Campaign, actions: Actions) -> AnyView {
    let create = (campaign.kind == CampaignKind::Main)
        .then(|| (vec![campaign.clone()], campaign.id.clone()))
        .map(|(parents, under)| view! { <CreateDialog action=actions.create parents under /> });
    let fields = vec![("id", campaign.id.clone())];
    let text = format!("“{}” is deleted for good.", campaign.name);
    view! {
        <EditDialog action=actions.edit campaign=campaign.clone() />
        {create}
        <ConfirmAction id=DELETE title="Delete campaign" text label="Delete" danger=true action=actions.delete fields />
    }
    .into_any()
}

fn facts(campaign: &Campaign, parent: Option<&Campaign>) -> AnyView {
    let (starts, ends) = (day(&campaign.starts_on), day(&campaign.ends_on));
    let under = match parent {
        Some(parent) => {
            let (href, name) = (format!("/campaigns/{}", parent.id), parent.name.clone());
            view! { <a href=href>{name}</a> }.into_any()
        }
        None => view! { "- (standalone)" }.into_any(),
    };
    let under = (campaign.kind == CampaignKind::Sub).then(|| view! { <Fact label="Main campaign">{under}</Fact> });
    view! {
        <Facts>
            {under}
            <Fact label="Start date">{starts}</Fact>
            <Fact label="End date">{ends}</Fact>
        </Facts>
    }
    .into_any()
}

fn sub_campaigns(subs: Vec<Campaign>) -> AnyView {
    if subs.is_empty() {
        return view! {
            <Panel title="Sub-campaigns" padded=false>
                <EmptyState title="No sub-campaigns yet" text="Tasks are associated with sub-campaigns: create the first one." />
            </Panel>
        }
        .into_any();
    }
    let row = |sub: Campaign| {
        view! {
            <tr>
                <td>
                    <a class="title" href=format!("/campaigns/{}", sub.id)>{sub.name}</a>
                </td>
                <td data-label="Start date">{day(&sub.starts_on)}</td>
                <td data-label="End date">{day(&sub.ends_on)}</td>
                <td class="num" data-label="Tasks">{count(sub.tasks)}</td>
            </tr>
        }
    };
    let rows = subs.into_iter().map(row).collect_view();
    view! {
        <Panel title="Sub-campaigns" padded=false>
            <TableWrap label="Sub-campaigns">
                <table class="stack">
                    <thead>
                        <tr>
                            <th scope="col">"Sub-campaign"</th>
                            <th scope="col">"Start date"</th>
                            <th scope="col">"End date"</th>
                            <th scope="col" class="num">
                                "Tasks"
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

/// `main`: the tasks are those of several sub-campaigns, which are named.
fn task_table(tasks: Vec<CampaignTask>, main: bool) -> AnyView {
    if tasks.is_empty() {
        let text = if main {
            "The tasks of its sub-campaigns will stand here."
        } else {
            "Associate a task with this sub-campaign when you create it."
        };
        return view! {
            <Panel title="Tasks" padded=false>
                <EmptyState title="No tasks yet" text>
                    <LinkButton href="/tasks/new" label="Create Sending Task" />
                </EmptyState>
            </Panel>
        }
        .into_any();
    }
    let rows = tasks.into_iter().map(move |task| task_row(task, main)).collect_view();
    view! {
        <Panel title="Tasks" padded=false>
            <TableWrap label="Tasks">
                <table class="stack">
                    <thead>
                        <tr>
                            <th scope="col">"Task"</th>
                            {main.then(|| view! { <th scope="col">"Sub-campaign"</th> })}
                            <th scope="col">"Status"</th>
                            <th scope="col">"Send time"</th>
                            <th scope="col" class="num">
                                "Successful sends"
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

fn task_row(task: CampaignTask, main: bool) -> AnyView {
    let state = task.state.as_deref().and_then(SendState::from_code);
    let under = main.then(|| view! { <td data-label="Sub-campaign">{task.campaign}</td> });
    view! {
        <tr>
            <td>
                <a class="title" href=format!("/tasks/{}", task.id)>{task.name}</a>
            </td>
            {under}
            <td data-label="Status">
                {match state {
                    Some(state) => state_badge(state),
                    None => view! { <Badge tone=Tone::Neutral text="Not submitted" /> }.into_any(),
                }}
            </td>
            <td data-label="Send time">{task.due_at.map(|ms| view! { <Time ms seconds=false /> })}</td>
            <td class="num" data-label="Successful sends">{count(task.accepted)}</td>
        </tr>
    }
    .into_any()
}
