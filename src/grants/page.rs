//! A webhook's grants: granting it, and the current, future and expired ones.

use super::{
    api::{GrantWebhook, RemoveGrant, get_grant_head, list_grants},
    form::fields,
    model::{GRANTS_PAGE, Grant, GrantHead, GrantOrder, GrantQuery, GrantState, GrantsPage, Method},
};
use crate::{
    access::model::{Area, Permission, SessionInfo},
    error::AppError,
    ui::{
        Badge, ConfirmAction, EmptyState, ErrorNote, FilterSelect, Filters, FormErrors, LinkButton, ListParams,
        PageHeader, Pager, Panel, Scope, SelectOption, Skeleton, SortTh, TableWrap, Time, Tone, format::counted,
        use_list_params, use_toasts,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

pub fn grants_page() -> AnyView {
    let (head_scope, list_scope) = (Scope::here(), Scope::here());
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let list = use_list_params(&["state"]);
    let grant = ServerAction::<GrantWebhook>::new();
    let remove = ServerAction::<RemoveGrant>::new();
    // What was typed stays until it is granted.
    let granted = Memo::new(move |before: Option<&u32>| {
        before.copied().unwrap_or_default() + u32::from(matches!(grant.value().get(), Some(Ok(_))))
    });
    let head =
        Resource::new(move || (id.get(), granted.get(), remove.version().get()), |(id, _, _)| get_grant_head(id));
    let page = Resource::new(
        move || (id.get(), list.get(), grant.version().get(), remove.version().get()),
        |(id, params, _, _)| list_grants(id, query(&params)),
    );
    let toasts = use_toasts();
    Effect::new(move |_| {
        if let Some(Ok(granted)) = grant.value().get() {
            toasts.show(Tone::Ok, format!("{} made.", counted(granted, "grant")));
        }
    });
    let manages =
        use_context::<SessionInfo>().is_some_and(|session| session.may(Permission::Manage(Area::WebhookManagement)));
    let error = Signal::derive(move || remove.value().get().and_then(Result::err));
    let action = Signal::derive(move || format!("/webhooks/{}/grants", id.get()));
    view! {
        <Transition fallback=|| view! { <Panel><Skeleton /></Panel> }>
            {move || Suspend::new(async move {
                let loaded = head.await;
                head_scope.show(move || match loaded {
                    Ok(head) => header(id.get_untracked(), head, grant, error),
                    Err(error) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Transition>
        <Panel title="Grants" padded=false>
            {move || {
                view! {
                    <Filters
                        action=action.get()
                        params=list
                        placeholder="Search name or e-mail"
                        selects=vec![states()]
                    />
                }
            }}
            <Transition fallback=|| view! { <Skeleton /> }>
                {move || Suspend::new(async move {
                    let loaded = page.await;
                    list_scope.show(move || match loaded {
                        Ok(page) => table(page, id.get_untracked(), list, manages, remove),
                        // Said above.
                        Err(_) => ().into_any(),
                    })
                })}
            </Transition>
        </Panel>
    }
    .into_any()
}

/// `error`: why a grant was not removed.
fn header(id: String, head: GrantHead, grant: ServerAction<GrantWebhook>, error: Signal<Option<AppError>>) -> AnyView {
    let title = if head.form.is_some() { "Grant" } else { "Grants of" };
    let title = format!("{title} “{}”", head.webhook);
    let webhook = format!("/webhooks/{id}");
    let form = head.form.map(|form| view! { <div class="grid">{fields(id, form, grant)}</div> });
    view! {
        <PageHeader
            title
            crumbs=vec![("Configuration Management", ""), ("Webhook Management", "/webhooks")]
            intro="Administrators use every webhook. Others need a role with “User Marketing-Reach Marketing-Webhook” and a grant that is valid."
        >
            <LinkButton href=webhook label="To the webhook" />
        </PageHeader>
        <FormErrors error />
        {form}
    }
    .into_any()
}

fn query(params: &ListParams) -> GrantQuery {
    let (order, descending) = match params.order() {
        Some(("name", descending)) => (GrantOrder::Name, descending),
        Some(("from", descending)) => (GrantOrder::From, descending),
        Some(("until", descending)) => (GrantOrder::Until, descending),
        Some(("granted", descending)) => (GrantOrder::Granted, descending),
        Some((_, descending)) => (GrantOrder::State, descending),
        None => (GrantOrder::State, false),
    };
    GrantQuery {
        search: params.q.clone(),
        state: GrantState::from_code(params.filter("state")),
        order,
        descending,
        offset: params.offset(GRANTS_PAGE),
    }
}

fn states() -> FilterSelect {
    let states = GrantState::ALL.iter().map(|state| SelectOption::new(state.code(), state.label())).collect();
    FilterSelect::new("state", "All states", states)
}

fn table(
    page: GrantsPage,
    id: String,
    params: Memo<ListParams>,
    manages: bool,
    remove: ServerAction<RemoveGrant>,
) -> AnyView {
    let GrantsPage { webhook, rows, total, now } = page;
    if total == 0 && params.get_untracked().is_filtered() {
        return view! { <EmptyState title="No match" text="No grant fits the search and the filter." /> }.into_any();
    }
    if total == 0 {
        let text =
            "Only administrators use this webhook. Grant it to members or to member groups, for a time or permanently.";
        return view! { <EmptyState title="No grants yet" text /> }.into_any();
    }
    let rows = rows.into_iter().map(|grant| {
        let question = manages.then(|| (id.clone(), webhook.clone(), remove));
        row(grant, now, question)
    });
    let rows = rows.collect_view();
    view! {
        <TableWrap label="Grants">
            <table class="stack">
                <thead>
                    <tr>
                        <SortTh params key="name" label="Granted to" />
                        <th scope="col">"Grant Method"</th>
                        <SortTh params key="from" label="From" />
                        <SortTh params key="until" label="Until" />
                        <SortTh params key="state" label="State" />
                        <SortTh params key="granted" label="Granted by" />
                        <th scope="col">
                            <span class="sr">"Actions"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
        <Pager params total page_size=GRANTS_PAGE noun="grants" />
    }
    .into_any()
}

/// `question`: the webhook's id and name, for whoever may remove it.
fn row(grant: Grant, now: i64, question: Option<(String, String, ServerAction<RemoveGrant>)>) -> AnyView {
    let Grant { id, method, name, note, from_at, until_at, granted_by, granted_at, state } = grant;
    // What stood before there were grants has neither.
    let from = match from_at {
        0 => "Always".into_any(),
        ms => view! { <Time ms seconds=false /> }.into_any(),
    };
    let until = match until_at {
        None => "Permanent".into_any(),
        Some(ms) => view! { <Time ms seconds=false /> }.into_any(),
    };
    let granted = match granted_at {
        0 => view! { <span class="quiet">"Before there were grants"</span> }.into_any(),
        ms => view! { <span>{granted_by} " " <small><Time ms now /></small></span> }.into_any(),
    };
    let removal = question.map(|(webhook_id, webhook, action)| {
        let dialog = format!("remove-{id}");
        let text = match method {
            Method::Member => format!(
                "“{name}” can't use “{webhook}” by this grant any more, from now on. Pending tasks of theirs fail at their time, unless another grant is valid then."
            ),
            Method::Group => format!(
                "The members of “{name}” can't use “{webhook}” by this grant any more, from now on. Pending tasks of theirs fail at their time, unless another grant is valid then."
            ),
        };
        let label = format!("Remove the grant to {name}");
        view! {
            <button
                type="button"
                class="btn bare danger"
                command="show-modal"
                commandfor=dialog.clone()
                data-dialog-open=dialog.clone()
                aria-label=label.clone()
            >
                "Remove"
            </button>
            <ConfirmAction
                id=dialog
                title=label
                text
                danger=true
                label="Remove"
                action
                fields=vec![("webhook_id", webhook_id), ("id", id)]
            />
        }
    });
    view! {
        <tr>
            <td>
                <span class="title">{name}</span>
                <span class="under">{note}</span>
            </td>
            <td data-label="Grant Method">{method.label()}</td>
            <td data-label="From">{from}</td>
            <td data-label="Until">{until}</td>
            <td data-label="State"><Badge tone=state.tone() text=state.label() /></td>
            <td data-label="Granted by">{granted}</td>
            <td class="num fit">{removal}</td>
        </tr>
    }
    .into_any()
}
