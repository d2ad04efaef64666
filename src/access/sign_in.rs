//! The pages of the sign-in: plain forms, so they work before anything has loaded.

#[cfg(feature = "ssr")]
pub mod post;

use crate::ui::{
    Field, Note, SubmitButton, TextInput, Tone,
    query::{Query, use_query},
};
use leptos::prelude::*;
use leptos_meta::Title;

/// What there is to tell before the form.
fn told(query: Memo<Query>, code: bool) -> impl Fn() -> Option<AnyView> {
    move || {
        let (tone, text) = match query.read().get("problem") {
            Some("wrong") if code => (Tone::Bad, "The code is not right. Each code works once; wait for the next one."),
            Some("wrong") => (Tone::Bad, "E-mail or password is not right."),
            Some("disabled") => (Tone::Bad, "This account is disabled. Ask an administrator to enable it."),
            Some("wait") => (Tone::Bad, "Too many tries. Wait 15 minutes and try again."),
            Some("busy") => (Tone::Bad, "Many people are signing in right now. Wait a moment and try again."),
            Some("nowhere") => (Tone::Bad, "This account is in no workspace. Ask an administrator to add you."),
            Some("again") => (Tone::Bad, "The sign-in took too long or too many codes. Begin again with the password."),
            Some("everywhere") => (Tone::Ok, "You are signed out everywhere."),
            _ => return None,
        };
        Some(view! { <Note tone>{text}</Note> }.into_any())
    }
}

pub fn sign_in_page() -> AnyView {
    let query = use_query();
    // Only the server knows it; the browser leaves the input as it came.
    #[cfg(feature = "ssr")]
    let typed = post::typed().unwrap_or_default();
    #[cfg(not(feature = "ssr"))]
    let typed = String::new();
    let next = move || query.read().text("next");
    view! {
        <Title text="Sign in" />
        <main class="sign-in">
            <form class="panel fields" method="post" action="/sign-in">
                <h1>"Sign in to Reachwire"</h1>
                <div role="alert">{told(query, false)}</div>
                <input type="hidden" name="next" value=next />
                <Field label="E-mail" name="email" required=true>
                    <TextInput name="email" type_="email" value=typed autocomplete="username" required=true />
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

/// After the right password, for those who have a second factor.
pub fn sign_in_code_page() -> AnyView {
    let query = use_query();
    let next = move || query.read().text("next");
    view! {
        <Title text="Second factor" />
        <main class="sign-in">
            <form class="panel fields" method="post" action="/sign-in/code">
                <h1>"Second factor"</h1>
                <div role="alert">{told(query, true)}</div>
                <input type="hidden" name="next" value=next />
                <Field
                    label="Code"
                    name="code"
                    required=true
                    help="The 6 digits that your authenticator app shows for Reachwire now. Lost it? Ask an administrator to turn the second factor off."
                >
                    <TextInput
                        name="code"
                        inputmode="numeric"
                        autocomplete="one-time-code"
                        maxlength=12_u32
                        required=true
                        mono=true
                    />
                </Field>
                <SubmitButton label="Sign in" />
                <a href="/sign-in" rel="external">"Sign in as somebody else"</a>
            </form>
        </main>
    }
    .into_any()
}
