//! The body of a batch. It hangs on nothing but what the send and its rows say, so that it is the same bytes at every
//! attempt, and can be shown again afterwards.

use super::ids::{SendKey, action_id, batch_id};
use crate::{
    clock::Millis,
    db::Db,
    error::{AppError, AppResult},
    fetch,
    wire::{
        message::{self, CallbackParams, Encryption, Message, Params, ProcessInfo, UserProfile},
        text::Template,
    },
};

/// What all messages of a send have in common.
#[derive(Debug)]
pub struct Common {
    pub webhook_id: String,
    pub id_type: String,
    pub encryption: Encryption,
    pub template: Template,
}

impl Common {
    /// From the columns of `sends`; the error is for people.
    pub fn new(webhook_id: String, id_type: String, encryption: &str, template: &str) -> Result<Self, String> {
        Ok(Self {
            webhook_id,
            id_type,
            encryption: Encryption::from_code(encryption).ok_or("The encryption is not known.")?,
            template: serde_json::from_str(template).map_err(|_| "The parameters can't be read.")?,
        })
    }
}

/// One user of a batch.
#[derive(sqlx::FromRow)]
pub struct Action {
    seq: i64,
    pub batch_no: i64,
    customer_id: String,
    target: String,
    variables: String,
}

/// Those of the batches from one sequence number to another.
pub async fn actions(db: &Db, key: &SendKey, first_seq: i64, last_seq: i64) -> sqlx::Result<Vec<Action>> {
    fetch!(
        db,
        all,
        Action,
        "select seq, batch_no, customer_id, coalesce(target, '') as target, \
         coalesce(variables, '[]') as variables from send_actions \
         where workspace_id = $1 and send_id = $2 and seq between $3 and $4 and batch_no is not null order by seq",
        &key.workspace_id,
        &key.send_id,
        first_seq,
        last_seq
    )
}

/// `sent_at`: when the first attempt began. `write` is [`message::body`] for what is POSTed.
pub fn render<T>(
    common: &Common,
    send_id: &str,
    batch_no: i64,
    sent_at: Millis,
    actions: &[Action],
    write: impl FnOnce(&[Message]) -> serde_json::Result<T>,
) -> serde_json::Result<T> {
    let batch_id = batch_id(send_id, batch_no);
    let targets: Vec<String> = actions.iter().map(|action| common.encryption.apply(&action.target)).collect();
    let values: Vec<Vec<String>> =
        actions.iter().map(|action| serde_json::from_str(&action.variables)).collect::<Result<_, _>>()?;
    let messages: Vec<Message> = actions
        .iter()
        .zip(&targets)
        .zip(&values)
        .map(|((action, target_id), values)| Message {
            user_profile: UserProfile { target_type: &common.id_type, target_id, customer_id: &action.customer_id },
            params: Params { template: &common.template, values },
            callback_params: CallbackParams {
                webhook_id: common.webhook_id.clone(),
                send_time: sent_at.to_string(),
                batch_id: batch_id.clone(),
                action_id: action_id(send_id, action.seq),
                customer_id: action.customer_id.clone(),
                ..CallbackParams::default()
            },
            process_info: ProcessInfo::default(),
        })
        .collect();
    write(&messages)
}

#[derive(sqlx::FromRow)]
struct SentBatch {
    webhook_id: String,
    id_type: String,
    encryption: String,
    template: String,
    first_seq: i64,
    last_seq: i64,
    sent_at: Option<i64>,
}

/// What was POSTed, set out to be read, and its bytes; `None` before the first attempt. `NotFound` when there is no
/// such batch.
pub async fn of_batch(db: &Db, key: &SendKey, batch_no: i64) -> AppResult<Option<(String, usize)>> {
    let batch = fetch!(
        db,
        one,
        SentBatch,
        "select s.webhook_id, s.id_type, s.encryption, s.template, b.first_seq, b.last_seq, b.sent_at \
         from sends s join send_batches b on b.workspace_id = s.workspace_id and b.send_id = s.id \
         where s.workspace_id = $1 and s.id = $2 and b.batch_no = $3",
        &key.workspace_id,
        &key.send_id,
        batch_no
    )?;
    let Some(sent_at) = batch.sent_at else { return Ok(None) };
    let common =
        Common::new(batch.webhook_id, batch.id_type, &batch.encryption, &batch.template).map_err(AppError::conflict)?;
    let actions = actions(db, key, batch.first_seq, batch.last_seq).await?;
    let shown = render(&common, &key.send_id, batch_no, sent_at, &actions, |messages| {
        Ok((message::pretty(messages)?, message::body(messages)?.len()))
    });
    Ok(Some(shown?))
}
