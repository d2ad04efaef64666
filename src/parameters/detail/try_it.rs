//! "Try it": loads the values of an interface as a task form will, with the associated values that are typed.

use crate::{
    parameters::{
        api::LoadValues,
        model::{Parameter, ParameterChoice, Values},
    },
    ui::{
        EmptyState, Field, FormErrors, Note, SubmitButton, TableWrap, TextInput, Tone, field_errors, format::counted,
    },
};
use leptos::{form::ActionForm, prelude::*};

/// Values that are shown; the others are counted.
const SHOWN: usize = 100;

#[component]
pub fn TryIt(
    parameter: Parameter,
    /// The parameters that it is associated with.
    associated: Vec<ParameterChoice>,
    action: ServerAction<LoadValues>,
) -> impl IntoView {
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let errors = field_errors(error);
    let fields = parameter.dependencies().into_iter().enumerate().map(|(place, dependency)| {
        let known = associated.iter().find(|choice| choice.id == dependency.parameter);
        let help = known.map_or_else(String::new, |choice| format!("A value of {}.", choice.name));
        // What the server says is told by the setting's name.
        let setting = dependency.setting.clone();
        let name = format!("associated[{place}][value]");
        let own = name.clone();
        let errors = Signal::derive(move || {
            let mut all = errors.get();
            all.iter_mut().filter(|error| error.field == setting).for_each(|error| error.field.clone_from(&own));
            all
        });
        view! {
            <input type="hidden" name=format!("associated[{place}][name]") value=dependency.setting />
            <Field label=dependency.display_name name=name.clone() required=true help errors>
                <TextInput name=name autocomplete="off" />
            </Field>
        }
        .into_any()
    });
    let fields = fields.collect_view();
    view! {
        <div class="grid">
            <ActionForm action>
                <div class="fields">
                    <FormErrors error />
                    <input type="hidden" name="parameter_id" value=parameter.id />
                    // What stands in the cache is not what is tried.
                    <input type="hidden" name="retry" value="true" />
                    {fields}
                    <div class="actions">
                        <SubmitButton label="Load values" secondary=true pending=action.pending() />
                    </div>
                </div>
            </ActionForm>
            <div role="status">{move || action.value().get().and_then(Result::ok).map(loaded)}</div>
        </div>
    }
    .into_any()
}

fn loaded(values: Values) -> AnyView {
    let total = values.items.len();
    if total == 0 {
        return view! { <EmptyState title="No values" text="The interface answered as agreed, with no values." /> }
            .into_any();
    }
    let in_all = counted(i64::try_from(total).unwrap_or(i64::MAX), "value");
    let text = if total > SHOWN {
        format!("{in_all} loaded; the first {SHOWN} are shown.")
    } else {
        format!("{in_all} loaded.")
    };
    let rows = values.items.into_iter().take(SHOWN).map(|item| {
        view! {
            <tr>
                <td class="mono">{item.value}</td>
                <td data-label="Display name">{item.name}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <Note tone=Tone::Ok>
            <p>{text}</p>
        </Note>
        <TableWrap label="Loaded values">
            <table class="stack">
                <thead>
                    <tr>
                        <th scope="col">"Parameter value"</th>
                        <th scope="col">"Display name"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
    }
    .into_any()
}
