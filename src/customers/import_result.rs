//! What came of an import: good rows, bad rows by reason, the first bad rows.

use super::api::{BadRowView, ImportView};
use crate::ui::{LinkButton, Panel, TableWrap, Tile, Tiles, Tone, format};
use leptos::prelude::*;

#[component]
pub fn Outcome(view: ImportView) -> impl IntoView {
    let import = &view.import;
    let mut tiles = vec![
        Tile::new("Good rows", format::count(import.rows_good)).tone(Tone::Ok),
        Tile::new("Bad rows", format::count(import.rows_bad)).tone(if import.rows_bad > 0 {
            Tone::Bad
        } else {
            Tone::Neutral
        }),
    ];
    tiles.extend(import.reasons.iter().map(|(reason, rows)| Tile::new(reason.label(), format::count(*rows))));
    let spent = import.started_at.zip(import.finished_at).map(|(start, end)| end - start);
    let spent = spent.map(|ms| view! { <p class="quiet">{format!("Took {}.", format::duration_ms(ms))}</p> });
    let bad = (import.rows_bad > 0).then(|| bad_rows(&import.id, import.rows_bad, view.bad.clone()));
    view! {
        <div class="grid">
            <Panel
                title="Result"
                padded=false
                actions=view! { <LinkButton href="/customers" label="Show customers" /> }.into_any()
            >
                <Tiles items=tiles />
            </Panel>
            {spent}
            {bad}
        </div>
    }
    .into_any()
}

fn bad_rows(id: &str, all: i64, rows: Vec<BadRowView>) -> AnyView {
    let shown = rows.len() as i64;
    let title = if shown < all {
        format!("The first {} of {} bad rows", format::count(shown), format::count(all))
    } else {
        "Bad rows".to_string()
    };
    let row = |row: BadRowView| {
        view! {
            <tr>
                <td class="num">{format::count(row.line)}</td>
                <td>{row.reason.label()}</td>
                <td>{row.detail}</td>
            </tr>
        }
    };
    let download = format!("/customers/imports/{id}/bad-rows.csv");
    view! {
        <Panel
            title
            padded=false
            actions=view! { <LinkButton href=download label="Download all as CSV" external=true /> }.into_any()
        >
            <TableWrap label="Bad rows">
                <table>
                    <thead>
                        <tr>
                            <th scope="col" class="num">"Line"</th>
                            <th scope="col">"Reason"</th>
                            <th scope="col">"Detail"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
                </table>
            </TableWrap>
        </Panel>
    }
    .into_any()
}
