//! Whole receivers, one language at a time: each has an address, so that it needs no script.

use crate::{
    error::AppResult,
    guide::model::Language,
    ui::{CodeBlock, ErrorNote, LinkButton, Scope, Skeleton, query::to_query},
};
use leptos::prelude::*;

pub fn receivers(
    webhook: Memo<String>,
    language: Memo<Language>,
    sample: Resource<AppResult<(Language, String)>>,
    scope: Scope,
) -> AnyView {
    let tabs = Language::ALL.map(|one| {
        let href = move || {
            let query = to_query([("webhook", webhook.get()), ("language", one.code().to_string())]);
            format!("/guide{query}#receivers")
        };
        let here = move || (language.get() == one).then_some("page");
        view! { <a href=href aria-current=here>{one.label()}</a> }
    });
    view! {
        <section class="panel" id="receivers">
            <header>
                <h2>"Receivers to copy"</h2>
            </header>
            <div class="body prose">
                <p>"Each is a whole server of one file, with its language’s standard library alone: it reads the POST, checks both signatures in constant time and the time, does each "<code>"actionId"</code>" once, answers, and posts signed receipts back. Every one runs in Reachwire’s own tests against the real sender. Your work goes where the first function is."</p>
                <p>"They take "<code>"PORT"</code>", "<code>"WEBHOOK_KEY"</code>" and "<code>"RECEIPT_URL"</code>" from the environment, listen on 127.0.0.1 behind your reverse proxy, and remember in memory (PHP: in files): put a table there."</p>
            </div>
            <nav class="tabs" aria-label="Languages">{tabs.collect_view()}</nav>
            <div class="body prose">
                <Transition fallback=|| view! { <Skeleton /> }>
                    {move || Suspend::new(async move {
                        let loaded = sample.await;
                        scope.show(move || match loaded {
                            Ok((language, text)) => source(language, text),
                            Err(error) => view! { <ErrorNote error /> }.into_any(),
                        })
                    })}
                </Transition>
            </div>
        </section>
    }
    .into_any()
}

fn source(language: Language, text: String) -> AnyView {
    let (file, label) = (language.file(), format!("Download {}", language.file()));
    view! {
        <CodeBlock id="guide-receiver" text copy=true label=file />
        <div class="actions">
            <LinkButton href=format!("/guide/samples/{file}") label external=true />
        </div>
    }
    .into_any()
}
