//! One customer: a section for each thing that is known.

use super::{
    api::get_customer,
    model::{Customer, Tag, tag_text},
};
use crate::tasks::messages::Messages;
use crate::ui::{EmptyState, ErrorNote, Fact, Facts, PageHeader, Panel, Scope, Skeleton, TableWrap, Time};
use leptos::prelude::*;
use leptos_router::{hooks::use_location, location::Url};

pub fn customer_page() -> AnyView {
    let scope = Scope::here();
    // Not from the route's parameters: they are decoded twice, and an id may hold a percent sign.
    let path = use_location().pathname;
    let id = Memo::new(move |_| path.with(|path| Url::unescape(path.rsplit('/').next().unwrap_or_default())));
    let customer = Resource::new(move || id.get(), get_customer);
    let sections = move || {
        Suspend::new(async move {
            let loaded = customer.await;
            scope.show(move || match loaded {
                Ok((customer, tags)) => view! {
                    <div class="grid halves">
                        <Identities customer=customer.clone() />
                        <Tags customer tags />
                    </div>
                }
                .into_any(),
                Err(error) => view! { <Panel><ErrorNote error /></Panel> }.into_any(),
            })
        })
    };
    view! {
        <PageHeader title=Signal::derive(move || id.get()) crumbs=vec![("Customers", "/customers")] />
        <Transition fallback=|| view! { <Skeleton rows=6 /> }>{sections}</Transition>
        <Messages customer_id=id />
    }
    .into_any()
}

#[component]
fn Identities(customer: Customer) -> impl IntoView {
    let rows = customer.identities.into_iter().map(|identity| {
        view! {
            <tr>
                <th scope="row">{identity.id_type}</th>
                <td class="mono">{identity.value}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let content = if rows.is_empty() {
        view! { <EmptyState title="No IDs" text="Nothing can be sent to a customer without an ID of the type that the webhook takes." /> }
            .into_any()
    } else {
        view! {
            <TableWrap label="IDs">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"ID type"</th>
                            <th scope="col">"Value"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableWrap>
        }
        .into_any()
    };
    view! { <Panel title="IDs" padded=false>{content}</Panel> }.into_any()
}

#[component]
fn Tags(customer: Customer, tags: Vec<Tag>) -> impl IntoView {
    let text = |tag: &Tag| customer.tags.get(&tag.name).and_then(tag_text).unwrap_or_else(|| "–".into());
    let facts: Vec<(String, String)> = tags.into_iter().map(|tag| (text(&tag), tag.name)).collect();
    let facts = facts.into_iter().map(|(text, name)| view! { <Fact label=name>{text}</Fact> }).collect_view();
    view! {
        <Panel title="Tags">
            <Facts>
                {facts}
                <Fact label="First imported"><Time ms=customer.created_at /></Fact>
                <Fact label="Last imported"><Time ms=customer.updated_at /></Fact>
            </Facts>
        </Panel>
    }
    .into_any()
}
