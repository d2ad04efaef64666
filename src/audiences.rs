//! Audiences: everybody, an uploaded list, or conditions on tags.

pub mod api;
mod conditions;
pub mod detail;
pub mod form;
pub mod list;
pub mod model;
pub mod rules;

#[cfg(feature = "ssr")]
pub mod files;
#[cfg(feature = "ssr")]
pub mod id_list;
#[cfg(feature = "ssr")]
mod rules_sql;
#[cfg(feature = "ssr")]
pub mod store;
