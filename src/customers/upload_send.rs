//! Sending the upload form from the browser with progress, which `fetch` does not tell.

use super::upload_page::{Sending, TOO_LARGE};
use leptos::{ev, prelude::*, web_sys};
use leptos_router::hooks::use_navigate;
use serde::Deserialize;
use wasm_bindgen::{JsCast, closure::Closure};

#[derive(Deserialize)]
struct Done {
    location: String,
}

#[derive(Deserialize)]
struct Refused {
    message: String,
}

const BROKEN: &str = "The upload did not arrive whole. Check the connection and try again.";

/// What a proxy before the server answers to a file that is too large for it.
const PAYLOAD_TOO_LARGE: u16 = 413;

/// What submits the form: keeps the browser from leaving the page, and follows the answer. Whoever leaves the page takes
/// the upload back, so that its end does not call him away from where he is.
pub fn sender(
    sending: RwSignal<Option<Sending>>,
    problem: RwSignal<Option<String>>,
) -> impl Fn(ev::SubmitEvent) + Clone + 'static {
    let navigate = use_navigate();
    let running = StoredValue::new_local(None::<web_sys::XmlHttpRequest>);
    on_cleanup(move || {
        if let Some(request) = running.try_update_value(Option::take).flatten() {
            request.set_onloadend(None);
            if let Ok(upload) = request.upload() {
                upload.set_onprogress(None);
            }
            // Fails only when there is nothing to stop.
            let _ = request.abort();
        }
    });
    move |event| {
        let Some(form) = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlFormElement>().ok()) else {
            return;
        };
        let (Ok(request), Ok(body)) = (web_sys::XmlHttpRequest::new(), web_sys::FormData::new_with_form(&form)) else {
            // The browser submits the form itself.
            return;
        };
        event.prevent_default();
        problem.set(None);
        sending.set(Some(Sending { sent: 0, total: 1 }));
        let fail = move |text: String| {
            sending.set(None);
            problem.set(Some(text));
        };
        if let Ok(upload) = request.upload() {
            let on_progress =
                Closure::<dyn FnMut(web_sys::ProgressEvent)>::new(move |event: web_sys::ProgressEvent| {
                    sending.set(Some(Sending { sent: event.loaded() as i64, total: event.total() as i64 }));
                });
            upload.set_onprogress(Some(on_progress.as_ref().unchecked_ref()));
            on_progress.forget();
        }
        let (answered, navigate) = (request.clone(), navigate.clone());
        let on_end = Closure::once_into_js(move || {
            let text = answered.response_text().ok().flatten().unwrap_or_default();
            if let Ok(done) = serde_json::from_str::<Done>(&text) {
                navigate(&done.location, Default::default());
                return;
            }
            let refused = serde_json::from_str::<Refused>(&text).map(|refused| refused.message).ok();
            let too_large = || (answered.status() == Ok(PAYLOAD_TOO_LARGE)).then(|| TOO_LARGE.to_string());
            fail(refused.or_else(too_large).unwrap_or_else(|| BROKEN.into()));
        });
        request.set_onloadend(Some(on_end.unchecked_ref()));
        let sent = request
            .open_with_async("POST", super::upload_page::UPLOAD, true)
            .and_then(|()| request.set_request_header("Accept", "application/json"))
            .and_then(|()| request.send_with_opt_form_data(Some(&body)));
        running.set_value(Some(request));
        if sent.is_err() {
            fail(BROKEN.into());
        }
    }
}
