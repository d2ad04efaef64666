//! Reporting back, and what the endpoint answers.

use super::{part, table};
use crate::{
    guide::model::Guide,
    ui::{CodeBlock, format::duration_ms},
};
use leptos::prelude::*;

pub fn receipts(guide: &Guide) -> AnyView {
    let (head, sample, url) = (guide.receipt_head.clone(), guide.receipt.clone(), guide.receipt_url.clone());
    let tolerance = duration_ms(guide.tolerance_seconds.saturating_mul(1000));
    let signature = if guide.keyed {
        "The signature by the same algorithm and key as the requests’."
    } else {
        "This webhook has no authentication: empty or absent."
    };
    let parameters = view! {
        <tr>
            <td class="mono">"timestamp"</td>
            <td>"URL parameter: UNIX timestamp in seconds; 13 digits are read as milliseconds. At most " {tolerance} " away from the server’s time."</td>
        </tr>
        <tr><td class="mono">"nonce"</td><td>"URL parameter: a random string, 32 characters."</td></tr>
        <tr><td class="mono">"X-QA-Hmac-Signature"</td><td>"Header. " {signature}</td></tr>
        <tr><td class="mono">"Content-Type"</td><td>"Header: "<code>"application/json"</code>"."</td></tr>
    };
    let parameters = table("Parameters and headers", &["Name", "Meaning"], parameters.into_any());
    let fields = view! {
        <tr><td class="mono">"msg_id"</td><td>"A unique ID of yours, 32 characters."</td></tr>
        <tr><td class="mono">"status"</td><td>"One of the webhook’s status codes."</td></tr>
        <tr><td class="mono">"cst_id"</td><td>"The "<code>"user_profile.customer_id"</code>" of the request."</td></tr>
        <tr><td class="mono">"send_time"</td><td>"UNIX timestamp in milliseconds of what is reported. Of several receipts for one message the latest counts; all are kept."</td></tr>
        <tr><td class="mono">"callback_params"</td><td>"Those of the request, as they came. "<code>"webhook_id"</code>" finds the webhook, "<code>"actionId"</code>" the message."</td></tr>
    };
    let fields = table("Fields of a receipt", &["Field", "Meaning"], fields.into_any());
    let answers = view! {
        <tr><td>"200"</td><td><code>"{\"code\":200,\"message\":\"Success\"}"</code>": all are on disk. Sending them again changes nothing."</td></tr>
        <tr><td>"400"</td><td>"The body is not an array of receipts (the message has the place), or some were not taken: "<code>"errors"</code>" has "<code>"index"</code>" and "<code>"reason"</code>" of each, the others are recorded. Do not send it again as it is."</td></tr>
        <tr><td>"401"</td><td>"The signature does not fit, the webhook is not known, or the timestamp is too far away. Nothing is recorded."</td></tr>
        <tr><td>"408"</td><td>"The body took too long. Nothing is recorded; send it again."</td></tr>
        <tr><td>"413"</td><td>"Too large. Nothing is recorded; send it in parts."</td></tr>
        <tr><td>"500"</td><td>"An error on our side. Send it again."</td></tr>
    };
    let answers = table("Answers to receipts", &["HTTP status", "Meaning"], answers.into_any());
    let content = view! {
        <p>"When the webhook takes receipts, report what became of each message: one POST for many users, in any order, at any time until the data retention period ends. A receipt may come before your answer to the request has been seen."</p>
        <CodeBlock id="guide-receipt-url" text=url copy=true label="receipt URL" />
        <CodeBlock id="guide-receipt-head" text=head copy=true label="request line and headers of a receipt" />
        <CodeBlock id="guide-receipt" text=sample copy=true label="body of a receipt" />
        {parameters}
        <h3>"Fields"</h3>
        <p>"The body is an array of these; all values are strings."</p>
        {fields}
        {statuses(guide)}
        <h3>"Answers"</h3>
        <p>"The answer is JSON with "<code>"code"</code>", the same number as the HTTP status, and "<code>"message"</code>"."</p>
        {answers}
    };
    part("receipts", "Receipts", content.into_any())
}

fn statuses(guide: &Guide) -> AnyView {
    if guide.statuses.is_empty() {
        return ().into_any();
    }
    let rows = guide.statuses.iter().cloned().map(|status| {
        view! {
            <tr>
                <td class="mono">{status.code}</td>
                <td>{status.value}</td>
            </tr>
        }
    });
    let rows = table("Statuses of this webhook", &["Status code", "Status value"], rows.collect_view().into_any());
    view! {
        <h3>"Statuses of this webhook"</h3>
        {rows}
    }
    .into_any()
}

pub fn errors(guide: &Guide) -> AnyView {
    let tolerance = guide.tolerance_seconds;
    let rows = view! {
        <tr><td>"unknown actionId"</td><td>"No message of this webhook has it, or it was never sent. Return "<code>"callback_params"</code>" as they came."</td></tr>
        <tr><td>"unknown status …"</td><td>"Not among the webhook’s status codes. The administrator can add it."</td></tr>
        <tr><td>"send_time is not in unix milliseconds"</td><td>"A time in digits is needed."</td></tr>
        <tr><td>"msg_id is longer than 128 characters"</td><td>"Use a shorter one."</td></tr>
        <tr><td>"the webhook takes no receipts"</td><td>"“Enable receipt settings” was off when the message was sent."</td></tr>
        <tr><td>"the retention period is over"</td><td>"Too late: nothing is taken any more."</td></tr>
    };
    let rows = table("Reasons for single receipts", &["Reason", "What to do"], rows.into_any());
    let refusals = view! {
        <tr><td>"the parameter timestamp is missing or no number"</td><td>"It belongs in the URL."</td></tr>
        <tr><td>"the timestamp is … s away from the server’s time; " {tolerance} " s are allowed"</td><td>"Set the clock, and sign anew on every try."</td></tr>
        <tr><td>"callback_params.webhook_id names no webhook"</td><td>"Return "<code>"callback_params"</code>" as they came."</td></tr>
        <tr><td>"X-QA-Hmac-Signature does not fit the webhook’s key, timestamp and nonce"</td><td>"Compare with the "<a href="#calculator" rel="external">"calculator"</a>". All receipts of a request must be of webhooks with the same key."</td></tr>
    };
    let refusals = table("Reasons of 401", &["Message", "What to do"], refusals.into_any());
    let yours = view! {
        <tr><td class="mono">"BAD_SIGNATURE"</td><td>"401: "<code>"X-QA-Hmac-Signature"</code>" does not fit."</td></tr>
        <tr><td class="mono">"BAD_TIMESTAMP"</td><td>"401: more than five minutes away."</td></tr>
        <tr><td class="mono">"BAD_BODY_SIGNATURE"</td><td>"401: "<code>"webhook-signature"</code>" does not fit."</td></tr>
        <tr><td class="mono">"BAD_BODY"</td><td>"400: not an array of messages."</td></tr>
        <tr><td class="mono">"TOO_LARGE"</td><td>"413: more than the receiver takes."</td></tr>
        <tr><td class="mono">"FAILED"</td><td>"500: the work failed; the batch comes again."</td></tr>
    };
    let yours = table("Codes of the receivers", &["Code", "Meaning"], yours.into_any());
    let content = view! {
        <h3>"Receipts that were not taken"</h3>
        <p>"A 400 names them; the webhook’s page lists the latest under “Receipts that were not taken”."</p>
        {rows}
        <h3>"Requests that were refused"</h3>
        <p>"The messages of a 401:"</p>
        {refusals}
        <h3>"Your own codes"</h3>
        <p>"They are yours to choose. Reachwire shows those of a 2xx answer with their message as the reason, and of other answers the HTTP status. The receivers below use:"</p>
        {yours}
    };
    part("errors", "Error codes", content.into_any())
}
