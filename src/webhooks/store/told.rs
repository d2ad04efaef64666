//! What the audit log says of a webhook's settings: under the labels of the form, its keys never.

use crate::{
    audit::Change,
    clock::Millis,
    ui::time,
    webhooks::model::{Authentication, Webhook, WebhookInput, settings_told},
};
use serde_json::{Map, Value};

/// Under which it stands that a key is another one now.
const KEY: &str = "Key";
const CLIENT_KEY: &str = "Client key";

/// The settings by their labels.
pub fn settings(input: &WebhookInput) -> Map<String, Value> {
    settings_told(input).into_iter().map(|(label, value)| (label, Value::String(value))).collect()
}

pub fn created(input: &WebhookInput, copy_of: Option<&str>) -> Change {
    let mut after = settings(input);
    if let Some(original) = copy_of {
        after.insert("Copy of".into(), original.into());
    }
    Change::to(&after)
}

/// `kept` is the input as it was saved; `old_key_until` is how long a replaced key verifies receipts.
pub fn changed(before: &Webhook, input: &WebhookInput, kept: &WebhookInput, old_key_until: Option<Millis>) -> Change {
    let (mut was, mut is) = (settings(&before.input), settings(kept));
    if input.authentication == Authentication::Key && !input.key.is_empty() {
        let until =
            old_key_until.map_or_else(String::new, |at| format!("; the one before is valid until {}", time::iso(at)));
        is.insert(KEY.into(), if before.has_key { format!("Replaced{until}") } else { "Set".into() }.into());
    } else if before.has_key && input.authentication == Authentication::None {
        was.insert(KEY.into(), "Set".into());
    }
    if !input.client_certificate.is_empty() && !input.client_key.is_empty() {
        is.insert(CLIENT_KEY.into(), if before.has_client_key { "Replaced" } else { "Set" }.into());
    } else if before.has_client_key && input.client_certificate.is_empty() {
        was.insert(CLIENT_KEY.into(), "Set".into());
    }
    Change::between(&was, &is)
}
