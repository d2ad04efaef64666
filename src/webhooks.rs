//! Webhook Management: the endpoints that tasks send to (seed 002).
//!
//! Tasks read webhooks through [`store`] and show [`test_send::TestSend`] in their own form.

pub mod api;
pub mod date_value;
mod delete;
pub mod detail;
pub mod fields;
pub mod form;
pub mod health;
pub mod list;
pub mod model;
pub mod test_send;
pub mod versions;

#[cfg(feature = "ssr")]
pub mod files;
#[cfg(feature = "ssr")]
pub(crate) mod rules;
#[cfg(feature = "ssr")]
pub mod store;
#[cfg(feature = "ssr")]
mod testing;
#[cfg(feature = "ssr")]
pub mod value;

#[cfg(all(test, feature = "ssr"))]
mod tests;
