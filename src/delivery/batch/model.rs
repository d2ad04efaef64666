//! The store's functions against a small model in memory, through random days: after each step the rows, the counters
//! and the state of the send must be the model's.

mod plain;

use super::{super::*, BatchState, Event, Was};
use crate::{
    clock::Millis,
    db::Db,
    delivery::{
        claim::{Claim, InHand},
        model::AfterCrash,
        record::End,
        resend::{self, Which},
        testing::{self, claim, note, put_planned, put_webhook, record},
    },
    execute, fetch,
};
use plain::{Batch, Model};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};

/// [`testing::claim`]'s and [`testing::record`]'s.
const LEASE: Millis = 30_000;
const TRIES: i64 = 3;

#[derive(Clone, Debug)]
enum Step {
    Claim(usize),
    /// A result for one of all claims that there were, however old; counted from the latest.
    Result(usize, End),
    Wait(Millis),
    LeasesEnd,
    Pause,
    Resume,
    Stop,
    GiveUp,
    FailedAgain,
    UnknownAgain,
    Count(CountAs),
    AfterCrash(AfterCrash),
}

fn step() -> impl Strategy<Value = Step> {
    let end = prop_oneof![
        3 => Just(End::Accepted),
        2 => Just(End::Failed("refused".into())),
        3 => Just(End::Retry("HTTP 503".into(), None)),
        1 => Just(End::Retry("HTTP 429".into(), Some(9_000))),
        2 => (0..2_000i64).prop_map(End::Released),
    ];
    prop_oneof![
        8 => (1..4usize).prop_map(Step::Claim),
        10 => (0..6usize, end).prop_map(|(back, end)| Step::Result(back, end)),
        6 => prop_oneof![0..3_000i64, Just(LEASE + 1), 0..100_000i64].prop_map(Step::Wait),
        4 => Just(Step::LeasesEnd),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        1 => Just(Step::Stop),
        1 => Just(Step::GiveUp),
        2 => Just(Step::FailedAgain),
        2 => Just(Step::UnknownAgain),
        1 => Just(Step::Count(CountAs::Sent)),
        1 => Just(Step::Count(CountAs::NotSent)),
        1 => Just(Step::AfterCrash(AfterCrash::Ask)),
        1 => Just(Step::AfterCrash(AfterCrash::Again)),
    ]
}

#[derive(sqlx::FromRow)]
struct Row {
    state: String,
    size: i64,
    lease_no: i64,
    lease_until: Option<i64>,
    attempts: i64,
    tries: i64,
    run_at: i64,
    sent_at: Option<i64>,
    reason: Option<String>,
}

/// The rows are the model's, and the counters those of the rows.
async fn compare(db: &Db, id: &str, model: &Model) {
    let progress = testing::progress(db, id).await;
    assert_eq!(progress.state, model.send);
    let users = |state| model.users(state);
    assert_eq!(
        (progress.accepted, progress.failed, progress.skipped, progress.unknown),
        (
            users(BatchState::Accepted),
            users(BatchState::Failed),
            users(BatchState::Skipped),
            users(BatchState::Unknown)
        )
    );
    let waiting = users(BatchState::Pending) + users(BatchState::Retry) + users(BatchState::Leased);
    assert_eq!(progress.waiting(), waiting, "planned = accepted + failed + skipped + unknown + waiting");
    assert_eq!(testing::reasons(db, id).await, model.reasons());
    let sql = "select state, size, lease_no, lease_until, attempts, tries, run_at, sent_at, reason from send_batches \
               where send_id = $1 order by batch_no";
    let rows = fetch!(db, all, Row, sql, id).unwrap();
    for (number, (row, batch)) in rows.into_iter().zip(&model.batches).enumerate() {
        let state = BatchState::from_code(&row.state).unwrap();
        assert_eq!(row.lease_until.is_some(), state == BatchState::Leased, "batch {number}");
        let found = Batch {
            state,
            size: row.size,
            lease_no: row.lease_no,
            lease_until: row.lease_until.unwrap_or(batch.lease_until),
            attempts: row.attempts,
            tries: row.tries,
            // Of what is decided nobody asks.
            run_at: if state.next(Event::Claimed).is_some() { row.run_at } else { batch.run_at },
            sent_at: row.sent_at,
            // Of what is in hand or unknown nobody asks either, until it is what it was.
            reason: if matches!(state, BatchState::Leased | BatchState::Unknown) {
                batch.reason.clone()
            } else {
                row.reason
            },
        };
        assert_eq!(&found, batch, "batch {number}");
    }
}

/// One random day.
async fn day(db: &Db, id: &str, sizes: &[i64], steps: &[Step]) {
    let key = put_planned(db, id, sizes).await;
    execute!(db, "update webhooks set after_crash = 'again'").unwrap();
    let mut model = Model::new(sizes);
    let mut claims: Vec<Claim> = Vec::new();
    for step in steps {
        let accepted: Vec<bool> = model.batches.iter().map(|batch| batch.state == BatchState::Accepted).collect();
        match step {
            Step::Claim(most) if model.send == SendState::Sending => {
                let expected = model.claim(*most);
                let found = claim(db, &key, *most, model.now).await;
                assert_eq!(found.iter().map(|one| one.batch_no as usize).collect::<Vec<_>>(), expected);
                assert!(expected.iter().all(|number| !accepted[*number]), "an accepted one was claimed again");
                claims.extend(found);
            }
            Step::Claim(_) => {}
            Step::Result(back, end) => {
                let Some(place) = claims.len().checked_sub(1 + back) else { continue };
                let stale = !model.result(&claims[place], end);
                let counted = record(db, &claims[place], end.clone(), model.now).await;
                assert_eq!(counted, usize::from(stale), "a stale result is counted, and no other");
            }
            Step::Wait(ms) => model.now += ms,
            Step::LeasesEnd => {
                model.leases_end();
                recover::expired(db, &InHand::default(), model.now, model.now).await.unwrap();
            }
            Step::Pause => {
                let may = model.send == SendState::Sending;
                assert_eq!(control::pause(db, &key, &note()).await.is_ok(), may);
                model.send = if may { SendState::Paused } else { model.send };
            }
            Step::Resume => {
                let may = model.send == SendState::Paused;
                assert_eq!(control::resume(db, &key, &note(), model.now).await.is_ok(), may);
                model.send = if may { SendState::Sending } else { model.send };
            }
            Step::Stop => assert_eq!(control::stop(db, &key, &note(), model.now).await.is_ok(), model.stop()),
            Step::GiveUp if model.send == SendState::Sending => {
                model.all(Event::SendGivenUp, |batch, _| batch.reason = Some("no more".into()));
                model.send = SendState::Failed;
                let mut tx = db.begin().await.unwrap();
                store::lock(&mut tx, &key).await.unwrap();
                control::fail(&mut tx, &key, "no more", model.now).await.unwrap();
                tx.commit().await.unwrap();
            }
            Step::GiveUp => {}
            Step::FailedAgain => {
                let done = resend::again(db, &key, Which::Failed(None), &note(), model.now).await;
                assert_eq!(done.is_ok(), model.failed_again());
            }
            Step::UnknownAgain => {
                let done = resend::again(db, &key, Which::Unknown, &note(), model.now).await;
                assert_eq!(done.is_ok(), model.unknown_again());
            }
            Step::Count(count_as) => {
                let users = model.users(BatchState::Unknown);
                let wrong = resolve::unknown(db, &key, *count_as, users + 1, &note(), model.now).await;
                assert!(wrong.is_err(), "the person was told of others");
                let done = resolve::unknown(db, &key, *count_as, users, &note(), model.now).await;
                assert_eq!(done.is_ok(), model.count(*count_as));
            }
            Step::AfterCrash(after_crash) => {
                model.after_crash = *after_crash;
                execute!(db, "update webhooks set after_crash = $1", after_crash.code()).unwrap();
            }
        }
        compare(db, id, &model).await;
        let accepted_now = |number: usize| model.batches[number].state == BatchState::Accepted;
        assert!((0..sizes.len()).all(|number| !accepted[number] || accepted_now(number)), "accepted is for good");
    }
    for table in [
        "sends where id",
        "send_batches where send_id",
        "send_attempts where send_id",
        "send_pages where send_id",
        "send_reasons where send_id",
        "send_series where send_id",
    ] {
        execute!(db, sqlx::AssertSqlSafe(format!("delete from {table} = $1")), id).unwrap();
    }
}

async fn days(db: Db, cases: u32) {
    put_webhook(&db, "http://127.0.0.1:9/", 1).await;
    let config = Config { cases, max_shrink_iters: 400, failure_persistence: None, ..Config::default() };
    let input = (prop::collection::vec(1..4i64, 1..4), prop::collection::vec(step(), 1..40));
    let runtime = tokio::runtime::Handle::current();
    let outcome = tokio::task::block_in_place(|| {
        TestRunner::new(config).run(&input, |(sizes, steps)| {
            let id = crate::clock::new_id();
            let (db, sizes, steps) = (db.clone(), sizes.clone(), steps.clone());
            // In a task of its own, so that a failure is this case's and can be made smaller.
            let done = runtime.spawn(async move { day(&db, &id, &sizes, &steps).await });
            runtime.block_on(done).map_err(|error| TestCaseError::fail(error.to_string()))
        })
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_days_go_as_in_the_model() {
    let (db, _folder) = crate::db::testing::sqlite().await;
    days(db, 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_days_go_as_in_the_model_on_postgres() {
    if let Some(db) = crate::db::testing::postgres().await {
        days(db, 25).await;
    }
}
