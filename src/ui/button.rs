//! Things to press.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// The classes of a button.
fn button_class(primary: bool, danger: bool, bare: bool) -> String {
    let mut class = String::from("btn");
    for (on, word) in [(primary, " primary"), (danger, " danger"), (bare, " bare")] {
        if on {
            class.push_str(word);
        }
    }
    class
}

/// A button that does something here. `opens` is the id of a dialog that it opens, also before the wasm has arrived, and
/// without scripts where the browser knows `command`.
#[component]
pub fn Button(
    #[prop(into)] label: Signal<String>,
    #[prop(optional)] primary: bool,
    #[prop(optional)] danger: bool,
    #[prop(optional)] bare: bool,
    #[prop(optional)] icon: Option<Glyph>,
    #[prop(optional, into)] opens: String,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional, into)] on_click: Option<Callback<()>>,
) -> impl IntoView {
    let opens = (!opens.is_empty()).then_some(opens);
    view! {
        <button
            type="button"
            class=button_class(primary, danger, bare)
            command=opens.is_some().then_some("show-modal")
            commandfor=opens.clone()
            data-dialog-open=opens
            disabled=move || disabled.get()
            on:click=move |_| {
                if let Some(on_click) = on_click {
                    on_click.run(());
                }
            }
        >
            {icon.map(|glyph| view! { <Icon glyph/> })}
            {move || label.get()}
        </button>
    }
}

/// A link that looks like a button. `external` is for addresses that the client router does not know (downloads).
#[component]
pub fn LinkButton(
    #[prop(into)] href: Signal<String>,
    #[prop(into)] label: String,
    #[prop(optional)] primary: bool,
    #[prop(optional)] danger: bool,
    #[prop(optional)] bare: bool,
    #[prop(optional)] icon: Option<Glyph>,
    #[prop(optional)] external: bool,
) -> impl IntoView {
    view! {
        <a class=button_class(primary, danger, bare) href=move || href.get() rel=external.then_some("external")>
            {icon.map(|glyph| view! { <Icon glyph/> })}
            {label}
        </a>
    }
}

/// Submits the form around it; shows that it works and takes no second press while `pending`. `name` and `value` tell
/// the server which of several buttons it was.
#[component]
pub fn SubmitButton(
    #[prop(into)] label: Signal<String>,
    #[prop(optional, into)] pending: Signal<bool>,
    #[prop(optional, into)] disabled: Signal<bool>,
    /// Not the page's main action.
    #[prop(optional)]
    secondary: bool,
    #[prop(optional)] danger: bool,
    #[prop(optional)] bare: bool,
    #[prop(optional, into)] name: String,
    #[prop(optional, into)] value: String,
) -> impl IntoView {
    let named = !name.is_empty();
    view! {
        <button
            type="submit"
            class=button_class(!secondary && !bare, danger, bare)
            name=named.then_some(name)
            value=named.then_some(value)
            aria-busy=move || pending.get().then_some("true")
            disabled=move || pending.get() || disabled.get()
        >
            <span class="spinner" aria-hidden="true"></span>
            {move || label.get()}
        </button>
    }
}

/// The menu of a row or a page: links, buttons and forms with a button, one below the other. `label` names the thing
/// ("More actions for Coupon service"); `id` is unique on the page.
#[component]
pub fn RowMenu(#[prop(into)] id: String, #[prop(into)] label: String, children: Children) -> impl IntoView {
    view! {
        <button type="button" class="btn bare icon-only" popovertarget=id.clone() aria-label=label>
            <Icon glyph=Glyph::More/>
        </button>
        <div id=id popover="auto" class="menu">
            {children()}
        </div>
    }
}
