//! Messages whose outcome nobody knows, once their task has ended: a person decides.

use super::{super::model::TaskLive, controls::Actions};
use crate::{
    delivery::model::{Progress, SendState},
    ui::{Button, ConfirmAction, Note, Tone, format::counted},
};
use leptos::prelude::*;

/// How many there are to decide about.
fn to_decide(progress: &Progress) -> Option<i64> {
    let ended = matches!(progress.state, SendState::Finished | SendState::Stopped | SendState::Failed);
    (ended && progress.unknown > 0 && progress.emptied_at.is_none()).then_some(progress.unknown)
}

/// The buttons, each with a question that names the number.
pub fn decisions(id: String, live: RwSignal<TaskLive>, actions: Actions) -> AnyView {
    let unknown = Memo::new(move |_| to_decide(&live.read().progress));
    (move || unknown.get().map(|users| dialogs(id.clone(), users, actions))).into_any()
}

fn dialogs(id: String, users: i64, actions: Actions) -> AnyView {
    let Actions { again, count, .. } = actions;
    let users_told = counted(users, "user");
    let count_as = |what: &str| vec![("id", id.clone()), ("count_as", what.to_string()), ("users", users.to_string())];
    view! {
        <Button label="Send unknown again" opens="send-unknown" />
        <Button label="Count as sent" opens="count-sent" />
        <Button label="Count as not sent" opens="count-not-sent" />
        <ConfirmAction
            id="send-unknown"
            title="Send unknown again"
            text=format!("Of {users_told} nobody knows whether the receiving system took them. They are sent again with the same batch and action ids, so that a receiver that did take them can tell.")
            label="Send again"
            action=again
            fields=vec![("id", id.clone()), ("unknown", "true".into())]
        />
        <ConfirmAction
            id="count-sent"
            title="Count as sent"
            text=format!("{users_told} count as accepted from now on. Nothing is sent to them again. This can't be taken back: do it when the receiving system has their messages.")
            label="Count as sent"
            action=count
            fields=count_as("sent")
        />
        <ConfirmAction
            id="count-not-sent"
            title="Count as not sent"
            text=format!("{users_told} count as failed from now on. Nothing is sent to them by this; Send failed again would send to them, too, with the same batch and action ids.")
            label="Count as not sent"
            action=count
            fields=count_as("not_sent")
        />
    }
    .into_any()
}

/// What it means, for everybody who sees the task.
pub fn note(progress: &Progress) -> Option<AnyView> {
    let users = counted(to_decide(progress)?, "user");
    let text = format!(
        "The outcome for {users} is unknown: the server stopped before an answer was recorded, so the receiving system \
         may have their messages or not. They stay unknown until somebody sends them again or says what they count as."
    );
    Some(view! { <Note tone=Tone::Odd><p>{text}</p></Note> }.into_any())
}
