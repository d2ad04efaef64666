//! The guide's page. Its text is in [`super::sections`].

use super::{
    api::{get_guide, get_sample},
    model::{Guide, Language, Subject},
    sections,
};
use crate::ui::{
    ErrorNote, Note, PageHeader, Panel, Scope, Skeleton, Tone,
    query::{to_query, use_query},
};
use leptos::prelude::*;

pub fn guide_page() -> AnyView {
    let (scope, sample_scope) = (Scope::here(), Scope::here());
    let query = use_query();
    let webhook = Memo::new(move |_| query.read().text("webhook"));
    let language = Memo::new(move |_| Language::from_code(&query.read().text("language")).unwrap_or_default());
    let guide = Resource::new(move || webhook.get(), get_guide);
    let sample =
        Resource::new(move || language.get(), async |language| get_sample(language).await.map(|text| (language, text)));
    view! {
        <PageHeader
            title="Webhook integration guide"
            crumbs=vec![("Configuration Management", ""), ("Marketing Configuration", "")]
            intro="For the engineers of the system that receives the requests: what comes, what to check, what to answer, and how to report back."
        />
        <div class="guide">
            {contents()}
            <div class="grid">
                <Transition fallback=|| view! { <Panel><Skeleton /></Panel> }>
                    {move || Suspend::new(async move {
                        let loaded = guide.await;
                        scope.show(move || match loaded {
                            Ok(guide) => text(guide, webhook),
                            Err(error) => view! { <ErrorNote error /> }.into_any(),
                        })
                    })}
                </Transition>
                {sections::receivers(webhook, language, sample, sample_scope)}
            </div>
        </div>
    }
    .into_any()
}

/// In the order of the page. A fragment is the browser's matter, not the router's.
const CONTENTS: [(&str, &str); 12] = [
    ("request", "The request"),
    ("body", "The body"),
    ("signature", "The signature"),
    ("calculator", "Calculator"),
    ("standard-webhooks", "Standard Webhooks headers"),
    ("answer", "The answer"),
    ("retries", "Retries and idempotency"),
    ("receipts", "Receipts"),
    ("errors", "Error codes"),
    ("limits", "Limits"),
    ("interface", "Interface-based parameters"),
    ("receivers", "Receivers to copy"),
];

fn contents() -> AnyView {
    let links = CONTENTS.map(|(id, label)| view! { <li><a href=format!("#{id}") rel="external">{label}</a></li> });
    view! {
        <nav class="contents" aria-label="On this page">
            <ol>{links.collect_view()}</ol>
        </nav>
    }
    .into_any()
}

fn text(guide: Guide, webhook: Memo<String>) -> AnyView {
    let subject = subject(guide.subject.clone(), webhook);
    view! {
        {subject}
        {sections::request(&guide)}
        {sections::body(&guide)}
        {sections::signature()}
        {sections::standard_webhooks(&guide)}
        {sections::answer()}
        {sections::retries(&guide)}
        {sections::receipts(&guide)}
        {sections::errors(&guide)}
        {sections::limits()}
        {sections::interface()}
    }
    .into_any()
}

/// Whose values the examples show, where that is not plain.
fn subject(subject: Subject, webhook: Memo<String>) -> AnyView {
    match subject {
        Subject::General => ().into_any(),
        Subject::Webhook(name) => {
            let href = format!("/webhooks/{}", webhook.get_untracked());
            view! {
                <Note tone=Tone::Run>
                    <p>"The examples show the values of the webhook " <a href=href>{name}</a> ". Its key is shown nowhere."</p>
                </Note>
            }
            .into_any()
        }
        Subject::Unknown => view! {
            <Note tone=Tone::Warn>
                <p>"There is no such webhook in this workspace: the examples show made-up values."</p>
            </Note>
        }
        .into_any(),
        Subject::Stranger => {
            let here = format!("/guide{}", to_query([("webhook", webhook.get_untracked())]));
            let href = format!("/sign-in{}", to_query([("next", here)]));
            view! {
                <Note>
                    <p>
                        "The examples show made-up values. Members see those of the webhook: " <a href=href rel="external">"sign in"</a> "."
                    </p>
                </Note>
            }
            .into_any()
        }
    }
}
