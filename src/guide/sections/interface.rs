//! The other way to be asked: the values of an interface-based parameter.

use super::{part, table};
use crate::ui::CodeBlock;
use leptos::prelude::*;

const REQUEST: &str = r#"POST https://crm.example.com/values?timestamp=1631865523&nonce=2e6eceb5737b473284c930c8ef79090e
Content-Type: application/json
X-QA-Hmac-Signature: 459fa2f7e79389c337e6b2077538fb9408241e79715b2f40dfa6c2757e2ecce8

{"parameter":"city","associated":{"province":"ZJ"},"system":{"user":{"id":"...","name":"Ada","email":"ada@example.com"},"permissions":{"region":["East"]}},"page":1}"#;

const ANSWER: &str = r#"{"code":"OK","message":"","data":[{"value":"HZ","name":"Hangzhou"},{"value":"NB","name":"Ningbo"}],"next_page":2}"#;

pub fn interface() -> AnyView {
    let asked = view! {
        <tr><td class="mono">"parameter"</td><td>"The parameter’s name."</td></tr>
        <tr><td class="mono">"associated"</td><td>"The values chosen for the parameters that it is associated with, by their names; for manual input, the text as typed, several values with the separator that you agreed on. Empty without any."</td></tr>
        <tr><td class="mono">"system"</td><td>"The associated system parameters by their names: the current logon user’s information, the current user’s row-level permissions. Empty without any."</td></tr>
        <tr><td class="mono">"page"</td><td>"1 first, then what your answer said."</td></tr>
    };
    let asked = table("Fields of the interface’s call", &["Field", "Meaning"], asked.into_any());
    let answered = view! {
        <tr><td class="mono">"code"</td><td><code>"OK"</code>", or a code of your own, which the marketer sees with the message."</td></tr>
        <tr><td class="mono">"message"</td><td>"What the code means."</td></tr>
        <tr><td class="mono">"data"</td><td>"The values: "<code>"value"</code>" is sent, "<code>"name"</code>" is shown."</td></tr>
        <tr><td class="mono">"next_page"</td><td>"The number of the next page; absent on the last."</td></tr>
    };
    let answered = table("Fields of the interface’s answer", &["Field", "Meaning"], answered.into_any());
    let content = view! {
        <p>"A String parameter can take its values from an interface of yours: when a marketer creates a task, Reachwire asks it for all of them. The call is signed like a request, with the parameter’s own key; the header is empty without authentication."</p>
        <CodeBlock id="guide-interface" text=REQUEST.to_string() copy=true label="call of the interface" />
        {asked}
        <CodeBlock id="guide-interface-answer" text=ANSWER.to_string() copy=true label="answer of the interface" />
        {answered}
        <p>"Each call has 10 seconds. At most 10,000 values are taken, over all pages. Where the value of one list depends on another’s, your answer must follow what "<code>"associated"</code>" says."</p>
    };
    part("interface", "Interface-based parameters", content.into_any())
}
