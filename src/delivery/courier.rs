//! A batch in hand: waits for its turn, is rendered, POSTed, judged.

use super::{
    body::{self, Users},
    claim::Claim,
    context::Context,
    doors::{Doors, Inside},
    gate::Changes,
    ids::batch_id,
    pages::{Pages, Shelf},
    post::{self, Poster, Prepared, Request},
    record::{End, Finished, OURS, UNREADABLE},
    supervise::Stopping,
    traced::Traced,
    verdict::{self, Verdict},
};
use crate::{
    clock::{Clock, Millis, SECOND},
    db::Db,
    steps::{self, Step},
    wire::message,
};
use bytes::Bytes;
use futures::FutureExt;
use secrecy::ExposeSecret;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, mpsc};

/// What is kept of an answer, in bytes.
const RESPONSE_KEPT: usize = 2_000;
/// Of a POST, in ms.
const LONGEST: Millis = post::LIMIT.as_millis() as Millis;
/// A lease must outlast the POST by this much, in ms, so that the result can be recorded under it.
pub const SLACK: Millis = 2 * SECOND;

/// Carries batches; cheap to clone.
#[derive(Clone)]
pub struct Courier {
    /// For webhooks without certificates of their own; a context has the one that its webhook is POSTed with.
    pub poster: Poster,
    pub db: Db,
    pub clock: Clock,
    pub shelf: Arc<Shelf>,
    pub changes: Arc<Changes>,
    /// POSTs at once over all webhooks.
    pub posts: Arc<Semaphore>,
    pub stopping: Stopping,
    pub traced: Traced,
    pub finished: mpsc::UnboundedSender<Finished>,
}

/// How it went, and what of it is kept.
struct Outcome {
    end: End,
    http_status: Option<u16>,
    duration_ms: i64,
    response: Option<String>,
}

/// While it is held a POST may run.
struct Turn {
    _inside: Inside,
    _post: Result<OwnedSemaphorePermit, AcquireError>,
}

impl Outcome {
    fn released(wait: Millis) -> Self {
        Self { end: End::Released(wait), http_status: None, duration_ms: 0, response: None }
    }
}

impl Courier {
    /// Delivers batches of one send, one after the other as there is room, each in a task of its own; the results come
    /// over the channel whatever happens.
    pub fn spawn(&self, context: Arc<Context>, claims: Vec<Claim>, doors: Arc<Doors>) {
        let courier = self.clone();
        tokio::spawn(async move {
            for run in claims.chunk_by(|one, next| one.batch_no + 1 == next.batch_no) {
                let mut read = None;
                for claim in run {
                    let Some(turn) = courier.turn(claim, &doors).await else {
                        courier.release(&context, claim, 0);
                        continue;
                    };
                    // Not before somebody needs them.
                    if read.is_none() {
                        read = Some(courier.read(run).await);
                    }
                    let Some(pages) = read.clone().flatten() else {
                        courier.release(&context, claim, 5 * SECOND);
                        continue;
                    };
                    let users = Users { pages, first_seq: claim.first_seq, last_seq: claim.last_seq };
                    courier.spawn_one(context.clone(), claim.clone(), users, turn);
                }
            }
        });
    }

    /// Waits until the POST of a batch may run: among its webhook's, and among all. `None` when it is not to wait any
    /// longer.
    async fn turn(&self, claim: &Claim, doors: &Arc<Doors>) -> Option<Turn> {
        let turn = async { Turn { _inside: doors.enter().await, _post: self.posts.clone().acquire_owned().await } };
        let left = claim.lease_until - LONGEST - SLACK - self.clock.now();
        tokio::select! {
            biased;
            () = self.stopping.wait() => None,
            // Its places are another node's now.
            () = doors.are_shut() => None,
            turn = turn => Some(turn),
            // Its lease would end before its POST.
            () = tokio::time::sleep(Duration::from_millis(left.max(0).unsigned_abs())) => None,
        }
    }

    fn spawn_one(&self, context: Arc<Context>, claim: Claim, users: Users, turn: Turn) {
        let courier = self.clone();
        tokio::spawn(async move {
            let delivery = AssertUnwindSafe(courier.deliver(&context, &claim, users)).catch_unwind();
            let outcome = delivery.await.unwrap_or_else(|_| Outcome {
                end: End::Retry(OURS.into(), None),
                http_status: None,
                duration_ms: 0,
                response: None,
            });
            drop(turn);
            let Outcome { end, http_status, duration_ms, response } = outcome;
            let webhook_id = context.common.webhook_id.clone();
            courier.tell(Finished { claim, webhook_id, end, http_status, duration_ms, response });
        });
    }

    fn release(&self, context: &Context, claim: &Claim, wait: Millis) {
        self.tell(Finished::released(claim.clone(), &context.common.webhook_id, wait));
    }

    fn tell(&self, finished: Finished) {
        // Without a receiver the engine is gone, and the next start finds the batch leased.
        let _ = self.finished.send(finished);
    }

    /// The users of batches that follow each other, in one query; `None` when they can't be read.
    async fn read(&self, run: &[Claim]) -> Option<Pages> {
        let (first, last) = (run.first()?, run.last()?);
        match self.shelf.read(&self.db, &first.key, first.first_seq, last.last_seq).await {
            Ok(pages) => Some(pages),
            Err(error) => {
                tracing::error!(send.id = %first.key.send_id, %error, "cannot read batches");
                None
            }
        }
    }

    async fn deliver(&self, context: &Context, claim: &Claim, users: Users) -> Outcome {
        match context.gate.lets(&self.db, claim, context.version, &self.changes).await {
            Ok(true) => {}
            Ok(false) => return Outcome::released(0),
            Err(error) => {
                tracing::error!(send.id = %claim.key.send_id, %error, "cannot tell whether a POST may begin");
                return Outcome::released(5 * SECOND);
            }
        }
        self.traced.step(claim, "wait");
        if self.clock.now() + LONGEST + SLACK > claim.lease_until {
            return Outcome::released(0);
        }
        let body = match body::render(
            &context.common,
            &claim.key.send_id,
            claim.batch_no,
            claim.sent_at,
            &users,
            |messages| message::body(messages).map(Bytes::from),
        ) {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(batch = %batch_id(&claim.key.send_id, claim.batch_no), %error, "cannot render a batch");
                return Outcome { end: End::Failed(UNREADABLE.into()), ..Outcome::released(0) };
            }
        };
        let prepared = Prepared::new(Request {
            url: &context.url,
            key: context.key.as_ref().map(|key| key.expose_secret()),
            environment: context.environment.as_ref(),
            id: &batch_id(&claim.key.send_id, claim.batch_no),
            body,
            now: self.clock.now(),
            nonce: &post::nonce(),
        });
        self.traced.step(claim, "render");
        steps::at(Step::PostReady);
        let transfer = context.poster.send(prepared).await;
        steps::at(Step::PostAnswered);
        self.traced.step(claim, "POST");
        let end = match verdict::judge(&transfer.result, self.clock.now()) {
            Verdict::Accepted => End::Accepted,
            Verdict::Failed(reason) => End::Failed(reason),
            Verdict::Retry(reason, asked) => End::Retry(reason, asked),
        };
        let counter = match end {
            End::Accepted => &context.attempts.accepted,
            End::Failed(_) => &context.attempts.failed,
            _ => &context.attempts.retry,
        };
        counter.increment(1);
        context.attempts.seconds.record(transfer.total.as_secs_f64());
        let answer = transfer.result.ok();
        Outcome {
            end,
            http_status: answer.as_ref().map(|answer| answer.status),
            duration_ms: i64::try_from(transfer.total.as_millis()).unwrap_or(i64::MAX),
            response: answer.map(|answer| post::excerpt(&answer.body, RESPONSE_KEPT)),
        }
    }
}
