//! The dry run: every message of a task rendered, none sent.

pub mod store;

use super::{
    model::{DryRunResult, TaskInput},
    prepare::{Prepared, prepare},
    sender::planned,
};
use crate::{
    access::Ctx,
    audiences,
    clock::{DAY, Millis, new_id},
    delivery::{Recipient, sender::Planned},
    error::{AppError, AppResult},
    webhooks::model::WebhookInput,
    wire::message::{self, CallbackParams, Message, Params, ProcessInfo, UserProfile},
};
use std::{collections::HashMap, time::Instant};

const CHUNK: i64 = 5_000;
const SAMPLES: usize = 3;
const SKIPPED_FIRST: usize = 20;
const KEPT: Millis = DAY;

/// Starts a dry run of the input in the background; its id.
pub async fn start(ctx: Ctx, input: TaskInput) -> AppResult<String> {
    let prepared = prepare(&ctx, &input, false).await?;
    let total = audiences::store::size_of(&ctx.state.db, ctx.workspace(), &prepared.audience).await?;
    let record = store::DryRunRecord {
        id: new_id(),
        input: serde_json::to_string(&prepared.kept(input.clone()))?,
        status: "running".into(),
        done: 0,
        total,
        result: None,
    };
    store::add(&ctx.state.db, ctx.workspace(), ctx.user(), &record, ctx.now(), ctx.now() - KEPT).await?;
    let id = record.id.clone();
    tokio::spawn(async move {
        let (db, workspace) = (&ctx.state.db, ctx.workspace());
        let ended = match render_all(&ctx, &record.id, &input, &prepared).await {
            Ok(Some(result)) => match serde_json::to_string(&result) {
                Ok(json) => store::end(db, workspace, &record.id, "done", &json).await,
                Err(error) => store::end(db, workspace, &record.id, "failed", &error.to_string()).await,
            },
            // A newer one has taken its place.
            Ok(None) => Ok(()),
            Err(error) => store::end(db, workspace, &record.id, "failed", &error.to_string()).await,
        };
        if let Err(error) = ended {
            tracing::error!(%error, "a dry run's end could not be recorded");
        }
    });
    Ok(id)
}

async fn render_all(ctx: &Ctx, id: &str, input: &TaskInput, prepared: &Prepared) -> AppResult<Option<DryRunResult>> {
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let started = Instant::now();
    let now = ctx.now();
    let mut tally = Tally::default();
    let mut done = 0;
    let mut users = Users::new(ctx, input, prepared);
    while let Some(recipients) = users.next().await? {
        done += recipients.len() as i64;
        for recipient in recipients {
            tally.add(recipient, input, prepared, now)?;
        }
        if !store::progress(db, workspace, id, done).await? {
            return Ok(None);
        }
    }
    let took_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
    Ok(Some(tally.result(&prepared.webhook.input, took_ms)))
}

/// The audience of an input, planned, chunk by chunk.
pub struct Users<'a> {
    ctx: &'a Ctx,
    input: &'a TaskInput,
    prepared: &'a Prepared,
    after: Option<String>,
    ended: bool,
}

impl<'a> Users<'a> {
    pub fn new(ctx: &'a Ctx, input: &'a TaskInput, prepared: &'a Prepared) -> Self {
        Self { ctx, input, prepared, after: None, ended: false }
    }

    pub async fn next(&mut self) -> AppResult<Option<Vec<Recipient>>> {
        if self.ended {
            return Ok(None);
        }
        let chunk = planned(
            &self.ctx.state.db,
            self.ctx.workspace(),
            &self.prepared.audience,
            &self.input.id_type,
            &self.prepared.template,
            self.after.as_deref(),
            CHUNK,
        )
        .await?;
        self.ended = chunk.next.is_none();
        self.after = chunk.next;
        Ok(Some(chunk.recipients))
    }
}

#[derive(Default)]
struct Tally {
    will_send: i64,
    bytes: i64,
    skipped: HashMap<String, i64>,
    skipped_first: Vec<(String, String)>,
    samples: Vec<String>,
}

impl Tally {
    fn add(&mut self, recipient: Recipient, input: &TaskInput, prepared: &Prepared, now: Millis) -> AppResult<()> {
        match recipient.plan {
            Ok(planned) => {
                let target = input.encryption().apply(&planned.target);
                let message = sample(&recipient.customer_id, &target, &planned, input, prepared, now);
                let one = std::slice::from_ref(&message);
                // Without the brackets of an array of one; commas and brackets come with the batches.
                self.bytes += message::body(one)?.len() as i64 - 2;
                if self.samples.len() < SAMPLES {
                    self.samples.push(message::pretty(one)?);
                }
                self.will_send += 1;
            }
            Err(reason) => {
                if self.skipped_first.len() < SKIPPED_FIRST {
                    self.skipped_first.push((recipient.customer_id, reason.clone()));
                }
                *self.skipped.entry(reason).or_default() += 1;
            }
        }
        Ok(())
    }

    fn result(self, webhook: &WebhookInput, took_ms: i64) -> DryRunResult {
        let batch_size = webhook.batch_size;
        let batches = (self.will_send + batch_size - 1) / batch_size;
        let mut skipped: Vec<(String, i64)> = self.skipped.into_iter().collect();
        skipped.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        DryRunResult {
            // Each batch adds two brackets and a comma between its messages.
            bytes: self.bytes + batches + self.will_send,
            will_send: self.will_send,
            skipped,
            skipped_first: self.skipped_first,
            batches,
            samples: self.samples,
            took_ms,
            users_per_second: webhook.users_per_second,
        }
    }
}

/// A message as it will be sent; the ids have the length of real ones.
fn sample<'a>(
    customer_id: &'a str,
    target: &'a str,
    planned: &'a Planned,
    input: &'a TaskInput,
    prepared: &'a Prepared,
    now: Millis,
) -> Message<'a> {
    const UNKNOWN: &str = "00000000000000000000000000000000";
    Message {
        user_profile: UserProfile { target_type: &input.id_type, target_id: target, customer_id },
        params: Params { template: &prepared.template, values: &planned.values },
        callback_params: CallbackParams {
            webhook_id: prepared.webhook.id.as_str().into(),
            send_time: now.to_string().into(),
            batch_id: format!("{UNKNOWN}-b1").into(),
            action_id: format!("{UNKNOWN}-1").into(),
            customer_id: customer_id.into(),
            ..Default::default()
        },
        process_info: ProcessInfo::default(),
    }
}

/// The input of an earlier dry run of this user, prepared again: for the download of its skipped users.
pub async fn again(ctx: &Ctx, id: &str) -> AppResult<(TaskInput, Prepared)> {
    let record = store::get(&ctx.state.db, ctx.workspace(), ctx.user(), id).await?;
    let input: TaskInput = serde_json::from_str(&record.input)?;
    match prepare(ctx, &input, false).await {
        Ok(prepared) => Ok((input, prepared)),
        Err(AppError::Invalid(_)) => {
            Err(AppError::conflict("What the dry run was made from has changed. Run it again."))
        }
        Err(error) => Err(error),
    }
}
