//! "TLS": the authority that a receiver's certificate is checked by, and the certificate that is shown to it.

use crate::{
    error::FieldError,
    ui::{Field, TextArea},
    webhooks::model::{PEM_MAX, WebhookInput},
};
use leptos::prelude::*;

const FIELDS: [&str; 3] = ["input[ca_certificate]", "input[client_certificate]", "input[client_key]"];

/// Closed while there is nothing in it and nothing wrong with it.
pub fn certificates(
    input: &WebhookInput,
    has_client_key: bool,
    copies: bool,
    errors: Signal<Vec<FieldError>>,
) -> AnyView {
    let filled = !input.ca_certificate.is_empty() || !input.client_certificate.is_empty();
    let wrong = move || errors.with(|errors| errors.iter().any(|error| FIELDS.contains(&error.field.as_str())));
    let key_help = match (has_client_key, copies) {
        (true, true) => "Leave it empty to use the original's key.",
        (true, false) => "Leave it empty to keep the key that is there. It can be replaced, not shown.",
        (false, _) => "PEM, without a passphrase.",
    };
    let area = move |label: &'static str, name: &'static str, value: String, help: &'static str| {
        view! {
            <Field label name help errors>
                <TextArea name value=Signal::stored(value) rows=4 maxlength=PEM_MAX as u32 mono=true />
            </Field>
        }
        .into_any()
    };
    let [ca, client, key] = FIELDS;
    let ca = area(
        "CA certificate",
        ca,
        input.ca_certificate.clone(),
        "PEM. If it is there, the receiver's certificate must be signed by it, and no other authority is trusted.",
    );
    let client = area(
        "Client certificate",
        client,
        input.client_certificate.clone(),
        "PEM, with those between it and its authority. Shown to a receiver that asks for a certificate.",
    );
    let key = area("Client key", key, String::new(), key_help);
    view! {
        <details class="more-fields" open=move || filled || wrong()>
            <summary>"TLS"</summary>
            <div class="fields">{ca} {client} {key}</div>
        </details>
    }
    .into_any()
}
