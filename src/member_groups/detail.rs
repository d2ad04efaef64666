//! A group's own page: who is in it, and which webhooks are granted to it.

use super::{
    api::{DeleteMemberGroup, get_member_group},
    list::{DeleteGroupDialog, may_manage, used},
    model::GroupDetail,
};
use crate::ui::{Button, ErrorNote, FormErrors, LinkButton, PageHeader, Panel, Scope, Skeleton};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

const DELETE: &str = "delete-group";

pub fn member_group_page() -> AnyView {
    let scope = Scope::here();
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let delete = ServerAction::<DeleteMemberGroup>::new();
    // A refusal belongs to the group that it was about.
    Effect::watch(move || id.get(), move |_, _, _| delete.clear(), false);
    let group = Resource::new(move || id.get(), get_member_group);
    view! {
        <Transition fallback=|| view! { <Panel><Skeleton /></Panel> }>
            {move || Suspend::new(async move {
                let loaded = group.await;
                scope.show(move || match loaded {
                    Ok(detail) => page(detail, delete),
                    Err(error) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Transition>
    }
    .into_any()
}

fn page(detail: GroupDetail, delete: ServerAction<DeleteMemberGroup>) -> AnyView {
    let GroupDetail { group, members } = detail;
    let error = Signal::derive(move || delete.value().get().and_then(Result::err));
    let (id, name) = (group.id.clone(), group.name.clone());
    let edit = format!("/member-groups/{id}/edit");
    let controls = may_manage().then(|| {
        view! {
            <Button label="Delete" danger=true opens=DELETE />
            <LinkButton href=edit label="Edit" primary=true />
            <DeleteGroupDialog dialog=DELETE.to_string() id name action=delete />
        }
    });
    let nobody = members.is_empty().then(|| view! { <p class="quiet">"Nobody is in this group."</p> });
    let people = members.into_iter().map(|person| {
        let note = person.note();
        view! { <li>{person.name} " " <small>{note}</small></li> }
    });
    let people = people.collect_view();
    let unused = group.used_by.is_empty().then(|| {
        view! { <p class="quiet">"No webhook is granted to this group. Grant one in Webhook Management."</p> }
    });
    let used_by = group.used_by.into_iter().map(used).collect_view();
    view! {
        <PageHeader
            title=group.name
            crumbs=vec![("Workspace Management", ""), ("Member Groups", "/member-groups")]
        >
            {controls}
        </PageHeader>
        <FormErrors error />
        <div class="grid halves">
            <Panel title="Members">{nobody} <ul class="people">{people}</ul></Panel>
            <Panel title="Used by">{unused} {used_by}</Panel>
        </div>
    }
    .into_any()
}
