//! Turning the second factor on: the secret, and the first code.

use super::{
    api::get_setup,
    model::Setup,
    page::{FactorFields, told},
};
use crate::{
    error::FieldError,
    ui::{CodeBlock, EmptyState, ErrorNote, FormErrors, LinkButton, PageHeader, Panel, Scope, Skeleton, SubmitButton},
};
use leptos::prelude::*;

pub fn setup_page() -> AnyView {
    let scope = Scope::here();
    let setup = Resource::new(|| (), |()| get_setup());
    let (error, errors) = told();
    view! {
        <PageHeader
            title="Turn on second factor"
            crumbs=vec![("My account", "/account")]
            intro="Each sign-in will ask for a code of an authenticator app besides the password."
        />
        <div class="grid">
            <FormErrors error />
            <Suspense fallback=|| view! { <Skeleton /> }>
                {move || Suspend::new(async move {
                    let loaded = setup.await;
                    scope.show(move || match loaded {
                        Ok(Some(setup)) => content(setup, errors),
                        Ok(None) => nothing(),
                        Err(error) => view! { <ErrorNote error /> }.into_any(),
                    })
                })}
            </Suspense>
        </div>
    }
    .into_any()
}

fn nothing() -> AnyView {
    view! {
        <Panel>
            <EmptyState title="Nothing to confirm" text="Begin on the page of your account: “Turn on second factor”.">
                <LinkButton href="/account" label="My account" primary=true />
            </EmptyState>
        </Panel>
    }
    .into_any()
}

fn content(setup: Setup, errors: Signal<Vec<FieldError>>) -> AnyView {
    let size = setup.size;
    // In groups of four, as people read it.
    let letters: Vec<char> = setup.secret.chars().collect();
    let secret = letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ");
    view! {
        <Panel title="1. Scan the code with the app">
            <div class="fields">
                <svg
                    class="qr"
                    viewBox=format!("0 0 {size} {size}")
                    width="220"
                    height="220"
                    role="img"
                    aria-label="QR code for the authenticator app; the same as the secret below"
                >
                    <path d=String::from(setup.path)></path>
                </svg>
                <p>"Or type the secret into it: time-based, 6 digits, 30 seconds."</p>
                <CodeBlock id="secret" text=secret copy=true wrap=true label="the secret" />
            </div>
        </Panel>
        <Panel title="2. Confirm with a code of the app">
            <form class="fields" method="post" action="/account/second-factor/on">
                <FactorFields errors />
                <div class="actions">
                    <SubmitButton label="Turn on" />
                    <LinkButton href="/account" label="Cancel" />
                </div>
            </form>
        </Panel>
    }
    .into_any()
}
