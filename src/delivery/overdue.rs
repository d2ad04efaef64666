//! The total deadline. A send of which nothing has ended for so long, since it began, was resumed or sent again, is
//! given up: what was POSTed was not delivered, what never was has not been sent, and each has failed with a reason that
//! says which. One that goes on, however slowly its webhook's rate lets it, is not.
//!
//! Batches in hand end first, and are found by a later look if they would be tried again. Those whose outcome a crash
//! hid stay unknown until a person sends them again.

use super::{
    SendState,
    control::{self, Because},
    ids::SendKey,
    resend,
    store::{self, Delta},
};
use crate::{
    clock::{HOUR, Millis, SECOND},
    db::Db,
    execute, fetch,
};

/// Sends in one look.
const AT_ONCE: i64 = 100;

/// Gives up what is overdue; how many users that concerned.
pub async fn give_up(db: &Db, hours: i64, now: Millis) -> sqlx::Result<i64> {
    let since = now - hours * HOUR;
    // The first condition on the state is the partial index's own, by which SQLite knows that it may use it.
    let overdue = fetch!(
        db,
        all,
        (String, String),
        "select workspace_id, id from sends where state in ('scheduled', 'sending') and state = 'sending' \
         and coalesce(going_since, started_at) <= $1 and not exists (select 1 from send_series p \
         where p.workspace_id = sends.workspace_id and p.send_id = sends.id and p.second > $3) \
         order by due_at, id limit $2",
        since,
        AT_ONCE,
        since.div_euclid(SECOND)
    )?;
    let mut users = 0;
    for (workspace_id, id) in overdue {
        let key = SendKey::new(workspace_id, id);
        let given_up = one(db, &key, hours, now).await?;
        if given_up > 0 {
            tracing::warn!(send.id = %key.send_id, users = given_up, hours, "a send took too long and was given up");
        }
        users += given_up;
    }
    Ok(users)
}

#[derive(sqlx::FromRow)]
struct Overdue {
    since: Option<Millis>,
    audience_size: i64,
    planned: i64,
    planning_done: bool,
    enabled: bool,
    disabled_because: String,
    breaker: String,
    reason: String,
}

async fn one(db: &Db, key: &SendKey, hours: i64, now: Millis) -> sqlx::Result<i64> {
    let mut tx = db.begin().await?;
    tx.by_index().await?;
    if store::lock(&mut tx, key).await? != Some(SendState::Sending) {
        return Ok(0);
    }
    let send = fetch!(
        tx,
        one,
        Overdue,
        "select coalesce(s.going_since, s.started_at) as since, s.audience_size, s.planned, s.planning_done, \
         coalesce(w.enabled, $3) as enabled, coalesce(w.disabled_because, '') as disabled_because, \
         coalesce(h.state, 'closed') as breaker, coalesce(h.reason, '') as reason from sends s \
         left join webhooks w on w.workspace_id = s.workspace_id and w.id = s.webhook_id \
         left join webhook_health h on h.workspace_id = s.workspace_id and h.webhook_id = s.webhook_id \
         where s.workspace_id = $1 and s.id = $2",
        &key.workspace_id,
        &key.send_id,
        false
    )?;
    if send.since.is_none_or(|since| since > now - hours * HOUR) {
        return Ok(0); // Resumed meanwhile.
    }
    let never = never(&send, hours);
    let mut delta = Delta::default();
    if !send.planning_done {
        // Who is not planned has no row that could fail.
        let unplanned = (send.audience_size - send.planned).max(0);
        execute!(
            tx,
            "update sends set planning_done = $3 where workspace_id = $1 and id = $2",
            &key.workspace_id,
            &key.send_id,
            true
        )?;
        if unplanned > 0 {
            store::add_reason(&mut tx, key, "skipped", &never, unplanned).await?;
        }
        (delta.planned, delta.skipped) = (unplanned, unplanned);
    }
    resend::hold_unknown(&mut tx, key).await?;
    let posted = format!("not delivered within {hours} h: ");
    control::close_waiting(&mut tx, key, Because::Overdue { never: &never, posted: &posted }, now, &mut delta).await?;
    store::add(&mut tx, key, delta, now).await?;
    tx.commit().await?;
    Ok(delta.failed + delta.skipped)
}

/// The reason of what was never POSTed.
fn never(send: &Overdue, hours: i64) -> String {
    let because = match (send.enabled, send.disabled_because.as_str()) {
        (false, "") => ": the webhook was disabled".to_string(),
        (false, because) => format!(": the webhook was disabled ({because})"),
        (true, _) if send.breaker != "closed" => format!(": its endpoint failed ({})", send.reason),
        (true, _) => String::new(),
    };
    format!("not sent within {hours} h{because}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        delivery::{
            claim::InHand,
            record::End,
            recover,
            testing::{claim, note, progress, put_planned, put_webhook, reasons, record},
        },
        on_both_databases,
    };

    const START: Millis = 1_000_000;
    const DEADLINE: Millis = START + 24 * HOUR;

    async fn started(db: &Db, sizes: &[i64]) -> SendKey {
        put_webhook(db, "http://127.0.0.1:9/", 1).await;
        let key = put_planned(db, "s", sizes).await;
        execute!(db, "update sends set started_at = $1", START).unwrap();
        key
    }

    fn failed(reason: &str, users: i64) -> (String, String, i64) {
        ("failed".into(), reason.into(), users)
    }

    on_both_databases!(what_was_posted_and_what_never_was_fail_with_different_reasons, |db| async move {
        let key = started(&db, &[10, 7, 5, 3]).await;
        let claims = claim(&db, &key, 3, START).await;
        record(&db, &claims[0], End::Retry("HTTP 503".into(), None), START).await;
        record(&db, &claims[1], End::Released(0), START).await;
        assert_eq!(give_up(&db, 24, DEADLINE - 1).await.unwrap(), 0, "not yet");
        assert_eq!(give_up(&db, 24, DEADLINE).await.unwrap(), 20);
        let now = progress(&db, "s").await;
        assert_eq!((now.state, now.failed, now.waiting()), (SendState::Sending, 20, 5), "one is in hand");
        record(&db, &claims[2], End::Retry("HTTP 500".into(), None), DEADLINE).await;
        assert_eq!(give_up(&db, 24, DEADLINE + 1).await.unwrap(), 5);
        let end = progress(&db, "s").await;
        assert_eq!((end.state, end.failed, end.finished_at), (SendState::Failed, 25, Some(DEADLINE + 1)));
        let told = [
            failed("not delivered within 24 h: HTTP 500", 5),
            failed("not delivered within 24 h: HTTP 503", 10),
            failed("not sent within 24 h", 10),
        ];
        assert_eq!(reasons(&db, "s").await, told);
        assert_eq!(give_up(&db, 24, DEADLINE + 2).await.unwrap(), 0, "it has ended");
    });

    on_both_databases!(the_time_begins_anew_when_it_is_resumed_or_sent_again, |db| async move {
        let key = started(&db, &[10]).await;
        control::pause(&db, &key, &note()).await.unwrap();
        assert_eq!(give_up(&db, 24, DEADLINE).await.unwrap(), 0, "a pause is a person's");
        control::resume(&db, &key, &note(), DEADLINE).await.unwrap();
        assert_eq!(give_up(&db, 24, DEADLINE + 24 * HOUR - 1).await.unwrap(), 0);
        assert_eq!(give_up(&db, 24, DEADLINE + 24 * HOUR).await.unwrap(), 10);
        let again = DEADLINE + 30 * HOUR;
        resend::again(&db, &key, resend::Which::Failed(None), &note(), again).await.unwrap();
        assert_eq!(give_up(&db, 24, again + 24 * HOUR - 1).await.unwrap(), 0);
        let claims = claim(&db, &key, 1, again).await;
        record(&db, &claims[0], End::Retry("HTTP 503".into(), None), again).await;
        assert_eq!(give_up(&db, 24, again + 24 * HOUR).await.unwrap(), 10);
        let told = [failed("not delivered within 24 h: HTTP 503", 10)];
        assert_eq!(reasons(&db, "s").await, told);
        resend::again(&db, &key, resend::Which::Failed(None), &note(), again).await.unwrap();
        assert_eq!(give_up(&db, 24, again + 24 * HOUR).await.unwrap(), 10);
        assert_eq!(reasons(&db, "s").await, told, "said once");
    });

    on_both_databases!(what_a_crash_hid_stays_unknown_and_who_was_not_planned_is_skipped, |db| async move {
        let key = started(&db, &[10, 7]).await;
        claim(&db, &key, 1, START).await;
        recover::expired(&db, &InHand::default(), START + HOUR, START + HOUR).await.unwrap();
        let disabled = "update webhooks set enabled = $1, disabled_because = 'HTTP 410'";
        execute!(db, disabled, false).unwrap();
        execute!(db, "update sends set audience_size = 20, planning_done = $1", false).unwrap();
        assert_eq!(give_up(&db, 24, DEADLINE).await.unwrap(), 10);
        let end = progress(&db, "s").await;
        assert_eq!((end.state, end.unknown, end.failed, end.skipped), (SendState::Finished, 10, 7, 3));
        let why = "not sent within 24 h: the webhook was disabled (HTTP 410)";
        assert_eq!(reasons(&db, "s").await, [failed(why, 7), ("skipped".into(), why.into(), 3)]);
    });

    on_both_databases!(one_that_goes_on_is_not_given_up, |db| async move {
        let key = started(&db, &[10, 7]).await;
        let claims = claim(&db, &key, 1, START).await;
        record(&db, &claims[0], End::Accepted, START + 5 * HOUR).await;
        assert_eq!(give_up(&db, 24, DEADLINE + 5 * HOUR - SECOND).await.unwrap(), 0);
        assert_eq!(give_up(&db, 24, DEADLINE + 5 * HOUR).await.unwrap(), 7);
    });

    on_both_databases!(an_open_breaker_is_named, |db| async move {
        started(&db, &[10]).await;
        let open = "insert into webhook_health (workspace_id, webhook_id, state, reason) values ('w1', 'hook1', 'open', 'HTTP 503')";
        execute!(db, open).unwrap();
        assert_eq!(give_up(&db, 24, DEADLINE).await.unwrap(), 10);
        assert_eq!(reasons(&db, "s").await, [failed("not sent within 24 h: its endpoint failed (HTTP 503)", 10)]);
    });
}
