//! The links by which accounts begin, and by which a forgotten password is set anew: valid once, for 72 hours.
//!
//! The database holds the SHA-256 of a link's token. The token itself is shown once to whoever made the link
//! ([`shown`]), and sent by mail when mail is configured.

pub mod api;
pub mod model;
pub mod page;

#[cfg(feature = "ssr")]
pub mod accept;
#[cfg(feature = "ssr")]
pub mod deliver;
#[cfg(feature = "ssr")]
mod maker;
#[cfg(feature = "ssr")]
pub mod shown;
#[cfg(feature = "ssr")]
pub mod store;

#[cfg(all(test, feature = "ssr"))]
mod tests;
