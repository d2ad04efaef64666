//! Receipts: what the receiving systems later say of each action (seed 002, "Report receipts").

pub mod api;
pub mod model;

#[cfg(feature = "ssr")]
mod check;
#[cfg(feature = "ssr")]
mod group;
#[cfg(feature = "ssr")]
pub mod intake;
#[cfg(feature = "ssr")]
mod known;
#[cfg(feature = "ssr")]
mod rank;
#[cfg(feature = "ssr")]
pub mod store;
