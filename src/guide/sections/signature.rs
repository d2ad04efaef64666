//! Who sent it: both signatures.

use super::{part, table};
use crate::{
    guide::{calculator::Calculator, model::Guide},
    ui::{CodeBlock, Fact, Facts},
};
use leptos::prelude::*;

pub fn signature() -> AnyView {
    let vectors = view! {
        <tr><td class="mono">"123456789"</td><td class="mono">"459fa2f7e79389c337e6b2077538fb9408241e79715b2f40dfa6c2757e2ecce8"</td></tr>
        <tr><td class="mono">"my secret"</td><td class="mono">"15a32e063c533a9fbe5d79ebdab2b16664cb3ccbb7f18ad9a4ecd8ac4142cb03"</td></tr>
    };
    let vectors = table("Vectors", &["Key", "Signature"], vectors.into_any());
    let traps = view! {
        <tr><td>"Java"</td><td>"Strings sort by UTF-16 units, and "<code>"\\s"</code>" is the six characters: the others follow it."</td></tr>
        <tr><td>"Python"</td><td>"Sort by "<code>"text.encode(\"utf-16-be\")"</code>". "<code>"\\s"</code>" in "<code>"re"</code>" and "<code>"split()"</code>" take more than the six: name them."</td></tr>
        <tr><td>"Node.js"</td><td><code>"sort()"</code>" is right as it is. "<code>"\\s"</code>" takes more than the six: write "<code>"[ \\t\\n\\v\\f\\r]"</code>"."</td></tr>
        <tr><td>"Go"</td><td>"Compare "<code>"utf16.Encode([]rune(text))"</code>". "<code>"\\s"</code>" in "<code>"regexp"</code>" lacks the vertical tab."</td></tr>
        <tr><td>"PHP"</td><td><code>"sort()"</code>" compares digits as numbers, so use "<code>"strcmp"</code>", after making "<code>"EE"</code>" and "<code>"EF"</code>" sort behind "<code>"F4"</code>" (see the receiver)."</td></tr>
    };
    let traps = table("Traps by language", &["Language", "Mind"], traps.into_any());
    let content = view! {
        <p>"The same for requests and receipts. With the webhook’s key, the "<code>"timestamp"</code>" and the "<code>"nonce"</code>" of the URL:"</p>
        <ol>
            <li>"Sort the three strings as Java sorts strings: by UTF-16 units."</li>
            <li>"Join them without anything between."</li>
            <li>"Remove the white space: blank, tab, line feed, vertical tab, form feed, carriage return. Other spaces, as the no-break space, stay."</li>
            <li>"Take HMAC-SHA256 of that as UTF-8, with the key as UTF-8, white space in the key included."</li>
            <li>"Write it as hex in lower case, and compare it in constant time with "<code>"X-QA-Hmac-Signature"</code>"."</li>
        </ol>
        <p>"Then check the time: refuse a "<code>"timestamp"</code>" that is more than five minutes away from your clock. Every retry is signed anew, with the time of the retry."</p>
        <p>"This signature covers neither the URL nor the body. Check "<a href="#standard-webhooks" rel="external">"webhook-signature"</a>" too: it covers the body."</p>
        <h3>"Vectors"</h3>
        <p>"With the timestamp "<code>"1631865523"</code>" and the nonce "<code>"2e6eceb5737b473284c930c8ef79090e"</code>":"</p>
        {vectors}
        <h3>"Traps"</h3>
        {traps}
        <h3 id="calculator">"Calculator"</h3>
        <Calculator />
    };
    part("signature", "The signature", content.into_any())
}

pub fn standard_webhooks(guide: &Guide) -> AnyView {
    let vector = guide.body_vector.clone();
    let content = view! {
        <p>"A signed request carries the headers of the Standard Webhooks specification besides. Their signature covers the body:"</p>
        <ol>
            <li>"Join "<code>"webhook-id"</code>", a full stop, "<code>"webhook-timestamp"</code>", a full stop, and the body’s bytes as they came, before anything parses them."</li>
            <li>"Take HMAC-SHA256 of that with the same key, as UTF-8."</li>
            <li>"Write it in base64 behind "<code>"v1,"</code>"."</li>
            <li>"Compare it in constant time with each of the signatures in "<code>"webhook-signature"</code>", which are separated by blanks. One that fits is enough."</li>
            <li>"Check that "<code>"webhook-timestamp"</code>" is the URL’s "<code>"timestamp"</code>"."</li>
        </ol>
        <p>"A library for Standard Webhooks takes its secret in base64: give it the base64 of the key’s UTF-8 bytes."</p>
        <Facts>
            <Fact label="Key"><code>{vector.key}</code></Fact>
            <Fact label="webhook-id"><code>{vector.id}</code></Fact>
            <Fact label="webhook-timestamp"><code>{vector.timestamp}</code></Fact>
            <Fact label="Body"><code>{vector.body}</code></Fact>
        </Facts>
        <CodeBlock id="guide-body-signature" text=vector.signature copy=true label="webhook-signature of these" />
    };
    part("standard-webhooks", "Standard Webhooks headers", content.into_any())
}
