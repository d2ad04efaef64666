//! The Audit Log: the workspace's, and the organization's.

use super::{
    api::{list_audit_log, list_audit_people},
    model::{Action, ActorKind, FieldChange, LogEntry, LogPage, LogQuery, ObjectKind},
};
use crate::ui::{
    Chip, CodeBlock, EmptyState, FilterDay, FilterSelect, Filters, KeysetPager, LinkButton, ListParams, Loaded,
    PageHeader, Panel, Scope, SelectOption, TableWrap, Time, use_list_params,
};
use leptos::prelude::*;

const FILTERS: &[&str] = &["action", "kind", "person", "from", "until"];

pub fn audit_log_page() -> AnyView {
    page(false)
}

pub fn organization_audit_log_page() -> AnyView {
    page(true)
}

fn page(organization: bool) -> AnyView {
    let filters_scope = Scope::here();
    let params = use_list_params(FILTERS);
    let people = Resource::new(|| (), move |()| list_audit_people(organization));
    let log = Resource::new(move || params.get(), move |params| list_audit_log(query(&params), organization));
    let (title, room, intro) = match organization {
        false => ("Audit Log", "Workspace Management", "Who did what in this workspace, when, and from where."),
        true => {
            ("Organization Audit Log", "Organization", "Who did what to workspaces and accounts, when, and from where.")
        }
    };
    view! {
        <PageHeader title crumbs=vec![(room, "")] intro />
        <Panel padded=false>
            <Suspense>
                {move || Suspend::new(async move {
                    let people = people.await.unwrap_or_default();
                    filters_scope.show(move || filters(people, params, organization))
                })}
            </Suspense>
            <Loaded rows=8 what=log show=move |page| content(page, params) />
        </Panel>
    }
    .into_any()
}

fn query(params: &ListParams) -> LogQuery {
    let filter = |name: &str| params.filter(name).to_string();
    LogQuery {
        search: params.q.clone(),
        action: filter("action"),
        kind: filter("kind"),
        person: filter("person"),
        from: filter("from"),
        until: filter("until"),
        after: params.after.clone(),
    }
}

/// They stay while pages of the log come and go: the second day is typed while the first one is looked for.
fn filters(people: Vec<(String, String)>, params: Memo<ListParams>, organization: bool) -> AnyView {
    let path = if organization { "/organization/audit-log" } else { "/audit-log" };
    let export = move || format!("{path}.csv{}", params.with(|params| params.starting_after("").to_query()));
    let days = vec![FilterDay::new("from", "From"), FilterDay::new("until", "Until")];
    view! {
        <Filters action=path params placeholder="Search name, action or object" selects=selects(people) days>
            <LinkButton href=Signal::derive(export) label="Export CSV" external=true />
        </Filters>
    }
    .into_any()
}

fn content(page: LogPage, params: Memo<ListParams>) -> AnyView {
    let asked = params.get_untracked();
    let head = page.head;
    let shown = if page.rows.is_empty() {
        empty(asked.is_filtered() || !asked.after.is_empty())
    } else {
        table(page.rows, params, page.next)
    };
    view! {
        {shown}
        {(!head.is_empty()).then(|| proof(head))}
    }
    .into_any()
}

fn selects(people: Vec<(String, String)>) -> Vec<FilterSelect> {
    let actions = Action::ALL.iter().map(|action| SelectOption::new(action.code(), action.label()));
    let kinds = ObjectKind::ALL.iter().map(|kind| SelectOption::new(kind.code(), kind.label()));
    let others = [ActorKind::ApiKey, ActorKind::CommandLine, ActorKind::Engine, ActorKind::Stranger];
    let others = others.map(|kind| SelectOption::new(kind.code(), format!("Any: {}", kind.label())));
    let people = people.into_iter().map(|(id, name)| SelectOption::new(id, name));
    vec![
        FilterSelect::new("action", "All actions", actions.collect()),
        FilterSelect::new("kind", "All kinds of objects", kinds.collect()),
        FilterSelect::new("person", "Everybody", people.chain(others).collect()),
    ]
}

fn empty(filtered: bool) -> AnyView {
    if filtered {
        return view! { <EmptyState title="No match" text="No entry fits the search and the filters." /> }.into_any();
    }
    view! {
        <EmptyState
            title="Nothing is written down yet"
            text="Every change and every sign-in is written here: who, what, when, from where, and what it was before and after."
        />
    }
    .into_any()
}

fn table(rows: Vec<LogEntry>, params: Memo<ListParams>, next: Option<String>) -> AnyView {
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <TableWrap label="Entries">
            <table class="stack audit">
                <thead>
                    <tr>
                        <th scope="col">"Time"</th>
                        <th scope="col">"Who"</th>
                        <th scope="col">"Action"</th>
                        <th scope="col">"Object"</th>
                        <th scope="col">"Address"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
        <KeysetPager params next />
    }
    .into_any()
}

fn row(entry: LogEntry) -> AnyView {
    let name = if entry.object.is_empty() { entry.kind.clone() } else { entry.object };
    let object = match entry.href.as_str() {
        "" => view! { <span class="title">{name}</span> }.into_any(),
        _ => view! { <a class="title" href=entry.href.clone()>{name}</a> }.into_any(),
    };
    let who_kind = (!entry.who_kind.is_empty()).then(|| view! { <span class="under">{entry.who_kind}</span> });
    let address = if entry.address.is_empty() { "–".to_string() } else { entry.address };
    let more = (!entry.changes.is_empty()).then(|| changes(entry.changes));
    view! {
        <tr>
            <td class="nowrap">
                <Time ms=entry.at />
            </td>
            <td data-label="Who">
                <span>{entry.who} {who_kind}</span>
            </td>
            <td data-label="Action">{entry.action}</td>
            <td data-label="Object">
                <span>{object} <span class="under">{entry.kind}</span></span>
            </td>
            <td class="mono" data-label="Address">{address}</td>
        </tr>
        {more}
    }
    .into_any()
}

/// Fields that are named before the row is opened.
const NAMED: usize = 4;

/// A row of its own below the entry's: each field before and after, side by side.
fn changes(changes: Vec<FieldChange>) -> AnyView {
    let names: Vec<&str> = changes.iter().take(NAMED).map(|change| change.field.as_str()).collect();
    let more = changes.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(", {more} more") } else { String::new() };
    let summary = format!("Before and after: {}{more}", names.join(", "));
    let value = |text: String| if text.is_empty() { "–".to_string() } else { text };
    let fields = changes.into_iter().map(|change| {
        view! {
            <div>
                <dt>{change.field}</dt>
                <dd>
                    <small>"Before"</small>
                    {value(change.before)}
                </dd>
                <dd>
                    <small>"After"</small>
                    {value(change.after)}
                </dd>
            </div>
        }
    });
    let fields = fields.collect_view();
    view! {
        <tr class="more">
            <td colspan="5">
                <details>
                    <summary>{summary}</summary>
                    <dl class="before-after">{fields}</dl>
                </details>
            </td>
        </tr>
    }
    .into_any()
}

/// How the log is checked, and what to note for it.
fn proof(head: String) -> AnyView {
    view! {
        <div class="body fields">
            <p class="quiet">
                "Nothing here can be changed or deleted: the database refuses it, and each entry holds the hash of the one before it. "
                <Chip text="reachwire audit verify" />
                " on the server walks the whole log and names the first entry that does not fit. Whoever has the database could write \
                 a whole log anew, so note its last entry elsewhere from time to time; " <Chip text="--expect" />
                " then tells whether it still stands. The last entry is:"
            </p>
            <CodeBlock id="audit-head" text=head copy=true wrap=true label="last entry" />
        </div>
    }
    .into_any()
}
