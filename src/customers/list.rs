//! The customer list: every customer by id, or those that a search found.

use super::{
    api::{CustomerList, list_customers},
    customer_href,
    model::{Customer, Tag, TagKind, tag_text},
};
use crate::access::{
    model::{Area, Permission},
    reader_may,
};
use crate::ui::{
    EmptyState, Filters, KeysetPager, LinkButton, ListParams, Loaded, PageHeader, Panel, TableWrap, format,
    use_list_params,
};
use leptos::prelude::*;

/// Tags that have a column; the customer's page has them all.
const TAG_COLUMNS: usize = 8;

pub fn customers_page() -> AnyView {
    let params = use_list_params(&[]);
    let list = Resource::new(move || params.get(), |params| list_customers(params.q, params.after));
    view! {
        <PageHeader title="Customers" intro="Everybody you can send to, with their IDs and tags.">
            {import_button()}
        </PageHeader>
        <Panel padded=false>
            <Filters action="/customers" params placeholder="Search by customer ID or any other ID" />
            <Loaded rows=8 what=list show=move |list| found(list, params) />
        </Panel>
    }
    .into_any()
}

fn import_button() -> Option<impl IntoView> {
    reader_may(Permission::Manage(Area::Customers))
        .then(|| view! { <LinkButton href="/customers/import" label="Import Customers" primary=true /> })
}

fn found(list: CustomerList, params: Memo<ListParams>) -> AnyView {
    let searched = params.with_untracked(ListParams::is_filtered);
    if list.customers.is_empty() && searched {
        return view! {
            <EmptyState title="No match" text="No customer has an ID that is this text or begins with it. Upper and lower case differ." />
        }
        .into_any();
    }
    if list.total == 0 {
        return view! {
            <EmptyState
                title="No customers yet"
                text="A customer is one person with IDs, such as an e-mail address, and tags, such as a city. Import them from a CSV file."
            >
                {import_button()}
            </EmptyState>
        }
        .into_any();
    }
    let note = match (searched, list.more) {
        (false, _) => format::counted(list.total, "customer"),
        (true, false) => format!("{} of {}", list.customers.len(), format::counted(list.total, "customer")),
        (true, true) => format!("The first {} that match; type more to narrow it down", list.customers.len()),
    };
    let tags: Vec<Tag> = list.tags.into_iter().take(TAG_COLUMNS).collect();
    let heads = tags
        .iter()
        .map(|tag| view! { <th scope="col" class=cell_class(tag.kind)>{tag.name.clone()}</th> })
        .collect_view();
    let rows = list.customers.into_iter().map(|customer| row(customer, &tags)).collect_view();
    view! {
        <TableWrap label="Customers">
            <table class="stack">
                <thead>
                    <tr>
                        <th scope="col">"Customer ID"</th>
                        <th scope="col">"IDs"</th>
                        {heads}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
        <KeysetPager params next=list.next note />
    }
    .into_any()
}

fn row(customer: Customer, tags: &[Tag]) -> impl IntoView + use<> {
    const IDS: usize = 3;
    let more = customer.identities.len().saturating_sub(IDS);
    let ids = customer.identities.iter().take(IDS).map(|identity| format!("{} {}", identity.id_type, identity.value));
    let mut ids = ids.collect::<Vec<_>>().join(" · ");
    if more > 0 {
        ids.push_str(&format!(" · {more} more"));
    }
    let cells = tags.iter().map(|tag| {
        let text = customer.tags.get(&tag.name).and_then(tag_text).unwrap_or_else(|| "–".into());
        view! { <td class=cell_class(tag.kind) data-label=tag.name.clone()>{short(&text)}</td> }
    });
    let cells = cells.collect_view();
    view! {
        <tr>
            <td>
                <a class="title" href=customer_href(&customer.customer_id)>{customer.customer_id.clone()}</a>
            </td>
            <td data-label="IDs">
                <span class="under mono">{ids}</span>
            </td>
            {cells}
        </tr>
    }
}

/// Numbers stand to the right, dates in one line.
pub fn cell_class(kind: TagKind) -> &'static str {
    match kind {
        TagKind::Number => "num",
        TagKind::Date => "nowrap",
        _ => "",
    }
}

/// Long texts are whole on the customer's page.
pub fn short(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
