//! Webhook tasks: one sending of one webhook to one audience (seed 000).

pub mod api;
pub mod detail;
pub mod form;
pub mod list;
pub mod model;

#[cfg(feature = "ssr")]
pub mod files;
#[cfg(feature = "ssr")]
pub mod sender;
#[cfg(feature = "ssr")]
pub mod store;
