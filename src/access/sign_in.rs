//! The sign-in page: a plain form to `POST /sign-in`, so it works before anything has loaded.

use crate::ui::{Field, Note, SubmitButton, TextInput, Tone, query::use_query};
use leptos::prelude::*;
use leptos_meta::Title;

pub fn sign_in_page() -> AnyView {
    let query = use_query();
    let next = move || query.read().text("next");
    let problem = move || {
        let text = match query.read().get("problem") {
            Some("wrong") => "E-mail or password is not right.",
            Some("wait") => "Too many tries. Wait 15 minutes and try again.",
            Some("busy") => "Many people are signing in right now. Wait a moment and try again.",
            Some("nowhere") => "This account is in no workspace. Ask an administrator to add you.",
            _ => return None,
        };
        Some(view! { <Note tone=Tone::Bad>{text}</Note> })
    };
    view! {
        <Title text="Sign in" />
        <main class="sign-in">
            <form class="panel fields" method="post" action="/sign-in">
                <h1>"Sign in to Reachwire"</h1>
                <div role="alert">{problem}</div>
                <input type="hidden" name="next" value=next />
                <Field label="E-mail" name="email" required=true>
                    <TextInput name="email" type_="email" autocomplete="username" required=true />
                </Field>
                <Field label="Password" name="password" required=true>
                    <TextInput name="password" type_="password" autocomplete="current-password" required=true />
                </Field>
                <SubmitButton label="Sign in" />
            </form>
        </main>
    }
    .into_any()
}
