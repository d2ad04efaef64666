//! ID Type Management: the list, and the dialog of a custom type.

use super::{
    api::{AddIdType, list_id_types, set_id_type_enabled},
    model::{CODE_MAX, ManagedIdType, NAME_MAX},
};
use crate::{
    access::{
        model::{Area, Permission},
        reader_may,
    },
    ui::{
        Button, Dialog, Field, FormErrors, Loaded, PageHeader, Panel, SubmitButton, Switch, TableWrap, TextInput, Tone,
        close_dialog, use_toasts,
    },
    webhooks::fields::in_argument,
};
use leptos::{form::ActionForm, html, prelude::*};

const ADD: &str = "add-id-type";

/// A switch that was turned, to be turned back on failure.
#[derive(Clone)]
struct Turn {
    code: String,
    enabled: bool,
    shown: RwSignal<bool>,
}

pub fn id_types_page() -> AnyView {
    let add = ServerAction::<AddIdType>::new();
    let rows = Resource::new(move || add.version().get(), |_| list_id_types());
    let toasts = use_toasts();
    let turn = Action::new(move |turn: &Turn| {
        let turn = turn.clone();
        async move {
            match set_id_type_enabled(turn.code.clone(), turn.enabled).await {
                Ok(()) => {
                    let word = if turn.enabled { "enabled" } else { "disabled" };
                    toasts.show(Tone::Ok, format!("{} is {word}.", turn.code));
                }
                Err(error) => {
                    turn.shown.set(!turn.enabled);
                    toasts.show(Tone::Bad, error.to_string());
                }
            }
        }
    });
    let manages = reader_may(Permission::Manage(Area::IdTypes));
    view! {
        <PageHeader
            title="ID Type Management"
            crumbs=vec![("Configuration Management", "")]
            intro="The IDs that customers have. Webhooks can be sent to those that are enabled."
        >
            {manages.then(|| view! { <Button label="Create ID Type" primary=true opens=ADD /> })}
        </PageHeader>
        <Panel padded=false>
            <Loaded what=rows show=move |rows| table(rows, manages, turn) />
        </Panel>
        {manages.then(|| view! { <AddDialog action=add /> })}
    }
    .into_any()
}

fn table(rows: Vec<ManagedIdType>, manages: bool, turn: Action<Turn, ()>) -> AnyView {
    let rows = rows.into_iter().map(|row| self::row(row, manages, turn)).collect_view();
    view! {
        <TableWrap label="ID types">
            <table class="stack">
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Code"</th>
                        <th scope="col">"Values per customer"</th>
                        <th scope="col" class="num">"Webhooks that allow it"</th>
                        <th scope="col">"Enabled"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
    }
    .into_any()
}

fn row(row: ManagedIdType, manages: bool, turn: Action<Turn, ()>) -> AnyView {
    let shown = RwSignal::new(row.enabled);
    let code = row.code.clone();
    let turned = move |enabled| {
        shown.set(enabled);
        turn.dispatch(Turn { code: code.clone(), enabled, shown });
    };
    let used = match row.webhooks {
        0 => "0".into_any(),
        webhooks => view! { <a href=format!("/webhooks?id_type={}", row.code)>{webhooks}</a> }.into_any(),
    };
    view! {
        <tr>
            <td class="title">{row.name}</td>
            <td class="mono" data-label="Code">{row.code.clone()}</td>
            <td data-label="Values per customer">{if row.multi_value { "Several" } else { "One" }}</td>
            <td class="num" data-label="Webhooks that allow it">{used}</td>
            <td data-label="Enabled">
                <Switch
                    id=format!("enabled-{}", row.code)
                    name="enabled"
                    label=format!("{} enabled", row.code)
                    checked=shown
                    disabled=!manages
                    bare=true
                    on_change=turned
                />
            </td>
        </tr>
    }
    .into_any()
}

#[component]
fn AddDialog(action: ServerAction<AddIdType>) -> impl IntoView {
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let errors = in_argument("new", error);
    let form = NodeRef::<html::Form>::new();
    Effect::new(move |_| {
        if matches!(action.value().get(), Some(Ok(()))) {
            close_dialog(ADD);
            if let Some(form) = form.get_untracked() {
                // The next one begins empty.
                form.reset();
            }
        }
    });
    view! {
        <Dialog id=ADD title="Create ID Type">
            <ActionForm action node_ref=form>
                <div class="fields">
                    <FormErrors error />
                    <Field label="Name" name="new[name]" required=true errors>
                        <TextInput name="new[name]" maxlength=NAME_MAX as u32 autocomplete="off" />
                    </Field>
                    <Field
                        label="Code"
                        name="new[code]"
                        required=true
                        help="Upper-case English letters, digits and underscores; receivers get it as target_type. It can't be changed later."
                        errors
                    >
                        <TextInput name="new[code]" maxlength=CODE_MAX as u32 autocomplete="off" mono=true />
                    </Field>
                    <Field label="Values per customer" name="new[multi_value]">
                        <Switch name="new[multi_value]" label="A customer may have several" />
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
