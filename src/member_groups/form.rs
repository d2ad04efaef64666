//! "Create Member Group", and editing one.

use super::{
    api::{SaveMemberGroup, get_member_group_form},
    model::{GroupForm, NAME_MAX, OFFERED_MAX},
};
use crate::{
    error::AppError,
    ui::{
        CheckItem, CheckList, ErrorNote, Field, FormErrors, LinkButton, Note, PageHeader, Panel, Scope, Skeleton,
        SubmitButton, TextInput, format::count,
    },
    webhooks::fields::in_argument,
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_params_map;

pub fn member_group_form_page() -> AnyView {
    let scope = Scope::here();
    // As the page was opened: when the browser leaves it, the address's id is the next page's.
    let id = use_params_map().read_untracked().get("id");
    let title = if id.is_some() { "Edit Member Group" } else { "Create Member Group" };
    let save = ServerAction::<SaveMemberGroup>::new();
    let form = Resource::new(|| (), move |()| get_member_group_form(id.clone()));
    view! {
        <PageHeader title crumbs=vec![("Workspace Management", ""), ("Member Groups", "/member-groups")] />
        <Suspense fallback=|| view! { <Panel><Skeleton /></Panel> }>
            {move || Suspend::new(async move {
                let loaded = form.await;
                scope.show(move || match loaded {
                    Ok(form) => fields(form, save),
                    Err(error) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Suspense>
    }
    .into_any()
}

fn fields(form: GroupForm, save: ServerAction<SaveMemberGroup>) -> AnyView {
    let GroupForm { group, people, more } = form;
    let error: Signal<Option<AppError>> = Signal::derive(move || save.value().get().and_then(Result::err));
    let errors = in_argument("input", error);
    let used = group.as_ref().filter(|group| !group.used_by.is_empty()).map(|group| {
        let webhooks = group.used_by.iter().map(|one| one.text()).collect::<Vec<_>>().join(", ");
        view! {
            <Note>
                <p>{format!("Used by {webhooks}.")}</p>
                <p>"Who comes in may use what is granted to the group; pending tasks of those who leave fail at their time unless they have another grant."</p>
            </Note>
        }
    });
    let (id, seen, name, back) = match group {
        Some(group) => (group.id.clone(), group.updated_at, group.name, format!("/member-groups/{}", group.id)),
        None => (String::new(), 0, String::new(), "/member-groups".to_string()),
    };
    let items: Vec<CheckItem> = people
        .into_iter()
        .map(|(person, is_in)| CheckItem::new(&person.id, &person.name, person.note()).checked(is_in))
        .collect();
    let help = match more {
        true => format!("The first {} members by name are offered.", count(OFFERED_MAX)),
        false => String::new(),
    };
    view! {
        <ActionForm action=save>
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="seen" value=seen.to_string() />
            <Panel padded=false>
                <div class="body">
                    <div class="fields">
                        <FormErrors error />
                        {used}
                        <Field label="Name" name="input[name]" required=true errors>
                            <TextInput name="input[name]" value=name maxlength=NAME_MAX as u32 autocomplete="off" />
                        </Field>
                        <Field label="Members" name="input[members]" help errors>
                            <CheckList name="input[members]" items placeholder="Search name or e-mail" />
                        </Field>
                    </div>
                </div>
                <div class="sticky-foot">
                    <LinkButton href=back label="Cancel" />
                    <SubmitButton label="OK" pending=save.pending() />
                </div>
            </Panel>
        </ActionForm>
    }
    .into_any()
}
