//! Webhook Parameter Management: lists of values, fixed ones or those of an interface, that marketers choose from
//! (seed 002, "Manage parameters").
//!
//! Forms of webhooks show [`call::ParameterCall`]; the server checks what was chosen with [`load::values_of_call`].

pub mod api;
pub mod call;
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
