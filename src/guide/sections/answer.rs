//! What to answer, what follows from it, and how large things may be.

use super::{part, table};
use crate::{
    guide::model::Guide,
    ui::{
        CodeBlock,
        format::{count, duration_ms},
    },
};
use leptos::prelude::*;

const ANSWER: &str = "HTTP/1.1 200 OK\nContent-Type: application/json\n\n{\"code\":\"OK\",\"message\":\"\"}";

pub fn answer() -> AnyView {
    let fields = view! {
        <tr><td class="mono">"code"</td><td><code>"OK"</code>", in upper case, when you have taken the batch. Anything else is a code of your own: a refusal."</td></tr>
        <tr><td class="mono">"message"</td><td>"What the code means, for the marketer to read. Not required."</td></tr>
    };
    let fields = table("Fields of the answer", &["Field", "Meaning"], fields.into_any());
    let follows = view! {
        <tr><td>"2xx with "<code>"{\"code\":\"OK\"}"</code></td><td>"The batch is accepted."</td></tr>
        <tr><td>"2xx with another code"</td><td>"Refused: code and message are recorded and shown. Not tried again."</td></tr>
        <tr><td>"2xx without JSON or without a code, one larger than 64 KiB, or one that is no HTTP"</td><td>"Failed. Not tried again."</td></tr>
        <tr><td>"No complete answer in 10 seconds, no connection, one that breaks"</td><td>"Tried again."</td></tr>
        <tr><td>"408, 429, 5xx"</td><td>"Tried again, not before "<code>"Retry-After"</code>" (seconds or a date, up to a day) says so."</td></tr>
        <tr><td>"Other 3xx, 4xx"</td><td>"Failed. Redirects are not followed."</td></tr>
    };
    let follows = table("What follows from an answer", &["Answer", "What Reachwire does"], follows.into_any());
    let content = view! {
        <p>"Answer when the messages are safe with you, in a table or a queue, not when they have reached the users. The 10 seconds are for the whole exchange, the answer’s body included."</p>
        <CodeBlock id="guide-answer" text=ANSWER.to_string() copy=true label="answer" />
        {fields}
        {follows}
        <p>"An answer is for the whole batch. What became of one user’s message is for a " <a href="#receipts" rel="external">"receipt"</a> " to tell."</p>
    };
    part("answer", "The answer", content.into_any())
}

pub fn retries(guide: &Guide) -> AnyView {
    let (tries, first) = (count(guide.tries), duration_ms(guide.retry_first_ms));
    let longest = duration_ms(guide.retry_longest_ms);
    let content = view! {
        <p>
            "A batch is tried up to " {tries} " times. The first wait is " {first} ", each further one is twice as long, up to " {longest}
            ", all spread by a fifth. Later on, a person may send it again."
        </p>
        <p>"So the same batch may reach you twice: after a timeout, after an answer that got lost, after a crash on our side. Then"</p>
        <ul>
            <li><code>"batchId"</code>" and every "<code>"actionId"</code>" are the same,"</li>
            <li>"the body is the same, byte for byte,"</li>
            <li>"timestamp, nonce and both signatures are new."</li>
        </ul>
        <p>"Remember each "<code>"actionId"</code>" together with the work it stands for, in one transaction, and do the work once. Answer "<code>"OK"</code>" to a batch that you have already. Keep the ids for at least as long as the webhook takes receipts."</p>
        <p>"When the work fails in the middle of a batch, answer 500: the whole batch comes again, and what is done is passed over."</p>
    };
    part("retries", "Retries and idempotency", content.into_any())
}

pub fn limits() -> AnyView {
    let rows = view! {
        <tr><td>"Users in a request"</td><td>"1 to 100, as “Users per request” of the webhook says"</td></tr>
        <tr><td>"Time for an answer"</td><td>"10 seconds, body included"</td></tr>
        <tr><td>"What is read of an answer"</td><td>"64 KiB"</td></tr>
        <tr><td>"Request URL"</td><td>"2,000 characters; http or https. Private addresses are refused unless the administrator allows their network."</td></tr>
        <tr><td>"Key"</td><td>"128 characters"</td></tr>
        <tr><td>"Parameters of a webhook"</td><td>"50"</td></tr>
        <tr><td>"A parameter’s value"</td><td>"as typed: 10,000 characters for a Text, 2,000 for the others. A Text’s variables may make it longer."</td></tr>
        <tr><td>"Receipts in a request"</td><td>"10,000 of at most 100 webhooks"</td></tr>
        <tr><td>"Body of a receipt request"</td><td>"10 MiB, arriving within 20 seconds"</td></tr>
        <tr><td><code>"msg_id"</code></td><td>"128 characters"</td></tr>
        <tr><td>"Values of an interface"</td><td>"10,000 on all pages; 10 seconds for each call"</td></tr>
    };
    let rows = table("Limits", &["What", "Limit"], rows.into_any());
    part("limits", "Limits", rows)
}
