//! "Create Role", and editing one: name, description, and the permission tree.

use super::{
    api::{SaveRole, get_role_form},
    detail::named,
    list::Reader,
    model::{DESCRIPTION_MAX, Holders, Level, NAME_MAX, Role, RoleForm, RoleInput, gains_and_losses},
    tree,
};
use crate::{
    access::model::{Area, Permission, Permissions},
    error::AppError,
    ui::{
        CellError, ErrorNote, Field, FormErrors, LinkButton, Note, PageHeader, Panel, Scope, Skeleton, SubmitButton,
        TextArea, TextInput, Tone, query::use_query,
    },
    webhooks::fields::in_argument,
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_params_map;

/// Behind the name of a copy.
const COPY: &str = " copy";

pub fn role_form_page() -> AnyView {
    let scope = Scope::here();
    // As the page was opened: when the browser leaves it, the address's id is the next page's.
    let id = use_params_map().read_untracked().get("id");
    let copy = use_query().read_untracked().get("copy").map(str::to_string).filter(|_| id.is_none());
    let copies = copy.is_some();
    let title = if id.is_some() { "Edit Role" } else { "Create Role" };
    let save = ServerAction::<SaveRole>::new();
    let form = Resource::new(|| (), move |()| get_role_form(id.clone(), copy.clone()));
    let reader = Reader::here();
    view! {
        <PageHeader title crumbs=vec![("Workspace Management", ""), ("Roles", "/roles")] />
        <Suspense fallback=|| view! { <Panel><Skeleton /></Panel> }>
            {move || Suspend::new(async move {
                let loaded = form.await;
                scope.show(move || match loaded {
                    Ok(form) => fields(form, copies, reader, save),
                    Err(error) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Suspense>
    }
    .into_any()
}

/// Of `permissions`, those that `own` hold too.
fn shared(permissions: Permissions, own: Permissions) -> Permissions {
    Area::ALL.into_iter().fold(Permissions::NONE, |sum, area| {
        match Level::of(permissions, area).min(Level::of(own, area)) {
            Level::None => sum,
            Level::View => sum.with(Permission::View(area)),
            Level::Manage => sum.with(Permission::Manage(area)),
        }
    })
}

fn fields(form: RoleForm, copies: bool, reader: Reader, save: ServerAction<SaveRole>) -> AnyView {
    let RoleForm { role, holders } = form;
    let error: Signal<Option<AppError>> = Signal::derive(move || save.value().get().and_then(Result::err));
    let errors = in_argument("input", error);
    let (id, version, back) = match role.as_ref().filter(|_| !copies) {
        Some(role) => (role.id.clone(), role.version, format!("/roles/{}", role.id)),
        None => (String::new(), 0, "/roles".to_string()),
    };
    let remark = role.as_ref().filter(|_| copies).map(|role| copied(role, reader.own));
    let (mut name, description, permissions) = match role {
        Some(role) => (role.name, role.description, role.permissions),
        None => (String::new(), String::new(), Permissions::NONE.with(Permission::View(Area::Overview))),
    };
    if copies {
        name = name.chars().take(NAME_MAX - COPY.len()).collect::<String>() + COPY;
    }
    let start = shared(permissions, reader.own);
    let edits = !id.is_empty();
    let chosen = RwSignal::new(chosen_from(start));
    let on_change = Callback::new(move |(area, level): (Area, Level)| {
        chosen.update(|chosen| {
            chosen.levels.insert(area.code().into(), level);
        });
    });
    let after = Memo::new(move |_| chosen.with(RoleInput::permissions));
    let affected = edits.then(|| affected(holders, start, after));
    view! {
        <ActionForm action=save>
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="version" value=version.to_string() />
            <Panel padded=false>
                <div class="body">
                    <div class="fields">
                        <FormErrors error />
                        {remark}
                        <Field label="Name" name="input[name]" required=true errors>
                            <TextInput name="input[name]" value=name maxlength=NAME_MAX as u32 autocomplete="off" />
                        </Field>
                        <Field label="Description" name="input[description]" errors>
                            <TextArea name="input[description]" value=description maxlength=DESCRIPTION_MAX as u32 />
                        </Field>
                        <div>
                            <h2>"Permissions"</h2>
                            <p class="quiet">"Manage includes View. Greyed is what you don't have yourself."</p>
                        </div>
                        <CellError name="input[levels]" errors />
                        {tree::inputs(start, reader.own, errors, on_change)}
                        {affected}
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

fn chosen_from(permissions: Permissions) -> RoleInput {
    let level = |area: Area| (area.code().to_string(), Level::of(permissions, area));
    RoleInput { levels: Area::ALL.into_iter().map(level).collect(), ..Default::default() }
}

/// What a copy is, and what of the original it can't have.
fn copied(role: &Role, own: Permissions) -> AnyView {
    let less = (!own.covers(role.permissions))
        .then(|| view! { <p>"Permissions that you don't have yourself are left out."</p> });
    let text = format!("A copy of “{}”.", role.name);
    view! { <Note><p>{text}</p>{less}</Note> }.into_any()
}

/// Whom saving is about, and what changes for them.
fn affected(holders: Holders, before: Permissions, after: Memo<Permissions>) -> AnyView {
    let anybody = holders.total > 0;
    let change = move || {
        let (gains, losses) = gains_and_losses(before, after.get());
        let line = |word: &str, all: Vec<String>| {
            let text = format!("{word} {}", all.join(", "));
            (!all.is_empty()).then(|| view! { <p>{text}</p> })
        };
        (anybody && !(gains.is_empty() && losses.is_empty())).then(|| {
            view! {
                <Note tone=Tone::Warn>
                    <p>"When you save, they have at once what the role says then."</p>
                    {line("They gain", gains)}
                    {line("They lose", losses)}
                </Note>
            }
            .into_any()
        })
    };
    view! {
        <section class="grid tight" aria-label="Who is affected">
            <h2>"Who is affected"</h2>
            {named(holders)}
            <div role="status">{change}</div>
        </section>
    }
    .into_any()
}
