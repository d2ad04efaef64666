//! The list of all accounts, and what is done to one everywhere.

use super::{
    api::{ChangeAccount, list_accounts},
    model::{AccountChange, AccountPage, AccountQuery, AccountRow, Membership, PAGE_SIZE},
};
use crate::members::model::State;
use crate::ui::{
    Badge, Confirm, EmptyState, FilterSelect, Filters, FormErrors, ListParams, Loaded, PageHeader, Pager, Panel,
    RowMenu, SelectOption, SortTh, SubmitButton, TableWrap, Time, Tone, format::counted, use_list_params, use_toasts,
};
use leptos::{form::ActionForm, prelude::*};

/// What is asked before it is done.
type Asked = RwSignal<Option<(AccountRow, AccountChange)>>;

pub fn accounts_page() -> AnyView {
    let params = use_list_params(&["state", "administrators"]);
    let action = ServerAction::<ChangeAccount>::new();
    let page =
        Resource::new(move || (params.get(), action.version().get()), |(params, _)| list_accounts(query(&params)));
    let asked: Asked = RwSignal::new(None);
    let toasts = use_toasts();
    Effect::new(move |_| {
        if !matches!(action.value().get(), Some(Ok(()))) {
            return;
        }
        let Some((row, change)) = asked.get_untracked() else { return };
        toasts.show(Tone::Ok, format!("{}: {}.", row.name, change.label()));
        if row.own {
            // What one may do oneself has changed. Fails only in a page that is going already.
            let _ = window().location().reload();
        }
    });
    let question = move || asked.get().map(|(row, change)| question(row, change, action));
    view! {
        <PageHeader
            title="Accounts"
            crumbs=vec![("Organization", "")]
            intro="Everybody who can sign in. New people are added under Members of a workspace: switch to it first."
        />
        <FormErrors error=Signal::derive(move || action.value().get().and_then(Result::err)) />
        <Panel padded=false>
            <Filters action="/organization/accounts" params placeholder="Search name or e-mail" selects=selects() />
            <Loaded what=page show=move |page| table(page, params, asked) />
        </Panel>
        {question}
    }
    .into_any()
}

fn query(params: &ListParams) -> AccountQuery {
    let (by_sign_in, descending) = match params.order() {
        Some(("sign-in", descending)) => (true, descending),
        Some((_, descending)) => (false, descending),
        None => (false, false),
    };
    AccountQuery {
        search: params.q.clone(),
        state: State::from_code(params.filter("state")),
        administrators: params.filter("administrators") == "yes",
        by_sign_in,
        descending,
        offset: params.offset(PAGE_SIZE),
    }
}

fn selects() -> Vec<FilterSelect> {
    let states = State::ALL.map(|state| SelectOption::new(state.code(), state.label())).to_vec();
    let administrators = vec![SelectOption::new("yes", "Organization administrators")];
    vec![
        FilterSelect::new("state", "All states", states),
        FilterSelect::new("administrators", "All accounts", administrators),
    ]
}

fn table(page: AccountPage, params: Memo<ListParams>, asked: Asked) -> AnyView {
    if page.total == 0 {
        return view! { <EmptyState title="No match" text="No account fits the search and the filters." /> }.into_any();
    }
    let now = page.now;
    let rows = page.rows.into_iter().map(|account| row(account, now, asked)).collect_view();
    view! {
        <TableWrap label="Accounts">
            <table class="stack">
                <thead>
                    <tr>
                        <SortTh params key="name" label="Account" />
                        <th scope="col">"State"</th>
                        <th scope="col">"Workspaces"</th>
                        <SortTh params key="sign-in" label="Last sign-in" />
                        <th scope="col">"Organization administrator"</th>
                        <th scope="col">"Second factor"</th>
                        <th scope="col">
                            <span class="sr">"Actions"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
        <Pager params total=page.total page_size=PAGE_SIZE noun="accounts" />
    }
    .into_any()
}

fn state_badge(state: State) -> AnyView {
    let tone = match state {
        State::Active => Tone::Ok,
        State::Invited => Tone::Warn,
        State::Disabled => Tone::Bad,
    };
    view! { <Badge tone text=state.label() /> }.into_any()
}

/// "Spring Store: Administrator, Analyst".
fn membership(membership: Membership) -> AnyView {
    let roles = if membership.roles.is_empty() { "no role".to_string() } else { membership.roles.join(", ") };
    let disabled = if membership.disabled { " (disabled there)" } else { "" };
    view! { <div>{membership.workspace} ": " <span class="quiet">{roles} {disabled}</span></div> }.into_any()
}

fn row(account: AccountRow, now: i64, asked: Asked) -> AnyView {
    let name = account.name.clone();
    let memberships = account.memberships.clone().into_iter().map(membership).collect_view();
    let none = account.memberships.is_empty().then_some("None");
    let more = (account.more > 0).then(|| format!("and {} more", counted(account.more as i64, "workspace")));
    let last = match account.last_sign_in_at {
        Some(at) => view! { <Time ms=at now /> }.into_any(),
        None => "Never".into_any(),
    };
    let yes = |is: bool| if is { "Yes" } else { "No" };
    let own = account.own.then(|| view! { " " <Badge tone=Tone::Neutral text="You" /> });
    let entries = AccountChange::of(&account).into_iter().map(|change| {
        let account = account.clone();
        let ask = move |_| asked.set(Some((account.clone(), change)));
        let danger = change.is_danger();
        view! { <button type="button" class:danger=danger on:click=ask>{change.label()}</button> }
    });
    let entries = entries.collect_view();
    let menu = (!entries.is_empty()).then(|| {
        view! {
            <RowMenu id=format!("menu-{}", account.id) label=format!("More actions for {name}")>
                {entries}
            </RowMenu>
        }
    });
    view! {
        <tr>
            <td>
                <span class="title">{name} {own}</span>
                <span class="under">{account.email}</span>
            </td>
            <td data-label="State">{state_badge(account.state)}</td>
            <td data-label="Workspaces">
                <div>{memberships} {none} {more}</div>
            </td>
            <td data-label="Last sign-in">{last}</td>
            <td data-label="Organization administrator">{yes(account.organization_administrator)}</td>
            <td data-label="Second factor">{if account.second_factor { "On" } else { "Off" }}</td>
            <td class="num fit">{menu}</td>
        </tr>
    }
    .into_any()
}

/// The dialog is made when something is asked, and open from the start.
fn question(account: AccountRow, change: AccountChange, action: ServerAction<ChangeAccount>) -> AnyView {
    let open = RwSignal::new(true);
    view! {
        <Confirm
            id="change-account"
            title=change.label()
            text=change.question(&account.name)
            danger=change.is_danger()
            open=open
        >
            // What it says then stands on the page behind.
            <ActionForm action on:submit=move |_| open.set(false)>
                <input type="hidden" name="id" value=account.id />
                <input type="hidden" name="change" value=change.code() />
                <SubmitButton label=change.label() danger=change.is_danger() pending=action.pending() />
            </ActionForm>
        </Confirm>
    }
    .into_any()
}
