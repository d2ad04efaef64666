//! Webhook Parameter Management: the list.

use super::{
    api::{DeleteParameter, list_parameters},
    model::{Kind, PARAMETERS_PAGE, ParameterOrder, ParameterPage, ParameterQuery, ParameterRow},
};
use crate::{
    access::{
        model::{Area, Permission},
        reader_may,
    },
    ui::{
        ConfirmAction, EmptyState, FilterSelect, Filters, FormErrors, LinkButton, ListParams, Loaded, PageHeader,
        Pager, Panel, RowMenu, SelectOption, SortTh, TableWrap, Time,
        format::{count, counted},
        use_list_params,
    },
};
use leptos::prelude::*;

/// May the reader change parameters?
pub(super) fn may_manage() -> bool {
    reader_may(Permission::Manage(Area::ParameterManagement))
}

pub fn parameters_page() -> AnyView {
    let params = use_list_params(&["kind"]);
    let delete = ServerAction::<DeleteParameter>::new();
    let page =
        Resource::new(move || (params.get(), delete.version().get()), |(params, _)| list_parameters(query(&params)));
    let error = Signal::derive(move || delete.value().get().and_then(Result::err));
    let manages = may_manage();
    view! {
        <PageHeader
            title="Webhook Parameter Management"
            crumbs=vec![("Configuration Management", ""), ("Marketing Configuration", "")]
            intro="Lists of values that marketers choose from when they create a task: fixed ones, or those of an interface of your own systems."
        >
            {manages.then(create_button)}
        </PageHeader>
        <FormErrors error />
        <Panel padded=false>
            <Filters
                action="/webhook-parameters"
                params
                placeholder="Search name, description or URL"
                selects=vec![kinds()]
            />
            <Loaded what=page show=move |page| table(page, params, manages, delete) />
        </Panel>
    }
    .into_any()
}

fn create_button() -> impl IntoView {
    view! { <LinkButton href="/webhook-parameters/new" label="Create Webhook Parameter" primary=true /> }
}

fn query(params: &ListParams) -> ParameterQuery {
    let (order, descending) = match params.order() {
        Some(("updated", descending)) => (ParameterOrder::Updated, descending),
        Some((_, descending)) => (ParameterOrder::Name, descending),
        None => (ParameterOrder::Name, false),
    };
    ParameterQuery {
        search: params.q.clone(),
        kind: Kind::from_code(params.filter("kind")),
        order,
        descending,
        offset: params.offset(PARAMETERS_PAGE),
    }
}

fn kinds() -> FilterSelect {
    let kinds = Kind::ALL.iter().map(|kind| SelectOption::new(kind.code(), kind.label())).collect();
    FilterSelect::new("kind", "All types", kinds)
}

fn table(
    page: ParameterPage,
    params: Memo<ListParams>,
    manages: bool,
    delete: ServerAction<DeleteParameter>,
) -> AnyView {
    if page.total == 0 {
        return empty(params.get_untracked().is_filtered(), manages);
    }
    let now = page.now;
    let rows = page.rows.into_iter().map(|parameter| row(parameter, now, manages, delete)).collect_view();
    view! {
        <TableWrap label="Webhook parameters">
            <table class="stack">
                <thead>
                    <tr>
                        <SortTh params key="name" label="Parameter Name" />
                        <th scope="col">"Parameter Type"</th>
                        <th scope="col" class="num">"Used by"</th>
                        <SortTh params key="updated" label="Updated" />
                        <th scope="col">
                            <span class="sr">"Actions"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
        <Pager params total=page.total page_size=PARAMETERS_PAGE noun="parameters" />
    }
    .into_any()
}

fn empty(filtered: bool, manages: bool) -> AnyView {
    if filtered {
        return view! { <EmptyState title="No match" text="No parameter fits the search and the filter." /> }
            .into_any();
    }
    view! {
        <EmptyState
            title="No webhook parameters yet"
            text="A webhook parameter is a list of values, such as coupons or shops, from which the marketer chooses one for each task. Create the list first, then let a webhook call it."
        >
            {manages.then(create_button)}
        </EmptyState>
    }
    .into_any()
}

/// Asks before a parameter is deleted.
pub fn delete_question(dialog: String, id: String, name: &str, delete: ServerAction<DeleteParameter>) -> AnyView {
    let text = format!("“{name}” is deleted for good. A parameter that something uses stays.");
    view! {
        <ConfirmAction
            id=dialog
            title="Delete webhook parameter"
            text
            danger=true
            label="Delete"
            action=delete
            fields=vec![("id", id)]
        />
    }
    .into_any()
}

fn row(parameter: ParameterRow, now: i64, manages: bool, delete: ServerAction<DeleteParameter>) -> AnyView {
    let ParameterRow { id, name, kind, description, url, constants, users, updated_at } = parameter;
    let href = format!("/webhook-parameters/{id}");
    let values = (kind == Kind::Constant).then(|| view! { <span class="under">{counted(constants, "value")}</span> });
    let address = (kind == Kind::Interface).then(|| view! { <span class="under mono">{url}</span> });
    let under = (!description.is_empty()).then(|| view! { <span class="under">{description}</span> });
    let confirm = format!("delete-{id}");
    let (details, edit, question) = (href.clone(), format!("{href}/edit"), confirm.clone());
    let menu = format!("menu-{id}");
    let dialog = manages.then(|| delete_question(confirm, id, &name, delete));
    view! {
        <tr>
            <td>
                <a class="title" href=href>{name.clone()}</a>
                {under}
                {address}
            </td>
            <td data-label="Parameter Type">
                <span>{kind.label()} {values}</span>
            </td>
            <td class="num" data-label="Used by">{count(users)}</td>
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
                {dialog}
            </td>
        </tr>
    }
    .into_any()
}
