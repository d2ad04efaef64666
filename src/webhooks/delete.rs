//! "Delete": of a disabled webhook that no task uses (seed 002).

use super::api::DeleteWebhook;
use crate::ui::{ConfirmAction, Dialog};
use leptos::prelude::*;

/// The dialog that asks, or says why not yet. A button with `data-dialog-open` opens it.
#[component]
pub fn DeleteDialog(
    dialog: String,
    id: String,
    name: String,
    enabled: bool,
    /// How many use it.
    tasks: i64,
    action: ServerAction<DeleteWebhook>,
) -> impl IntoView {
    let refusal = if enabled {
        Some(view! { <p>"Disable “" {name.clone()} "” before deleting it."</p> }.into_any())
    } else if tasks > 0 {
        let href = format!("/tasks?webhook={id}");
        Some(
            view! {
                <p>
                    "“" {name.clone()} "” is used by " <a href=href>{crate::ui::format::counted(tasks, "task")}</a>
                    ". A webhook that is used can't be deleted; delete the tasks first."
                </p>
            }
            .into_any(),
        )
    } else {
        None
    };
    match refusal {
        Some(refusal) => view! {
            <Dialog id=dialog title="Delete webhook">
                {refusal}
                <div class="dialog-foot">
                    <button type="button" class="btn" data-dialog-close="">"Close"</button>
                </div>
            </Dialog>
        }
        .into_any(),
        // What it says then stands on the page behind.
        None => view! {
            <ConfirmAction
                id=dialog
                title="Delete webhook"
                text=format!("“{name}”, its versions and the logs of its tests are deleted. Receipts for it are refused from then on.")
                label="Delete"
                danger=true
                action
                fields=vec![("id", id)]
            />
        }
        .into_any(),
    }
}
