//! The page of a link: for whom and for which workspace it is, and the form that sets the password. A plain form to
//! `POST /invitation/{token}`.

use super::{
    api::get_invitation,
    model::{DONE, Invitation, PATH, Problem, Purpose},
};
use crate::{
    access::person::NAME_MAX,
    ui::{ErrorNote, Field, Note, Scope, Skeleton, SubmitButton, TextInput, Tone, query::use_query},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

pub fn invitation_page() -> AnyView {
    let scope = Scope::here();
    // As the page was opened: a plain page, which no client route leads to or from.
    let token = use_params_map().read_untracked().get("token").unwrap_or_default();
    if token == DONE {
        return done();
    }
    let own = token.clone();
    let invitation = Resource::new(|| (), move |()| get_invitation(own.clone()));
    view! {
        <main class="sign-in">
            <Suspense fallback=|| view! { <Skeleton /> }>
                {move || {
                    let token = token.clone();
                    Suspend::new(async move {
                        let loaded = invitation.await;
                        scope.show(move || match loaded {
                            Ok(Some(invitation)) => form(&token, invitation),
                            Ok(None) => gone(),
                            Err(error) => view! { <ErrorNote error /> }.into_any(),
                        })
                    })
                }}
            </Suspense>
        </main>
    }
    .into_any()
}

fn form(token: &str, invitation: Invitation) -> AnyView {
    let query = use_query().get_untracked();
    let problem = query.get("problem").and_then(Problem::from_code).map(|problem| {
        let text = problem.text();
        view! { <Note tone=Tone::Bad>{text}</Note> }
    });
    let Invitation { purpose, email, name, workspaces } = invitation;
    let (title, intro, button) = match purpose {
        Purpose::Invitation => {
            let named: Vec<String> = workspaces.iter().map(|name| format!("“{name}”")).collect();
            let place = if named.is_empty() { "Reachwire".to_string() } else { named.join(", ") };
            ("Welcome to Reachwire", format!("You are invited to {place}. Choose a password to begin."), "Join")
        }
        Purpose::Password => (
            "Set a new password",
            "The old password works until you set the new one. Then all sessions end.".to_string(),
            "Set password",
        ),
    };
    let typed = query.get("name").map_or(name, str::to_string);
    let name = (purpose == Purpose::Invitation).then(|| {
        view! {
            <Field label="Name" name="name" required=true>
                <TextInput name="name" value=typed autocomplete="name" maxlength=NAME_MAX as u32 required=true />
            </Field>
        }
    });
    view! {
        <Title text=title />
        <form class="panel fields" method="post" action=format!("{PATH}{token}")>
            <h1>{title}</h1>
            <p>{intro}</p>
            <div role="alert">{problem}</div>
            <Field label="E-mail" name="email">
                <TextInput name="email" type_="email" value=email autocomplete="username" disabled=true />
            </Field>
            {name}
            <Field label="Password" name="password" required=true help="At least 12 characters.">
                <TextInput name="password" type_="password" autocomplete="new-password" required=true />
            </Field>
            <SubmitButton label=button />
        </form>
    }
    .into_any()
}

/// Status 410.
fn gone() -> AnyView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::GONE);
    }
    view! {
        <Title text="This link is not valid" />
        <div class="panel fields">
            <h1>"This link is not valid"</h1>
            <p>
                "It was used already, it has expired after 72 hours, or a newer one took its place. If you have set your password, sign in; otherwise ask an administrator of your workspace for a new link."
            </p>
            <a class="btn primary" href="/sign-in" rel="external">"Sign in"</a>
        </div>
    }
    .into_any()
}

fn done() -> AnyView {
    view! {
        <Title text="Your password is set" />
        <main class="sign-in">
            <div class="panel fields">
                <h1>"Your password is set"</h1>
                <p>"Sign in with it. If that is refused, ask an administrator of your workspace: the account may be disabled."</p>
                <a class="btn primary" href="/sign-in" rel="external">"Sign in"</a>
            </div>
        </main>
    }
    .into_any()
}
