//! The audit log: who did what to what, when and from where; append-only, each entry chained to the one before it.
//!
//! A change and its entry are one transaction: [`record`] is the last thing before the commit.

pub mod api;
pub mod list;
pub mod model;

#[cfg(feature = "ssr")]
mod actor;
#[cfg(feature = "ssr")]
pub mod files;
#[cfg(feature = "ssr")]
mod object;
#[cfg(feature = "ssr")]
pub mod store;
#[cfg(feature = "ssr")]
pub mod verify;

#[cfg(all(test, feature = "ssr"))]
pub mod testing;
#[cfg(all(test, feature = "ssr"))]
mod tests;

#[cfg(feature = "ssr")]
pub use actor::{Actor, By, Change, Entry, Note};
#[cfg(feature = "ssr")]
pub use store::{ORGANIZATION, record};
