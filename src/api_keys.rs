//! API keys: what programs show instead of a sign-in. A key belongs to a workspace and opens what its scopes say.

pub mod api;
pub mod list;
pub mod model;

#[cfg(feature = "ssr")]
pub mod bearer;
#[cfg(feature = "ssr")]
pub mod store;

#[cfg(all(test, feature = "ssr"))]
mod tests;
