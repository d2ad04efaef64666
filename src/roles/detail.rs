//! A role's own page: what it allows, and who holds it.

use super::{
    api::{DeleteRole, get_role},
    list::{DeleteRoleDialog, Reader},
    model::{Holders, RoleDetail},
    tree,
};
use crate::{
    access::model::Preset,
    ui::{
        Badge, Button, ErrorNote, Fact, Facts, FormErrors, LinkButton, Note, PageHeader, Panel, Scope, Skeleton, Time,
        Tone, format::counted,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

const DELETE: &str = "delete-role";

pub fn role_page() -> AnyView {
    let scope = Scope::here();
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let delete = ServerAction::<DeleteRole>::new();
    // A refusal belongs to the role that it was about.
    Effect::watch(move || id.get(), move |_, _, _| delete.clear(), false);
    let role = Resource::new(move || id.get(), get_role);
    let reader = Reader::here();
    view! {
        <Transition fallback=|| view! { <Panel><Skeleton /></Panel> }>
            {move || Suspend::new(async move {
                let loaded = role.await;
                scope.show(move || match loaded {
                    Ok(detail) => page(detail, reader, delete),
                    Err(error) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Transition>
    }
    .into_any()
}

fn page(detail: RoleDetail, reader: Reader, delete: ServerAction<DeleteRole>) -> AnyView {
    let RoleDetail { role, holders } = detail;
    let error = Signal::derive(move || delete.value().get().and_then(Result::err));
    let may_change = reader.may_change(&role);
    let badge = role.preset.then(|| view! { <Badge tone=Tone::Neutral text="Preset" /> }.into_any());
    let badge = badge.unwrap_or_else(|| ().into_any());
    let edit = format!("/roles/{}/edit", role.id);
    let copy = format!("/roles/new?copy={}", role.id);
    let copy = reader.manages.then(|| view! { <LinkButton href=copy label="Copy" /> });
    let (id, name) = (role.id.clone(), role.name.clone());
    let controls = may_change.then(|| {
        view! {
            <Button label="Delete" danger=true opens=DELETE />
            <LinkButton href=edit label="Edit" primary=true />
            <DeleteRoleDialog dialog=DELETE.to_string() id name action=delete />
        }
    });
    let remark = match () {
        () if role.id == Preset::Administrator.id() => {
            "A preset can't be changed. A copy of it has the same permissions, but its members need a grant to use a webhook: only this role itself needs none."
        }
        () if role.preset => "A preset can't be changed. Copy it, and change the copy.",
        () if reader.manages && !may_change => {
            "This role has permissions that you don't have yourself, so you can't change it."
        }
        () => "",
    };
    let remark = (!remark.is_empty()).then(|| view! { <Note><p>{remark}</p></Note> });
    let about = (!role.description.is_empty() || !role.preset).then(|| {
        let updated = (!role.preset).then(|| {
            view! { <Fact label="Updated"><Time ms=role.updated_at /></Fact> }
        });
        view! {
            <Panel title="Role">
                <Facts>
                    <Fact label="Description">{role.description.clone()}</Fact>
                    {updated}
                </Facts>
            </Panel>
        }
    });
    view! {
        <PageHeader title=role.name crumbs=vec![("Workspace Management", ""), ("Roles", "/roles")] badge>
            {copy}
            {controls}
        </PageHeader>
        <FormErrors error />
        <div class="grid">
            {remark}
            {about}
            <div class="grid halves">
                <Panel title="Permissions">{tree::shown(role.permissions)}</Panel>
                <Panel title="Members">{named(holders)}</Panel>
            </div>
        </div>
    }
    .into_any()
}

/// The members who hold a role.
pub(super) fn named(holders: Holders) -> AnyView {
    if holders.total == 0 {
        return view! { <p class="quiet">"Nobody holds this role."</p> }.into_any();
    }
    let more = holders.total - holders.first.len() as i64;
    let people = holders.first.into_iter().map(|holder| {
        let disabled = holder.disabled.then_some(", disabled");
        view! { <li>{holder.name} " " <small>{holder.email}{disabled}</small></li> }
    });
    view! {
        <p>{format!("{} this role:", held(holders.total))}</p>
        <ul class="people">{people.collect_view()}</ul>
        {(more > 0).then(|| view! { <p class="quiet">{format!("and {more} more")}</p> })}
    }
    .into_any()
}

/// "1 member holds", "2 members hold".
fn held(total: i64) -> String {
    format!("{} {}", counted(total, "member"), if total == 1 { "holds" } else { "hold" })
}
