//! Member Groups: the list.

use super::{
    api::{DeleteMemberGroup, list_member_groups},
    model::{GROUPS_PAGE, Group, GroupOrder, GroupPage, GroupQuery, GroupUse},
};
use crate::{
    access::model::{Area, Permission, SessionInfo},
    ui::{
        Badge, ConfirmAction, EmptyState, FilterSelect, Filters, FormErrors, LinkButton, ListParams, Loaded,
        PageHeader, Pager, Panel, RowMenu, SelectOption, SortTh, TableWrap, Time, format::count, use_list_params,
    },
};
use leptos::prelude::*;

/// Webhooks that a row names.
const NAMED: usize = 5;

/// May the reader change groups?
pub(super) fn may_manage() -> bool {
    use_context::<SessionInfo>().is_some_and(|session| session.may(Permission::Manage(Area::MemberGroups)))
}

pub fn member_groups_page() -> AnyView {
    let params = use_list_params(&["use"]);
    let delete = ServerAction::<DeleteMemberGroup>::new();
    let page =
        Resource::new(move || (params.get(), delete.version().get()), |(params, _)| list_member_groups(query(&params)));
    let error = Signal::derive(move || delete.value().get().and_then(Result::err));
    let manages = may_manage();
    view! {
        <PageHeader
            title="Member Groups"
            crumbs=vec![("Workspace Management", "")]
            intro="Members who are granted webhooks together."
        >
            {manages.then(create_button)}
        </PageHeader>
        <FormErrors error />
        <Panel padded=false>
            <Filters action="/member-groups" params placeholder="Search name" selects=vec![uses()] />
            <Loaded what=page show=move |page| table(page, params, manages, delete) />
        </Panel>
    }
    .into_any()
}

fn create_button() -> impl IntoView {
    view! { <LinkButton href="/member-groups/new" label="Create Member Group" primary=true /> }
}

fn query(params: &ListParams) -> GroupQuery {
    let (order, descending) = match params.order() {
        Some(("members", descending)) => (GroupOrder::Members, descending),
        Some(("updated", descending)) => (GroupOrder::Updated, descending),
        Some((_, descending)) => (GroupOrder::Name, descending),
        None => (GroupOrder::Name, false),
    };
    GroupQuery {
        search: params.q.clone(),
        used: match params.filter("use") {
            "used" => Some(true),
            "unused" => Some(false),
            _ => None,
        },
        order,
        descending,
        offset: params.offset(GROUPS_PAGE),
    }
}

fn uses() -> FilterSelect {
    let uses = vec![SelectOption::new("used", "Used by webhooks"), SelectOption::new("unused", "Not used")];
    FilterSelect::new("use", "Used and not used", uses)
}

fn table(page: GroupPage, params: Memo<ListParams>, manages: bool, delete: ServerAction<DeleteMemberGroup>) -> AnyView {
    if page.total == 0 {
        return empty(params.get_untracked().is_filtered(), manages);
    }
    let now = page.now;
    let rows = page.rows.into_iter().map(|group| row(group, now, manages, delete)).collect_view();
    view! {
        <TableWrap label="Member groups">
            <table class="stack">
                <thead>
                    <tr>
                        <SortTh params key="name" label="Name" />
                        <SortTh params key="members" label="Members" numeric=true />
                        <th scope="col">"Used by"</th>
                        <SortTh params key="updated" label="Updated" />
                        <th scope="col">
                            <span class="sr">"Actions"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
        <Pager params total=page.total page_size=GROUPS_PAGE noun="groups" />
    }
    .into_any()
}

fn empty(filtered: bool, manages: bool) -> AnyView {
    if filtered {
        return view! { <EmptyState title="No match" text="No group fits the search and the filter." /> }.into_any();
    }
    view! {
        <EmptyState
            title="No member groups yet"
            text="A member group is a set of members. Grant a webhook to the group, and whoever is in it may use the webhook."
        >
            {manages.then(create_button)}
        </EmptyState>
    }
    .into_any()
}

fn row(group: Group, now: i64, manages: bool, delete: ServerAction<DeleteMemberGroup>) -> AnyView {
    let Group { id, name, members, used_by, updated_at } = group;
    let href = format!("/member-groups/{id}");
    let (details, edit, dialog) = (href.clone(), format!("{href}/edit"), format!("delete-{id}"));
    let question = dialog.clone();
    let menu = format!("menu-{id}");
    let confirm = manages.then(|| view! { <DeleteGroupDialog dialog id name=name.clone() action=delete /> });
    let more = used_by.len().saturating_sub(NAMED);
    let used = if used_by.is_empty() {
        view! { <span class="quiet">"Not used"</span> }.into_any()
    } else {
        let shown = used_by.into_iter().take(NAMED).map(used).collect_view();
        view! { <span>{shown} {(more > 0).then(|| format!("and {more} more"))}</span> }.into_any()
    };
    view! {
        <tr>
            <td>
                <a class="title" href=href>{name.clone()}</a>
            </td>
            <td class="num" data-label="Members">{count(members)}</td>
            <td data-label="Used by">{used}</td>
            <td data-label="Updated"><Time ms=updated_at now /></td>
            <td class="num fit">
                <RowMenu id=menu label=format!("More actions for {name}")>
                    <a href=details>"Details"</a>
                    {manages
                        .then(|| {
                            view! {
                                <a href=edit>"Edit"</a>
                                <button
                                    type="button"
                                    class="danger"
                                    command="show-modal"
                                    commandfor=question.clone()
                                    data-dialog-open=question
                                >
                                    "Delete"
                                </button>
                            }
                        })}
                </RowMenu>
                {confirm}
            </td>
        </tr>
    }
    .into_any()
}

/// A webhook that is granted to the group, with the way to its grants.
pub(super) fn used(one: GroupUse) -> AnyView {
    let href = one.href();
    let GroupUse { webhook, state, .. } = one;
    view! {
        <span class="block">
            <a href=href>{webhook}</a>
            " "
            <Badge tone=state.tone() text=state.label() />
        </span>
    }
    .into_any()
}

/// Asks before a group goes. A button with `data-dialog-open` opens it.
#[component]
pub(super) fn DeleteGroupDialog(
    dialog: String,
    id: String,
    name: String,
    action: ServerAction<DeleteMemberGroup>,
) -> impl IntoView {
    let text = format!("The group “{name}” is deleted for good; its members stay. A group that a grant uses stays.");
    view! {
        <ConfirmAction
            id=dialog
            title="Delete member group"
            text
            danger=true
            label="Delete"
            action
            fields=vec![("id", id)]
        />
    }
}
