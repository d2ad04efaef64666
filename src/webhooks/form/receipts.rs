//! "Enable receipt settings": how long receipts are taken, and what their status codes mean.

use super::state::FormState;
use crate::{
    error::FieldError,
    ui::{Button, CellError, Field, Glyph, Icon, Switch, TextInput, form_rows},
    webhooks::model::{PARAMETER_NAME_MAX, ReceiptStatus, STATUSES_MAX},
};
use leptos::prelude::*;

/// A status that is being typed.
#[derive(Clone, Copy)]
struct Row {
    code: RwSignal<String>,
    value: RwSignal<String>,
}

impl Row {
    fn new(status: ReceiptStatus) -> Self {
        Self { code: RwSignal::new(status.code), value: RwSignal::new(status.value) }
    }
}

/// `frozen`: the statuses that receipts were enabled with. They are shown and sent along, not edited.
#[component]
pub fn ReceiptSettings(
    state: FormState,
    frozen: Vec<ReceiptStatus>,
    /// What a copy starts with; empty: what a new webhook does.
    suggested: Vec<ReceiptStatus>,
    #[prop(into)] errors: Signal<Vec<FieldError>>,
) -> impl IntoView {
    let first = frozen.len();
    let suggested = match (frozen.is_empty(), suggested.is_empty()) {
        (true, true) => suggestions(),
        (true, false) => suggested,
        (false, _) => Vec::new(),
    };
    let rows = RwSignal::new(suggested.into_iter().map(Row::new).collect::<Vec<_>>());
    let list = form_rows(rows, move |row, at| status(rows, row, at, first + at, errors));
    let fixed = frozen.into_iter().enumerate().map(|(place, status)| fixed_status(place, status)).collect_view();
    let full = Signal::derive(move || first + rows.with(Vec::len) >= STATUSES_MAX);
    let add = move |()| rows.update(|rows| rows.push(Row::new(ReceiptStatus::default())));
    view! {
        <fieldset class="fields switched">
            <legend>"Delivery receipts"</legend>
            <Switch
                name="input[receipts_enabled]"
                label="Enable receipt settings"
                checked=state.receipts_enabled
                on_change=move |on| state.receipts_enabled.set(on)
            />
            <div class="fields if-on">
                <Field
                    label="Data retention period"
                    name="input[retention_days]"
                    help="Days after sending; later receipts are not accepted. 1 to 90."
                    errors
                >
                    <TextInput
                        name="input[retention_days]"
                        type_="number"
                        value=state.retention_days.to_string()
                        inputmode="numeric"
                    />
                </Field>
                {(first > 0)
                    .then(|| {
                        view! {
                            <p class="quiet">
                                "Statuses that receipts were enabled with can no longer be changed or removed, only added to."
                            </p>
                        }
                    })}
                {fixed}
                {list}
                <CellError name="input[statuses]" errors />
                <div class="actions">
                    <Button label="Add Status" icon=Glyph::Plus disabled=full on_click=add />
                </div>
            </div>
        </fieldset>
    }
    .into_any()
}

fn suggestions() -> Vec<ReceiptStatus> {
    crate::webhooks::model::WebhookInput::default().statuses
}

fn input_name(place: usize, field: &str) -> String {
    format!("input[statuses][{place}][{field}]")
}

fn fixed_status(place: usize, status: ReceiptStatus) -> impl IntoView {
    view! {
        <p>
            <input type="hidden" name=input_name(place, "code") value=status.code.clone() />
            <input type="hidden" name=input_name(place, "value") value=status.value.clone() />
            <span class="chip">{status.code}</span>
            " "
            {status.value}
        </p>
    }
}

fn status(rows: RwSignal<Vec<Row>>, row: Row, at: usize, place: usize, errors: Signal<Vec<FieldError>>) -> AnyView {
    let remove = move |_| {
        rows.update(|rows| {
            rows.remove(at);
        });
    };
    view! {
        <div class="row-fields">
            <Field label="Status code" name=input_name(place, "code") errors>
                <TextInput
                    name=input_name(place, "code")
                    value=row.code
                    maxlength=PARAMETER_NAME_MAX as u32
                    autocomplete="off"
                    mono=true
                    on_input=move |text| row.code.set(text)
                />
            </Field>
            <Field label="Status value" name=input_name(place, "value") errors>
                <TextInput
                    name=input_name(place, "value")
                    value=row.value
                    maxlength=PARAMETER_NAME_MAX as u32
                    autocomplete="off"
                    on_input=move |text| row.value.set(text)
                />
            </Field>
            <div class="actions">
                <button type="button" class="btn bare danger" on:click=remove>
                    <Icon glyph=Glyph::Close />
                    "Remove"
                    <span class="sr">{format!(" status {}", place + 1)}</span>
                </button>
            </div>
        </div>
    }
    .into_any()
}
