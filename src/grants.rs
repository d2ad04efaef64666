//! Grants: which members may use which webhook, and how long. By Member or By Member Group, one of them for a webhook.

#[cfg(feature = "ssr")]
pub mod store;
