//! Stand-ins until the design system lands.
use crate::error::FieldError;
use leptos::prelude::*;

#[derive(Clone)]
pub struct UserZone(pub String);
#[derive(Clone, Copy)]
pub enum Tone {
    Neutral,
    Run,
    Ok,
    Warn,
    Bad,
    Odd,
}

#[component]
pub fn PageHeader(#[prop(into)] title: String, #[prop(optional)] children: Option<Children>) -> impl IntoView {
    view! { <h1>{title}</h1>{children.map(|c| c())} }
}
#[component]
pub fn Toasts(children: Children) -> impl IntoView {
    children()
}
#[component]
pub fn Note(tone: Tone, children: Children) -> impl IntoView {
    let _ = tone;
    children()
}
#[component]
pub fn Field(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    #[prop(optional)] required: bool,
    #[prop(into, optional)] errors: Signal<Vec<FieldError>>,
    children: Children,
) -> impl IntoView {
    let _ = (errors, required);
    view! { <label for=name>{label}</label>{children()} }
}
#[component]
pub fn TextInput(
    #[prop(into)] name: String,
    #[prop(optional, into)] type_: String,
    #[prop(optional, into)] autocomplete: String,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    view! { <input id=name.clone() name=name type=type_ autocomplete=autocomplete required=required /> }
}
#[component]
pub fn SubmitButton(#[prop(into)] label: String) -> impl IntoView {
    view! { <button>{label}</button> }
}
