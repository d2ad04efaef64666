//! Webhook Parameter Management: lists of values, fixed ones or those of an interface, that marketers choose from
//! (seed 002, "Manage parameters").
//!
//! Task forms read the values through [`load::values_of`], and learn from [`model::Parameter::dependencies`] which
//! values come first.

pub mod api;
pub mod detail;
pub mod form;
pub mod list;
pub mod model;

#[cfg(feature = "ssr")]
pub mod interface;
#[cfg(feature = "ssr")]
pub mod load;
#[cfg(feature = "ssr")]
pub mod store;

#[cfg(all(test, feature = "ssr"))]
mod tests;
