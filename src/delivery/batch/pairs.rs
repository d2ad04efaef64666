//! Every state and every event, by what really changes batches.

use super::{super::*, tests::events};
use super::{BatchState, Event, Was};
use crate::{
    db::Db,
    delivery::{
        claim::{self, Claim, InHand},
        record::End,
        resend::{self, Which},
        testing::{note, put_planned, put_webhook, record},
    },
    execute, fetch, on_both_databases,
};

const SIZE: i64 = 3;
const NOW: i64 = 1_000_000;

/// A send that is being sent, with one batch in a state, and the counters that belong to it.
async fn put(db: &Db, id: &str, state: BatchState) -> ids::SendKey {
    let key = put_planned(db, id, &[SIZE]).await;
    let leased = (state == BatchState::Leased).then_some(0);
    let reason = matches!(state, BatchState::Failed | BatchState::Skipped).then_some("why");
    execute!(
        db,
        "update send_batches set state = $2, lease_no = 4, attempts = 4, tries = 1, lease_until = $3, reason = $4 \
         where send_id = $1",
        id,
        state.code(),
        leased,
        reason
    )
    .unwrap();
    let mut delta = store::Delta::default();
    delta.count(state, SIZE);
    execute!(
        db,
        "update sends set accepted = $2, failed = $3, skipped = $4, unknown = $5 where id = $1",
        id,
        delta.accepted,
        delta.failed,
        delta.skipped,
        delta.unknown
    )
    .unwrap();
    if let Some(reason) = reason {
        let sql =
            "insert into send_reasons (workspace_id, send_id, outcome, reason, users) values ($1, $2, $3, $4, $5)";
        execute!(db, sql, &key.workspace_id, id, state.code(), reason, SIZE).unwrap();
    }
    key
}

fn held(key: &ids::SendKey, was: Was) -> Claim {
    let before = match was {
        Was::Pending => claim::Before::Pending,
        Was::Retry => claim::Before::Retry("HTTP 503".into()),
        Was::Unknown => claim::Before::Unknown,
    };
    Claim {
        key: key.clone().into(),
        batch_no: 0,
        first_seq: 0,
        last_seq: SIZE - 1,
        size: SIZE,
        lease_no: 4,
        lease_until: NOW,
        attempt: 4,
        tries: 1,
        started_at: 0,
        sent_at: 0,
        before,
    }
}

/// Does it, as the engine and people do.
async fn happen(db: &Db, key: &ids::SendKey, event: Event) {
    let came = async |end, was| {
        record(db, &held(key, was), end, NOW).await;
    };
    match event {
        // The planner alone does it, to the batch that it has open.
        Event::Filled => unreachable!(),
        Event::Claimed => {
            testing::claim(db, key, 5, NOW).await;
        }
        Event::Accepted => came(End::Accepted, Was::Pending).await,
        Event::Failed => came(End::Failed("refused".into()), Was::Pending).await,
        Event::ToRetry => came(End::Retry("HTTP 503".into(), None), Was::Pending).await,
        Event::Released(was) => came(End::Released(0), was).await,
        Event::LeaseEnded => {
            recover::expired(db, &InHand::default(), NOW, NOW).await.unwrap();
        }
        Event::SendStopped => {
            let _ = control::stop(db, key, &note(), NOW).await;
        }
        Event::SendGivenUp => {
            let mut tx = db.begin().await.unwrap();
            store::lock(&mut tx, key).await.unwrap();
            control::fail(&mut tx, key, "no more", NOW).await.unwrap();
            tx.commit().await.unwrap();
        }
        Event::SentAgain => {
            let _ = resend::again(db, key, Which::Failed(None), &note(), NOW).await;
            let _ = resend::again(db, key, Which::Unknown, &note(), NOW).await;
        }
        Event::CountedAsSent | Event::CountedAsNotSent => {
            execute!(db, "update sends set state = 'finished' where id = $1", &key.send_id).unwrap();
            let count_as = if event == Event::CountedAsSent { CountAs::Sent } else { CountAs::NotSent };
            let _ = resolve::unknown(db, key, count_as, SIZE, &note(), NOW).await;
        }
    }
}

on_both_databases!(nothing_changes_a_batch_but_what_may, |db| async move {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    for event in events().into_iter().filter(|event| *event != Event::Filled) {
        for state in BatchState::ALL {
            let id = format!("{event:?} {state:?}");
            let key = put(&db, &id, state).await;
            happen(&db, &key, event).await;
            let sql = "select state, lease_no from send_batches where send_id = $1";
            let (code, lease_no) = fetch!(db, one, (String, i64), sql, &id).unwrap();
            let expected = state.next(event);
            assert_eq!(code, expected.unwrap_or(state).code(), "{id}");
            assert_eq!(lease_no, if code == "leased" && event == Event::Claimed && expected.is_some() { 5 } else { 4 });
            // Counters and rows agree after each.
            testing::progress(&db, &id).await;
        }
    }
});
