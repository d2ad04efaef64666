//! What pages show of a send.

use serde::{Deserialize, Serialize};

/// The state of one run. Seed 000's statuses and ours (Paused, Stopped).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SendState {
    /// Waits for its time: "Pending".
    Scheduled,
    /// Its time was found to have passed by too much; it waits for a person.
    Missed,
    Sending,
    Paused,
    Stopped,
    Finished,
    /// Nothing was accepted, or it could not begin; the error says why.
    Failed,
}

impl SendState {
    pub const ALL: [Self; 7] =
        [Self::Scheduled, Self::Missed, Self::Sending, Self::Paused, Self::Stopped, Self::Finished, Self::Failed];

    pub fn code(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Missed => "missed",
            Self::Sending => "sending",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
            Self::Failed => "failed",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Scheduled => "Pending",
            Self::Missed => "Missed",
            Self::Sending => "Sending",
            Self::Paused => "Paused",
            Self::Stopped => "Stopped",
            Self::Finished => "Finished",
            Self::Failed => "Failed",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// What becomes of batches whose outcome a crash hid: a webhook's setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AfterCrash {
    #[default]
    Again,
    Ask,
}

impl AfterCrash {
    pub const ALL: [Self; 2] = [Self::Again, Self::Ask];

    /// As forms and the database have it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Again => "again",
            Self::Ask => "ask",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Again => "Send again with the same ids",
            Self::Ask => "Leave unknown for a person",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }
}

/// The reason of those who were not sent to because the send ended before their turn.
pub const STOPPED: &str = "stopped";

/// The counters of a send: `planned = accepted + failed + skipped + unknown + waiting` at every moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub state: SendState,
    /// Users in the audience when planning began.
    pub audience: i64,
    /// Users planned so far, and those who never will be because it was stopped before; they are skipped.
    pub planned: i64,
    pub planning_done: bool,
    pub accepted: i64,
    pub failed: i64,
    pub skipped: i64,
    /// A crash hid whether they were received. Once the send has ended they stay so until somebody sends them again or
    /// says what to count them as.
    pub unknown: i64,
    pub batches: i64,
    pub error: Option<String>,
    /// Unix milliseconds, as all times.
    pub due_at: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub receipts_until: Option<i64>,
    /// When its messages were deleted: the workspace keeps them no longer. The totals stay.
    pub emptied_at: Option<i64>,
}

impl Progress {
    /// Users that there will be, as far as it is known.
    pub fn total(&self) -> i64 {
        if self.planning_done { self.planned } else { self.audience.max(self.planned) }
    }

    /// How long it will still take at so many users per second, in ms; `None` when nothing is left or moves.
    pub fn left(&self, rate: f64) -> Option<i64> {
        let open = self.total() - self.accepted - self.failed - self.skipped;
        (rate >= 1.0 && open > 0).then(|| (open as f64 / rate * 1_000.0) as i64)
    }

    pub fn waiting(&self) -> i64 {
        self.planned - self.accepted - self.failed - self.skipped - self.unknown
    }
}

/// How many users ended with a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonCount {
    /// "failed" or "skipped".
    pub outcome: String,
    pub reason: String,
    pub users: i64,
}

/// One second of a send's results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesPoint {
    /// Unix seconds.
    pub second: i64,
    pub accepted: i64,
    pub failed: i64,
}

/// One user of a send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRow {
    pub seq: i64,
    pub action_id: String,
    pub customer_id: String,
    /// The ID of the send's type, as it is in the customer's record.
    pub target: Option<String>,
    /// "waiting", "sending", "retrying", "accepted", "failed", "skipped" or "unknown".
    pub result: String,
    /// Why, for failed and skipped ones and for those that are retried.
    pub reason: Option<String>,
    pub sent_at: Option<i64>,
    /// The receipt's status code and time.
    pub receipt_status: Option<String>,
    pub receipt_at: Option<i64>,
}

/// One POST of a send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRow {
    pub batch_no: i64,
    pub batch_id: String,
    pub size: i64,
    pub state: String,
    pub attempts: i64,
    /// When the next attempt is due, for those that wait.
    pub run_at: i64,
    pub reason: Option<String>,
    pub sent_at: Option<i64>,
    pub finished_at: Option<i64>,
}

/// One attempt at a batch. Without an outcome it is under way, or a crash hid it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRow {
    pub attempt: i64,
    pub started_at: i64,
    pub outcome: Option<String>,
    pub http_status: Option<i64>,
    pub reason: Option<String>,
    pub duration_ms: Option<i64>,
    /// The beginning of the answer.
    pub response: Option<String>,
}

/// What was POSTed in a batch, and every attempt at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchDetail {
    pub batch_no: i64,
    /// The beginning of the body, set out to be read; "" before the first attempt.
    pub request: String,
    /// Of the whole body as it was sent.
    pub bytes: i64,
    pub attempts: Vec<AttemptRow>,
}

/// Everything that [Download Logs] of a test send holds; keys never.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    pub ok: bool,
    /// "OK", or what went wrong, in words.
    pub reason: String,
    pub url: String,
    pub request_headers: Vec<(String, String)>,
    pub request_body: String,
    pub status: Option<u16>,
    pub response_headers: Vec<(String, String)>,
    pub response_body: String,
    /// Until the answer's head, and in all.
    pub head_ms: Option<i64>,
    pub total_ms: i64,
}
