//! Marketing Campaigns: main campaigns with their sub-campaigns, standalone ones under "-" at the end.

use super::{
    api::{CreateCampaign, list_campaigns},
    form::{CREATE, CreateDialog, may_change},
    model::{Campaign, CampaignKind, CampaignNode},
};
use crate::ui::{
    Button, EmptyState, Filters, ListParams, Loaded, PageHeader, Pager, Panel, TableWrap, format::count,
    use_list_params,
};
use leptos::prelude::*;

/// Main campaigns on a page; their sub-campaigns come with them.
const PAGE_SIZE: i64 = 50;

pub fn campaigns_page() -> AnyView {
    let params = use_list_params(&[]);
    let search = Memo::new(move |_| params.read().q.clone());
    let tree = Resource::new(move || search.get(), list_campaigns);
    let create = ServerAction::<CreateCampaign>::new();
    let changes = may_change();
    view! {
        <PageHeader
            title="Marketing Campaigns"
            crumbs=vec![("User Marketing", "")]
            intro="What tasks belong together: a main campaign with its sub-campaigns, or a sub-campaign by itself."
        >
            {changes.then(|| view! { <Button label="Create Campaign" primary=true opens=CREATE /> })}
        </PageHeader>
        <Panel padded=false>
            <Filters action="/campaigns" params placeholder="Search name" />
            <Loaded what=tree show=move |nodes| table(nodes, params, changes, create) />
        </Panel>
    }
    .into_any()
}

fn table(
    nodes: Vec<CampaignNode>,
    params: Memo<ListParams>,
    changes: bool,
    create: ServerAction<CreateCampaign>,
) -> AnyView {
    let parents: Vec<_> = nodes.iter().filter_map(|node| node.campaign.clone()).collect();
    let dialog = changes.then(|| view! { <CreateDialog action=create parents under="" /> });
    let total = i64::try_from(nodes.len()).unwrap_or(i64::MAX);
    if total == 0 {
        return view! {
            {empty(params.get_untracked().is_filtered(), changes)}
            {dialog}
        }
        .into_any();
    }
    let rows = move || {
        let from = usize::try_from(params.read().offset(PAGE_SIZE)).unwrap_or(usize::MAX);
        nodes.iter().skip(from).take(PAGE_SIZE as usize).map(node_rows).collect_view()
    };
    view! {
        <TableWrap label="Marketing Campaigns">
            <table class="stack">
                <thead>
                    <tr>
                        <th scope="col">"Campaign"</th>
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
        <Pager params total page_size=PAGE_SIZE noun="main campaigns" />
        {dialog}
    }
    .into_any()
}

fn empty(filtered: bool, changes: bool) -> AnyView {
    if filtered {
        return view! { <EmptyState title="No match" text="No campaign has this in its name." /> }.into_any();
    }
    view! {
        <EmptyState
            title="No campaigns yet"
            text="A campaign holds what belongs together: associate tasks with its sub-campaigns and see them side by side."
        >
            {changes.then(|| view! { <Button label="Create Campaign" primary=true opens=CREATE /> })}
        </EmptyState>
    }
    .into_any()
}

fn node_rows(node: &CampaignNode) -> AnyView {
    let subs = node.subs.iter().map(campaign_row).collect_view();
    let head = match &node.campaign {
        Some(main) => {
            let tasks = node.subs.iter().map(|sub| sub.tasks).sum();
            campaign_row(&Campaign { tasks, ..main.clone() })
        }
        None => view! {
            <tr>
                <td colspan="4">
                    <b>"-"</b>
                    <span class="under">"Standalone sub-campaigns"</span>
                </td>
            </tr>
        }
        .into_any(),
    };
    view! {
        {head}
        {subs}
    }
    .into_any()
}

/// A row; what a sub-campaign is under is said by the row above it and by its mark.
fn campaign_row(campaign: &Campaign) -> AnyView {
    let href = format!("/campaigns/{}", campaign.id);
    let mark =
        (campaign.kind == CampaignKind::Sub).then(|| view! { <span class="quiet" aria-hidden="true">"└ "</span> });
    let (name, tasks) = (campaign.name.clone(), count(campaign.tasks));
    view! {
        <tr>
            <td>
                {mark}
                <a class="title" href=href>{name}</a>
            </td>
            <td data-label="Start date">{day(&campaign.starts_on)}</td>
            <td data-label="End date">{day(&campaign.ends_on)}</td>
            <td class="num" data-label="Tasks">{tasks}</td>
        </tr>
    }
    .into_any()
}

/// A date, or a dash when it is open.
pub(super) fn day(day: &Option<String>) -> String {
    day.clone().unwrap_or_else(|| "–".to_string())
}
