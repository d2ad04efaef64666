//! The form that says what each column of a file means.

use super::{
    api::{ColumnView, ImportView, StartImport},
    model::{IdType, TagKind},
};
use crate::{
    error::FieldError,
    ui::{CellError, FormErrors, Panel, Select, SelectOption, SubmitButton, TableWrap, TextInput, field_errors},
};
use leptos::prelude::*;

#[component]
pub fn MappingForm(view: ImportView, start: ServerAction<StartImport>) -> impl IntoView {
    let error = Signal::derive(move || start.value().get().and_then(Result::err));
    let errors = field_errors(error);
    let targets = targets(&view.id_types);
    let columns = view.columns.into_iter().enumerate();
    let rows = columns.map(|(place, column)| row(place, column, targets.clone(), errors)).collect_view();
    view! {
        <ActionForm action=start>
            <input type="hidden" name="id" value=view.import.id />
            <Panel title="What each column means" padded=false>
                <FormErrors error />
                <TableWrap label="Columns">
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">"Column"</th>
                                <th scope="col">"First values"</th>
                                <th scope="col">"Means"</th>
                                <th scope="col">"Tag name"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </TableWrap>
                <div class="sticky-foot">
                    <CellError name="columns" errors />
                    <SubmitButton label="Start Import" pending=start.pending() />
                </div>
            </Panel>
        </ActionForm>
    }
    .into_any()
}

fn targets(id_types: &[IdType]) -> Vec<SelectOption> {
    let mut targets = vec![SelectOption::new("ignore", "Ignore"), SelectOption::new("customer_id", "Customer ID")];
    targets.extend(id_types.iter().map(|id_type| {
        SelectOption::new(format!("id:{}", id_type.code), format!("ID: {} ({})", id_type.code, id_type.name))
    }));
    targets.extend(
        TagKind::ALL.map(|kind| SelectOption::new(format!("tag:{}", kind.code()), format!("Tag: {}", kind.label()))),
    );
    targets
}

fn row(place: usize, column: ColumnView, targets: Vec<SelectOption>, errors: Signal<Vec<FieldError>>) -> impl IntoView {
    let ColumnView { guess, cells } = column;
    let target = RwSignal::new(guess.target);
    let (target_name, tag_name) = (format!("columns[{place}][target]"), format!("columns[{place}][name]"));
    let not_a_tag = Signal::derive(move || !target.with(|target| target.starts_with("tag:")));
    let values = cells.into_iter().filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(" · ");
    view! {
        <tr>
            <th scope="row">
                {guess.header.clone()}
                <input type="hidden" name=format!("columns[{place}][header]") value=guess.header.clone() />
            </th>
            <td>
                <span class="under">{values}</span>
            </td>
            <td>
                <Select
                    name=target_name.clone()
                    options=targets
                    selected=target
                    aria_label=format!("Meaning of {}", guess.header)
                    errors
                    on_input=move |value| target.set(value)
                />
                <CellError name=target_name errors />
            </td>
            <td>
                // A disabled input is not sent, and an ignored name does no harm: it stays enabled without the wasm.
                <div hidden=move || not_a_tag.get()>
                    <TextInput
                        name=tag_name.clone()
                        value=guess.name
                        maxlength=64_u32
                        aria_label=format!("Tag name for {}", guess.header)
                        errors
                    />
                </div>
                <CellError name=tag_name errors />
            </td>
        </tr>
    }
}
