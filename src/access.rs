//! Who is at the other end and what they may do: sign-in, sessions, permissions.

pub mod api;
pub mod model;
pub mod sign_in;

#[cfg(feature = "ssr")]
mod context;
#[cfg(feature = "ssr")]
pub mod password;
#[cfg(feature = "ssr")]
pub mod session;
#[cfg(feature = "ssr")]
pub mod store;

#[cfg(feature = "ssr")]
pub use context::{Ctx, require, state};
