//! The receipt log, as a page shows it.

use serde::{Deserialize, Serialize};

/// A receipt that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::FromRow))]
pub struct Problem {
    pub id: String,
    /// Unix milliseconds.
    pub received_at: i64,
    pub reason: String,
    /// The receipt as JSON.
    pub receipt: String,
}
