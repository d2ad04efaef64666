//! The users of a send, row by row.

use crate::{
    db::Db,
    delivery::{
        ids::{SendKey, action_id},
        model::ActionRow,
        pages::{self, Page},
    },
    error::AppResult,
    fetch,
};
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// Which users are shown; all that are set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionFilter {
    /// [`ActionRow::result`].
    pub result: Option<String>,
    /// A status code; the empty string: no receipt yet, though something was sent.
    pub receipt: Option<String>,
    /// A customer id or an ID, exactly.
    pub search: Option<String>,
}

impl ActionFilter {
    fn holds(&self, row: &ActionRow) -> bool {
        let is = |wanted: &Option<String>, text: &str| wanted.as_ref().is_none_or(|wanted| wanted == text);
        let found = |text: &String| *text == row.customer_id || row.target.as_ref() == Some(text);
        is(&self.result, &row.result)
            && is(&self.receipt, row.receipt_status.as_deref().unwrap_or_default())
            && (self.receipt.as_deref() != Some("") || row.sent_at.is_some())
            && self.search.as_ref().is_none_or(found)
    }
}

/// The result of a user whose batch is in a state.
pub fn result(batch_state: &str) -> &str {
    match batch_state {
        "open" | "pending" => "waiting",
        "leased" => "sending",
        "retry" => "retrying",
        other => other,
    }
}

/// The states of a batch whose users have a result.
fn states(result: &str) -> [&str; 2] {
    match result {
        "waiting" => ["open", "pending"],
        "sending" => ["leased"; 2],
        "retrying" => ["retry"; 2],
        other => [other; 2],
    }
}

#[derive(sqlx::FromRow)]
struct PageRow {
    first_seq: i64,
    first_batch: Option<i64>,
    last_batch: Option<i64>,
    content: String,
}

#[derive(sqlx::FromRow)]
struct BatchOf {
    first_seq: i64,
    last_seq: i64,
    state: String,
    reason: Option<String>,
    sent_at: Option<i64>,
}

/// At most `limit` users after the one with the number `after` (-1: from the first).
pub async fn actions(
    db: &Db,
    workspace_id: &str,
    id: &str,
    filter: &ActionFilter,
    after: i64,
    limit: i64,
) -> AppResult<Vec<ActionRow>> {
    let key = SendKey::new(workspace_id, id);
    let limit = usize::try_from(limit).unwrap_or(0);
    let (mut found, mut next) = (Vec::new(), after + 1);
    while found.len() < limit {
        let Some(from) = first_that_may(db, &key, filter, next).await? else { break };
        let Some(row) = page_with(db, &key, filter, from).await? else { break };
        let page = Page::new(row.first_seq, row.content);
        let (first, mut last) = (from.max(row.first_seq), *page.seqs().end());
        if *filter == ActionFilter::default() {
            last = last.min(first + (limit - found.len()) as i64 - 1);
        }
        let rows = rows(db, &key, &page, (row.first_batch, row.last_batch), first, last).await?;
        found.extend(rows.into_iter().filter(|row| filter.holds(row)));
        next = last + 1;
    }
    found.truncate(limit);
    Ok(found)
}

/// Where users begin that the filter may show, from a number on: what a few of a million have in common is found
/// without reading them all. `None`: there are none.
async fn first_that_may(db: &Db, key: &SendKey, filter: &ActionFilter, seq: i64) -> sqlx::Result<Option<i64>> {
    let (workspace, send) = (&key.workspace_id, &key.send_id);
    const RESULTS: [&str; 7] = ["waiting", "sending", "retrying", "accepted", "failed", "skipped", "unknown"];
    if filter.result.as_deref().is_some_and(|result| !RESULTS.contains(&result)) {
        return Ok(None);
    }
    let mut first = seq;
    if let Some(code) = filter.receipt.as_deref().filter(|code| !code.is_empty()) {
        let sql = "select seq from receipts where workspace_id = $1 and send_id = $2 and seq >= $3 and status = $4 \
                   order by seq limit 1";
        match fetch!(db, optional, (i64,), sql, workspace, send, first, code)? {
            Some((seq,)) => first = seq,
            None => return Ok(None),
        }
    }
    if let Some(state @ ("retry" | "failed" | "skipped" | "unknown")) = filter.result.as_deref().map(|of| states(of)[0])
    {
        // The states are the partial index's; batches before the page's are not looked at.
        let sql = "select first_seq from send_batches where workspace_id = $1 and send_id = $2 \
                   and state in ('retry', 'failed', 'skipped', 'unknown') and state = $3 and last_seq >= $4 \
                   and batch_no >= coalesce((select first_batch from send_pages where workspace_id = $1 \
                   and send_id = $2 and first_seq <= $4 order by first_seq desc limit 1), 0) order by batch_no limit 1";
        let batch = fetch!(db, optional, (i64,), sql, workspace, send, state, first)?.map(|(seq,)| seq);
        let page = if state == "skipped" {
            let sql = "select min(first_seq) from send_pages where workspace_id = $1 and send_id = $2 \
                       and skips <> '' and first_seq + users > $3";
            fetch!(db, one, (Option<i64>,), sql, workspace, send, first)?.0
        } else {
            None
        };
        match batch.into_iter().chain(page).min() {
            Some(seq) => first = first.max(seq),
            None => return Ok(None),
        }
    }
    Ok(Some(first))
}

/// The first page that ends after a number, and has what is searched for in it.
async fn page_with(db: &Db, key: &SendKey, filter: &ActionFilter, seq: i64) -> sqlx::Result<Option<PageRow>> {
    let contains = if db.is_sqlite() { "instr(content, $4)" } else { "strpos(content, $4)" };
    let sql = format!(
        "select first_seq, first_batch, last_batch, content from send_pages \
         where workspace_id = $1 and send_id = $2 and first_seq + users > $3 \
         and first_seq >= coalesce((select max(first_seq) from send_pages where workspace_id = $1 and send_id = $2 \
         and first_seq <= $3), 0) and ($4 = '' or {contains} > 0) order by first_seq limit 1"
    );
    // Texts stand in pages as JSON.
    let text =
        filter.search.as_ref().map_or_else(String::new, |text| serde_json::Value::from(text.as_str()).to_string());
    fetch!(db, optional, PageRow, AssertSqlSafe(sql), &key.workspace_id, &key.send_id, seq, text)
}

/// The users of a page from one number to another.
async fn rows(
    db: &Db,
    key: &SendKey,
    page: &Page,
    (first_batch, last_batch): (Option<i64>, Option<i64>),
    first: i64,
    last: i64,
) -> AppResult<Vec<ActionRow>> {
    let (workspace, send) = (&key.workspace_id, &key.send_id);
    let batches = fetch!(
        db,
        all,
        BatchOf,
        "select first_seq, last_seq, state, reason, sent_at from send_batches where workspace_id = $1 \
         and send_id = $2 and batch_no between $3 and $4 and last_seq >= $5 and first_seq <= $6 order by batch_no",
        workspace,
        send,
        first_batch,
        last_batch,
        first,
        last
    )?;
    let receipts = fetch!(
        db,
        all,
        (i64, String, i64),
        "select seq, status, sent_at from (select seq, status, sent_at, row_number() over \
         (partition by seq order by sent_at desc, received_at, msg_id, status) as place from receipts \
         where workspace_id = $1 and send_id = $2 and seq between $3 and $4) as ranked where place = 1",
        workspace,
        send,
        first,
        last
    )?;
    let mut receipts: BTreeMap<i64, (String, i64)> =
        receipts.into_iter().map(|(seq, status, sent_at)| (seq, (status, sent_at))).collect();
    let mut rows = Vec::new();
    for seq in first..=last {
        let Some(user) = page.user(seq) else { break };
        let user = user?;
        let (receipt_status, receipt_at) = receipts.remove(&seq).unzip();
        let mut row = ActionRow {
            seq,
            action_id: action_id(send, seq),
            customer_id: user.customer_id.into(),
            target: None,
            result: "skipped".into(),
            reason: None,
            sent_at: None,
            receipt_status,
            receipt_at,
        };
        match user.plan {
            Err(reason) => row.reason = Some(reason.into()),
            Ok((target, _)) => {
                row.target = Some(target.into());
                let batch = batches.get(batches.partition_point(|batch| batch.last_seq < seq));
                if let Some(batch) = batch.filter(|batch| batch.first_seq <= seq) {
                    row.result = result(&batch.state).into();
                    row.reason.clone_from(&batch.reason);
                    row.sent_at = batch.sent_at;
                }
            }
        }
        rows.push(row);
    }
    Ok(rows)
}

/// How many sends [`messages_of_customer`] looks at: each costs the look at a page.
const SENDS: i64 = 2_000;

/// What a customer was sent, or why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerMessage {
    pub send_id: String,
    /// The sender's: "task".
    pub source: String,
    pub action: ActionRow,
}

#[derive(sqlx::FromRow)]
struct MessagePage {
    send_id: String,
    source: String,
    #[sqlx(flatten)]
    page: PageRow,
}

/// How many sends [`messages_of_customer`] looks at, when the workspace has more.
pub async fn messages_are_among(db: &Db, workspace_id: &str) -> sqlx::Result<Option<i64>> {
    let older = "select id from sends where workspace_id = $1 order by id desc limit 1 offset $2";
    Ok(fetch!(db, optional, (String,), older, workspace_id, SENDS)?.map(|_| SENDS))
}

/// The latest sends that had this customer in their audience, the newest first; looked for among the last [`SENDS`] of
/// the workspace.
pub async fn messages_of_customer(
    db: &Db,
    workspace_id: &str,
    customer_id: &str,
    limit: i64,
) -> AppResult<Vec<CustomerMessage>> {
    // Of each send one page can have the customer: the last that begins before.
    let contains = if db.is_sqlite() { "instr(p.content, $3)" } else { "strpos(p.content, $3)" };
    let sql = format!(
        "select s.id as send_id, s.source, p.first_seq, p.first_batch, p.last_batch, p.content \
         from (select workspace_id, id, source from sends where workspace_id = $1 order by id desc limit {SENDS}) s \
         join send_pages p on p.workspace_id = s.workspace_id and p.send_id = s.id \
         and p.first_customer = (select max(q.first_customer) from send_pages q where q.workspace_id = s.workspace_id \
         and q.send_id = s.id and q.first_customer <= $2) and p.last_customer >= $2 \
         where {contains} > 0 order by s.id desc limit $4"
    );
    let start = pages::line_start(customer_id);
    let found = fetch!(db, all, MessagePage, AssertSqlSafe(sql), workspace_id, customer_id, start, limit)?;
    let mut messages = Vec::new();
    for MessagePage { send_id, source, page: row } in found {
        let page = Page::new(row.first_seq, row.content);
        let Some(seq) = page.seq_of(customer_id) else { continue };
        let key = SendKey::new(workspace_id, &send_id);
        let rows = rows(db, &key, &page, (row.first_batch, row.last_batch), seq, seq).await?;
        messages.extend(rows.into_iter().map(|action| CustomerMessage {
            send_id: send_id.clone(),
            source: source.clone(),
            action,
        }));
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{execute, on_both_databases};

    on_both_databases!(older_sends_than_are_looked_at_are_told, |db| async move {
        let sends = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2001) \
                     insert into sends (workspace_id, id, source, webhook_id, id_type, encryption, template, batch_size, \
                     state, due_at, created_at) select case when i = 2001 then $1 else 'w1' end, \
                     cast(10000 + i as text), 'task', 'h', 'EMAIL', 'none', '{}', 100, 'finished', 1, 1 from n";
        execute!(db, sends, "another").unwrap();
        assert_eq!(messages_are_among(&db, "w1").await.unwrap(), None);
        execute!(db, "update sends set workspace_id = 'w1'").unwrap();
        assert_eq!(messages_are_among(&db, "w1").await.unwrap(), Some(2_000));
    });
}
