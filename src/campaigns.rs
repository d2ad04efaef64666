//! Marketing campaigns: main campaigns and sub-campaigns, which tasks are associated with.
//!
//! The task form offers [`store::tree`]'s sub-campaigns.

pub mod api;
pub mod detail;
mod form;
pub mod list;
pub mod model;

#[cfg(feature = "ssr")]
pub mod store;
