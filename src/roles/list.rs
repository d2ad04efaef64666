//! Roles: the list.

use super::{
    api::{DeleteRole, list_roles},
    model::{ROLES_PAGE, Role, RoleOrder, RolePage, RoleQuery},
};
use crate::{
    access::model::{Area, Permission, Permissions, SessionInfo},
    ui::{
        Badge, ConfirmAction, EmptyState, FilterSelect, Filters, FormErrors, LinkButton, ListParams, Loaded,
        PageHeader, Pager, Panel, RowMenu, SelectOption, SortTh, TableWrap, Time, Tone, format::count, use_list_params,
    },
};
use leptos::prelude::*;

/// What the reader may do with roles.
#[derive(Clone, Copy)]
pub(super) struct Reader {
    pub manages: bool,
    /// The reader's own permissions.
    pub own: Permissions,
}

impl Reader {
    pub fn here() -> Self {
        let session = use_context::<SessionInfo>().unwrap_or_default();
        Self { manages: session.may(Permission::Manage(Area::Roles)), own: session.permissions }
    }

    /// Nobody changes a preset, or what holds more than they have.
    pub fn may_change(self, role: &Role) -> bool {
        self.manages && !role.preset && self.own.covers(role.permissions)
    }
}

pub fn roles_page() -> AnyView {
    let params = use_list_params(&["kind"]);
    let delete = ServerAction::<DeleteRole>::new();
    let page = Resource::new(move || (params.get(), delete.version().get()), |(params, _)| list_roles(query(&params)));
    let error = Signal::derive(move || delete.value().get().and_then(Result::err));
    let reader = Reader::here();
    view! {
        <PageHeader
            title="Roles"
            crumbs=vec![("Workspace Management", "")]
            intro="What members may see and change. Several roles of one member add up."
        >
            {reader.manages.then(create_button)}
        </PageHeader>
        <FormErrors error />
        <Panel padded=false>
            <Filters action="/roles" params placeholder="Search name or description" selects=vec![kinds()] />
            <Loaded what=page show=move |page| table(page, params, reader, delete) />
        </Panel>
    }
    .into_any()
}

fn create_button() -> impl IntoView {
    view! { <LinkButton href="/roles/new" label="Create Role" primary=true /> }
}

fn query(params: &ListParams) -> RoleQuery {
    let (order, descending) = match params.order() {
        Some(("members", descending)) => (RoleOrder::Members, descending),
        Some(("updated", descending)) => (RoleOrder::Updated, descending),
        Some((_, descending)) => (RoleOrder::Name, descending),
        None => (RoleOrder::Name, false),
    };
    RoleQuery {
        search: params.q.clone(),
        preset: match params.filter("kind") {
            "preset" => Some(true),
            "own" => Some(false),
            _ => None,
        },
        order,
        descending,
        offset: params.offset(ROLES_PAGE),
    }
}

fn kinds() -> FilterSelect {
    let kinds = vec![SelectOption::new("preset", "Presets"), SelectOption::new("own", "Own roles")];
    FilterSelect::new("kind", "All roles", kinds)
}

fn table(page: RolePage, params: Memo<ListParams>, reader: Reader, delete: ServerAction<DeleteRole>) -> AnyView {
    if page.total == 0 {
        return view! { <EmptyState title="No match" text="No role fits the search and the filter." /> }.into_any();
    }
    let now = page.now;
    let rows = page.rows.into_iter().map(|role| row(role, now, reader, delete)).collect_view();
    view! {
        <TableWrap label="Roles">
            <table class="stack">
                <thead>
                    <tr>
                        <SortTh params key="name" label="Role" />
                        <SortTh params key="members" label="Members" numeric=true />
                        <SortTh params key="updated" label="Updated" />
                        <th scope="col">
                            <span class="sr">"Actions"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
        <Pager params total=page.total page_size=ROLES_PAGE noun="roles" />
    }
    .into_any()
}

fn row(role: Role, now: i64, reader: Reader, delete: ServerAction<DeleteRole>) -> AnyView {
    let may_change = reader.may_change(&role);
    let Role { id, name, description, preset, members, updated_at, .. } = role;
    let href = format!("/roles/{id}");
    let (details, edit, copy) = (href.clone(), format!("{href}/edit"), format!("/roles/new?copy={id}"));
    let dialog = format!("delete-{id}");
    let question = dialog.clone();
    let confirm =
        may_change.then(|| view! { <DeleteRoleDialog dialog id=id.clone() name=name.clone() action=delete /> });
    let under = (!description.is_empty()).then(|| view! { <span class="under whole">{description}</span> });
    let updated = match preset {
        true => "–".into_any(),
        false => view! { <Time ms=updated_at now /> }.into_any(),
    };
    view! {
        <tr>
            <td>
                <a class="title" href=href>{name.clone()}</a>
                {preset.then(|| view! { " " <Badge tone=Tone::Neutral text="Preset" /> })}
                {under}
            </td>
            <td class="num" data-label="Members">{count(members)}</td>
            <td data-label="Updated">{updated}</td>
            <td class="num fit">
                <RowMenu id=format!("menu-{id}") label=format!("More actions for {name}")>
                    <a href=details>"Details"</a>
                    {may_change.then(|| view! { <a href=edit>"Edit"</a> })}
                    {reader.manages.then(|| view! { <a href=copy>"Copy"</a> })}
                    {may_change
                        .then(|| {
                            view! {
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

/// Asks before a role goes. A button with `data-dialog-open` opens it.
#[component]
pub(super) fn DeleteRoleDialog(
    dialog: String,
    id: String,
    name: String,
    action: ServerAction<DeleteRole>,
) -> impl IntoView {
    let text = format!("The role “{name}” is deleted for good. A role that somebody holds stays.");
    view! {
        <ConfirmAction
            id=dialog
            title="Delete role"
            text
            danger=true
            label="Delete"
            action
            fields=vec![("id", id)]
        />
    }
}
