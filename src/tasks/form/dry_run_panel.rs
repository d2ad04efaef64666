//! Beside the form: what would be sent, known before Submit is pressed. Runs by itself a moment after each change.

use super::super::{
    api::{SubmitTask, dry_run_state, start_dry_run},
    model::{DryRun, DryRunResult, TaskInput},
};
use crate::{
    error::AppError,
    ui::{
        CodeBlock, ErrorNote, Funnel, FunnelStep, LinkButton, Note, Panel, Progress, TableWrap, Tone,
        format::{about_ms, bytes, count, counted},
    },
};
use leptos::{
    form::FromFormData,
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::{FormData, HtmlFormElement},
};
use std::time::Duration;

/// After the last key.
const CALM: Duration = Duration::from_millis(600);
/// Between two looks at a running one.
const POLL: Duration = Duration::from_millis(300);

/// What is typed now; `None` while the form is not there.
pub fn read_form(id: &str) -> Option<TaskInput> {
    let form: HtmlFormElement = document().get_element_by_id(id)?.dyn_into().ok()?;
    let data = FormData::new_with_form(&form).ok()?;
    SubmitTask::from_form_data(&data).ok().map(|submit| submit.task)
}

#[derive(Clone, Debug, PartialEq)]
enum Shown {
    /// Something is missing; the words say what comes first.
    NotYet(String),
    Running(DryRun),
    Done(DryRun, DryRunResult),
    Failed(AppError),
}

#[component]
pub fn DryRunPanel(form_id: &'static str, changed: RwSignal<u32>) -> impl IntoView {
    let first = "Choose an audience and a webhook: the dry run then counts who gets a message, and who does not and why. \
                 Nothing is sent.";
    let shown = RwSignal::new(Shown::NotYet(first.into()));
    let polling = RwSignal::new(None::<String>);
    // Who is skipped stays open while it runs again.
    let opened = RwSignal::new(false);

    // Answers to earlier questions are not shown any more.
    let asked = StoredValue::new(0_u32);
    let start = move || {
        let Some(input) = read_form(form_id) else { return };
        if input.audience_id.is_empty() || input.webhook_id.is_empty() {
            return;
        }
        asked.update_value(|asked| *asked = asked.wrapping_add(1));
        let own = asked.get_value();
        leptos::task::spawn_local(async move {
            let started = start_dry_run(input).await;
            if asked.try_get_value() != Some(own) {
                return;
            }
            match started {
                Ok(id) => {
                    let _ = polling.try_set(Some(id.clone()));
                    look(id, shown, polling);
                }
                Err(AppError::Invalid(fields)) => {
                    let text = fields.first().map(|first| first.message.clone()).unwrap_or_default();
                    let _ = shown.try_set(Shown::NotYet(text));
                }
                Err(error) => {
                    let _ = shown.try_set(Shown::Failed(error));
                }
            }
        });
    };
    // Runs for a prefilled form too.
    let mut calm = debounce(CALM, move |()| start());
    Effect::new(move |_| {
        changed.track();
        calm(());
    });
    let content = move || match shown.get() {
        Shown::NotYet(text) => view! { <p class="quiet">{text}</p> }.into_any(),
        Shown::Failed(error) => view! { <ErrorNote error /> }.into_any(),
        Shown::Running(run) => view! {
            <Progress parts=vec![(Tone::Run, run.done)] total=run.total label="Dry run" />
        }
        .into_any(),
        Shown::Done(run, result) => outcome(run, result, opened),
    };
    let sample = move || match shown.get() {
        Shown::Done(_, result) if !result.samples.is_empty() => Some(view! { <Samples samples=result.samples /> }),
        _ => None,
    };
    view! {
        <aside class="grid" aria-label="Before it is sent">
            <Panel title="Dry run">
                <div aria-live="polite">{content}</div>
            </Panel>
            {sample}
        </aside>
    }
    .into_any()
}

/// Asks how far it is until it has ended or a newer one has begun.
fn look(id: String, shown: RwSignal<Shown>, polling: RwSignal<Option<String>>) {
    if polling.try_get_untracked().flatten().as_deref() != Some(&id) {
        return;
    }
    leptos::task::spawn_local(async move {
        let next = match dry_run_state(id.clone()).await {
            Ok(run) => match (run.result.clone(), run.error.clone()) {
                (Some(result), _) => Shown::Done(run, result),
                (None, Some(text)) => Shown::Failed(AppError::Conflict(text)),
                (None, None) => Shown::Running(run),
            },
            Err(error) => Shown::Failed(error),
        };
        let again = matches!(next, Shown::Running(_));
        if polling.try_get_untracked().flatten().as_deref() != Some(&id) {
            return;
        }
        let _ = shown.try_set(next);
        if again {
            set_timeout(move || look(id, shown, polling), POLL);
        }
    });
}

fn outcome(run: DryRun, result: DryRunResult, opened: RwSignal<bool>) -> AnyView {
    let skipped: i64 = result.skipped.iter().map(|(_, users)| users).sum();
    let why = result.skipped.iter().map(|(reason, users)| format!("{} {reason}", count(*users)));
    let note = if skipped == 0 {
        String::new()
    } else {
        format!("{} skipped: {}", count(skipped), why.collect::<Vec<_>>().join(", "))
    };
    let steps = vec![
        FunnelStep::new("Audience", result.will_send + skipped, ""),
        FunnelStep::new("Will send", result.will_send, note),
    ];
    let summary = format!(
        "{} in {}, {}.",
        counted(result.will_send, "user"),
        counted(result.batches, "request"),
        bytes(result.bytes)
    );
    let lasts = result.lasts_ms().filter(|ms| *ms >= 1_000).map(|ms| {
        format!(
            " At the webhook's {} users per second, sending takes {}.",
            count(result.users_per_second),
            about_ms(ms)
        )
    });
    let tone = if result.will_send == 0 { Tone::Warn } else { Tone::Run };
    let rows = result.skipped_first.clone();
    let details = (skipped > 0).then(|| {
        view! {
            <details
                open=opened.get_untracked()
                on:toggle:target=move |event| opened.set(event.target().has_attribute("open"))
            >
                <summary>"See who is skipped and why"</summary>
                <TableWrap label="Skipped users">
                    <table>
                        <thead>
                            <tr><th>"Customer"</th><th>"Reason"</th></tr>
                        </thead>
                        <tbody>
                            {rows
                                .into_iter()
                                .map(|(customer, reason)| view! { <tr><td class="mono">{customer}</td><td>{reason}</td></tr> })
                                .collect_view()}
                        </tbody>
                    </table>
                </TableWrap>
                <LinkButton href=format!("/tasks/dry-run/{}/skipped.csv", run.id) label="Download all as CSV" external=true />
            </details>
        }
    });
    view! {
        <div class="grid">
            <Funnel steps=steps />
            <Note tone>{summary} {lasts} <small class="quiet">{format!(" Counted in {}; nothing was sent.", about_ms(result.took_ms))}</small></Note>
            {details}
        </div>
    }
    .into_any()
}

#[component]
fn Samples(samples: Vec<String>) -> impl IntoView {
    let place = RwSignal::new(0_usize);
    let many = samples.len();
    let text = Signal::derive(move || samples.get(place.get()).cloned().unwrap_or_default());
    let actions = (many > 1).then(|| {
        view! {
            <button type="button" class="btn bare" on:click=move |_| place.update(|at| *at = (*at + 1) % many)>
                "Next user"
            </button>
        }
        .into_any()
    });
    match actions {
        Some(actions) => {
            view! { <Panel title="Message" actions=actions><CodeBlock id="sample" text label="Message" /></Panel> }
                .into_any()
        }
        None => view! { <Panel title="Message"><CodeBlock id="sample" text label="Message" /></Panel> }.into_any(),
    }
}
