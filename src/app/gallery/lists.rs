//! A list with its filters, orders and pages.

use leptos::prelude::*;

use super::NOW;
use crate::ui::{
    Badge, EmptyState, FilterDay, FilterSelect, Filters, KeysetPager, LinkButton, ListParams, Pager, Panel, RowMenu,
    SelectOption, SortTh, Switch, TableWrap, Time, Tone, use_list_params,
};

struct Row {
    name: &'static str,
    url: &'static str,
    id_types: &'static str,
    enabled: bool,
    test: (Tone, &'static str, Option<i64>),
    tasks: i64,
}

fn rows() -> [Row; 4] {
    let row = |name, url, id_types, enabled, test, tasks| Row { name, url, id_types, enabled, test, tasks };
    let (crm, sms) = ("https://crm.example.com/hooks/coupon", "https://sms.example.com/v2/batch");
    let (points, store) = ("https://points.example.com/in", "https://store.example.cn/hook");
    [
        row("Coupon service", crm, "OPEN_ID, MOBILE", true, (Tone::Ok, "OK", Some(NOW - 720_000)), 3),
        row("SMS gateway", sms, "MOBILE", true, (Tone::Bad, "Timed out", Some(NOW - 90_000_000)), 1),
        row("Loyalty points", points, "ONEID, UNION_ID", false, (Tone::Neutral, "Never tested", None), 0),
        row("门店活动通知", store, "OPEN_ID", true, (Tone::Ok, "OK", Some(NOW - 300_000_000)), 12),
    ]
}

/// A list by pages, and one by keyset without a match.
#[component]
pub fn ListsSection() -> impl IntoView {
    let params = use_list_params(&["id_type", "state"]);
    let selects = vec![
        FilterSelect::new(
            "id_type",
            "All ID types",
            ["OPEN_ID", "MOBILE"].map(|code| SelectOption::new(code, code)).to_vec(),
        ),
        FilterSelect::new(
            "state",
            "Enabled and disabled",
            vec![SelectOption::new("on", "Enabled"), SelectOption::new("off", "Disabled")],
        ),
    ];
    let rows = rows().into_iter().enumerate().map(|(index, row)| one_row(index, row)).collect_view();
    let narrowed = ListParams::default().starting_after("mark");
    view! {
        <Panel padded=false>
            <Filters action="/ui" params placeholder="Search name or URL" selects days=vec![FilterDay::new("since", "Since")]>
                <LinkButton href="/ui" label="Export CSV" external=true/>
            </Filters>
            <TableWrap label="Webhooks">
                <table class="stack">
                    <thead>
                        <tr>
                            <SortTh params key="name" label="Webhook"/>
                            <th scope="col">"Send ID types"</th>
                            <th scope="col">"Enabled"</th>
                            <SortTh params key="tested" label="Latest test"/>
                            <SortTh params key="tasks" label="Used by tasks" numeric=true/>
                            <th scope="col"><span class="sr">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableWrap>
            <Pager params total=23_570 page_size=50 noun="webhooks"/>
        </Panel>
        <Panel padded=false>
            <EmptyState title="No match" text="Nothing fits the search and the filters."/>
            <KeysetPager params=narrowed next=Some("next".to_string()) note="about 23,570 users" label="Pages of users"/>
        </Panel>
    }
    .into_any()
}

fn one_row(index: usize, row: Row) -> impl IntoView {
    let (tone, word, at) = row.test;
    view! {
        <tr>
            <td>
                <a class="title" href="/ui">{row.name}</a>
                <span class="under mono">{row.url}</span>
            </td>
            <td data-label="Send ID types">{row.id_types}</td>
            <td data-label="Enabled">
                <Switch
                    id=format!("enabled-{index}")
                    name="enabled"
                    label=format!("Enable {}", row.name)
                    checked=row.enabled
                    bare=true
                />
            </td>
            <td data-label="Latest test">
                <span>
                    <Badge tone text=word/> " "
                    <small>{at.map(|ms| view! { <Time ms now=NOW/> })}</small>
                </span>
            </td>
            <td class="num" data-label="Used by tasks">{row.tasks}</td>
            <td class="num fit">
                <button type="button" class="btn bare">"Test"</button>
                <RowMenu id=format!("row-{index}-menu") label=format!("More actions for {}", row.name)>
                    <a href="/ui">"Edit"</a>
                    <a href="/ui">"Copy"</a>
                    <button type="button" class="danger" data-dialog-open="gallery-confirm">"Delete"</button>
                </RowMenu>
            </td>
        </tr>
    }
}
