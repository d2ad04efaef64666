//! "Add Member".

use super::{
    api::{AddMember, get_member_choices},
    model::{MemberChoices, RoleChoice},
    rules::may_give,
};
use crate::{
    access::{
        model::{Preset, SessionInfo},
        person::{EMAIL_MAX, NAME_MAX},
    },
    error::{AppError, FieldError},
    ui::{
        ErrorNote, Field, FormErrors, LinkButton, MultiSelect, PageHeader, Panel, Scope, SelectOption, Skeleton,
        SubmitButton, TextInput,
    },
    webhooks::fields::in_argument,
};
use leptos::{form::ActionForm, prelude::*};

pub fn add_member_page() -> AnyView {
    let scope = Scope::here();
    let add = ServerAction::<AddMember>::new();
    let choices = Resource::new(|| (), |()| get_member_choices());
    view! {
        <PageHeader title="Add Member" crumbs=vec![("Workspace Management", ""), ("Members", "/members")]>
            <LinkButton href="/members/import" label="Add from CSV" />
        </PageHeader>
        <Suspense fallback=|| view! { <Panel><Skeleton /></Panel> }>
            {move || Suspend::new(async move {
                let loaded = choices.await;
                scope.show(move || match loaded {
                    Ok(choices) => form(choices, add),
                    Err(error) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Suspense>
    }
    .into_any()
}

/// What follows when somebody is added.
pub(super) fn what_follows(mail: bool) -> &'static str {
    if mail {
        "Somebody new gets an invitation link by e-mail; it is shown to you too. It is valid once, for 72 hours."
    } else {
        "For somebody new an invitation link is shown to you, to send on. It is valid once, for 72 hours."
    }
}

fn form(choices: MemberChoices, add: ServerAction<AddMember>) -> AnyView {
    let error: Signal<Option<AppError>> = Signal::derive(move || add.value().get().and_then(Result::err));
    let errors = in_argument("new", error);
    let help = what_follows(choices.mail);
    let start = vec![Preset::Marketer.id().to_string()];
    let chosen = role_field("new[roles]", &choices.roles, start, errors);
    let groups = group_field("new[groups]", &choices, vec![], errors);
    view! {
        <ActionForm action=add>
            <Panel padded=false>
                <div class="body">
                    <div class="fields">
                        <FormErrors error />
                        <Field label="E-mail" name="new[email]" required=true help=help errors>
                            <TextInput
                                name="new[email]"
                                type_="email"
                                maxlength=EMAIL_MAX as u32
                                autocomplete="off"
                            />
                        </Field>
                        <Field
                            label="Name"
                            name="new[name]"
                            help="Without it: what stands before the @. People set their own name when they join."
                            errors
                        >
                            <TextInput name="new[name]" maxlength=NAME_MAX as u32 autocomplete="off" />
                        </Field>
                        {chosen}
                        {groups}
                    </div>
                </div>
                <div class="sticky-foot">
                    <LinkButton href="/members" label="Cancel" />
                    <SubmitButton label="Add Member" pending=add.pending() />
                </div>
            </Panel>
        </ActionForm>
    }
    .into_any()
}

/// The roles as chips. Those that the reader may not give are greyed, unless the member has them: they can be taken.
pub(super) fn role_field(
    name: &'static str,
    roles: &[RoleChoice],
    selected: Vec<String>,
    errors: Signal<Vec<FieldError>>,
) -> AnyView {
    let session = use_context::<SessionInfo>().unwrap_or_default();
    let option = |role: &RoleChoice| {
        let greyed = !may_give(&session, role) && !selected.contains(&role.id);
        SelectOption::new(role.id.clone(), role.name.clone()).disabled(greyed)
    };
    let options: Vec<SelectOption> = roles.iter().map(option).collect();
    let greyed = options.iter().any(|option| option.disabled);
    let help = if greyed {
        "Several roles add up. Greyed: roles that allow more than your own."
    } else {
        "Several roles add up."
    };
    view! {
        <Field label="Roles" name=name required=true help=help errors>
            <MultiSelect name=name options selected errors />
        </Field>
    }
    .into_any()
}

/// The groups as chips, for who may change them; what the member has is sent along otherwise.
pub(super) fn group_field(
    name: &'static str,
    choices: &MemberChoices,
    selected: Vec<String>,
    errors: Signal<Vec<FieldError>>,
) -> AnyView {
    if !choices.may_groups {
        let kept = selected.into_iter().enumerate();
        return kept
            .map(|(place, id)| view! { <input type="hidden" name=format!("{name}[{place}]") value=id /> })
            .collect_view()
            .into_any();
    }
    if choices.groups.is_empty() {
        return view! {
            <p class="quiet">
                "There are no member groups yet. " <a href="/member-groups">"Member Groups"</a>
            </p>
        }
        .into_any();
    }
    let options = choices.groups.iter().map(|(id, name)| SelectOption::new(id.clone(), name.clone())).collect();
    view! {
        <Field label="Member groups" name=name errors>
            <MultiSelect name=name options selected errors />
        </Field>
    }
    .into_any()
}
