//! Stop, give up and send again, claim by claim.

use super::*;
use crate::{
    delivery::{
        claim::{Before, Claim, InHand},
        record::End,
        recover,
        resend::{self, Which},
        testing::{RECEIPTS_FOR, claim, note, progress, put_planned, put_send, put_webhook, reasons, record},
    },
    on_both_databases,
};

const LATER: Millis = 1_000_000;

async fn stopped(db: &Db, key: &SendKey) -> SendState {
    stop(db, key, &note(), 50).await.unwrap();
    progress(db, "s").await.state
}

async fn again(db: &Db, key: &SendKey, which: Which<'_>) -> AppResult<i64> {
    resend::again(db, key, which, &note(), 60).await
}

fn numbers(claims: &[Claim]) -> Vec<i64> {
    claims.iter().map(|claim| claim.batch_no).collect()
}

fn reason(outcome: &str, reason: &str, users: i64) -> (String, String, i64) {
    (outcome.into(), reason.into(), users)
}

on_both_databases!(who_was_never_planned_is_skipped, |db| async move {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    put_send(&db, "s", 30, 10, i64::MAX / 2).await;
    let key = put_planned(&db, "given up", &[10, 10]).await;
    assert_eq!(stopped(&db, &SendKey::new(&key.workspace_id, "s")).await, SendState::Stopped);
    let never = progress(&db, "s").await;
    assert_eq!((never.planned, never.skipped, never.waiting()), (30, 30, 0));
    assert_eq!(reasons(&db, "s").await, [reason("skipped", STOPPED, 30)]);
    execute!(db, "update sends set audience_size = 25, planning_done = $1 where id = 'given up'", false).unwrap();
    let mut tx = db.begin().await.unwrap();
    fail(&mut tx, &key, "no more", 50).await.unwrap();
    tx.commit().await.unwrap();
    let half = progress(&db, "given up").await;
    assert_eq!((half.audience, half.failed, half.skipped, half.waiting()), (25, 20, 5, 0));
    assert_eq!(reasons(&db, "given up").await, [reason("failed", "no more", 20), reason("skipped", STOPPED, 5)]);
});

on_both_databases!(what_was_posted_before_a_stop_has_failed_and_is_sent_again, |db| async move {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    let key = put_planned(&db, "s", &[10, 10, 10]).await;
    let claims = claim(&db, &key, 1, 1).await;
    record(&db, &claims[0], End::Retry("HTTP 503".into(), None), 2).await;
    assert_eq!(stopped(&db, &key).await, SendState::Stopped);
    let (failed, skipped) = (reason("failed", "HTTP 503, then stopped", 10), reason("skipped", STOPPED, 20));
    assert_eq!(reasons(&db, "s").await, [failed.clone(), skipped.clone()]);
    assert_eq!(again(&db, &key, Which::Failed(None)).await.unwrap(), 10);
    assert_eq!(reasons(&db, "s").await, std::slice::from_ref(&skipped));
    stop(&db, &key, &note(), 70).await.unwrap();
    assert_eq!(reasons(&db, "s").await, [failed, skipped], "also when its new turn has not come");
    assert_eq!(again(&db, &key, Which::Failed(Some("HTTP 503, then stopped"))).await.unwrap(), 10);
    let claims = claim(&db, &key, 5, LATER).await;
    assert_eq!((numbers(&claims), claims[0].attempt, claims[0].tries, claims[0].sent_at), (vec![0], 2, 1, 1));
    record(&db, &claims[0], End::Accepted, LATER).await;
    let end = progress(&db, "s").await;
    assert_eq!((end.state, end.accepted, end.skipped), (SendState::Stopped, 10, 20), "20 were left out for good");
});

on_both_databases!(a_claim_without_a_post_is_again_what_it_was, |db| async move {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    let key = put_planned(&db, "s", &[10, 10]).await;
    let first = claim(&db, &key, 1, 1).await;
    record(&db, &first[0], End::Retry("HTTP 503".into(), None), 2).await;
    for attempt in 2..4 {
        let claims = claim(&db, &key, 5, LATER).await;
        let posted = claims.iter().find(|claim| claim.batch_no == 0).unwrap();
        assert_eq!((posted.before.clone(), posted.attempt), (Before::Retry("HTTP 503".into()), attempt));
        for claim in &claims {
            record(&db, claim, End::Released(0), LATER).await;
        }
    }
    let claims = claim(&db, &key, 5, LATER).await;
    assert_eq!(stopped(&db, &key).await, SendState::Stopped);
    for claim in &claims {
        record(&db, claim, End::Released(0), LATER).await;
    }
    let left = [reason("failed", "HTTP 503, then stopped", 10), reason("skipped", STOPPED, 10)];
    assert_eq!(reasons(&db, "s").await, left);
});

on_both_databases!(unknown_ones_of_a_stopped_send_wait_for_a_person, |db| async move {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    let key = put_planned(&db, "s", &[10, 7]).await;
    let claims = claim(&db, &key, 5, 1).await;
    assert!(again(&db, &key, Which::Unknown).await.is_err() && again(&db, &key, Which::Failed(None)).await.is_err());
    assert_eq!(stopped(&db, &key).await, SendState::Stopped);
    record(&db, &claims[0], End::Failed("refused".into()), 51).await;
    assert_eq!(recover::expired(&db, &InHand::default(), LATER, LATER).await.unwrap(), 1);
    assert_eq!(again(&db, &key, Which::Failed(None)).await.unwrap(), 10);
    let claims = claim(&db, &key, 5, LATER).await;
    assert_eq!(numbers(&claims), [0], "only what has failed");
    record(&db, &claims[0], End::Accepted, LATER).await;
    let end = progress(&db, "s").await;
    assert_eq!((end.state, end.accepted, end.unknown, end.waiting()), (SendState::Finished, 10, 7, 0));
    assert_eq!(again(&db, &key, Which::Unknown).await.unwrap(), 7);
    assert_eq!(progress(&db, "s").await.unknown, 7, "until it is claimed");
    let claims = claim(&db, &key, 5, LATER).await;
    assert_eq!((numbers(&claims), claims[0].sent_at), (vec![1], 1), "with the same ids and send_time");
    record(&db, &claims[0], End::Accepted, LATER).await;
    let end = progress(&db, "s").await;
    assert_eq!((end.state, end.accepted, end.unknown), (SendState::Finished, 17, 0));
});

on_both_databases!(receipts_are_taken_for_the_whole_time_again, |db| async move {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    let key = put_planned(&db, "s", &[10]).await;
    let until = async || progress(&db, "s").await.receipts_until;
    assert_eq!(until().await, Some(RECEIPTS_FOR));
    pause(&db, &key, &note()).await.unwrap();
    resume(&db, &key, &note(), 40).await.unwrap();
    assert_eq!(until().await, Some(RECEIPTS_FOR + 40));
    let claims = claim(&db, &key, 1, 50).await;
    record(&db, &claims[0], End::Failed("refused".into()), 51).await;
    again(&db, &key, Which::Failed(None)).await.unwrap();
    assert_eq!(until().await, Some(RECEIPTS_FOR + 60));
    stop(&db, &key, &note(), 70).await.unwrap();
    execute!(db, "update sends set receipts_for = null, receipts_until = null").unwrap();
    again(&db, &key, Which::Failed(None)).await.unwrap();
    assert_eq!(until().await, None);
});

on_both_databases!(many_failures_are_sent_again_chunk_by_chunk, |db| async move {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    let key = put_planned(&db, "s", &[1; 4_001]).await;
    execute!(db, "update send_batches set state = 'failed', reason = 'gone'").unwrap();
    execute!(db, "update sends set state = 'failed', failed = planned").unwrap();
    execute!(db, "insert into send_reasons values ($1, 's', 'failed', 'gone', 4001)", &key.workspace_id).unwrap();
    assert_eq!(again(&db, &key, Which::Failed(Some("gone"))).await.unwrap(), 4_001);
    assert_eq!(fetch!(db, one, (i64,), "select count(*) from audit_log").unwrap(), (1,), "written once");
    let progress = progress(&db, "s").await;
    assert_eq!((progress.state, progress.failed, progress.waiting()), (SendState::Sending, 0, 4_001));
    assert_eq!(reasons(&db, "s").await, []);
});
