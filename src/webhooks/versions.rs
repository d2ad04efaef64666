//! What a webhook said each time it was saved, which tasks still use it, and how two versions differ.

use super::{
    api::list_versions,
    model::{Change, Version, Versions, changes},
};
use crate::ui::{
    EmptyState, ErrorNote, Field, PageHeader, Panel, Scope, Select, SelectOption, Skeleton, SubmitButton, TableWrap,
    Time, query::use_query,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

pub fn webhook_versions_page() -> AnyView {
    let scope = Scope::here();
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let versions = Resource::new(move || id.get(), list_versions);
    view! {
        <Transition fallback=|| view! { <Panel><Skeleton /></Panel> }>
            {move || Suspend::new(async move {
                let loaded = versions.await;
                scope.show(move || match loaded {
                    Ok(versions) => page(id.get_untracked(), versions),
                    Err(error) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Transition>
    }
    .into_any()
}

fn page(id: String, versions: Versions) -> AnyView {
    let Versions { name, rows } = versions;
    let latest = rows.first().map_or(0, |version| version.version);
    let own = format!("/webhooks/{id}");
    let action = format!("{own}/versions");
    let intro =
        "A task uses the version that it was submitted with; keys and certificates are always the current ones.";
    let comparing = (rows.len() > 1).then(|| comparing(action.clone(), rows.clone()));
    let table = rows.into_iter().map(|version| row(version, latest, &action)).collect_view();
    view! {
        <PageHeader
            title=format!("{name}: versions")
            crumbs=vec![("Configuration Management", ""), ("Webhook Management", "/webhooks")]
            intro
        >
            <a class="btn" href=own>"Back to the webhook"</a>
        </PageHeader>
        <div class="grid">
            {comparing}
            <Panel padded=false>
                <TableWrap label="Versions">
                    <table class="stack">
                        <thead>
                            <tr>
                                <th scope="col">"Version"</th>
                                <th scope="col">"Saved"</th>
                                <th scope="col">"By"</th>
                                <th scope="col">"Waiting and running tasks"</th>
                                <th scope="col"><span class="sr">"Actions"</span></th>
                            </tr>
                        </thead>
                        <tbody>{table}</tbody>
                    </table>
                </TableWrap>
            </Panel>
        </div>
    }
    .into_any()
}

fn row(version: Version, latest: i64, action: &str) -> AnyView {
    let Version { version: number, saved_by, saved_at, tasks, .. } = version;
    // What was there before there were versions, or made by nobody.
    let saved_by = if saved_by.is_empty() { "–".to_string() } else { saved_by };
    let current = if number == latest { " (current)" } else { "" };
    let compare = (number > 1).then(|| {
        let href = format!("{action}?from={}&to={number}", number - 1);
        view! { <a class="btn bare" href=href>"Compare" <span class="sr">{format!(" version {number} with the one before")}</span></a> }
    });
    let none = tasks.is_empty().then_some("none");
    let tasks = tasks
        .into_iter()
        .map(|(id, name)| view! { <a class="block" href=format!("/tasks/{id}")>{name}</a> })
        .collect_view();
    view! {
        <tr>
            <td class="title">{format!("Version {number}{current}")}</td>
            <td data-label="Saved"><Time ms=saved_at /></td>
            <td data-label="By">{saved_by}</td>
            <td data-label="Waiting and running tasks">{none} {tasks}</td>
            <td class="row-actions">{compare}</td>
        </tr>
    }
    .into_any()
}

/// Two versions side by side; which ones stands in the address.
fn comparing(action: String, rows: Vec<Version>) -> AnyView {
    let query = use_query();
    let options: Vec<SelectOption> = rows
        .iter()
        .map(|version| SelectOption::new(version.version.to_string(), format!("Version {}", version.version)))
        .collect();
    let from_options = options.clone();
    let latest = rows.first().map_or(0, |version| version.version);
    let before = rows.get(1).map_or(latest, |version| version.version);
    let numbers = Memo::new(move |_| {
        let number =
            |name: &str, otherwise: i64| query.read().get(name).and_then(|n| n.parse().ok()).unwrap_or(otherwise);
        (number("from", before), number("to", latest))
    });
    let (from, to) =
        (Signal::derive(move || numbers.get().0.to_string()), Signal::derive(move || numbers.get().1.to_string()));
    let rows = StoredValue::new(rows);
    let result = move || {
        let (from, to) = numbers.get();
        let input = |number: i64| {
            rows.with_value(|rows| rows.iter().find(|version| version.version == number).map(|one| one.input.clone()))
        };
        match (input(from), input(to)) {
            (Some(before), Some(after)) => table(from, to, changes(&before, &after)),
            _ => view! { <EmptyState title="No such version" text="Choose two versions of the list." /> }.into_any(),
        }
    };
    view! {
        <Panel title="Compare">
            <form method="get" action=action class="row-fields">
                <Field label="From" name="from">
                    <Select name="from" options=from_options selected=from />
                </Field>
                <Field label="To" name="to">
                    <Select name="to" options selected=to />
                </Field>
                <div class="actions at-foot">
                    <SubmitButton label="Compare" secondary=true />
                </div>
            </form>
            {result}
        </Panel>
    }
    .into_any()
}

fn table(from: i64, to: i64, changes: Vec<Change>) -> AnyView {
    if changes.is_empty() {
        let text = "These two say the same. A replaced key is part of no version.";
        return view! { <EmptyState title="No difference" text /> }.into_any();
    }
    let rows = changes.into_iter().map(move |change| {
        view! {
            <tr>
                <th scope="row">{change.label}</th>
                <td data-label=format!("Version {from}")>{change.before}</td>
                <td data-label=format!("Version {to}")>{change.after}</td>
            </tr>
        }
    });
    view! {
        <TableWrap label="What changed">
            <table class="stack">
                <thead>
                    <tr>
                        <th scope="col">"Setting"</th>
                        <th scope="col">{format!("Version {from}")}</th>
                        <th scope="col">{format!("Version {to}")}</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </TableWrap>
    }
    .into_any()
}
