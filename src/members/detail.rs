//! A member's own page.

mod form;

use super::{
    api::{MakeMemberLink, RemoveMember, SaveMember, SetMemberEnabled, TurnOffSecondFactor, get_member},
    list::{badge, listed, may_manage, may_turn},
    model::MemberDetail,
    questions,
};
use crate::{
    access::model::Attributes,
    error::AppError,
    ui::{
        Button, ConfirmAction, ErrorNote, Fact, Facts, FormErrors, Note, PageHeader, Panel, Scope, Skeleton,
        SubmitButton, Time, Tone, use_toasts,
    },
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_params_map;

const REMOVE: &str = "remove-member";
const DISABLE: &str = "disable-member";
const RESET: &str = "reset-password";
const SECOND_FACTOR: &str = "turn-off-second-factor";

/// The page's actions; they outlive what is loaded anew.
#[derive(Clone, Copy)]
struct Actions {
    save: ServerAction<SaveMember>,
    enable: ServerAction<SetMemberEnabled>,
    link: ServerAction<MakeMemberLink>,
    second_factor: ServerAction<TurnOffSecondFactor>,
    remove: ServerAction<RemoveMember>,
}

impl Actions {
    /// What was refused, but for the form, which shows its own.
    fn error(self) -> Signal<Option<AppError>> {
        Signal::derive(move || {
            let answers = [
                self.enable.value().get(),
                self.link.value().get(),
                self.second_factor.value().get(),
                self.remove.value().get(),
            ];
            answers.into_iter().flatten().find_map(Result::err)
        })
    }

    fn clear(self) {
        self.save.clear();
        self.enable.clear();
        self.link.clear();
        self.second_factor.clear();
        self.remove.clear();
    }
}

pub fn member_page() -> AnyView {
    let scope = Scope::here();
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let actions = Actions {
        save: ServerAction::new(),
        enable: ServerAction::new(),
        link: ServerAction::new(),
        second_factor: ServerAction::new(),
        remove: ServerAction::new(),
    };
    let toasts = use_toasts();
    Effect::new(move |_| {
        if matches!(actions.save.value().get(), Some(Ok(()))) {
            toasts.show(Tone::Ok, "Saved.");
        }
    });
    // A refusal belongs to the member that it was about.
    Effect::watch(move || id.get(), move |_, _, _| actions.clear(), false);
    // What was refused leaves the page, and what was typed, as it is.
    let saved = Memo::new(move |before: Option<&usize>| {
        let version = actions.save.version().get();
        match actions.save.value().get() {
            Some(Err(_)) => before.copied().unwrap_or_default(),
            _ => version,
        }
    });
    let versions = move || (saved.get(), actions.enable.version().get(), actions.second_factor.version().get());
    let member = Resource::new(move || (id.get(), versions()), |(id, _)| get_member(id));
    view! {
        <Transition fallback=|| view! { <Panel><Skeleton /></Panel> }>
            {move || Suspend::new(async move {
                let loaded = member.await;
                scope.show(move || match loaded {
                    Ok(detail) => page(detail, actions),
                    Err(error) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Transition>
    }
    .into_any()
}

fn page(detail: MemberDetail, actions: Actions) -> AnyView {
    let manages = may_manage();
    let (title, state) = (detail.row.name.clone(), badge(detail.row.state));
    let controls = manages.then(|| controls(&detail, actions));
    let dialogs = manages.then(|| dialogs(&detail, actions));
    let facts = facts(&detail);
    let account = account(&detail, manages, actions);
    let membership = if manages && detail.row.may.change {
        form::membership(&detail, actions.save)
    } else {
        attributes(&detail.attributes)
    };
    view! {
        <PageHeader
            title
            crumbs=vec![("Workspace Management", ""), ("Members", "/members")]
            badge=state
        >
            {controls}
        </PageHeader>
        <FormErrors error=actions.error() />
        <div class="grid">
            <div class="grid halves">
                <Panel title="Member">{facts}</Panel>
                <Panel title="Sign-in">{account}</Panel>
            </div>
            {membership}
        </div>
        {dialogs}
    }
    .into_any()
}

fn controls(detail: &MemberDetail, actions: Actions) -> AnyView {
    let row = &detail.row;
    let id = row.id.clone();
    let turn = may_turn(row).then(|| match row.disabled_here {
        true => view! {
            <ActionForm action=actions.enable>
                <input type="hidden" name="id" value=id />
                <input type="hidden" name="enabled" value="true" />
                <SubmitButton label="Enable" secondary=true pending=actions.enable.pending() />
            </ActionForm>
        }
        .into_any(),
        false => view! { <Button label="Disable" opens=DISABLE /> }.into_any(),
    });
    let remove = row.may.remove.then(|| view! { <Button label="Remove from workspace" danger=true opens=REMOVE /> });
    view! {
        {turn}
        {remove}
    }
    .into_any()
}

fn dialogs(detail: &MemberDetail, actions: Actions) -> AnyView {
    let row = &detail.row;
    let own = row.id.clone();
    let disable =
        (may_turn(row) && !row.disabled_here).then(|| questions::disable(DISABLE.into(), row, actions.enable));
    let reset = (row.may.account && !row.pending).then(|| questions::reset(RESET.into(), row, actions.link));
    let remove = row.may.remove.then(|| questions::remove(REMOVE.into(), row, actions.remove));
    let text = format!(
        "{} ({}) signs in with the password alone until a second factor is turned on again. All sessions end.",
        row.name, row.email
    );
    let factor = (row.may.account && detail.second_factor).then(|| {
        view! {
            <ConfirmAction
                id=SECOND_FACTOR
                title="Turn off second factor"
                text
                danger=true
                label="Turn off"
                action=actions.second_factor
                fields=vec![("id", own)]
            />
        }
    });
    view! {
        {disable}
        {reset}
        {remove}
        {factor}
    }
    .into_any()
}

fn facts(detail: &MemberDetail) -> AnyView {
    let row = &detail.row;
    let (email, roles, groups) = (row.email.clone(), listed(&row.roles), listed(&row.groups));
    let organization = row.organization_administrator.then(|| {
        view! { <Fact label="Organization">"Organization administrator"</Fact> }
    });
    let (since, now) = (detail.created_at, detail.now);
    let since = (since > 0).then(|| view! { <Fact label="Member since"><Time ms=since now /></Fact> });
    view! {
        <Facts>
            <Fact label="E-mail">{email}</Fact>
            <Fact label="Roles">{roles}</Fact>
            <Fact label="Member groups">{groups}</Fact>
            {organization}
            {since}
        </Facts>
    }
    .into_any()
}

fn account(detail: &MemberDetail, manages: bool, actions: Actions) -> AnyView {
    let row = &detail.row;
    let now = detail.now;
    let signed_in = match row.last_sign_in_at {
        Some(ms) => view! { <Time ms now /> }.into_any(),
        None => "Never".into_any(),
    };
    let factor = if detail.second_factor { "On" } else { "Off" };
    let link = detail.link.clone().map(|link| {
        let by = if link.by.is_empty() { String::new() } else { format!(", made by {}", link.by) };
        let label = format!("{} link", link.purpose.label());
        view! {
            <Fact label=label>"valid until " <Time ms=link.expires_at seconds=false /> {by}</Fact>
        }
    });
    let without = (row.pending && detail.link.is_none()).then(|| {
        view! { <Note tone=Tone::Warn><p>"The invitation has expired. Make a new link."</p></Note> }
    });
    let may = manages && row.may.account;
    let id = row.id.clone();
    let make = may.then(|| match row.pending {
        true => view! {
            <ActionForm action=actions.link>
                <input type="hidden" name="id" value=id />
                <SubmitButton label="New invitation link" secondary=true pending=actions.link.pending() />
            </ActionForm>
        }
        .into_any(),
        false => view! { <Button label="Reset password" opens=RESET /> }.into_any(),
    });
    let turn_off =
        (may && detail.second_factor).then(|| view! { <Button label="Turn off second factor" opens=SECOND_FACTOR /> });
    let why = (manages && !may).then(|| {
        let why = detail.why_not_account.clone();
        view! { <p class="quiet">{why}</p> }
    });
    view! {
        <div class="fields">
            <Facts>
                <Fact label="Last sign-in">{signed_in}</Fact>
                <Fact label="Second factor">{factor}</Fact>
                {link}
            </Facts>
            {without}
            <div class="actions">{make} {turn_off}</div>
            {why}
        </div>
    }
    .into_any()
}

/// For who may not change them.
fn attributes(attributes: &Attributes) -> AnyView {
    if attributes.is_empty() {
        return ().into_any();
    }
    let facts = attributes.iter().map(|(name, values)| {
        let (name, values) = (name.clone(), values.join(", "));
        view! { <Fact label=name>{values}</Fact> }
    });
    let facts = facts.collect_view();
    view! {
        <Panel title="Attributes">
            <Facts>{facts}</Facts>
        </Panel>
    }
    .into_any()
}
