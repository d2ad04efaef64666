//! The list of audiences.

use super::{
    api::{AudienceList, list_audiences},
    model::AudienceSummary,
};
use crate::access::{
    model::{Area, Permission},
    reader_may,
};
use crate::ui::{
    EmptyState, Filters, KeysetPager, LinkButton, ListParams, Loaded, PageHeader, Panel, TableWrap, Time, format,
    use_list_params,
};
use leptos::prelude::*;

pub fn audiences_page() -> AnyView {
    let params = use_list_params(&[]);
    let list = Resource::new(move || params.get(), |params| list_audiences(params.q, params.after));
    view! {
        <PageHeader title="Audiences" intro="Named sets of customers that tasks send to.">
            {create_button()}
        </PageHeader>
        <Panel padded=false>
            <Filters action="/audiences" params placeholder="Search by name" />
            <Loaded rows=5 what=list show=move |list| found(list, params) />
        </Panel>
    }
    .into_any()
}

fn create_button() -> Option<impl IntoView> {
    reader_may(Permission::Manage(Area::Audiences))
        .then(|| view! { <LinkButton href="/audiences/new" label="Create Audience" primary=true /> })
}

fn found(list: AudienceList, params: Memo<ListParams>) -> AnyView {
    if list.audiences.is_empty() {
        return if params.with_untracked(|params| params.is_filtered() || !params.after.is_empty()) {
            view! { <EmptyState title="No match" text="No audience has this text in its name." /> }.into_any()
        } else {
            view! {
                <EmptyState
                    title="No audiences yet"
                    text="An audience is everybody, an uploaded list of IDs, or the customers that conditions hold for. A task sends to one."
                >
                    {create_button()}
                </EmptyState>
            }
            .into_any()
        };
    }
    let now = list.now;
    let row = move |audience: AudienceSummary| {
        view! {
            <tr>
                <td>
                    <a class="title" href=format!("/audiences/{}", audience.id)>{audience.name.clone()}</a>
                </td>
                <td data-label="Made of">{audience.kind.label()}</td>
                <td class="num" data-label="Size">{format::count(audience.size)}</td>
                <td data-label="Updated"><Time ms=audience.updated_at now /></td>
            </tr>
        }
    };
    view! {
        <TableWrap label="Audiences">
            <table class="stack">
                <thead>
                    <tr>
                        <th scope="col">"Audience"</th>
                        <th scope="col">"Made of"</th>
                        <th scope="col" class="num">"Size"</th>
                        <th scope="col">"Updated"</th>
                    </tr>
                </thead>
                <tbody>{list.audiences.into_iter().map(row).collect_view()}</tbody>
            </table>
        </TableWrap>
        <KeysetPager params next=list.next />
    }
    .into_any()
}
