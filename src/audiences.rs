//! Audiences: everybody, an uploaded list, or conditions on tags.

pub mod api;
pub mod detail;
pub mod form;
pub mod list;
pub mod model;

#[cfg(feature = "ssr")]
pub mod files;
#[cfg(feature = "ssr")]
pub mod store;
