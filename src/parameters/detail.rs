//! A parameter's own page: where its values come from, what they depend on, who uses it.

mod try_it;

use super::{
    api::{DeleteParameter, LoadValues, get_parameter},
    list::{delete_question, may_manage},
    model::{Kind, LOADING, Parameter, ParameterChoice, ParameterDetail, Source, User, UserKind},
};
use crate::{
    access::reader_may_either,
    ui::{
        Button, EmptyState, ErrorNote, Fact, Facts, FormErrors, LinkButton, PageHeader, Panel, Scope, Skeleton,
        TableWrap, Time,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use try_it::TryIt;

const DELETE: &str = "delete-parameter";

/// The page's actions; they outlive what is loaded anew.
#[derive(Clone, Copy)]
struct Actions {
    delete: ServerAction<DeleteParameter>,
    load: ServerAction<LoadValues>,
}

pub fn parameter_page() -> AnyView {
    let scope = Scope::here();
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let actions = Actions { delete: ServerAction::new(), load: ServerAction::new() };
    // A refusal and values belong to the parameter that they were about.
    Effect::watch(
        move || id.get(),
        move |_, _, _| {
            actions.delete.clear();
            actions.load.clear();
        },
        false,
    );
    let parameter = Resource::new(move || id.get(), get_parameter);
    view! {
        <Transition fallback=|| view! { <Panel><Skeleton /></Panel> }>
            {move || Suspend::new(async move {
                let loaded = parameter.await;
                scope.show(move || match loaded {
                    Ok(detail) => page(detail, actions),
                    Err(error) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Transition>
    }
    .into_any()
}

fn page(detail: ParameterDetail, actions: Actions) -> AnyView {
    let ParameterDetail { parameter, associated, users, now } = detail;
    let error = Signal::derive(move || actions.delete.value().get().and_then(Result::err));
    let title = parameter.input.name.clone();
    let controls = may_manage().then(|| controls(&parameter));
    let dialog = may_manage()
        .then(|| delete_question(DELETE.into(), parameter.id.clone(), &parameter.input.name, actions.delete));
    let definition = definition(&parameter, &associated, now);
    let passed = passed(&parameter, &associated);
    let constants = constants(&parameter);
    let loads = reader_may_either(LOADING);
    let trying = (parameter.input.kind == Kind::Interface).then(|| {
        let content = if loads {
            view! { <TryIt parameter associated action=actions.load /> }.into_any()
        } else {
            view! { <p>"Your role does not allow loading values."</p> }.into_any()
        };
        view! {
            <section id="try-it">
                <Panel title="Try it">{content}</Panel>
            </section>
        }
    });
    view! {
        <PageHeader
            title
            crumbs=vec![
                ("Configuration Management", ""),
                ("Webhook Parameter Management", "/webhook-parameters"),
            ]
        >
            {controls}
        </PageHeader>
        <FormErrors error />
        <div class="grid">
            <div class="grid halves">
                <Panel title="Webhook parameter">{definition}</Panel>
                {used_by(users)}
            </div>
            {passed}
            {constants}
            {trying}
        </div>
        {dialog}
    }
    .into_any()
}

fn controls(parameter: &Parameter) -> AnyView {
    let edit = format!("/webhook-parameters/{}/edit", parameter.id);
    view! {
        <Button label="Delete" danger=true opens=DELETE />
        <LinkButton href=edit label="Edit" primary=true />
    }
    .into_any()
}

/// A link to a parameter that this one is associated with.
fn link(id: &str, associated: &[ParameterChoice]) -> AnyView {
    let known = associated.iter().find(|choice| choice.id == id);
    let name = known.map_or_else(|| id.to_string(), |choice| choice.name.clone());
    view! { <a href=format!("/webhook-parameters/{id}")>{name}</a> }.into_any()
}

fn definition(parameter: &Parameter, associated: &[ParameterChoice], now: i64) -> AnyView {
    let input = &parameter.input;
    let description = match input.description.as_str() {
        "" => "–".to_string(),
        text => text.to_string(),
    };
    let address = (input.kind == Kind::Interface).then(|| {
        let (url, authentication) = (input.url.clone(), input.authentication.label());
        view! {
            <Fact label="Interface URL">
                <span class="mono">{url}</span>
            </Fact>
            <Fact label="Authentication Method">{authentication}</Fact>
        }
    });
    let depends = input.with_associated.then(|| {
        let other = link(&input.associated, associated);
        view! { <Fact label="Associated parameter">{other}</Fact> }
    });
    let (kind, updated_at) = (input.kind.label(), parameter.updated_at);
    view! {
        <Facts>
            <Fact label="Parameter Type">{kind}</Fact>
            <Fact label="Parameter Description">{description}</Fact>
            {address}
            {depends}
            <Fact label="Updated"><Time ms=updated_at now /></Fact>
        </Facts>
    }
    .into_any()
}

fn used_by(users: Vec<User>) -> AnyView {
    if users.is_empty() {
        return view! {
            <Panel title="Used by" padded=false>
                <EmptyState
                    title="Nobody yet"
                    text="Let a parameter of a webhook, of the type String (parameter call), call it."
                />
            </Panel>
        }
        .into_any();
    }
    let item = |user: User| {
        let kind = match user.kind {
            UserKind::Webhook => "Webhook",
            UserKind::Parameter => "Parameter",
        };
        let href = user.href();
        view! {
            <li>
                <p>{kind} " " <a href=href>{user.name}</a></p>
            </li>
        }
    };
    let items = users.into_iter().map(item).collect_view();
    view! {
        <Panel title="Used by">
            <ul>{items}</ul>
        </Panel>
    }
    .into_any()
}

/// What the interface is told: system parameters and other parameters.
fn passed(parameter: &Parameter, associated: &[ParameterChoice]) -> Option<AnyView> {
    let input = &parameter.input;
    let row = |name: &str, display_name: &str, source: &'static str, value: AnyView| {
        view! {
            <tr>
                <td class="mono">{name.to_string()}</td>
                <td data-label="Display name">{display_name.to_string()}</td>
                <td data-label="Parameter value">{source}</td>
                <td data-label="What is passed">{value}</td>
            </tr>
        }
        .into_any()
    };
    let nothing = || view! { "–" }.into_any();
    let mut rows: Vec<AnyView> = input
        .system
        .iter()
        .map(|setting| row(&setting.name, &setting.display_name, setting.value.label(), nothing()))
        .collect();
    rows.extend(input.others.iter().map(|setting| {
        let value = match setting.source {
            Source::Associated => link(&setting.parameter, associated),
            Source::Manual => {
                let text = setting.text.clone();
                view! { <span class="mono">{text}</span> }.into_any()
            }
        };
        row(&setting.name, &setting.display_name, setting.source.label(), value)
    }));
    if rows.is_empty() {
        return None;
    }
    let table = view! {
        <Panel title="Associated with" padded=false>
            <TableWrap label="Associated with">
                <table class="stack">
                    <thead>
                        <tr>
                            <th scope="col">"Parameter name"</th>
                            <th scope="col">"Display name"</th>
                            <th scope="col">"Parameter value"</th>
                            <th scope="col">"What is passed"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableWrap>
        </Panel>
    };
    Some(table.into_any())
}

fn constants(parameter: &Parameter) -> Option<AnyView> {
    let input = &parameter.input;
    if input.kind != Kind::Constant {
        return None;
    }
    let depends = input.with_associated;
    let rows = input.constants.iter().cloned().map(|constant| {
        view! {
            <tr>
                <td class="mono">{constant.value}</td>
                <td data-label="Display name">{constant.display_name}</td>
                {depends.then(|| view! { <td data-label="Associated value">{constant.when}</td> })}
            </tr>
        }
    });
    let rows = rows.collect_view();
    let table = view! {
        <Panel title="Values" padded=false>
            <TableWrap label="Values">
                <table class="stack">
                    <thead>
                        <tr>
                            <th scope="col">"Parameter value"</th>
                            <th scope="col">"Display name"</th>
                            {depends.then(|| view! { <th scope="col">"Associated value"</th> })}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableWrap>
        </Panel>
    };
    Some(table.into_any())
}
