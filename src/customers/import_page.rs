//! One import: mapping its columns, watching it, and what came of it.

use super::{
    api::{DiscardImport, ImportView, RunImportAgain, StartImport, get_import},
    import_result::Outcome,
    mapping_form::MappingForm,
    model::{Import, ImportStatus},
    upload_page::steps,
};
use crate::{
    error::AppError,
    ui::{
        Badge, ErrorNote, FormErrors, Note, PageHeader, Panel, Progress, Scope, Skeleton, Stepper, SubmitButton, Tone,
        follow, format,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use std::time::Duration;

/// How often a running import is asked how far it is.
const POLL: Duration = Duration::from_secs(1);

#[derive(Clone, Copy)]
struct Actions {
    start: ServerAction<StartImport>,
    again: ServerAction<RunImportAgain>,
    discard: ServerAction<DiscardImport>,
    tick: RwSignal<u32>,
}

pub fn import_page() -> AnyView {
    let scope = Scope::here();
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let actions = Actions {
        start: ServerAction::new(),
        again: ServerAction::new(),
        discard: ServerAction::new(),
        tick: RwSignal::new(0),
    };
    // A refused start changes nothing, so the form stays as it was typed.
    let started = Memo::new(move |_| matches!(actions.start.value().get(), Some(Ok(()))));
    let again = Memo::new(move |_| actions.again.version().get());
    let import =
        Resource::new(move || (id.get(), actions.tick.get(), started.get(), again.get()), |(id, ..)| get_import(id));
    let content = move || {
        Suspend::new(async move {
            let loaded = import.await;
            scope.show(move || match loaded {
                Ok(view) => page(view, actions),
                Err(error) => {
                    view! { <PageHeader title="Import" crumbs=crumbs() /><Panel><ErrorNote error /></Panel> }.into_any()
                }
            })
        })
    };
    view! { <Transition fallback=|| view! { <Skeleton rows=8 /> }>{content}</Transition> }.into_any()
}

fn crumbs() -> Vec<(&'static str, &'static str)> {
    vec![("Customers", "/customers"), ("Import Customers", "/customers/import")]
}

pub fn status_badge(status: ImportStatus) -> AnyView {
    let tone = match status {
        ImportStatus::Uploaded => Tone::Warn,
        ImportStatus::Running => Tone::Run,
        ImportStatus::Finished => Tone::Ok,
        ImportStatus::Failed | ImportStatus::Interrupted => Tone::Bad,
    };
    view! { <Badge tone text=status.label() /> }.into_any()
}

fn page(view: ImportView, actions: Actions) -> AnyView {
    let status = view.import.status;
    let title = view.import.file_name.clone();
    let step = match status {
        ImportStatus::Uploaded => 1_u32,
        ImportStatus::Running | ImportStatus::Interrupted | ImportStatus::Failed => 2,
        ImportStatus::Finished => 3,
    };
    let content = match status {
        ImportStatus::Uploaded => map_columns(view, actions),
        ImportStatus::Running => view! { <Running view tick=actions.tick /> }.into_any(),
        ImportStatus::Finished => view! { <Outcome view /> }.into_any(),
        ImportStatus::Failed | ImportStatus::Interrupted => stopped(view, actions),
    };
    view! {
        <PageHeader title crumbs=crumbs() badge=status_badge(status) />
        <Stepper steps=steps() current=step />
        {content}
    }
    .into_any()
}

fn map_columns(view: ImportView, actions: Actions) -> AnyView {
    let id = view.import.id.clone();
    view! {
        <MappingForm view start=actions.start />
        <ActionForm action=actions.discard>
            <input type="hidden" name="id" value=id />
            <SubmitButton label="Discard this file" bare=true pending=actions.discard.pending() />
        </ActionForm>
    }
    .into_any()
}

#[component]
fn Running(view: ImportView, tick: RwSignal<u32>) -> impl IntoView {
    let id = view.import.id.clone();
    let live = RwSignal::new(view);
    let lost = RwSignal::new(None::<AppError>);
    let running = Memo::new(move |_| live.read().import.status == ImportStatus::Running);
    // In the browser only; without scripts the page is loaded again by hand.
    let asked = id.clone();
    follow(live, lost, POLL, move |view| {
        (view.import.status == ImportStatus::Running).then(|| get_import(asked.clone()))
    });
    // The page is another one then.
    Effect::watch(move || running.get(), move |_, _, _| tick.update(|tick| *tick += 1), false);
    let parts = Signal::derive(move || vec![(Tone::Run, live.read().import.bytes_done)]);
    let total = Signal::derive(move || live.read().import.bytes);
    let caption = Signal::derive(move || {
        let import = &live.read().import;
        format!(
            "{} of {} read: {}, {} bad",
            format::bytes(import.bytes_done),
            format::bytes(import.bytes),
            format::counted(rows(import), "row"),
            format::count(import.rows_bad)
        )
    });
    let pace = Signal::derive(move || {
        let view = live.read();
        format::rate(rows(&view.import) as f64 * 1_000.0 / spent(&view) as f64, "rows")
    });
    let left = Signal::derive(move || {
        let view = live.read();
        let (done, all) = (view.import.bytes_done, view.import.bytes);
        if done == 0 {
            return String::new();
        }
        let remaining = (all - done).max(0) as f64;
        format!("{} left", format::about_ms((spent(&view) as f64 * remaining / done as f64) as i64))
    });
    view! {
        <Panel title="Importing">
            <FormErrors error=lost />
            <Progress label="Import" parts total caption rate=pace left />
            <p class="quiet">"You can leave this page; the import goes on."</p>
            <noscript>
                <a href=format!("/customers/imports/{id}")>"Show how far it is now"</a>
            </noscript>
        </Panel>
    }
    .into_any()
}

fn rows(import: &Import) -> i64 {
    import.rows_good + import.rows_bad
}

/// Since it began, in ms.
fn spent(view: &ImportView) -> i64 {
    (view.now - view.import.started_at.unwrap_or(view.now)).max(1)
}

fn stopped(view: ImportView, actions: Actions) -> AnyView {
    let id = view.import.id.clone();
    let reason = match view.import.status {
        ImportStatus::Interrupted => {
            "Nothing has come of it for minutes: the program that ran it has ended.".to_string()
        }
        _ => view.import.error.clone().unwrap_or_default(),
    };
    let way_on = if view.import.uploaded {
        "What was imported so far is kept. It can go on from there."
    } else {
        "What was imported so far is kept. Run the command again: rows that are there already do no harm."
    };
    let error = Signal::derive(move || actions.again.value().get().and_then(Result::err));
    let refused = Signal::derive(move || actions.discard.value().get().and_then(Result::err));
    let again = view.import.uploaded.then(|| {
        let id = id.clone();
        view! {
            <ActionForm action=actions.again>
                <input type="hidden" name="id" value=id />
                <SubmitButton label="Run again" pending=actions.again.pending() />
            </ActionForm>
        }
    });
    view! {
        <Panel title="The import stopped">
            <Note tone=Tone::Bad>
                <p>{reason}</p>
                <p>{way_on}</p>
            </Note>
            <FormErrors error />
            <FormErrors error=refused />
            <div class="actions">
                {again}
                <ActionForm action=actions.discard>
                    <input type="hidden" name="id" value=id />
                    <SubmitButton label="Discard this import" bare=true pending=actions.discard.pending() />
                </ActionForm>
            </div>
        </Panel>
        <Outcome view />
    }
    .into_any()
}
