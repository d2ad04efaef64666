//! The users of a send, row by row.

use crate::{
    db::Db,
    delivery::{ids::action_id, model::ActionRow},
    error::AppResult,
    fetch,
};

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
struct Row {
    seq: i64,
    customer_id: String,
    target: Option<String>,
    state: String,
    reason: Option<String>,
    sent_at: Option<i64>,
    receipt_status: Option<String>,
    receipt_sent_at: Option<i64>,
}

impl Row {
    fn shown(self, send_id: &str) -> ActionRow {
        ActionRow {
            seq: self.seq,
            action_id: action_id(send_id, self.seq),
            customer_id: self.customer_id,
            target: self.target,
            result: result(&self.state).into(),
            reason: self.reason,
            sent_at: self.sent_at,
            receipt_status: self.receipt_status,
            receipt_at: self.receipt_sent_at,
        }
    }
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
    let states = filter.result.as_deref().map(states);
    let rows = fetch!(
        db,
        all,
        Row,
        "select a.seq, a.customer_id, a.target, coalesce(b.state, 'skipped') as state, \
         coalesce(a.skip_reason, b.reason) as reason, b.sent_at, a.receipt_status, a.receipt_sent_at \
         from send_actions a left join send_batches b on b.workspace_id = a.workspace_id and b.send_id = a.send_id \
         and b.batch_no = a.batch_no where a.workspace_id = $1 and a.send_id = $2 and a.seq > $3 \
         and (cast($4 as text) is null or coalesce(b.state, 'skipped') in ($4, $5)) \
         and (cast($6 as text) is null or coalesce(a.receipt_status, '') = $6 \
         and ($6 <> '' or b.sent_at is not null)) \
         and (cast($7 as text) is null or a.customer_id = $7 or a.target = $7) order by a.seq limit $8",
        workspace_id,
        id,
        after,
        states.map(|states| states[0]),
        states.map(|states| states[1]),
        filter.receipt.as_deref(),
        filter.search.as_deref(),
        limit
    )?;
    Ok(rows.into_iter().map(|row| row.shown(id)).collect())
}

/// What a customer was sent, or why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerMessage {
    pub send_id: String,
    /// The sender's: "task".
    pub source: String,
    pub action: ActionRow,
}

#[derive(sqlx::FromRow)]
struct MessageRow {
    send_id: String,
    source: String,
    #[sqlx(flatten)]
    row: Row,
}

/// The latest sends that had this customer in their audience, the newest first.
pub async fn messages_of_customer(
    db: &Db,
    workspace_id: &str,
    customer_id: &str,
    limit: i64,
) -> AppResult<Vec<CustomerMessage>> {
    let rows = fetch!(
        db,
        all,
        MessageRow,
        "select a.send_id, s.source, a.seq, a.customer_id, a.target, coalesce(b.state, 'skipped') as state, \
         coalesce(a.skip_reason, b.reason) as reason, b.sent_at, a.receipt_status, a.receipt_sent_at \
         from (select workspace_id, send_id, seq from send_actions where workspace_id = $1 and customer_id = $2 \
         order by send_id desc limit $3) as found \
         join send_actions a on a.workspace_id = found.workspace_id and a.send_id = found.send_id and a.seq = found.seq \
         join sends s on s.workspace_id = a.workspace_id and s.id = a.send_id \
         left join send_batches b on b.workspace_id = a.workspace_id and b.send_id = a.send_id \
         and b.batch_no = a.batch_no order by a.send_id desc",
        workspace_id,
        customer_id,
        limit
    )?;
    let message = |found: MessageRow| CustomerMessage {
        action: found.row.shown(&found.send_id),
        send_id: found.send_id,
        source: found.source,
    };
    Ok(rows.into_iter().map(message).collect())
}
