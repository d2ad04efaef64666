//! Member Groups: members who are granted webhooks together.

pub mod api;
pub mod detail;
pub mod form;
pub mod list;
pub mod model;

#[cfg(feature = "ssr")]
pub mod store;

#[cfg(all(test, feature = "ssr"))]
mod tests;
