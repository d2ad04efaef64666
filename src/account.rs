//! One's own account: profile, password, second factor, sessions.

pub mod api;
pub mod model;
pub mod page;
pub mod setup;

#[cfg(feature = "ssr")]
mod agent;
#[cfg(feature = "ssr")]
pub mod forms;
#[cfg(feature = "ssr")]
mod pending;
#[cfg(feature = "ssr")]
mod store;

#[cfg(all(test, feature = "ssr"))]
mod tests;
