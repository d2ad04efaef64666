//! The members of a workspace: who they are, their roles, groups and row-level permissions, and how they come and go.

pub mod add;
pub mod add_many;
pub mod api;
pub mod detail;
pub mod links;
pub mod list;
pub mod model;
mod questions;
pub mod rules;

#[cfg(feature = "ssr")]
pub mod change;
#[cfg(feature = "ssr")]
pub mod rows;
#[cfg(feature = "ssr")]
pub mod store;

#[cfg(all(test, feature = "ssr"))]
pub mod tests;
