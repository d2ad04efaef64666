//! What comes: URL, headers, body.

use super::{part, table};
use crate::{guide::model::Guide, ui::CodeBlock};
use leptos::prelude::*;

pub fn request(guide: &Guide) -> AnyView {
    let head = guide.head.clone();
    let parameters = view! {
        <tr><td class="mono">"timestamp"</td><td>"UNIX timestamp in seconds of this try."</td><td class="mono">"1631865523"</td></tr>
        <tr><td class="mono">"nonce"</td><td>"32-character random string of hex digits, new on every try."</td><td class="mono">"2e6eceb5737b473284c930c8ef79090e"</td></tr>
    };
    let parameters = table("URL parameters", &["URL parameter", "Meaning", "Example"], parameters.into_any());
    let headers = view! {
        <tr><td class="mono">"Content-Type"</td><td><code>"application/json"</code>"; the body is UTF-8."</td></tr>
        <tr><td class="mono">"X-QA-Hmac-Signature"</td><td>"The " <a href="#signature" rel="external">"signature"</a> ", 64 hex digits in lower case. Empty when the webhook has no authentication."</td></tr>
        <tr><td class="mono">"webhook-id"</td><td>"The batch’s id, the same as "<code>"batchId"</code>" and on every retry."</td></tr>
        <tr><td class="mono">"webhook-timestamp"</td><td>"The "<code>"timestamp"</code>" of the URL."</td></tr>
        <tr><td class="mono">"webhook-signature"</td><td>"The " <a href="#standard-webhooks" rel="external">"signature of the body"</a> "; absent without authentication."</td></tr>
    };
    let headers = table("Headers", &["Header", "Meaning"], headers.into_any());
    let environment = view! {
        <tr><td class="mono">"X-QA-Organization-Id"</td><td>"The installation that sends."</td></tr>
        <tr><td class="mono">"X-QA-Workspace-Id"</td><td>"The workspace that the webhook belongs to."</td></tr>
        <tr><td class="mono">"X-QA-Source"</td><td>"What sends: "<code>"task"</code>", "<code>"journey"</code>", "<code>"campaign"</code>" or "<code>"test"</code>" (a test send)."</td></tr>
        <tr><td class="mono">"X-QA-Source-Id"</td><td>"The id of that task, journey or campaign; of a test, the webhook’s."</td></tr>
    };
    let environment = table("Environment headers", &["Header", "Meaning"], environment.into_any());
    let content = view! {
        <p>"For every batch of 1 to 100 users, Reachwire sends one HTTP POST to the webhook’s Request URL. You check it, take the messages, and answer within 10 seconds."</p>
        <CodeBlock id="guide-head" text=head copy=true label="request line and headers" />
        <h3>"URL parameters"</h3>
        {parameters}
        <p>"Your URL’s own query stays as it is; the two are appended to it."</p>
        <h3>"Headers"</h3>
        {headers}
        <h3>"Environment headers"</h3>
        <p>"Sent when “Enable Environment Parameter Passing” is on for the webhook. No signature covers them: use them for logs and routing, not for permissions."</p>
        {environment}
    };
    part("request", "The request", content.into_any())
}

pub fn body(guide: &Guide) -> AnyView {
    let text = guide.body.clone();
    let profile = view! {
        <tr><td class="mono">"target_type"</td><td>"The ID type, in upper case."</td></tr>
        <tr><td class="mono">"target_id"</td><td>"The ID. When the task encrypts it: the lower-case hex of the MD5 or SHA-256 of its UTF-8 bytes."</td></tr>
        <tr><td class="mono">"customer_id"</td><td>"The unique ID of the customer; a receipt brings it back as "<code>"cst_id"</code>"."</td></tr>
    };
    let profile = table("user_profile", &["Field", "Meaning"], profile.into_any());
    let callback = view! {
        <tr><td class="mono">"webhook_id"</td><td>"The webhook."</td></tr>
        <tr><td class="mono">"send_time"</td><td>"UNIX timestamp in milliseconds of the batch’s first try."</td></tr>
        <tr><td class="mono">"nodeId"</td><td>"The node of a journey; empty for tasks."</td></tr>
        <tr><td class="mono">"instanceId"</td><td>"The instance of a journey; empty for tasks."</td></tr>
        <tr><td class="mono">"batchId"</td><td>"The batch: an idempotency ID for all of the request."</td></tr>
        <tr><td class="mono">"actionId"</td><td>"This message to this user: an idempotency ID for one item."</td></tr>
        <tr><td class="mono">"customerId"</td><td>"The customer, as "<code>"user_profile.customer_id"</code>"."</td></tr>
    };
    let callback = table("callback_params", &["Field", "Meaning"], callback.into_any());
    let process = view! {
        <tr><td class="mono">"processInstanceId"</td><td>"The user’s instance of the journey in its epoch."</td></tr>
        <tr><td class="mono">"processInstanceStartTime"</td><td>"When that began, as a UNIX timestamp."</td></tr>
        <tr><td class="mono">"processNodeInstanceId"</td><td>"The instance of the node, different each time."</td></tr>
        <tr><td class="mono">"processNodeInstanceStartTime"</td><td>"When that began, as a UNIX timestamp."</td></tr>
        <tr><td class="mono">"groupName"</td><td>"The groups that the user came through: "<code>"nodeId:nodeName:groupResult,groupName"</code>", several separated by semicolons."</td></tr>
    };
    let process = table("process_info", &["Field", "Meaning"], process.into_any());
    let content = view! {
        <p>"A JSON array of 1 to 100 objects like this one. All values are strings, numbers and dates too. It is sent without the line breaks shown here."</p>
        <CodeBlock id="guide-body" text=text copy=true label="request body" />
        <p>"Read the fields by their names and pass over those that you do not know: more may come."</p>
        <h3><code>"user_profile"</code></h3>
        {profile}
        {id_types(guide)}
        <h3><code>"params"</code></h3>
        {parameters(guide)}
        <h3><code>"callback_params"</code></h3>
        <p>"A receipt returns them as they came."</p>
        {callback}
        <h3><code>"process_info"</code></h3>
        <p>"Empty for tasks and test sends. For journeys:"</p>
        {process}
    };
    part("body", "The body", content.into_any())
}

/// The webhook's own types, or all that Reachwire brings.
fn id_types(guide: &Guide) -> AnyView {
    if !guide.id_types.is_empty() {
        let list = guide.id_types.join(", ");
        return view! { <p>"This webhook’s ID types: " <code>{list}</code> ". A request has one of them."</p> }
            .into_any();
    }
    let rows = view! {
        <tr><td class="mono">"ONEID"</td><td>"OneID"</td></tr>
        <tr><td class="mono">"EMAIL"</td><td>"Email address"</td></tr>
        <tr><td class="mono">"MOBILE"</td><td>"Mobile number"</td></tr>
        <tr><td class="mono">"TAOBAO_ID"</td><td>"Taobao ID"</td></tr>
        <tr><td class="mono">"TAOBAO_NICK"</td><td>"Taobao nickname"</td></tr>
        <tr><td class="mono">"IMEI"</td><td>"Mobile phone IMEI"</td></tr>
        <tr><td class="mono">"IMSI"</td><td>"Mobile phone IMSI"</td></tr>
        <tr><td class="mono">"IDFA"</td><td>"Mobile phone IDFA"</td></tr>
        <tr><td class="mono">"MAC_ORG"</td><td>"MAC address"</td></tr>
        <tr><td class="mono">"WEIBO_ID_ORG"</td><td>"Weibo ID"</td></tr>
        <tr><td class="mono">"ALIPAY_ID"</td><td>"Alipay ID"</td></tr>
        <tr><td class="mono">"UNION_ID"</td><td>"WeChat UnionID"</td></tr>
        <tr><td class="mono">"OAID"</td><td>"OAID"</td></tr>
        <tr><td class="mono">"OPEN_ID"</td><td>"WeChat OpenID"</td></tr>
    };
    let rows = table("ID types", &["ID Type", "Meaning"], rows.into_any());
    view! {
        <details>
            <summary>"ID types"</summary>
            {rows}
            <p>"A workspace may have types of its own besides."</p>
        </details>
    }
    .into_any()
}

fn parameters(guide: &Guide) -> AnyView {
    if guide.parameters.is_empty() {
        return view! {
            <p>"The webhook’s parameters under their Parameter Names, in the webhook’s order. A text’s variables are replaced by the user’s values before it is sent; a parameter without a value is an empty string."</p>
        }
        .into_any();
    }
    let rows = guide.parameters.iter().cloned().map(|parameter| {
        view! {
            <tr>
                <td class="mono">{parameter.name}</td>
                <td data-label="Display Name">{parameter.display_name}</td>
                <td data-label="Parameter Type">{parameter.kind.label()}</td>
                <td data-label="Required">{if parameter.required { "Yes" } else { "No" }}</td>
            </tr>
        }
    });
    let heads = &["Parameter Name", "Display Name", "Parameter Type", "Required"];
    let rows = table("Parameters of this webhook", heads, rows.collect_view().into_any());
    view! {
        <p>"This webhook’s parameters. A text’s variables are replaced by the user’s values before it is sent; a parameter without a value is an empty string."</p>
        {rows}
    }
    .into_any()
}
