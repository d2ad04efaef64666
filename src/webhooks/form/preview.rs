//! "Preview Message Format": the request as it goes over the wire, for one made-up user. Made in the page from what is
//! typed, by the functions that make the real ones.

use crate::{
    ui::{CodeBlock, Panel},
    webhooks::model::{Parameter, ParameterType, Webhook},
    wire::{
        environment::Environment,
        message::{self, CallbackParams, Message, Params, ProcessInfo, UserProfile},
        text::Template,
    },
};
use leptos::prelude::*;

/// What a preview is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Empty while there is none.
    pub webhook_id: String,
    pub url: String,
    pub keyed: bool,
    pub pass_environment: bool,
    pub id_type: String,
    pub parameters: Vec<Parameter>,
}

impl From<&Webhook> for Sample {
    fn from(webhook: &Webhook) -> Self {
        Self {
            webhook_id: webhook.id.clone(),
            url: webhook.input.url.clone(),
            keyed: webhook.has_key,
            pass_environment: webhook.input.pass_environment,
            id_type: webhook.input.id_types.first().cloned().unwrap_or_default(),
            parameters: webhook.input.parameters.clone(),
        }
    }
}

/// The seed's moment and nonce: the same text on the server and in the browser.
const TIMESTAMP: i64 = 1_631_865_523;
const NONCE: &str = "2e6eceb5737b473284c930c8ef79090e";

impl Sample {
    /// Request line and headers.
    pub fn head(&self) -> String {
        let url = if self.url.trim().is_empty() { "https://…" } else { self.url.trim() };
        let mut lines = vec![
            format!("POST {}", message::request_url(url, TIMESTAMP, NONCE)),
            "Content-Type: application/json".to_string(),
            if self.keyed {
                "X-QA-Hmac-Signature: <HMAC-SHA256 of key, timestamp and nonce, 64 hex digits>".to_string()
            } else {
                "X-QA-Hmac-Signature:".to_string()
            },
            "webhook-id: <batchId>".to_string(),
            format!("webhook-timestamp: {TIMESTAMP}"),
        ];
        if self.keyed {
            lines.push("webhook-signature: v1,<HMAC-SHA256 of id, timestamp and body, base64>".to_string());
        }
        if self.pass_environment {
            let environment = Environment {
                organization_id: "<organization>".into(),
                workspace_id: "<workspace>".into(),
                source: "task".into(),
                source_id: "<task>".into(),
            };
            lines.extend(environment.headers().map(|(name, value)| format!("{name}: {value}")));
        }
        lines.join("\n")
    }

    /// The body for one user; a batch has 1 to 100 of these.
    pub fn body(&self) -> String {
        let mut template = Template::default();
        for parameter in self.parameters.iter().filter(|parameter| !parameter.name.is_empty()) {
            template.push_constant(&parameter.name, &sample_value(parameter));
        }
        let or = |text: &str, otherwise: &str| if text.is_empty() { otherwise.to_string() } else { text.to_string() };
        let id_type = or(&self.id_type, "<ID type>");
        let message = Message {
            user_profile: UserProfile { target_type: &id_type, target_id: "1917810", customer_id: "c-1" },
            params: Params { template: &template, values: &[] as &[String] },
            callback_params: CallbackParams {
                webhook_id: or(&self.webhook_id, "<webhook>").into(),
                send_time: (TIMESTAMP * 1000).to_string().into(),
                batch_id: "<batch>".into(),
                action_id: "<action>".into(),
                customer_id: "c-1".into(),
                ..Default::default()
            },
            process_info: ProcessInfo::default(),
        };
        // Strings always have a JSON form.
        message::pretty(&[message]).unwrap_or_default()
    }
}

fn sample_value(parameter: &Parameter) -> String {
    match parameter.kind {
        ParameterType::Numeric => "100".into(),
        ParameterType::Date => "2026-01-31".into(),
        _ if parameter.display_name.is_empty() => "…".into(),
        ParameterType::String | ParameterType::Text | ParameterType::Call => parameter.display_name.clone(),
    }
}

#[component]
pub fn MessagePreview(#[prop(into)] sample: Signal<Sample>) -> impl IntoView {
    let head = Signal::derive(move || sample.with(Sample::head));
    let body = Signal::derive(move || sample.with(Sample::body));
    view! {
        <Panel title="Preview Message Format">
            <div class="fields">
                <CodeBlock id="preview-head" text=head copy=true label="request line and headers" />
                <CodeBlock id="preview-body" text=body copy=true label="request body" />
                <span class="help quiet">"One user is shown; a request carries up to as many as “Users per request” says. All values are strings."</span>
            </div>
        </Panel>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Sample {
        Sample {
            url: "https://crm.example.com/hook?a=1".into(),
            keyed: true,
            id_type: "OPEN_ID".into(),
            parameters: vec![
                Parameter { name: "coupon".into(), display_name: "优惠券".into(), ..Default::default() },
                Parameter { name: "points".into(), kind: ParameterType::Numeric, ..Default::default() },
                Parameter::default(),
            ],
            ..Default::default()
        }
    }

    #[test]
    fn the_preview_is_a_request_with_what_was_typed() {
        let body: serde_json::Value = serde_json::from_str(&sample().body()).unwrap();
        assert_eq!(body[0]["user_profile"]["target_type"], "OPEN_ID");
        assert_eq!(body[0]["params"], serde_json::json!({"coupon": "优惠券", "points": "100"}));
        assert_eq!(body[0]["process_info"], serde_json::json!({}));
    }

    #[test]
    fn the_signatures_stand_there_with_a_key_only() {
        let head = sample().head();
        let line =
            "POST https://crm.example.com/hook?a=1&timestamp=1631865523&nonce=2e6eceb5737b473284c930c8ef79090e\n";
        assert!(head.starts_with(line), "{head}");
        assert!(head.contains("webhook-signature: v1,"));
        let open = Sample { keyed: false, ..sample() }.head();
        assert!(open.contains("X-QA-Hmac-Signature:\n") && !open.contains("webhook-signature"), "{open}");
    }
}
