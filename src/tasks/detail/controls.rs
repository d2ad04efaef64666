//! What may be done with a task, as far as it has come.

use super::{
    super::{
        api::DeleteTask,
        model::{TaskDetail, TaskLive, changes},
    },
    api::{ControlTask, CountUnknown, SendFailedAgain},
    unknown,
};
use crate::{
    delivery::model::SendState,
    error::AppError,
    ui::{Button, ConfirmAction, Field, LinkButton, Select, SelectOption, SubmitButton, format::counted},
};
use leptos::prelude::*;

/// The page's actions; they outlive what is loaded anew.
#[derive(Clone, Copy)]
pub struct Actions {
    pub control: ServerAction<ControlTask>,
    pub again: ServerAction<SendFailedAgain>,
    pub count: ServerAction<CountUnknown>,
    pub delete: ServerAction<DeleteTask>,
    refused: RwSignal<Option<AppError>>,
}

impl Actions {
    pub fn new() -> Self {
        let (control, again) = (ServerAction::new(), ServerAction::new());
        let (count, delete) = (ServerAction::new(), ServerAction::new());
        let answers = [control.value(), again.value(), count.value(), delete.value()];
        // Without scripts the page itself comes with the answer.
        let first = answers.iter().find_map(|answer| answer.get_untracked().and_then(Result::err));
        let refused = RwSignal::new(first);
        for answer in answers {
            Effect::watch(
                move || answer.get(),
                move |answer, _, _| {
                    if let Some(answer) = answer {
                        refused.set(answer.clone().err());
                    }
                },
                false,
            );
        }
        Self { control, again, count, delete, refused }
    }

    /// Changes with each that is done.
    pub fn done(&self) -> (usize, usize, usize) {
        (self.control.version().get(), self.again.version().get(), self.count.version().get())
    }

    /// Why the last one was not.
    pub fn refused(&self) -> Option<AppError> {
        self.refused.get()
    }
}

pub fn controls(detail: &TaskDetail, live: RwSignal<TaskLive>, actions: Actions) -> AnyView {
    let Actions { control, again, delete, .. } = actions;
    let (id, name) = (detail.id.clone(), detail.name.clone());
    let state = Memo::new(move |_| live.read().progress.state);
    // Those whose messages are deleted can't be sent again.
    let failed = Memo::new(move |_| {
        let progress = &live.read().progress;
        if progress.emptied_at.is_none() { progress.failed } else { 0 }
    });
    let may_change = Memo::new(move |_| {
        let live = live.read();
        let changes = changes(&live.progress, live.now);
        (changes.edit, changes.delete)
    });
    let button = move |id: String, action: &'static str, label: &'static str| {
        view! {
            <ActionForm action=control>
                <input type="hidden" name="id" value=id />
                <input type="hidden" name="action" value=action />
                <SubmitButton label secondary=true pending=control.pending() />
            </ActionForm>
        }
    };
    let (pause, resume, edit) = (id.clone(), id.clone(), id.clone());
    let users = live.read_untracked().progress.audience;
    let unknown = unknown::decisions(id.clone(), live, actions);
    view! {
        {move || matches!(state.get(), SendState::Sending).then(|| button(pause.clone(), "pause", "Pause"))}
        {move || matches!(state.get(), SendState::Paused).then(|| button(resume.clone(), "resume", "Resume"))}
        {move || matches!(state.get(), SendState::Missed).then(|| view! { <Button label="Send now" opens="send-now" /> })}
        {move || {
            matches!(state.get(), SendState::Sending | SendState::Paused | SendState::Scheduled | SendState::Missed)
                .then(|| view! { <Button label="Stop" danger=true opens="stop-task" /> })
        }}
        {move || (failed.get() > 0 && state.get() != SendState::Scheduled)
            .then(|| view! { <Button label="Send failed again" opens="send-again" /> })}
        {move || may_change.get().0.then(|| view! { <LinkButton href=format!("/tasks/{edit}/edit") label="Edit" /> })}
        {move || may_change.get().1.then(|| view! { <Button label="Delete" danger=true opens="delete-task" /> })}
        <ConfirmAction
            id="send-now"
            title="Send now"
            text=format!("“{name}” missed its time. It begins now, to {}.", counted(users, "user"))
            label="Send now"
            action=control
            fields=vec![("id", id.clone()), ("action", "send_now".into())]
        />
        <ConfirmAction
            id="stop-task"
            title="Stop task"
            text=format!("“{name}” stops for good. Requests that are under way end and are recorded; users who wait get nothing and are counted as skipped, those who wait for another try as failed.")
            label="Stop task"
            danger=true
            action=control
            fields=vec![("id", id.clone()), ("action", "stop".into())]
        />
        <ConfirmAction
            id="send-again"
            title="Send failed again"
            text="The failed users are sent again with the same batch and action ids, so that a receiver that did take them can tell."
            label="Send again"
            action=again
            fields=vec![("id", id.clone())]
        >
            {move || reasons(live)}
        </ConfirmAction>
        {unknown}
        {delete_question("delete-task".into(), &id, &name, delete)}
    }
    .into_any()
}

/// Asks before a task is deleted.
pub fn delete_question(dialog: String, id: &str, name: &str, delete: ServerAction<DeleteTask>) -> AnyView {
    view! {
        <ConfirmAction
            id=dialog
            title="Delete task"
            text=format!("“{name}” and the record of what it sent are deleted. The users' messages can no longer be looked up.")
            label="Delete"
            danger=true
            action=delete
            fields=vec![("id", id.to_string())]
        />
    }
    .into_any()
}

/// Which failures: all, or those with one reason.
fn reasons(live: RwSignal<TaskLive>) -> AnyView {
    let live = live.get();
    let failed = live.reasons.iter().filter(|reason| reason.outcome == "failed");
    let options = std::iter::once(SelectOption::new("", format!("All failures ({})", live.progress.failed)))
        .chain(failed.map(|reason| SelectOption::new(&reason.reason, format!("{} ({})", reason.reason, reason.users))))
        .collect::<Vec<_>>();
    view! {
        <Field label="Which failures" name="reason">
            <Select name="reason" options />
        </Field>
    }
    .into_any()
}
