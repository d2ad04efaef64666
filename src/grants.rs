//! Grants: which members may use which webhook, and how long. By Member or By Member Group, one of them for a webhook.

pub mod api;
pub mod form;
pub mod model;
pub mod page;

#[cfg(feature = "ssr")]
mod period;
#[cfg(feature = "ssr")]
pub mod store;

#[cfg(all(test, feature = "ssr"))]
mod tests;
