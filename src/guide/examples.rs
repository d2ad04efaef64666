//! The examples: a webhook's own values, or made-up ones. Made by the functions that make the real requests.

use super::model::{BodyVector, Guide, KEY, NONCE, Subject, TIMESTAMP};
use crate::{
    config::Config,
    webhooks::{
        form::Sample,
        model::{Parameter, ParameterType, Webhook},
    },
    wire::{
        message::{CallbackParams, request_url},
        receipt::{PATH, Receipt},
        signature,
    },
};

/// The guide for a webhook, or for nobody's when there is none.
pub fn guide(config: &Config, subject: Subject, webhook: Option<&Webhook>) -> Guide {
    let sample = webhook.map_or_else(made_up, Sample::from);
    let receipt_url = format!("{}{PATH}", config.public_url());
    let keyed = webhook.is_none_or(|webhook| webhook.has_key);
    let statuses = webhook.map(|webhook| webhook.input.statuses.clone()).unwrap_or_default();
    let status = statuses.first().map_or("200", |status| &status.code);
    Guide {
        subject,
        head: sample.head(),
        body: sample.body(),
        id_types: webhook.map(|webhook| webhook.input.id_types.clone()).unwrap_or_default(),
        parameters: webhook.map(|webhook| webhook.input.parameters.clone()).unwrap_or_default(),
        keyed,
        receipt_head: receipt_head(&receipt_url, keyed),
        receipt: receipt(&sample.body(), status),
        receipt_url,
        statuses,
        body_vector: body_vector(),
        tolerance_seconds: config.receipts.tolerance_seconds,
        tries: config.engine.tries,
        retry_first_ms: config.engine.retry_first_ms,
        retry_longest_ms: config.engine.retry_longest_ms,
    }
}

/// The seed's example.
fn made_up() -> Sample {
    let parameter = |name: &str, display_name: &str, kind| Parameter {
        name: name.into(),
        display_name: display_name.into(),
        kind,
        ..Default::default()
    };
    Sample {
        url: "https://crm.example.com/hook".into(),
        keyed: true,
        id_type: "OPEN_ID".into(),
        parameters: vec![
            parameter("define_item1", "Coupon ID", ParameterType::String),
            parameter("define_item2", "Sample coupon content", ParameterType::Text),
        ],
        ..Default::default()
    }
}

fn receipt_head(url: &str, keyed: bool) -> String {
    let value = if keyed { " <HMAC-SHA256 of key, timestamp and nonce, 64 hex digits>" } else { "" };
    let lines = [
        format!("POST {}", request_url(url, TIMESTAMP, NONCE)),
        "Content-Type: application/json".to_string(),
        format!("{}:{value}", signature::HEADER),
    ];
    lines.join("\n")
}

/// The receipt of the message in `body`: its `callback_params` come back.
fn receipt(body: &str, status: &str) -> String {
    let messages: Vec<serde_json::Value> = serde_json::from_str(body).unwrap_or_default();
    let callback =
        messages.into_iter().next().and_then(|mut message| message.get_mut("callback_params").map(std::mem::take));
    let callback_params: CallbackParams =
        callback.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default();
    let receipt = Receipt {
        msg_id: "0b5c1b2b9f0d4d4f8a0e6f6f3a1c7d52".into(),
        status: status.into(),
        cst_id: callback_params.customer_id.to_string(),
        send_time: ((TIMESTAMP + 2) * 1000).to_string(),
        callback_params,
    };
    // Strings always have a JSON form.
    serde_json::to_string_pretty(&[receipt]).unwrap_or_default()
}

fn body_vector() -> BodyVector {
    let (id, body) = ("batch-1", r#"[{"text":"你好"}]"#);
    BodyVector {
        key: KEY.into(),
        id: id.into(),
        timestamp: TIMESTAMP.to_string(),
        body: body.into(),
        signature: signature::sign_body(KEY, id, TIMESTAMP, body.as_bytes()),
    }
}
