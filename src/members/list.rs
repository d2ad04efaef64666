//! Members: the list.

use super::{
    api::{MakeMemberLink, RemoveMember, SetMemberEnabled, list_member_roles, list_members},
    model::{MEMBERS_PAGE, MemberOrder, MemberPage, MemberQuery, MemberRow, RoleChoice, State},
    questions,
};
use crate::{
    access::model::{Area, Permission, SessionInfo},
    ui::{
        Badge, EmptyState, FilterSelect, Filters, FormErrors, LinkButton, ListParams, Loaded, PageHeader, Pager, Panel,
        RowMenu, Scope, SelectOption, SortTh, TableWrap, Time, Tone, use_list_params,
    },
};
use leptos::{form::ActionForm, prelude::*};

/// May the reader change members?
pub(super) fn may_manage() -> bool {
    use_context::<SessionInfo>().is_some_and(|session| session.may(Permission::Manage(Area::Members)))
}

/// How a state is shown.
pub(super) fn badge(state: State) -> AnyView {
    let tone = match state {
        State::Active => Tone::Ok,
        State::Invited => Tone::Warn,
        State::Disabled => Tone::Neutral,
    };
    view! { <Badge tone text=state.label() /> }.into_any()
}

#[derive(Clone, Copy)]
struct Actions {
    enable: ServerAction<SetMemberEnabled>,
    link: ServerAction<MakeMemberLink>,
    remove: ServerAction<RemoveMember>,
}

pub fn members_page() -> AnyView {
    let filters_scope = Scope::here();
    let params = use_list_params(&["role", "state"]);
    let actions = Actions { enable: ServerAction::new(), link: ServerAction::new(), remove: ServerAction::new() };
    let versions = move || (actions.enable.version().get(), actions.remove.version().get());
    let page = Resource::new(move || (params.get(), versions()), |(params, _)| list_members(query(&params)));
    let roles = Resource::new(|| (), |()| list_member_roles());
    let manages = may_manage();
    view! {
        <PageHeader
            title="Members"
            crumbs=vec![("Workspace Management", "")]
            intro="The people who may use this workspace, and what their roles let them do."
        >
            {manages.then(buttons)}
        </PageHeader>
        <FormErrors error=Signal::derive(move || actions.enable.value().get().and_then(Result::err)) />
        <FormErrors error=Signal::derive(move || actions.link.value().get().and_then(Result::err)) />
        <FormErrors error=Signal::derive(move || actions.remove.value().get().and_then(Result::err)) />
        <Panel padded=false>
            <Suspense>
                {move || Suspend::new(async move {
                    let roles = roles.await.unwrap_or_default();
                    filters_scope
                        .show(move || {
                            view! {
                                <Filters
                                    action="/members"
                                    params
                                    placeholder="Search name or e-mail"
                                    selects=selects(roles)
                                />
                            }
                                .into_any()
                        })
                })}
            </Suspense>
            <Loaded what=page show=move |page| table(page, params, manages, actions) />
        </Panel>
    }
    .into_any()
}

fn buttons() -> impl IntoView {
    view! {
        <LinkButton href="/members/import" label="Add from CSV" />
        <LinkButton href="/members/new" label="Add Member" primary=true />
    }
}

fn query(params: &ListParams) -> MemberQuery {
    let (order, descending) = match params.order() {
        Some(("last_sign_in", descending)) => (MemberOrder::LastSignIn, descending),
        Some((_, descending)) => (MemberOrder::Name, descending),
        None => (MemberOrder::Name, false),
    };
    MemberQuery {
        search: params.q.clone(),
        role: params.filter("role").to_string(),
        state: State::from_code(params.filter("state")),
        order,
        descending,
        offset: params.offset(MEMBERS_PAGE),
    }
}

fn selects(roles: Vec<RoleChoice>) -> Vec<FilterSelect> {
    let roles = roles.into_iter().map(|role| SelectOption::new(role.id, role.name)).collect();
    let states = State::ALL.iter().map(|state| SelectOption::new(state.code(), state.label())).collect();
    vec![FilterSelect::new("role", "All roles", roles), FilterSelect::new("state", "All states", states)]
}

fn table(page: MemberPage, params: Memo<ListParams>, manages: bool, actions: Actions) -> AnyView {
    if page.total == 0 {
        return empty(params.get_untracked().is_filtered(), manages);
    }
    let now = page.now;
    let rows = page.rows.into_iter().map(|member| row(member, now, manages, actions)).collect_view();
    view! {
        <TableWrap label="Members">
            <table class="stack">
                <thead>
                    <tr>
                        <SortTh params key="name" label="Name" />
                        <th scope="col">"Roles"</th>
                        <th scope="col">"Member groups"</th>
                        <SortTh params key="last_sign_in" label="Last sign-in" />
                        <th scope="col">"State"</th>
                        <th scope="col">
                            <span class="sr">"Actions"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
        <Pager params total=page.total page_size=MEMBERS_PAGE noun="members" />
    }
    .into_any()
}

fn empty(filtered: bool, manages: bool) -> AnyView {
    if filtered {
        return view! { <EmptyState title="No match" text="No member fits the search and the filters." /> }.into_any();
    }
    view! {
        <EmptyState
            title="No members yet"
            text="A member is a person who may use this workspace. Add them by e-mail: a new one gets an invitation link."
        >
            {manages.then(buttons)}
        </EmptyState>
    }
    .into_any()
}

/// Texts side by side, or a dash.
pub(super) fn listed(texts: &[String]) -> String {
    if texts.is_empty() { "–".into() } else { texts.join(", ") }
}

fn row(member: MemberRow, now: i64, manages: bool, actions: Actions) -> AnyView {
    let href = format!("/members/{}", member.id);
    let organization =
        member.organization_administrator.then(|| view! { <span class="under">"Organization administrator"</span> });
    let signed_in = match member.last_sign_in_at {
        Some(ms) => view! { <Time ms now /> }.into_any(),
        None => "Never".into_any(),
    };
    let (roles, groups, state) = (listed(&member.roles), listed(&member.groups), badge(member.state));
    let (menu_id, label) = (format!("menu-{}", member.id), format!("More actions for {}", member.name));
    let dialogs = manages.then(|| dialogs(&member, actions));
    let (name, email) = (member.name.clone(), member.email.clone());
    let details = href.clone();
    view! {
        <tr>
            <td>
                <a class="title" href=href>{name}</a>
                <span class="under">{email}</span>
                {organization}
            </td>
            <td data-label="Roles">{roles}</td>
            <td data-label="Member groups">{groups}</td>
            <td data-label="Last sign-in">{signed_in}</td>
            <td data-label="State">{state}</td>
            <td class="num fit">
                <RowMenu id=menu_id label=label>
                    <a href=details>"Details"</a>
                    {manages.then(|| menu(&member, actions))}
                </RowMenu>
                {dialogs}
            </td>
        </tr>
    }
    .into_any()
}

/// The dialog that asks, one for each thing that is asked about each member.
fn dialog_id(what: &str, member: &MemberRow) -> String {
    format!("{what}-{}", member.id)
}

/// What is disabled for the whole organization is enabled there.
pub(super) fn may_turn(member: &MemberRow) -> bool {
    member.may.remove && (member.disabled_here || member.state != State::Disabled)
}

fn menu(member: &MemberRow, actions: Actions) -> AnyView {
    let may = member.may;
    let (id, link_id) = (member.id.clone(), member.id.clone());
    let turn = may_turn(member).then(|| match member.disabled_here {
        true => view! {
            <ActionForm action=actions.enable>
                <input type="hidden" name="id" value=id />
                <input type="hidden" name="enabled" value="true" />
                <button type="submit">"Enable"</button>
            </ActionForm>
        }
        .into_any(),
        false => opener("Disable", false, dialog_id("disable", member)),
    });
    let link = may.account.then(|| match member.pending {
        true => view! {
            <ActionForm action=actions.link>
                <input type="hidden" name="id" value=link_id />
                <button type="submit">"New invitation link"</button>
            </ActionForm>
        }
        .into_any(),
        false => opener("Reset password", false, dialog_id("reset", member)),
    });
    let remove = may.remove.then(|| opener("Remove from workspace", true, dialog_id("remove", member)));
    view! {
        {turn}
        {link}
        {remove}
    }
    .into_any()
}

/// An entry of the menu that opens a dialog.
fn opener(label: &'static str, danger: bool, dialog: String) -> AnyView {
    view! {
        <button
            type="button"
            class:danger=danger
            command="show-modal"
            commandfor=dialog.clone()
            data-dialog-open=dialog
        >
            {label}
        </button>
    }
    .into_any()
}

fn dialogs(member: &MemberRow, actions: Actions) -> AnyView {
    let may = member.may;
    let disable = (may_turn(member) && !member.disabled_here)
        .then(|| questions::disable(dialog_id("disable", member), member, actions.enable));
    let reset =
        (may.account && !member.pending).then(|| questions::reset(dialog_id("reset", member), member, actions.link));
    let remove = may.remove.then(|| questions::remove(dialog_id("remove", member), member, actions.remove));
    view! {
        {disable}
        {reset}
        {remove}
    }
    .into_any()
}
