//! The calculator of `X-QA-Hmac-Signature`. It computes in the page by the code that signs the real requests; the key
//! goes nowhere: the inputs have no name and stand in no form.

use super::model::{KEY, NONCE, TIMESTAMP};
use crate::{
    ui::{CodeBlock, Field},
    wire::signature,
};
use leptos::{html, prelude::*};

const NEEDS_SCRIPTS: &str = "<p class=\"quiet\">Computing needs scripts, which this browser does not run.</p>";

#[component]
pub fn Calculator() -> impl IntoView {
    let key = RwSignal::new(KEY.to_string());
    let timestamp = RwSignal::new(TIMESTAMP.to_string());
    let nonce = RwSignal::new(NONCE.to_string());
    let steps = Memo::new(move |_| {
        key.with(|key| timestamp.with(|timestamp| nonce.with(|nonce| signature::steps(key, timestamp, nonce))))
    });
    let sorted = Signal::derive(move || steps.with(|steps| steps.sorted.join("\n")));
    let joined = Signal::derive(move || steps.with(|steps| steps.joined.clone()));
    let message = Signal::derive(move || steps.with(|steps| steps.message.clone()));
    let signed = Signal::derive(move || steps.with(|steps| steps.signature.clone()));
    view! {
        <div class="fields">
            <Field label="Key" name="calculator-key" help="It stays in this page: nothing is sent or kept.">
                {input("calculator-key", "calculator-key-help", 128, key)}
            </Field>
            <div class="row-fields">
                <Field label="timestamp" name="calculator-timestamp">
                    {input("calculator-timestamp", "", 20, timestamp)}
                </Field>
                <Field label="nonce" name="calculator-nonce">
                    {input("calculator-nonce", "", 128, nonce)}
                </Field>
            </div>
            <noscript inner_html=NEEDS_SCRIPTS></noscript>
            <div class="grid tight">
                <h4>"1. Sorted"</h4>
                <CodeBlock id="calculator-sorted" text=sorted label="sorted strings" />
                <h4>"2. Joined"</h4>
                <CodeBlock id="calculator-joined" text=joined label="joined strings" />
                <h4>"3. Without white space"</h4>
                <CodeBlock id="calculator-message" text=message label="what is signed" />
                <h4>"4. Signature"</h4>
                <CodeBlock id="calculator-signature" text=signed copy=true label="signature" />
            </div>
        </div>
    }
    .into_any()
}

/// An input without a name. What was typed before the wasm arrived counts.
fn input(id: &'static str, described_by: &'static str, longest: u32, value: RwSignal<String>) -> AnyView {
    let node = NodeRef::<html::Input>::new();
    Effect::new(move |ran: Option<()>| {
        if let (None, Some(element)) = (ran, node.get()) {
            value.set(element.value());
        }
    });
    view! {
        <input
            node_ref=node
            class="input mono"
            id=id
            type="text"
            value=value.get_untracked()
            maxlength=longest.to_string()
            autocomplete="off"
            autocapitalize="off"
            spellcheck="false"
            aria-describedby=(!described_by.is_empty()).then_some(described_by)
            on:input=move |event| value.set(event_target_value(&event))
        />
    }
    .into_any()
}
