use crate::access::model::SessionInfo;
use leptos::prelude::*;
#[component]
pub fn Shell(session: SessionInfo, children: Children) -> impl IntoView {
    let _ = session;
    children()
}
