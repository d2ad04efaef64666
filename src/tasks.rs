//! Webhook tasks: one sending of one webhook to one audience (seed 000).
//!
//! A task is what the marketer wrote; its run is the send of the same id, which the delivery engine keeps.

pub mod api;
pub mod detail;
pub mod form;
pub mod list;
pub mod messages;
pub mod model;

#[cfg(feature = "ssr")]
pub mod dry_run;
#[cfg(feature = "ssr")]
pub mod files;
#[cfg(feature = "ssr")]
mod prepare;
#[cfg(feature = "ssr")]
pub mod sender;
#[cfg(feature = "ssr")]
pub mod store;

/// What the engine sends for this room.
#[cfg(feature = "ssr")]
pub fn senders() -> Vec<std::sync::Arc<dyn crate::delivery::Sender>> {
    vec![std::sync::Arc::new(sender::TaskSender)]
}

#[cfg(test)]
mod tests;
