//! The clock is set back, by somebody or by a time server: what was to happen in two seconds must not wait an hour.
//!
//! Times of batches that wait are moved to where they were meant to be, seen from the new time. What says that the
//! clock went back are times of things that have happened and lie ahead: a try that ended, a window that began. Nothing
//! here makes a lease shorter than a whole one from now on, so nobody's batch is taken away before its POST has ended.
//! Times that people chose stay: a task for six o'clock begins when it is six.

use super::{
    ids::SendKey,
    plan,
    store::{self, HELD},
};
use crate::{
    clock::{MINUTE, Millis},
    db::Db,
    execute, fetch,
};

/// Less is no step but the difference between two clocks; it only delays things by as much.
pub const STEP: Millis = MINUTE;

/// Looks through everything that waits; of how many sends and webhooks something was moved. `lease` is how long one
/// lasts, in ms.
pub async fn mend(db: &Db, lease: Millis, now: Millis) -> sqlx::Result<u64> {
    let mut moved = health(db, now).await?;
    // A node that is gone would keep a send's planning to itself.
    execute!(
        db,
        "update sends set planner_until = $1 where state in ('scheduled', 'sending') and planner_until > $2",
        now + plan::CLAIM,
        now + plan::CLAIM + STEP
    )?;
    let sends = fetch!(
        db,
        all,
        (String, String),
        "select workspace_id, id from sends where state in ('sending', 'paused') \
         union select workspace_id, send_id from send_batches where state = 'leased' and lease_until > $1",
        now + lease + STEP
    )?;
    for (workspace_id, id) in sends {
        moved += u64::from(send(db, &SendKey::new(workspace_id, id), lease, now).await? > 0);
    }
    if moved > 0 {
        tracing::warn!(moved, "the clock went back; what waits was moved with it");
    }
    Ok(moved)
}

async fn send(db: &Db, key: &SendKey, lease: Millis, now: Millis) -> sqlx::Result<u64> {
    let mut tx = db.begin().await?;
    tx.by_index().await?;
    store::lock(&mut tx, key).await?;
    // A dead process's would be taken back an hour late; a living one's result finds its batch by the lease's number.
    let leased = execute!(
        tx,
        "update send_batches set lease_until = $3 where workspace_id = $1 and send_id = $2 and state = 'leased' \
         and lease_until > $4",
        &key.workspace_id,
        &key.send_id,
        now + lease,
        now + lease + STEP
    )?;
    // They never wait long.
    let waiting = execute!(
        tx,
        "update send_batches set run_at = $3 where workspace_id = $1 and send_id = $2 \
         and state in ('pending', 'unknown') and run_at > $4 and run_at < $5",
        &key.workspace_id,
        &key.send_id,
        now,
        now + STEP,
        HELD
    )?;
    // As long after the last try as before. One whose last try lies behind waits because its receiver asked for it, and
    // one that is to come before its last try was moved already. (A wait longer than the step may be moved once more by a
    // start soon after: that one only comes earlier.)
    let retried = execute!(
        tx,
        "update send_batches set run_at = $3 + run_at - (select max(a.finished_at) from send_attempts a \
         where a.workspace_id = send_batches.workspace_id and a.send_id = send_batches.send_id \
         and a.batch_no = send_batches.batch_no) \
         where workspace_id = $1 and send_id = $2 and state = 'retry' and run_at > $4 and exists (\
         select 1 from send_attempts a where a.workspace_id = send_batches.workspace_id \
         and a.send_id = send_batches.send_id and a.batch_no = send_batches.batch_no \
         and a.finished_at > $4 and a.finished_at <= send_batches.run_at)",
        &key.workspace_id,
        &key.send_id,
        now,
        now + STEP
    )?;
    tx.commit().await?;
    Ok(leased + waiting + retried)
}

/// Breakers that are open: their window began before they opened.
async fn health(db: &Db, now: Millis) -> sqlx::Result<u64> {
    execute!(
        db,
        "update webhook_health set open_until = $1 + open_until - window_from, window_from = $1 \
         where state <> 'closed' and window_from > $2 and open_until > $1",
        now,
        now + STEP
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::{HOUR, SECOND},
        delivery::{
            claim::InHand,
            record::End,
            recover,
            testing::{claim, put_planned, put_webhook, record},
        },
        on_both_databases,
    };

    const LEASE: Millis = 30 * SECOND;
    const BEFORE: Millis = 100 * HOUR;
    const BACK: Millis = BEFORE - HOUR;

    on_both_databases!(what_waits_goes_back_with_the_clock, |db| async move {
        put_webhook(&db, "http://127.0.0.1:9/", 1).await;
        let key = put_planned(&db, "s", &[1, 2, 3, 4, 5]).await;
        let claims = claim(&db, &key, 4, BEFORE).await;
        record(&db, &claims[0], End::Retry("HTTP 503".into(), None), BEFORE).await;
        record(&db, &claims[1], End::Retry("HTTP 429".into(), Some(30 * MINUTE)), BEFORE).await;
        record(&db, &claims[2], End::Released(5 * SECOND), BEFORE).await;
        execute!(db, "update send_batches set run_at = $1 where batch_no = 4", BEFORE).unwrap();
        assert_eq!(mend(&db, LEASE, BACK).await.unwrap(), 1);
        let due = async |now| {
            let sql = "select batch_no from send_batches where state in ('pending', 'retry', 'unknown') \
                       and run_at <= $1 order by batch_no";
            fetch!(db, all, (i64,), sql, now).unwrap().into_iter().map(|(batch_no,)| batch_no).collect::<Vec<_>>()
        };
        assert_eq!(due(BACK).await, [2, 4], "what was not POSTed");
        assert_eq!(due(BACK + SECOND - 1).await, [2, 4]);
        assert_eq!(due(BACK + SECOND).await, [0, 2, 4], "the wait between two tries");
        assert_eq!(due(BACK + 30 * MINUTE - 1).await, [0, 2, 4]);
        assert_eq!(due(BACK + 30 * MINUTE).await, [0, 1, 2, 4], "what the receiver asked for");
        // The one in hand has a whole lease again.
        let expired = async |now| recover::expired(&db, &InHand::default(), now, now).await.unwrap();
        assert_eq!((expired(BACK + LEASE).await, expired(BACK + LEASE + 1).await), (0, 1));
        assert_eq!(mend(&db, LEASE, BACK + LEASE).await.unwrap(), 0, "nothing twice");
    });

    on_both_databases!(without_a_step_nothing_is_moved, |db| async move {
        put_webhook(&db, "http://127.0.0.1:9/", 1).await;
        let key = put_planned(&db, "s", &[1, 2, 3]).await;
        let claims = claim(&db, &key, 2, BEFORE).await;
        record(&db, &claims[0], End::Retry("HTTP 429".into(), Some(2 * HOUR)), BEFORE).await;
        let open = "insert into webhook_health (workspace_id, webhook_id, state, window_from, open_until) \
                    values ('w1', 'hook1', 'open', $1, $2)";
        execute!(db, open, BEFORE, BEFORE + HOUR).unwrap();
        let held = "update send_batches set state = 'unknown', run_at = $1 where batch_no = 2";
        execute!(db, held, HELD).unwrap();
        for now in [BEFORE, BEFORE + SECOND, BEFORE - STEP] {
            assert_eq!(mend(&db, LEASE, now).await.unwrap(), 0);
        }
        mend(&db, LEASE, BACK).await.unwrap();
        let run_at = "select run_at from send_batches where batch_no = 2";
        assert_eq!(fetch!(db, one, (i64,), run_at).unwrap().0, HELD, "it waits for a person");
    });

    on_both_databases!(an_open_breaker_is_probed_when_it_would_have_been, |db| async move {
        let open = "insert into webhook_health (workspace_id, webhook_id, state, window_from, open_until) \
                    values ('w1', $1, $2, $3, $4)";
        execute!(db, open, "open", "open", BEFORE - SECOND, BEFORE + 15 * SECOND).unwrap();
        execute!(db, open, "closed", "closed", BEFORE, 0_i64).unwrap();
        assert_eq!(mend(&db, LEASE, BACK).await.unwrap(), 1);
        let until = "select open_until from webhook_health where state = 'open'";
        assert_eq!(fetch!(db, one, (i64,), until).unwrap().0, BACK + 16 * SECOND);
    });
}
