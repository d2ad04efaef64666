//! What the simulator is told to do.

use crate::hidden::Hidden;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

/// How a request is answered that bears the right signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Answer {
    #[default]
    Ok,
    /// A code other than OK.
    Refuse,
    /// OK, late.
    Slow,
    /// HTTP 429 with Retry-After: 1.
    #[value(name = "429")]
    Busy,
    #[value(name = "500")]
    Broken,
    /// HTTP 200 and no JSON.
    Garbage,
    /// The connection breaks in the middle of the answer.
    Drop,
}

impl Answer {
    pub fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refuse => "refuse",
            Self::Slow => "slow",
            Self::Busy => "429",
            Self::Broken => "500",
            Self::Garbage => "garbage",
            Self::Drop => "drop",
        }
    }

    /// Whether the receiver has taken the messages.
    pub fn takes(self) -> bool {
        matches!(self, Self::Ok | Self::Slow)
    }
}

#[derive(Clone, Debug)]
pub struct Options {
    pub listen: SocketAddr,
    /// `None`: requests are not signed.
    pub key: Option<Hidden>,
    pub answer: Answer,
    /// The share of requests, 0 to 1, that get `answer`; the others get OK.
    pub share: f64,
    /// How long [`Answer::Slow`] takes.
    pub slow: Duration,
    pub receipts: Option<ReceiptOptions>,
    /// One JSON line for each action received, appended.
    pub manifest: Option<PathBuf>,
    /// Rows kept in memory.
    pub remember: usize,
    /// The same requests in the same order are answered alike.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            key: None,
            answer: Answer::Ok,
            share: 1.0,
            slow: Duration::from_secs(12),
            receipts: None,
            manifest: None,
            remember: 100,
            seed: 1,
        }
    }
}

#[derive(Clone, Debug)]
pub struct ReceiptOptions {
    pub url: String,
    pub delay: Duration,
    /// The share of accepted actions, 0 to 1, that get a receipt.
    pub share: f64,
    /// Status codes and their weights.
    pub statuses: Vec<(String, f64)>,
}

impl ReceiptOptions {
    /// The status for a number from 0 to 1.
    pub fn status(&self, chance: f64) -> &str {
        let all: f64 = self.statuses.iter().map(|(_, weight)| weight).sum();
        let mut left = chance * all;
        for (status, weight) in &self.statuses {
            left -= weight;
            if left < 0.0 {
                return status;
            }
        }
        self.statuses.last().map_or("200", |(status, _)| status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_come_by_their_weights() {
        let statuses = vec![("200".to_string(), 0.9), ("500".to_string(), 0.1)];
        let options = ReceiptOptions { url: String::new(), delay: Duration::ZERO, share: 1.0, statuses };
        assert_eq!([0.0, 0.89, 0.91, 1.0].map(|chance| options.status(chance)), ["200", "200", "500", "500"]);
    }
}
