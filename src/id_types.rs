//! ID Type Management: which IDs a customer may have, and which of them webhooks may be sent to (seed 002).

pub mod api;
pub mod list;
pub mod model;

#[cfg(feature = "ssr")]
pub mod store;

#[cfg(all(test, feature = "ssr"))]
mod tests;
