//! A Date parameter's value: a date, and a time if one wants.

use crate::ui::TextInput;
use leptos::prelude::*;

/// `value` is `YYYY-MM-DD` or `YYYY-MM-DD HH:MM`; the two inputs are `name` and `time_name`.
#[component]
pub fn DateValue(
    #[prop(into)] name: String,
    #[prop(into)] time_name: String,
    /// The field's, for the time beside it.
    #[prop(into)]
    label: String,
    #[prop(into)] value: Signal<String>,
) -> impl IntoView {
    let part = move |place: usize| value.with(|value| value.split(' ').nth(place).unwrap_or_default().to_string());
    view! {
        <div class="row-fields">
            <TextInput name value=Signal::derive(move || part(0)) type_="date" />
            <TextInput
                name=time_name
                value=Signal::derive(move || part(1))
                type_="time"
                aria_label=format!("{label}, time (optional)")
            />
        </div>
    }
}
