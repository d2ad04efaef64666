//! Moments at which a test lets the process die: between two writes of one transaction, before and after a commit, with
//! a POST under way. `tests/crash` names one in `REACHWIRE_CRASH_AT`, and the program aborts when it comes by: nothing
//! is unwound, flushed or rolled back by us.
//!
//! Only in builds with debug assertions. In a release build [`at`] is nothing, and the variable is an unknown setting.

use std::{
    str::FromStr,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The step and how often the process comes by before it dies there: `claim.committed:3` is the third time.
pub const VARIABLE: &str = "REACHWIRE_CRASH_AT";

/// A place that a crash must not harm. Written: all of a transaction but its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A send that is due begins.
    BeginWritten,
    BeginCommitted,
    /// A chunk of the plan: a page of users and their batches.
    PlanWritten,
    PlanCommitted,
    /// Batches of a round are leased, and their attempts started.
    ClaimWritten,
    ClaimCommitted,
    /// The request is made and not sent.
    PostReady,
    /// It was received, and what was answered is not read.
    PostSent,
    /// The answer is judged and not recorded.
    PostAnswered,
    RecordWritten,
    RecordCommitted,
    /// What an earlier crash left is taken back.
    RecoverWritten,
    RecoverCommitted,
    PauseWritten,
    PauseCommitted,
    ResumeWritten,
    ResumeCommitted,
    StopWritten,
    StopCommitted,
    ReceiptsWritten,
    ReceiptsCommitted,
    /// In the middle of a migration's statements (SQLite).
    Migrating,
    /// A migration has changed everything and is not known as done (SQLite).
    MigrationWritten,
}

impl Step {
    pub const ALL: [Self; 23] = [
        Self::BeginWritten,
        Self::BeginCommitted,
        Self::PlanWritten,
        Self::PlanCommitted,
        Self::ClaimWritten,
        Self::ClaimCommitted,
        Self::PostReady,
        Self::PostSent,
        Self::PostAnswered,
        Self::RecordWritten,
        Self::RecordCommitted,
        Self::RecoverWritten,
        Self::RecoverCommitted,
        Self::PauseWritten,
        Self::PauseCommitted,
        Self::ResumeWritten,
        Self::ResumeCommitted,
        Self::StopWritten,
        Self::StopCommitted,
        Self::ReceiptsWritten,
        Self::ReceiptsCommitted,
        Self::Migrating,
        Self::MigrationWritten,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::BeginWritten => "begin.written",
            Self::BeginCommitted => "begin.committed",
            Self::PlanWritten => "plan.written",
            Self::PlanCommitted => "plan.committed",
            Self::ClaimWritten => "claim.written",
            Self::ClaimCommitted => "claim.committed",
            Self::PostReady => "post.ready",
            Self::PostSent => "post.sent",
            Self::PostAnswered => "post.answered",
            Self::RecordWritten => "record.written",
            Self::RecordCommitted => "record.committed",
            Self::RecoverWritten => "recover.written",
            Self::RecoverCommitted => "recover.committed",
            Self::PauseWritten => "pause.written",
            Self::PauseCommitted => "pause.committed",
            Self::ResumeWritten => "resume.written",
            Self::ResumeCommitted => "resume.committed",
            Self::StopWritten => "stop.written",
            Self::StopCommitted => "stop.committed",
            Self::ReceiptsWritten => "receipts.written",
            Self::ReceiptsCommitted => "receipts.committed",
            Self::Migrating => "migration.running",
            Self::MigrationWritten => "migration.written",
        }
    }
}

/// Where the process is to die.
struct Crash {
    step: Step,
    /// How often it still comes by, this time included.
    left: AtomicUsize,
}

impl FromStr for Crash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (code, times) = text.split_once(':').unwrap_or((text, "1"));
        let step = Step::ALL.into_iter().find(|step| step.code() == code);
        let times = times.parse().ok().filter(|times| *times > 0);
        match (step, times) {
            (Some(step), Some(times)) => Ok(Self { step, left: AtomicUsize::new(times) }),
            _ => Err(format!("{VARIABLE}: a step and a number from 1, such as claim.committed:3, not {text:?}")),
        }
    }
}

impl Crash {
    /// Whether this is the time.
    fn is_due(&self, step: Step) -> bool {
        // Past 0 it would wrap around; the process is gone by then.
        step == self.step && self.left.fetch_sub(1, Ordering::SeqCst) == 1
    }
}

static CRASH: LazyLock<Option<Crash>> = LazyLock::new(|| {
    let text = std::env::var(VARIABLE).ok()?;
    match text.parse() {
        Ok(crash) => Some(crash),
        // A test that names a step which is not there must not pass.
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(2);
        }
    }
});

/// The process comes by a step.
#[inline(always)]
pub fn at(step: Step) {
    if cfg!(debug_assertions) && CRASH.as_ref().is_some_and(|crash| crash.is_due(step)) {
        eprintln!("{}: the process dies at {}", VARIABLE, step.code());
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_is_due_at_its_step_and_time() {
        let crash: Crash = "claim.committed:3".parse().unwrap();
        let due = [Step::ClaimCommitted, Step::ClaimWritten, Step::ClaimCommitted, Step::ClaimCommitted];
        assert_eq!(due.map(|step| crash.is_due(step)), [false, false, false, true]);
        for step in Step::ALL {
            assert!(step.code().parse::<Crash>().unwrap().is_due(step), "at once");
        }
    }

    #[test]
    fn what_names_no_step_is_refused() {
        for wrong in ["", "claim", "claim.committed:", "claim.committed:0", "claim.committed:-1", "claim.committed:x"] {
            assert!(wrong.parse::<Crash>().is_err(), "{wrong}");
        }
    }
}
