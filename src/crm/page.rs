//! A plain page of what was received.

use super::Shared;
use axum::{extract::State, response::Html};
use std::{fmt::Write, sync::Arc};

const SHOWN: usize = 100;

pub async fn show(State(shared): State<Arc<Shared>>) -> Html<String> {
    let (counters, rows) = {
        let book = shared.book();
        (book.counters(), book.rows())
    };
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>CRM simulator</title>\
         <h1>CRM simulator</h1><p>{} requests, {} actions, {} bad requests. The latest first:</p>\
         <table border=\"1\"><thead><tr><th>Time (unix ms)<th>Batch<th>Action<th>Customer<th>ID<th>Signature<th>Answer\
         </thead><tbody>",
        counters.requests, counters.actions, counters.bad
    );
    for row in rows.iter().rev().take(SHOWN) {
        page.push_str("<tr>");
        let signature = if row.signature { "right" } else { "wrong" };
        let time = row.time.to_string();
        for cell in [&time, &row.batch_id, &row.action_id, &row.customer_id, &row.target, signature, &row.answer] {
            // Writing to a string does not fail.
            let _ = write!(page, "<td>{}", escape(cell));
        }
    }
    page.push_str("</tbody></table></html>");
    Html(page)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
