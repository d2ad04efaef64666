//! The list of workspaces, and the dialogs of a new one and of an edited one.

use super::{
    api::{CreateWorkspace, EditWorkspace, count_older, list_workspaces, list_zones},
    model::{KEEP_DAYS, NAME_MAX, PAGE_SIZE, WorkspaceOrder, WorkspacePage, WorkspaceQuery, WorkspaceRow},
};
use crate::{
    access::model::{Permission, SessionInfo},
    access::person::EMAIL_MAX,
    error::{AppError, FieldError},
    ui::{
        Badge, Button, Dialog, EmptyState, Field, Filters, FormErrors, ListParams, Loaded, Note, PageHeader, Pager,
        Panel, Scope, Select, SelectOption, SortTh, SubmitButton, TableWrap, TextInput, Time, Tone, close_dialog,
        format::{count, counted},
        open_dialog, use_list_params,
    },
    webhooks::fields::in_argument,
};
use leptos::{form::ActionForm, prelude::*};

const CREATE: &str = "create-workspace";
const EDIT: &str = "edit-workspace";

/// The workspace that the dialog edits.
type Edited = RwSignal<Option<WorkspaceRow>>;

pub fn workspaces_page() -> AnyView {
    let params = use_list_params(&[]);
    let page = Resource::new(move || params.get(), |params| list_workspaces(query(&params)));
    let zones = Resource::new(|| (), |()| list_zones());
    let edited: Edited = RwSignal::new(None);
    let dialogs = Scope::here();
    let manages = use_context::<SessionInfo>().is_some_and(|session| session.may(Permission::Organization));
    view! {
        <PageHeader
            title="Workspaces"
            crumbs=vec![("Organization", "")]
            intro="Each has customers, webhooks, tasks and members of its own. To add members, switch to it."
        >
            {manages.then(|| view! { <Button label="Create Workspace" primary=true opens=CREATE /> })}
        </PageHeader>
        <Panel padded=false>
            <Filters action="/organization/workspaces" params placeholder="Search name" />
            <Loaded what=page show=move |page| table(page, params, edited) />
        </Panel>
        <Suspense>
            {move || Suspend::new(async move {
                let zones = zones.await.unwrap_or_default();
                dialogs.show(move || {
                    let zones: Vec<SelectOption> =
                        zones.into_iter().map(|zone| SelectOption::new(zone.clone(), zone)).collect();
                    view! {
                        <CreateDialog zones=zones.clone() />
                        <EditDialog zones edited />
                    }
                    .into_any()
                })
            })}
        </Suspense>
    }
    .into_any()
}

fn query(params: &ListParams) -> WorkspaceQuery {
    let (order, descending) = match params.order() {
        Some(("members", descending)) => (WorkspaceOrder::Members, descending),
        Some(("created", descending)) => (WorkspaceOrder::Created, descending),
        Some((_, descending)) => (WorkspaceOrder::Name, descending),
        None => (WorkspaceOrder::Name, false),
    };
    WorkspaceQuery { search: params.q.clone(), order, descending, offset: params.offset(PAGE_SIZE) }
}

fn table(page: WorkspacePage, params: Memo<ListParams>, edited: Edited) -> AnyView {
    if page.total == 0 {
        return view! { <EmptyState title="No match" text="No workspace fits the search." /> }.into_any();
    }
    let here = use_context::<SessionInfo>().map(|session| session.workspace_id).unwrap_or_default();
    let rows = page.rows.into_iter().map(|workspace| row(workspace, &here, edited)).collect_view();
    view! {
        <TableWrap label="Workspaces">
            <table class="stack">
                <thead>
                    <tr>
                        <SortTh params key="name" label="Workspace" />
                        <th scope="col">"Time zone"</th>
                        <th scope="col">"Keeps messages"</th>
                        <SortTh params key="members" label="Members" numeric=true />
                        <SortTh params key="created" label="Created" />
                        <th scope="col">
                            <span class="sr">"Actions"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
        <Pager params total=page.total page_size=PAGE_SIZE noun="workspaces" />
    }
    .into_any()
}

fn row(workspace: WorkspaceRow, here: &str, edited: Edited) -> AnyView {
    let is_here = workspace.id == here;
    let name = workspace.name.clone();
    let badge = is_here.then(|| view! { " " <Badge tone=Tone::Ok text="You are here" /> });
    // Another workspace is another world: the page begins anew, as with the switcher.
    let switch = (!is_here).then(|| {
        let heard = format!("Switch to {name}");
        view! {
            <form method="post" action="/switch-workspace">
                <button type="submit" class="btn bare" name="workspace" value=workspace.id.clone() aria-label=heard>
                    "Switch"
                </button>
            </form>
        }
    });
    let kept = KEEP_DAYS.iter().find(|(days, _)| *days == workspace.keep_days).map(|(_, label)| *label);
    let (heard, own) = (format!("Edit {name}"), workspace.clone());
    let edit = move |_| {
        edited.set(Some(own.clone()));
        open_dialog(EDIT);
    };
    view! {
        <tr>
            <td class="title">{name} {badge}</td>
            <td data-label="Time zone">{workspace.time_zone}</td>
            <td data-label="Keeps messages">{kept}</td>
            <td class="num" data-label="Members">{count(workspace.members)}</td>
            <td data-label="Created"><Time ms=workspace.created_at seconds=false /></td>
            <td class="num fit">
                <div class="actions">
                    {switch}
                    <button type="button" class="btn bare" aria-label=heard on:click=edit>"Edit"</button>
                </div>
            </td>
        </tr>
    }
    .into_any()
}

/// The frame around every page names the workspaces: it is made anew when one has changed.
fn begin_anew(id: &'static str) {
    close_dialog(id);
    // Fails only in a page that is going already.
    let _ = window().location().reload();
}

#[component]
fn CreateDialog(zones: Vec<SelectOption>) -> impl IntoView {
    let action = ServerAction::<CreateWorkspace>::new();
    let error: Signal<Option<AppError>> = Signal::derive(move || action.value().get().and_then(Result::err));
    let errors = in_argument("new", error);
    Effect::new(move |_| {
        if matches!(action.value().get(), Some(Ok(_))) {
            begin_anew(CREATE);
        }
    });
    view! {
        <Dialog id=CREATE title="Create Workspace">
            <ActionForm action>
                <div class="fields">
                    <FormErrors error />
                    <Field label="Name" name="new[name]" required=true errors>
                        <TextInput name="new[name]" maxlength=NAME_MAX as u32 autocomplete="off" />
                    </Field>
                    <Field
                        label="Time zone"
                        name="new[time_zone]"
                        required=true
                        help="In which times are shown to members whose browser tells none."
                        errors
                    >
                        <Select name="new[time_zone]" options=zones selected="UTC".to_string() />
                    </Field>
                    <KeepField form="new" selected="0".to_string() errors />
                    <Field
                        label="First administrator"
                        name="new[administrator]"
                        help="E-mail of an existing account; may stay empty."
                        errors
                    >
                        <TextInput
                            name="new[administrator]"
                            type_="email"
                            maxlength=EMAIL_MAX as u32
                            autocomplete="off"
                        />
                    </Field>
                    <div class="dialog-foot">
                        <button type="button" class="btn" data-dialog-close="">"Cancel"</button>
                        <SubmitButton label="OK" pending=action.pending() />
                    </div>
                </div>
            </ActionForm>
        </Dialog>
    }
}

/// For how long messages are kept.
#[component]
fn KeepField(
    form: &'static str,
    #[prop(into)] selected: Signal<String>,
    errors: Signal<Vec<FieldError>>,
    #[prop(into, default = Callback::new(|_| ()))] on_input: Callback<String>,
) -> impl IntoView {
    let name = format!("{form}[keep_days]");
    let options: Vec<SelectOption> =
        KEEP_DAYS.iter().map(|(days, label)| SelectOption::new(days.to_string(), *label)).collect();
    view! {
        <Field
            label="Keep messages for"
            name=name.clone()
            help="After that time, what a task sent to each user is deleted, with its requests, answers and receipts. The totals of its report stay."
            errors
        >
            <Select name options selected on_input />
        </Field>
    }
}

#[component]
fn EditDialog(zones: Vec<SelectOption>, edited: Edited) -> impl IntoView {
    let action = ServerAction::<EditWorkspace>::new();
    let error: Signal<Option<AppError>> = Signal::derive(move || action.value().get().and_then(Result::err));
    let errors = in_argument("edited", error);
    Effect::new(move |_| {
        if matches!(action.value().get(), Some(Ok(()))) {
            begin_anew(EDIT);
        }
    });
    // How many tasks' messages go, when it is to keep them for so many days.
    let older = Action::new(|(id, days): &(String, i64)| {
        let (id, days) = (id.clone(), *days);
        async move { (days, count_older(id, days).await) }
    });
    let days = RwSignal::new(0_i64);
    // What was refused of another workspace is not said of this one.
    Effect::new(move |_| {
        edited.track();
        action.clear();
        older.clear();
    });
    let chosen = move |text: String| {
        let Some(id) = edited.with_untracked(|row| row.as_ref().map(|row| row.id.clone())) else { return };
        days.set(text.parse().unwrap_or_default());
        older.dispatch((id, days.get_untracked()));
    };
    let goes = move || match older.value().get() {
        Some((of, Ok(tasks @ 1..))) if of == days.get() => {
            let text = format!(
                "{} ended longer ago. With OK their messages are deleted, and do not come back.",
                counted(tasks, "task")
            );
            Some(view! { <Note tone=Tone::Warn><p>{text}</p></Note> })
        }
        _ => None,
    };
    let of = move |read: fn(&WorkspaceRow) -> String| {
        Signal::derive(move || edited.with(|row| row.as_ref().map(read).unwrap_or_default()))
    };
    let id = of(|row| row.id.clone());
    view! {
        <Dialog id=EDIT title="Edit workspace">
            <ActionForm action>
                <div class="fields">
                    <FormErrors error />
                    <input type="hidden" name="id" prop:value=move || id.get() />
                    <Field label="Name" name="edited[name]" required=true errors>
                        <TextInput
                            name="edited[name]"
                            value=of(|row| row.name.clone())
                            maxlength=NAME_MAX as u32
                            autocomplete="off"
                        />
                    </Field>
                    <Field label="Time zone" name="edited[time_zone]" required=true errors>
                        <Select name="edited[time_zone]" options=zones selected=of(|row| row.time_zone.clone()) />
                    </Field>
                    <KeepField form="edited" selected=of(|row| row.keep_days.to_string()) errors on_input=chosen />
                    <div aria-live="polite">{goes}</div>
                    <div class="dialog-foot">
                        <button type="button" class="btn" data-dialog-close="">"Cancel"</button>
                        <SubmitButton label="OK" pending=action.pending() />
                    </div>
                </div>
            </ActionForm>
        </Dialog>
    }
}
