//! Dialogs: the browser's own `<dialog>`, opened by `data-dialog-open` before the wasm has arrived, too.

use leptos::html;
use leptos::prelude::*;
use leptos::server_fn::{Http, ServerFn, client::Client, codec::PostUrl, request::ClientReq};
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::{FormData, HtmlDialogElement};
use serde::de::DeserializeOwned;

use super::badge::Tone;
use super::icon::{Glyph, Icon};
use super::note::Note;

fn element(id: &str) -> Option<HtmlDialogElement> {
    if cfg!(feature = "ssr") {
        return None;
    }
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// Opens the dialog `id` (browser only).
pub fn open_dialog(id: &str) {
    if let Some(dialog) = element(id).filter(|dialog| !dialog.open()) {
        // Fails only for an element that has left the page: then there is nothing to show.
        let _ = dialog.show_modal();
    }
}

/// Closes the dialog `id` (browser only), as after an action that succeeded.
pub fn close_dialog(id: &str) {
    if let Some(dialog) = element(id) {
        dialog.close();
    }
}

/// A question or a form over the page; its first control gets the focus, the cross is the last. `open` ties it to a signal; `wide` is for logs and messages.
#[component]
pub fn Dialog(
    #[prop(into)] id: String,
    #[prop(into)] title: String,
    #[prop(optional)] open: Option<RwSignal<bool>>,
    #[prop(optional)] wide: bool,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    if let Some(open) = open {
        Effect::new(move |_| {
            let wanted = open.get();
            let Some(dialog) = node.get() else { return };
            match (wanted, dialog.open()) {
                (true, false) => {
                    // Fails only for an element that has left the page.
                    let _ = dialog.show_modal();
                }
                (false, true) => dialog.close(),
                _ => {}
            }
        });
    }
    let closed = move |_| {
        if let Some(open) = open {
            open.set(false);
        }
    };
    let title_id = format!("{id}-title");
    let (own, labelled_by) = (id.clone(), title_id.clone());
    view! {
        <dialog node_ref=node id=id class="dialog" class:wide=wide aria-labelledby=labelled_by on:close=closed>
            <header>
                <h2 id=title_id>{title}</h2>
            </header>
            <div class="body">{children()}</div>
            <button
                type="button"
                class="btn bare icon-only close"
                command="close"
                commandfor=own
                data-dialog-close=""
                aria-label="Close"
            >
                <Icon glyph=Glyph::Close/>
            </button>
        </dialog>
    }
    .into_any()
}

/// Asks before something that cannot be undone; `text` names the thing and says what follows. Children are the form
/// that does it; without them a button `confirm_label` calls `on_confirm` and closes.
#[component]
pub fn Confirm(
    #[prop(into)] id: String,
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    #[prop(default = "Confirm".into(), into)] confirm_label: String,
    #[prop(optional)] danger: bool,
    #[prop(optional)] open: Option<RwSignal<bool>>,
    #[prop(optional, into)] on_confirm: Option<Callback<()>>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let own = id.clone();
    let answer = match children {
        Some(children) => children(),
        None => {
            let pressed = move |_| {
                if let Some(on_confirm) = on_confirm {
                    on_confirm.run(());
                }
                close_dialog(&own);
            };
            view! { <button type="button" class="btn primary" class:danger=danger on:click=pressed>{confirm_label}</button> }
                .into_any()
        }
    };
    let text = warning(text, danger);
    let open = open.unwrap_or_else(|| RwSignal::new(false));
    view! {
        <Dialog id title open>
            {text}
            <div class="dialog-foot">
                <button type="button" class="btn" data-dialog-close="">"Cancel"</button>
                {answer}
            </div>
        </Dialog>
    }
}

fn warning(text: String, danger: bool) -> AnyView {
    if danger {
        view! { <Note tone=Tone::Bad><p>{text}</p></Note> }.into_any()
    } else {
        view! { <p>{text}</p> }.into_any()
    }
}

/// As [`Confirm`]; its answer calls a server function with `fields`, and with what children ask above the buttons.
#[component]
pub fn ConfirmAction<F, Answer>(
    #[prop(into)] id: String,
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    label: &'static str,
    #[prop(optional)] danger: bool,
    action: ServerAction<F>,
    /// Their names and values.
    fields: Vec<(&'static str, String)>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView
where
    F: ServerFn<Protocol = Http<PostUrl, Answer>> + DeserializeOwned + Clone + Send + Sync + 'static,
    Answer: 'static,
    F::Output: Send + Sync + 'static,
    F::Error: Send + Sync + 'static,
    F::Client: Client<F::Error>,
    <<F::Client as Client<F::Error>>::Request as ClientReq<F::Error>>::FormData: From<FormData>,
{
    let fields = fields.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
    let fields = fields.collect_view();
    view! {
        <Dialog id title>
            {warning(text, danger)}
            <ActionForm action>
                {fields}
                <div class="fields">
                    {children.map(|children| children())}
                    <div class="dialog-foot">
                        <button type="button" class="btn" data-dialog-close="">"Cancel"</button>
                        <button type="submit" class="btn primary" class:danger=danger data-dialog-close="">{label}</button>
                    </div>
                </div>
            </ActionForm>
        </Dialog>
    }
    .into_any()
}
