//! The engine: takes what a sender has planned, POSTs it in batches, and keeps a record of every one.
//!
//! The database is the only record and the batch table is the queue. A sender (a task today; journeys and campaigns
//! later) gives its recipients through [`Sender`]; the engine knows nothing else of it.

pub mod model;

#[cfg(feature = "ssr")]
mod engine;
#[cfg(feature = "ssr")]
pub mod sender;

#[cfg(feature = "ssr")]
pub use engine::Engine;
#[cfg(feature = "ssr")]
pub use sender::{Chunk, Recipient, Sender};
