//! A sending task: what its pages show.

mod input;

pub use input::*;

use crate::{
    delivery::{
        health::Standing,
        model::{ActionRow, Progress, ReasonCount, SeriesPoint},
    },
    webhooks::model::Webhook,
    wire::message::Encryption,
};
use serde::{Deserialize, Serialize};

/// A pending task that is due sooner than this can no longer be edited or deleted (seed 000).
pub const LOCKED_BEFORE_MS: i64 = 10 * 60 * 1_000;

/// A row of the task list (seed 000 and PRODUCT, "List columns").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRow {
    pub id: String,
    pub name: String,
    pub campaigns: Vec<String>,
    pub audience: String,
    pub id_type: String,
    pub webhook: String,
    pub scheduled: bool,
    pub progress: Progress,
}

impl TaskRow {
    pub fn changes(&self, now: i64) -> Changes {
        changes(&self.progress, now)
    }
}

/// What may still be done with a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changes {
    pub edit: bool,
    pub delete: bool,
}

/// Seed 000's rules: edit Pending tasks due in more than 10 minutes; delete those and ended ones. One that missed its
/// time begins by nobody but a person, so it can be edited and deleted, too.
pub fn changes(progress: &Progress, now: i64) -> Changes {
    use crate::delivery::model::SendState::{Failed, Finished, Missed, Scheduled, Stopped};
    let pending = progress.state == Scheduled && progress.due_at - now > LOCKED_BEFORE_MS;
    let edit = pending || progress.state == Missed;
    Changes { edit, delete: edit || matches!(progress.state, Finished | Failed | Stopped) }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskList {
    pub rows: Vec<TaskRow>,
    pub total: i64,
    /// The server's time, for what depends on it.
    pub now: i64,
}

/// A webhook in the form: the marketer sees all, and why one can't be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookChoice {
    pub webhook: Webhook,
    /// Why it can't be chosen.
    pub unavailable: Option<String>,
}

/// An audience in the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudienceChoice {
    pub id: String,
    pub name: String,
    pub size: i64,
    pub updated_at: i64,
}

/// Everything that the form offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskForm {
    /// The task's id; a new task's is made here, so that the form sent twice is one task.
    pub id: String,
    /// Prefilled: an existing task's, or defaults.
    pub input: TaskInput,
    pub audiences: Vec<AudienceChoice>,
    pub webhooks: Vec<WebhookChoice>,
    /// Sub-campaigns: id and "Main / Sub".
    pub campaigns: Vec<(String, String)>,
    /// Names of the workspace's tags.
    pub tags: Vec<String>,
    /// The server's time.
    pub now: i64,
}

/// What a dry run found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DryRunResult {
    pub will_send: i64,
    /// Skipped users by reason, most first.
    pub skipped: Vec<(String, i64)>,
    /// The first of them: customer id and reason.
    pub skipped_first: Vec<(String, String)>,
    pub batches: i64,
    /// The bodies of all POSTs together.
    pub bytes: i64,
    /// The first messages, as they would be sent.
    pub samples: Vec<String>,
    pub took_ms: i64,
    /// The webhook's limit; 0: none.
    #[serde(default)]
    pub users_per_second: i64,
}

impl DryRunResult {
    /// How long the webhook's limit makes the sending last at the least, in ms; `None` without a limit.
    pub fn lasts_ms(&self) -> Option<i64> {
        self.will_send.saturating_mul(1_000).checked_div(self.users_per_second)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DryRun {
    pub id: String,
    pub done: i64,
    pub total: i64,
    pub result: Option<DryRunResult>,
    /// What stopped it.
    pub error: Option<String>,
}

/// A task's page: what does not move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDetail {
    /// What interfaces were told when the values were chosen.
    pub passed: Vec<PassedCall>,
    pub id: String,
    pub name: String,
    pub audience_id: String,
    pub audience: String,
    pub webhook_id: String,
    pub webhook: String,
    /// The version that the task uses (0: from before there were any), and the webhook's current one.
    pub webhook_version: i64,
    pub current_version: i64,
    pub id_type: String,
    pub encryption: Encryption,
    pub campaigns: Vec<(String, String)>,
    /// Display name, parameter name and value.
    pub values: Vec<(String, String, String)>,
    pub variables: Vec<VariableInput>,
    pub scheduled_at: Option<i64>,
    pub time_zone: String,
    pub created_by: String,
    pub created_at: i64,
    pub receipts_enabled: bool,
    /// When its messages were deleted: the workspace keeps them no longer.
    pub emptied_at: Option<i64>,
    /// Receipt status codes and their values.
    pub statuses: Vec<(String, String)>,
}

/// What a task did for one customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerMessage {
    pub task_id: String,
    pub task: String,
    pub action: ActionRow,
    /// The value of the receipt's status.
    pub receipt: Option<String>,
}

/// The latest messages to one customer, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerMessages {
    pub rows: Vec<CustomerMessage>,
    /// How many tasks were looked at, the latest, when there are more.
    pub among: Option<i64>,
}

/// A task's page: what moves while it sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskLive {
    pub progress: Progress,
    pub reasons: Vec<ReasonCount>,
    /// Users by the latest receipt's status code.
    pub receipts: Vec<(String, i64)>,
    /// Receipts of this task that were refused, as far as they are kept.
    pub not_taken: i64,
    pub series: Vec<SeriesPoint>,
    /// Users per second over the last seconds.
    pub rate: f64,
    pub now: i64,
    /// Why nothing goes out at present, when it is the webhook.
    pub held: Option<Held>,
}

/// Why a task that is sending waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Held {
    /// Somebody disabled the webhook.
    Disabled,
    /// Its endpoint is ill, or the engine disabled it.
    Ill(Standing),
}
