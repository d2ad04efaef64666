//! The body of a batch. It hangs on nothing but what the send and its rows say, so that it is the same bytes at every
//! attempt, and can be shown again afterwards.

use super::{
    ids::{SendKey, action_id, batch_id},
    pages::{self, Pages},
};
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
use std::borrow::Cow;

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

/// The users of a batch.
#[derive(Clone, Debug)]
pub struct Users {
    pub pages: Pages,
    pub first_seq: i64,
    pub last_seq: i64,
}

impl Users {
    /// Those that are sent to, with their numbers.
    fn sent(&self) -> serde_json::Result<Vec<(i64, Sent<'_>)>> {
        let mut sent = Vec::with_capacity(100);
        for seq in self.first_seq..=self.last_seq {
            let user = self.pages.user(seq).ok_or_else(|| serde::de::Error::custom("a user's page is missing"))??;
            if let Ok((target, values)) = user.plan {
                sent.push((seq, Sent { customer_id: user.customer_id, target, values }));
            }
        }
        Ok(sent)
    }
}

struct Sent<'a> {
    customer_id: Cow<'a, str>,
    target: Cow<'a, str>,
    values: Vec<Cow<'a, str>>,
}

/// `sent_at`: when the first attempt began. `write` is [`message::body`] for what is POSTed.
pub fn render<T>(
    common: &Common,
    send_id: &str,
    batch_no: i64,
    sent_at: Millis,
    users: &Users,
    write: impl FnOnce(&[Message<Cow<str>>]) -> serde_json::Result<T>,
) -> serde_json::Result<T> {
    let (batch_id, send_time) = (batch_id(send_id, batch_no), sent_at.to_string());
    let sent = users.sent()?;
    let targets: Vec<Cow<str>> = sent.iter().map(|(_, user)| common.encryption.apply(&user.target)).collect();
    let messages: Vec<_> = sent
        .iter()
        .zip(&targets)
        .map(|((seq, user), target_id)| Message {
            user_profile: UserProfile { target_type: &common.id_type, target_id, customer_id: &user.customer_id },
            params: Params { template: &common.template, values: &user.values },
            callback_params: CallbackParams {
                webhook_id: common.webhook_id.as_str().into(),
                send_time: send_time.as_str().into(),
                batch_id: batch_id.as_str().into(),
                action_id: action_id(send_id, *seq).into(),
                customer_id: user.customer_id.as_ref().into(),
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
    let (first_seq, last_seq) = (batch.first_seq, batch.last_seq);
    let users = Users { pages: pages::read(db, key, first_seq, last_seq).await?, first_seq, last_seq };
    let shown = render(&common, &key.send_id, batch_no, sent_at, &users, |messages| {
        Ok((message::pretty(messages)?, message::body(messages)?.len()))
    });
    Ok(Some(shown?))
}
