//! Marketing campaigns: main campaigns and sub-campaigns, which tasks are associated with.

pub mod api;
pub mod detail;
pub mod list;
pub mod model;

#[cfg(feature = "ssr")]
pub mod store;
