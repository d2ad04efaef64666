//! Adding many members from a list.

use super::{
    add::what_follows,
    api::{AddMembers, get_member_choices},
    model::{LIST_BYTES_MAX, LIST_ROWS_MAX, MemberChoices},
};
use crate::{
    error::AppError,
    ui::{
        CodeBlock, ErrorNote, Field, FormErrors, LinkButton, PageHeader, Panel, Scope, Skeleton, SubmitButton, TextArea,
    },
};
use leptos::{form::ActionForm, prelude::*};

const EXAMPLE: &str = "email,name,roles,groups,region\nada@example.com,Ada,Marketer,East,East;North\nbob@example.com,Bob,Marketer;Analyst,,South";

pub fn add_members_page() -> AnyView {
    let scope = Scope::here();
    let add = ServerAction::<AddMembers>::new();
    let choices = Resource::new(|| (), |()| get_member_choices());
    view! {
        <PageHeader title="Add from CSV" crumbs=vec![("Workspace Management", ""), ("Members", "/members")] />
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

fn form(choices: MemberChoices, add: ServerAction<AddMembers>) -> AnyView {
    let error: Signal<Option<AppError>> = Signal::derive(move || add.value().get().and_then(Result::err));
    let roles: Vec<String> = choices.roles.iter().map(|role| role.name.clone()).collect();
    let roles = format!("Roles here: {}. Without one: Marketer.", roles.join(", "));
    let limits = format!("A header, then one member on each line: at most {LIST_ROWS_MAX} and 1 MB.");
    let follows = what_follows(choices.mail);
    view! {
        <ActionForm action=add>
            <Panel padded=false>
                <div class="body">
                    <div class="fields">
                        <FormErrors error />
                        <p>
                            "The column email is needed; name, roles and groups may be there, and every other column is an attribute. Several values of a cell are separated by “;”. Nobody is added unless all lines are good."
                        </p>
                        <CodeBlock id="members-example" text=EXAMPLE label="Example" copy=true />
                        <p class="quiet">{roles} " " {follows}</p>
                        <Field label="Members as CSV" name="list" required=true help=limits>
                            <TextArea name="list" rows=10 maxlength=LIST_BYTES_MAX as u32 mono=true />
                        </Field>
                    </div>
                </div>
                <div class="sticky-foot">
                    <LinkButton href="/members" label="Cancel" />
                    <SubmitButton label="Add Members" pending=add.pending() />
                </div>
            </Panel>
        </ActionForm>
    }
    .into_any()
}
