//! The organization: its workspaces and all accounts, for organization administrators.

pub mod accounts;
pub mod api;
pub mod model;
pub mod workspaces;

#[cfg(feature = "ssr")]
mod store;

#[cfg(all(test, feature = "ssr"))]
mod tests;
