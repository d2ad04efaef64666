//! A batch in hand: waits for its turn, is rendered, POSTed, judged.

use super::{
    claim::Claim,
    context::Context,
    ids::{action_id, batch_id},
    post::{self, Poster, Prepared, Request},
    record::{End, Finished},
    supervise::Stopping,
    verdict::{self, Verdict},
};
use crate::{
    clock::{Clock, Millis, SECOND},
    db::Db,
    fetch,
    wire::message::{self, CallbackParams, Message, Params, ProcessInfo, UserProfile},
};
use futures::FutureExt;
use secrecy::ExposeSecret;
use std::{panic::AssertUnwindSafe, sync::Arc};
use tokio::sync::{Semaphore, mpsc};

/// What is kept of an answer, in bytes.
const RESPONSE_KEPT: usize = 2_000;
/// A lease must outlast the POST by this much, in ms, so that the result can be recorded under it.
const SLACK: Millis = 2 * SECOND;

/// Carries batches; cheap to clone.
#[derive(Clone)]
pub struct Courier {
    pub poster: Poster,
    pub db: Db,
    pub clock: Clock,
    /// POSTs at once over all webhooks.
    pub posts: Arc<Semaphore>,
    pub stopping: Stopping,
    pub finished: mpsc::UnboundedSender<Finished>,
}

#[derive(sqlx::FromRow)]
struct Action {
    seq: i64,
    customer_id: String,
    target: String,
    variables: String,
}

/// How it went, and what of it is kept.
struct Outcome {
    end: End,
    http_status: Option<u16>,
    duration_ms: i64,
    response: Option<String>,
}

impl Outcome {
    fn released(wait: Millis) -> Self {
        Self { end: End::Released(wait), http_status: None, duration_ms: 0, response: None }
    }
}

impl Courier {
    /// Delivers in a task of its own; the result comes over the channel whatever happens.
    pub fn spawn(&self, context: Arc<Context>, claim: Claim, doors: Arc<Semaphore>) {
        let courier = self.clone();
        tokio::spawn(async move {
            let delivery = AssertUnwindSafe(courier.deliver(&context, &claim, &doors)).catch_unwind();
            let outcome = delivery.await.unwrap_or_else(|_| Outcome {
                end: End::Retry("an error on our side".into(), None),
                http_status: None,
                duration_ms: 0,
                response: None,
            });
            let Outcome { end, http_status, duration_ms, response } = outcome;
            let webhook_id = context.webhook_id.clone();
            // Without a receiver the engine is gone, and the next start finds the batch leased.
            let _ = courier.finished.send(Finished { claim, webhook_id, end, http_status, duration_ms, response });
        });
    }

    async fn deliver(&self, context: &Context, claim: &Claim, doors: &Semaphore) -> Outcome {
        let turn = async { (doors.acquire().await, self.posts.acquire().await) };
        let _turn = tokio::select! {
            biased;
            () = self.stopping.wait() => return Outcome::released(0),
            turn = turn => turn,
        };
        let longest = i64::try_from(post::LIMIT.as_millis()).unwrap_or(i64::MAX);
        if self.clock.now() + longest + SLACK > claim.lease_until {
            return Outcome::released(0);
        }
        let body = match self.body(context, claim).await {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(batch = %batch_id(&claim.key.send_id, claim.batch_no), %error, "cannot read a batch");
                return Outcome::released(5 * SECOND);
            }
        };
        let prepared = Prepared::new(Request {
            url: &context.url,
            key: context.key.as_ref().map(|key| key.expose_secret()),
            id: &batch_id(&claim.key.send_id, claim.batch_no),
            body: body.into(),
            now: self.clock.now(),
            nonce: &post::nonce(),
        });
        let transfer = self.poster.send(prepared).await;
        let end = match verdict::judge(&transfer.result, self.clock.now()) {
            Verdict::Accepted => End::Accepted,
            Verdict::Failed(reason) => End::Failed(reason),
            Verdict::Retry(reason, asked) => End::Retry(reason, asked),
        };
        let outcome = match end {
            End::Accepted => "accepted",
            End::Failed(_) => "failed",
            _ => "retry",
        };
        metrics::histogram!("reachwire_post_seconds", "outcome" => outcome).record(transfer.total.as_secs_f64());
        let answer = transfer.result.ok();
        Outcome {
            end,
            http_status: answer.as_ref().map(|answer| answer.status),
            duration_ms: i64::try_from(transfer.total.as_millis()).unwrap_or(i64::MAX),
            response: answer.map(|answer| post::excerpt(&answer.body, RESPONSE_KEPT)),
        }
    }

    /// The body of a batch: the same bytes at every attempt.
    async fn body(&self, context: &Context, claim: &Claim) -> sqlx::Result<Vec<u8>> {
        let actions = fetch!(
            self.db,
            all,
            Action,
            "select seq, customer_id, coalesce(target, '') as target, coalesce(variables, '[]') as variables \
             from send_actions where workspace_id = $1 and send_id = $2 and seq between $3 and $4 and batch_no = $5 \
             order by seq",
            &claim.key.workspace_id,
            &claim.key.send_id,
            claim.first_seq,
            claim.last_seq,
            claim.batch_no
        )?;
        render(context, claim, &actions).map_err(|error| sqlx::Error::Decode(error.into()))
    }
}

fn render(context: &Context, claim: &Claim, actions: &[Action]) -> serde_json::Result<Vec<u8>> {
    let batch_id = batch_id(&claim.key.send_id, claim.batch_no);
    let targets: Vec<String> = actions.iter().map(|action| context.encryption.apply(&action.target)).collect();
    let values: Vec<Vec<String>> =
        actions.iter().map(|action| serde_json::from_str(&action.variables)).collect::<Result<_, _>>()?;
    let messages: Vec<Message> = actions
        .iter()
        .zip(&targets)
        .zip(&values)
        .map(|((action, target_id), values)| Message {
            user_profile: UserProfile { target_type: &context.id_type, target_id, customer_id: &action.customer_id },
            params: Params { template: &context.template, values },
            callback_params: CallbackParams {
                webhook_id: context.webhook_id.clone(),
                send_time: claim.sent_at.to_string(),
                batch_id: batch_id.clone(),
                action_id: action_id(&claim.key.send_id, action.seq),
                customer_id: action.customer_id.clone(),
                ..CallbackParams::default()
            },
            process_info: ProcessInfo::default(),
        })
        .collect();
    message::body(&messages)
}
