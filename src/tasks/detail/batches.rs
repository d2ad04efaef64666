//! The requests of a task, each with its attempts.

use super::{
    Detail, Pulse,
    api::{ROWS, list_task_batches, load_batch},
    users::{emptied, result_badge},
};
use crate::{
    delivery::model::{AttemptRow, BatchDetail, BatchRow},
    error::AppError,
    ui::{
        CodeBlock, EmptyState, ErrorNote, KeysetPager, ListParams, Scope, Skeleton, TableWrap, Time,
        format::{bytes, count, duration_ms},
        query::use_query,
        use_list_params,
    },
};
use leptos::prelude::*;

const FILTERS: &[&str] = &["view"];

#[component]
pub fn Batches(id: Memo<String>, detail: Detail, pulse: RwSignal<Pulse>) -> impl IntoView {
    let scope = Scope::here();
    let params = use_list_params(FILTERS);
    let rows = Resource::new(
        move || (id.get(), params.get(), pulse.get()),
        |(id, params, _)| list_task_batches(id, params.after.parse().unwrap_or(-1)),
    );
    let query = use_query();
    let opened = Memo::new(move |_| query.read().get("batch").and_then(|batch| batch.parse::<i64>().ok()));
    let batch = Resource::new(
        move || (id.get(), opened.get(), pulse.get()),
        |(id, opened, _)| async move {
            match opened {
                Some(batch_no) => load_batch(id, batch_no).await.map(Some),
                None => Ok(None),
            }
        },
    );
    view! {
        <Transition fallback=|| view! { <Skeleton /> }>
            {move || Suspend::new(async move {
                let loaded = (detail.await, rows.await, batch.await);
                scope.show(move || match loaded {
                    (Ok(detail), _, _) if detail.emptied_at.is_some() => emptied(),
                    (Ok(detail), Ok(rows), Ok(opened)) => table(detail.id, rows, opened, params),
                    (Err(AppError::NotFound), _, _) => ().into_any(),
                    (Err(error), _, _) | (_, Err(error), _) | (_, _, Err(error)) => {
                        view! { <ErrorNote error /> }.into_any()
                    }
                })
            })}
        </Transition>
    }
    .into_any()
}

fn table(id: String, rows: Vec<BatchRow>, opened: Option<BatchDetail>, params: Memo<ListParams>) -> AnyView {
    if rows.is_empty() {
        return view! { <EmptyState title="No request yet" text="The requests appear here when the task begins." /> }
            .into_any();
    }
    let next = (rows.len() as i64 == ROWS).then(|| rows.last().map(|last| last.batch_no.to_string())).flatten();
    let after = params.read_untracked().after.clone();
    let rows: Vec<_> = rows
        .into_iter()
        .map(|batch| {
            let here = opened.clone().filter(|opened| opened.batch_no == batch.batch_no);
            let href = if here.is_some() {
                format!("/tasks/{id}?view=batches&after={after}")
            } else {
                format!("/tasks/{id}?view=batches&after={after}&batch={}", batch.batch_no)
            };
            let expanded = here.is_some().to_string();
            view! {
                <tr>
                    <td><a class="mono" href=href aria-expanded=expanded>{batch.batch_id.clone()}</a></td>
                    <td class="num" data-label="Users">{count(batch.size)}</td>
                    <td data-label="Result">{result_badge(word(&batch.state), batch.reason.as_deref())}</td>
                    <td class="num" data-label="Attempts">{count(batch.attempts)}</td>
                    <td data-label="First sent">{batch.sent_at.map(|ms| view! { <Time ms /> })}</td>
                    <td data-label="Ended">{batch.finished_at.map(|ms| view! { <Time ms /> })}</td>
                </tr>
                {here.map(|batch| view! { <tr><td colspan="6">{exchange(batch)}</td></tr> })}
            }
        })
        .collect();
    view! {
        <TableWrap label="Batches">
            <table class="stack">
                <thead>
                    <tr>
                        <th scope="col">"Batch"</th>
                        <th scope="col" class="num">"Users"</th>
                        <th scope="col">"Result"</th>
                        <th scope="col" class="num">"Attempts"</th>
                        <th scope="col">"First sent"</th>
                        <th scope="col">"Ended"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
        <KeysetPager params next />
    }
    .into_any()
}

/// A batch's state in the words of its users' results.
fn word(state: &str) -> &str {
    match state {
        "leased" => "sending",
        "retry" => "retrying",
        "pending" => "waiting",
        other => other,
    }
}

/// What was POSTed, and what came back at each attempt.
fn exchange(batch: BatchDetail) -> AnyView {
    let BatchDetail { request, bytes: size, attempts, .. } = batch;
    let request = (!request.is_empty()).then(|| {
        let label = format!("Request body, {}", bytes(size));
        view! { <CodeBlock id="request" text=request label /> }
    });
    view! { <div class="grid">{request} {attempt_list(attempts)}</div> }.into_any()
}

fn attempt_list(rows: Vec<AttemptRow>) -> AnyView {
    let rows = rows.into_iter().map(|row| {
        let outcome = row.outcome.clone().unwrap_or_else(|| "sending".into());
        let outcome = if outcome == "retry" { "retrying".to_string() } else { outcome };
        let answer = row.response.filter(|text| !text.is_empty()).map(|text| {
            view! { <CodeBlock id=format!("answer-{}", row.attempt) text label=format!("Answer to attempt {}", row.attempt) /> }
        });
        view! {
            <li class="grid tight">
                <p>
                    {format!("Attempt {}, ", row.attempt)} <Time ms=row.started_at /> " "
                    {result_badge(&outcome, row.reason.as_deref())} " "
                    <span class="quiet">
                        {row.http_status.map(|status| format!("HTTP {status} "))}
                        {row.duration_ms.map(duration_ms)}
                    </span>
                </p>
                {answer}
            </li>
        }
    });
    view! { <ol class="grid">{rows.collect_view()}</ol> }.into_any()
}
