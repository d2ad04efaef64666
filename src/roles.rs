//! Roles: what the members who hold one may see and change. The presets are fixed; a workspace adds its own.

pub mod api;
pub mod detail;
pub mod form;
pub mod list;
pub mod model;
pub mod tree;

#[cfg(feature = "ssr")]
pub mod store;

#[cfg(all(test, feature = "ssr"))]
mod tests;
