//! "My account". All its forms are plain ones, so that they work before anything has loaded.

use super::{
    api::get_account,
    model::{self, Account, LANGUAGES, OwnSession, Profile, THEMES},
};
use crate::{
    access::person::NAME_MAX,
    error::{AppError, FieldError},
    ui::{
        Badge, Choice, Confirm, ErrorNote, Field, FormErrors, Note, PageHeader, Panel, Scope, Select, SelectOption,
        Skeleton, SubmitButton, TableWrap, TextInput, Time, Tone, query::use_query,
    },
};
use leptos::prelude::*;

const EVERYWHERE: &str = "sign-out-everywhere";

/// What the last form was told, from the address.
pub(super) fn told() -> (Signal<Option<AppError>>, Signal<Vec<FieldError>>) {
    let query = use_query();
    let problem = Memo::new(move |_| query.with(|query| model::problem(query.get("problem").unwrap_or_default())));
    let error = Signal::derive(move || problem.get().map(|error| AppError::Invalid(vec![error])));
    (error, Signal::derive(move || problem.get().into_iter().collect()))
}

pub fn account_page() -> AnyView {
    let scope = Scope::here();
    let query = use_query();
    let account = Resource::new(|| (), |()| get_account());
    let (error, errors) = told();
    let done = move || {
        let text = query.with(|query| model::done(query.get("done").unwrap_or_default()));
        text.map(|text| view! { <Note tone=Tone::Ok>{text}</Note> })
    };
    view! {
        <PageHeader title="My account" intro="Who you are here, how you sign in, and where you are signed in." />
        <div class="grid">
            <div role="status">{done}</div>
            <FormErrors error />
            <Suspense fallback=|| view! { <Skeleton /> }>
                {move || Suspend::new(async move {
                    let loaded = account.await;
                    scope.show(move || match loaded {
                        Ok(account) => content(account, errors),
                        Err(error) => view! { <ErrorNote error /> }.into_any(),
                    })
                })}
            </Suspense>
        </div>
    }
    .into_any()
}

fn content(account: Account, errors: Signal<Vec<FieldError>>) -> AnyView {
    let Account { email, profile, second_factor, sessions, zones, now } = account;
    view! {
        <div class="grid">
            {self::profile(email, profile, zones, errors)}
            {password(errors)}
            {factor(second_factor, errors)}
            {self::sessions(sessions, now)}
        </div>
    }
    .into_any()
}

fn options(all: &[(&str, &str)]) -> Vec<SelectOption> {
    all.iter().map(|(code, name)| SelectOption::new(*code, *name)).collect()
}

fn profile(email: String, profile: Profile, zones: Vec<String>, errors: Signal<Vec<FieldError>>) -> AnyView {
    let zones: Vec<SelectOption> = zones.into_iter().map(|zone| SelectOption::new(zone.clone(), zone)).collect();
    view! {
        <Panel title="Profile">
            <form class="fields" method="post" action="/account/profile" data-saves-theme="">
                <p>"You sign in as " <b>{email}</b> "."</p>
                <Field label="Name" name="name" required=true errors>
                    <TextInput name="name" value=profile.name maxlength=NAME_MAX as u32 autocomplete="name" required=true />
                </Field>
                <Field
                    label="Time zone"
                    name="time_zone"
                    help="Times are shown and typed in it."
                    errors
                >
                    <Select name="time_zone" options=zones selected=profile.time_zone prompt="The browser's" />
                </Field>
                <Field
                    label="Theme"
                    name="theme"
                    help="The switch in the bar changes it in one browser, until it is saved here."
                    errors
                >
                    <Choice name="theme" options=options(&THEMES) selected=profile.theme />
                </Field>
                <Field
                    label="Language"
                    name="language"
                    help="English is the language that there is. Contributors add translations."
                    errors
                >
                    <Select name="language" options=options(&LANGUAGES) selected=profile.language />
                </Field>
                <div class="actions"><SubmitButton label="Save" /></div>
            </form>
        </Panel>
    }
    .into_any()
}

fn password(errors: Signal<Vec<FieldError>>) -> AnyView {
    view! {
        <Panel title="Password">
            <form class="fields" method="post" action="/account/password">
                <Field label="Current password" name="current_password" required=true errors>
                    <TextInput
                        name="current_password"
                        type_="password"
                        autocomplete="current-password"
                        required=true
                    />
                </Field>
                <Field
                    label="New password"
                    name="new_password"
                    required=true
                    help="At least 12 characters, and none of the common ones. All other sessions end."
                    errors
                >
                    <TextInput
                        name="new_password"
                        type_="password"
                        autocomplete="new-password"
                        maxlength=256_u32
                        required=true
                    />
                </Field>
                <Field label="New password again" name="again" required=true errors>
                    <TextInput name="again" type_="password" autocomplete="new-password" maxlength=256_u32 required=true />
                </Field>
                <div class="actions"><SubmitButton label="Change password" /></div>
            </form>
        </Panel>
    }
    .into_any()
}

/// The inputs that show who turns the second factor on or off.
#[component]
pub(super) fn FactorFields(errors: Signal<Vec<FieldError>>) -> impl IntoView {
    view! {
        <Field label="Password" name="factor_password" required=true errors>
            <TextInput name="factor_password" type_="password" autocomplete="current-password" required=true />
        </Field>
        <Field label="Code" name="factor_code" required=true help="The 6 digits that the app shows now." errors>
            <TextInput
                name="factor_code"
                inputmode="numeric"
                autocomplete="one-time-code"
                maxlength=12_u32
                required=true
                mono=true
            />
        </Field>
    }
}

fn factor(on: bool, errors: Signal<Vec<FieldError>>) -> AnyView {
    let badge = if on {
        view! { <Badge tone=Tone::Ok text="On" /> }.into_any()
    } else {
        view! { <Badge tone=Tone::Neutral text="Off" /> }.into_any()
    };
    let form = if on {
        view! {
            <form class="fields" method="post" action="/account/second-factor/off">
                <p>"Each sign-in asks for a code of your authenticator app besides the password."</p>
                <FactorFields errors />
                <div class="actions"><SubmitButton label="Turn off second factor" danger=true secondary=true /></div>
            </form>
        }
        .into_any()
    } else {
        view! {
            <form class="fields" method="post" action="/account/second-factor/begin">
                <p>
                    "With it, each sign-in asks for a code of an authenticator app on your phone besides the password: whoever learns the password alone cannot sign in."
                </p>
                <div class="actions"><SubmitButton label="Turn on second factor" secondary=true /></div>
            </form>
        }
        .into_any()
    };
    view! { <Panel title="Second factor" actions=badge>{form}</Panel> }.into_any()
}

fn sessions(sessions: Vec<OwnSession>, now: i64) -> AnyView {
    let rows = sessions.into_iter().map(|session| row(session, now)).collect_view();
    let all = view! {
        <button
            type="button"
            class="btn danger"
            data-dialog-open=EVERYWHERE
            command="show-modal"
            commandfor=EVERYWHERE
        >
            "Sign out everywhere"
        </button>
    };
    view! {
        <Panel title="Sessions" padded=false actions=all.into_any()>
            <TableWrap label="Sessions">
                <table class="stack">
                    <thead>
                        <tr>
                            <th scope="col">"Browser"</th>
                            <th scope="col">"Address"</th>
                            <th scope="col">"Since"</th>
                            <th scope="col">"Last seen"</th>
                            <th scope="col">
                                <span class="sr">"Actions"</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableWrap>
        </Panel>
        <Confirm
            id=EVERYWHERE
            title="Sign out everywhere"
            text="All your sessions end, this one too. You sign in again with your password."
            danger=true
        >
            <form method="post" action="/account/sessions/end-all">
                <SubmitButton label="Sign out everywhere" danger=true />
            </form>
        </Confirm>
    }
    .into_any()
}

fn row(session: OwnSession, now: i64) -> AnyView {
    let this = session.this.then(|| view! { " " <Badge tone=Tone::Ok text="This one" /> });
    let label = if session.this { "Sign out" } else { "End" };
    let heard = format!("{label}: {}, {}", session.browser, session.address);
    view! {
        <tr>
            <td class="title">{session.browser} {this}</td>
            <td class="mono" data-label="Address">{session.address}</td>
            <td data-label="Since"><Time ms=session.since seconds=false /></td>
            <td data-label="Last seen"><Time ms=session.last_seen now /></td>
            <td class="num fit">
                <form method="post" action="/account/sessions/end">
                    <button type="submit" class="btn bare" name="session" value=session.id aria-label=heard>{label}</button>
                </form>
            </td>
        </tr>
    }
    .into_any()
}
