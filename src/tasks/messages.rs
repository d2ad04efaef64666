//! What a customer was sent: the section of the customer's page.

use super::{api::messages_to_customer, detail::result_badge, model::CustomerMessages};
use crate::ui::{Badge, EmptyState, Loaded, Panel, TableWrap, Time, Tone, format::count};
use leptos::prelude::*;

#[component]
pub fn Messages(#[prop(into)] customer_id: Signal<String>) -> impl IntoView {
    let messages = Resource::new(move || customer_id.get(), messages_to_customer);
    view! {
        <Panel title="Messages" padded=false>
            <Loaded rows=3 what=messages show=move |messages| table(messages) />
        </Panel>
    }
    .into_any()
}

fn table(CustomerMessages { rows, among }: CustomerMessages) -> AnyView {
    let among = among.map(|tasks| format!("Among the latest {} tasks; older ones are not looked at.", count(tasks)));
    if rows.is_empty() {
        let text = among.unwrap_or_else(|| {
            "What tasks send to this customer stands here with its result, as long as the workspace keeps it.".into()
        });
        return view! { <EmptyState title="No messages" text /> }.into_any();
    }
    let rows = rows.into_iter().map(|message| {
        view! {
            <tr>
                <td><a class="title" href=format!("/tasks/{}", message.task_id)>{message.task}</a></td>
                <td data-label="ID" class="mono">{message.action.target.unwrap_or_else(|| "–".into())}</td>
                <td data-label="Sent">{message.action.sent_at.map(|ms| view! { <Time ms /> })}</td>
                <td data-label="Result">{result_badge(&message.action.result, message.action.reason.as_deref())}</td>
                <td data-label="Receipt">{message.receipt.map(|text| view! { <Badge tone=Tone::Neutral text /> })}</td>
            </tr>
        }
    });
    view! {
        <TableWrap label="Messages">
            <table class="stack">
                <thead>
                    <tr>
                        <th scope="col">"Task"</th>
                        <th scope="col">"ID"</th>
                        <th scope="col">"Sent"</th>
                        <th scope="col">"Result"</th>
                        <th scope="col">"Receipt"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </TableWrap>
        {among.map(|text| view! { <p class="foot">{text}</p> })}
    }
    .into_any()
}
