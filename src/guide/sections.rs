//! The guide's text, a part each. What does not depend on the reader is static markup, which costs the browser little.

mod answer;
mod interface;
mod receipts;
mod receivers;
mod request;
mod signature;

pub use answer::{answer, limits, retries};
pub use interface::interface;
pub use receipts::{errors, receipts};
pub use receivers::receivers;
pub use request::{body, request};
pub use signature::{signature, standard_webhooks};

use crate::ui::TableWrap;
use leptos::prelude::*;

/// One part: `id` is where the contents lead.
fn part(id: &'static str, title: &'static str, content: AnyView) -> AnyView {
    view! {
        <section class="panel" id=id>
            <header>
                <h2>{title}</h2>
            </header>
            <div class="body prose">{content}</div>
        </section>
    }
    .into_any()
}

/// A table whose first column names what the others describe.
fn table(label: &'static str, heads: &'static [&'static str], rows: AnyView) -> AnyView {
    let heads = heads.iter().map(|head| view! { <th scope="col">{*head}</th> }).collect_view();
    view! {
        <TableWrap label>
            <table class="stack">
                <thead>
                    <tr>{heads}</tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
    }
    .into_any()
}
