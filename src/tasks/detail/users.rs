//! What every user got.

use super::{
    super::model::TaskDetail,
    Detail, Pulse,
    api::{ROWS, list_task_users},
};
use crate::{
    delivery::model::ActionRow,
    error::AppError,
    ui::{
        Badge, EmptyState, ErrorNote, FilterSelect, Filters, KeysetPager, LinkButton, ListParams, Scope, SelectOption,
        Skeleton, TableWrap, Time, Tone, use_list_params,
    },
};
use leptos::prelude::*;
use leptos_router::location::Url;

const FILTERS: &[&str] = &["result", "receipt"];

#[component]
pub fn Users(id: Memo<String>, detail: Detail, pulse: RwSignal<Pulse>) -> impl IntoView {
    let scope = Scope::here();
    let params = use_list_params(FILTERS);
    let rows = Resource::new(
        move || (id.get(), params.get(), pulse.get()),
        |(id, params, _)| {
            let (result, receipt) = (params.filter("result").to_string(), params.filter("receipt").to_string());
            list_task_users(id, params.q, result, receipt, params.after.parse().unwrap_or(-1))
        },
    );
    view! {
        <Transition fallback=|| view! { <Skeleton /> }>
            {move || Suspend::new(async move {
                let loaded = (detail.await, rows.await);
                scope.show(move || match loaded {
                    (Ok(detail), Ok(rows)) => table(detail, rows, params),
                    // The page above says it.
                    (Err(AppError::NotFound), _) => ().into_any(),
                    (Err(error), _) | (_, Err(error)) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Transition>
    }
    .into_any()
}

fn table(detail: TaskDetail, rows: Vec<ActionRow>, params: Memo<ListParams>) -> AnyView {
    let results = [
        ("accepted", "Accepted"),
        ("failed", "Failed"),
        ("skipped", "Skipped"),
        ("unknown", "Unknown"),
        ("waiting", "Waiting"),
    ];
    let mut selects = vec![FilterSelect::new(
        "result",
        "All results",
        results.map(|(code, label)| SelectOption::new(code, label)).to_vec(),
    )];
    if detail.receipts_enabled {
        let options = detail.statuses.iter().map(|(code, value)| SelectOption::new(code, value));
        let options = options.chain([SelectOption::new("none", "None")]).collect();
        selects.push(FilterSelect::new("receipt", "All receipts", options));
    }
    let query = params.read_untracked().to_query();
    let export = format!("/tasks/{}/users.csv{query}", detail.id);
    let next = (rows.len() as i64 == ROWS).then(|| rows.last().map(|last| last.seq.to_string())).flatten();
    let id_type = detail.id_type.clone();
    let content = if detail.emptied_at.is_some() {
        emptied()
    } else if rows.is_empty() {
        let (title, text) = if params.read_untracked().is_filtered() {
            ("No user matches", "Change the search or the filters.")
        } else {
            ("Nobody is planned yet", "The users appear here when the task begins.")
        };
        view! { <EmptyState title text /> }.into_any()
    } else {
        let rows = rows.into_iter().map(|action| row(action, &detail)).collect_view();
        view! {
            <TableWrap label="Users">
                <table class="stack">
                    <thead>
                        <tr>
                            <th scope="col">"Customer"</th>
                            <th scope="col">{id_type}</th>
                            <th scope="col">"Sent"</th>
                            <th scope="col">"Result"</th>
                            <th scope="col">"Receipt"</th>
                            <th scope="col">"Receipt time"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableWrap>
            <KeysetPager params next />
        }
        .into_any()
    };
    // Of what is gone nothing is to be found or exported.
    let filters = detail.emptied_at.is_none().then(|| {
        view! {
            <Filters action=format!("/tasks/{}", detail.id) params placeholder="Customer or ID" selects>
                <LinkButton href=export label="Export CSV" external=true />
            </Filters>
        }
    });
    view! {
        {filters}
        {content}
    }
    .into_any()
}

/// In place of what the workspace no longer keeps.
pub fn emptied() -> AnyView {
    let text = "The workspace keeps them no longer. The totals above stay.";
    view! { <EmptyState title="The messages are deleted" text /> }.into_any()
}

fn row(action: ActionRow, detail: &TaskDetail) -> AnyView {
    let href = format!("/customers/view/{}", Url::escape(&action.customer_id));
    let receipt = action.receipt_status.as_ref().map(|code| {
        let value = detail.statuses.iter().find(|(known, _)| known == code).map_or(code, |(_, value)| value);
        view! { <Badge tone=Tone::Neutral text=value.clone() /> }
    });
    view! {
        <tr>
            <td><a class="mono" href=href>{action.customer_id.clone()}</a></td>
            <td class="mono" data-label=detail.id_type.clone()>{action.target.clone().unwrap_or_else(|| "–".into())}</td>
            <td data-label="Sent">{action.sent_at.map(|ms| view! { <Time ms /> })}</td>
            <td data-label="Result">{result_badge(&action.result, action.reason.as_deref())}</td>
            <td data-label="Receipt">{receipt}</td>
            <td data-label="Receipt time">{action.receipt_at.map(|ms| view! { <Time ms /> })}</td>
        </tr>
    }
    .into_any()
}

/// A user's result with its reason, in its colour.
pub fn result_badge(result: &str, reason: Option<&str>) -> AnyView {
    let (tone, word) = match result {
        "accepted" => (Tone::Ok, "Accepted"),
        "failed" => (Tone::Bad, "Failed"),
        "skipped" => (Tone::Neutral, "Skipped"),
        "unknown" => (Tone::Odd, "Unknown"),
        "sending" => (Tone::Run, "Sending"),
        "retrying" => (Tone::Warn, "Retrying"),
        _ => (Tone::Neutral, "Waiting"),
    };
    let text = match reason.filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("{word}: {reason}"),
        None => word.to_string(),
    };
    view! { <Badge tone text /> }.into_any()
}
