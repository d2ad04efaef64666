//! Adding many members from a list.

use super::{
    add::what_follows,
    api::{AddMembers, get_member_choices},
    model::{LIST_BYTES_MAX, LIST_ROWS_MAX, MemberChoices},
    rules::may_give,
};
use crate::{
    access::model::{Preset, SessionInfo},
    error::AppError,
    ui::{
        CodeBlock, ErrorNote, Field, FormErrors, LinkButton, PageHeader, Panel, Scope, Skeleton, SubmitButton, TextArea,
    },
};
use leptos::{form::ActionForm, prelude::*};

/// A list that the reader can add as it stands, with roles and groups that there are.
pub(super) fn example(choices: &MemberChoices, session: &SessionInfo) -> String {
    let usable = |name: &&str| !name.contains([';', '"']);
    let cell = |name: &str| if name.contains(',') { format!("\"{name}\"") } else { name.to_string() };
    let of_roles = choices.roles.iter().filter(|role| role.id != Preset::Administrator.id() && may_give(session, role));
    let roles: Vec<&str> = of_roles.map(|role| role.name.as_str()).filter(usable).collect();
    let of_groups = choices.groups.iter().filter(|_| choices.may_groups);
    let groups: Vec<&str> = of_groups.map(|(_, name)| name.as_str()).filter(usable).collect();
    let mut lines = ["email,name", "ada@example.com,Ada", "bob@example.com,Bob"].map(str::to_string);
    let mut column = |cells: [String; 3]| {
        for (line, cell) in lines.iter_mut().zip(cells) {
            line.push(',');
            line.push_str(&cell);
        }
    };
    if let Some(first) = roles.first() {
        let both: Vec<&str> = roles.iter().take(2).copied().collect();
        column(["roles".into(), cell(first), cell(&both.join(";"))]);
    }
    if let Some(first) = groups.first() {
        column(["groups".into(), cell(first), groups.get(1).map_or_else(String::new, |second| cell(second))]);
    }
    if session.administrator {
        column(["region".into(), "East;North".into(), "South".into()]);
    }
    lines.join("\n")
}

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
    let example = example(&choices, &use_context::<SessionInfo>().unwrap_or_default());
    view! {
        <ActionForm action=add>
            <Panel padded=false>
                <div class="body">
                    <div class="fields">
                        <FormErrors error />
                        <p>
                            "The column email is needed; name, roles and groups may be there, and every other column is an attribute. Several values of a cell are separated by “;”, in quotation marks where semicolons separate the cells too. Nobody is added unless all lines are good."
                        </p>
                        <CodeBlock id="members-example" text=example label="Example" copy=true />
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
