//! The engine: takes what a sender has planned, POSTs it in batches, and keeps a record of every one.
//!
//! The database is the only record and the batch table is the queue. A sender (a task today; journeys and campaigns
//! later) gives its recipients through [`Sender`]; the engine knows nothing else of it.
//!
//! Four loops: the planner ([`plan`]) cuts a send that is due into actions and batches, the dispatcher
//! ([`dispatch`]) claims batches and records their results in one transaction each round, the recoverer ([`recover`])
//! takes back what a crash left behind, and the watcher ([`watch`]) looks at what waits. Between claim and record a
//! batch is in the hands of a task of its own ([`courier`]).
//!
//! Several nodes may share a PostgreSQL: [`nodes`] says who has which part of a webhook's limits, [`wake`] how they hear
//! of each other.

pub mod health;
pub mod model;

#[cfg(feature = "ssr")]
mod batch;
#[cfg(feature = "ssr")]
mod body;
#[cfg(feature = "ssr")]
pub mod breaker;
#[cfg(feature = "ssr")]
mod causes;
#[cfg(feature = "ssr")]
mod claim;
#[cfg(feature = "ssr")]
mod clock_back;
#[cfg(feature = "ssr")]
mod clock_forward;
#[cfg(feature = "ssr")]
mod context;
#[cfg(feature = "ssr")]
mod control;
#[cfg(feature = "ssr")]
mod courier;
#[cfg(feature = "ssr")]
mod dispatch;
#[cfg(feature = "ssr")]
mod doors;
#[cfg(feature = "ssr")]
mod doubt;
#[cfg(feature = "ssr")]
mod engine;
#[cfg(feature = "ssr")]
mod gate;
#[cfg(feature = "ssr")]
pub mod guard;
#[cfg(feature = "ssr")]
pub mod ids;
#[cfg(feature = "ssr")]
mod labels;
#[cfg(feature = "ssr")]
mod limits;
#[cfg(feature = "ssr")]
mod misfire;
#[cfg(feature = "ssr")]
pub mod nodes;
#[cfg(feature = "ssr")]
mod overdue;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
mod plan;
#[cfg(feature = "ssr")]
pub mod post;
#[cfg(feature = "ssr")]
mod purge;
#[cfg(feature = "ssr")]
pub mod queue;
#[cfg(feature = "ssr")]
mod rate;
#[cfg(feature = "ssr")]
mod record;
#[cfg(feature = "ssr")]
mod recover;
#[cfg(feature = "ssr")]
pub mod report;
#[cfg(feature = "ssr")]
mod resend;
#[cfg(feature = "ssr")]
mod resolve;
#[cfg(feature = "ssr")]
pub mod retention;
#[cfg(feature = "ssr")]
mod retry;
#[cfg(feature = "ssr")]
pub mod sender;
#[cfg(feature = "ssr")]
pub mod store;
#[cfg(feature = "ssr")]
mod supervise;
#[cfg(all(test, feature = "ssr"))]
pub mod testing;
#[cfg(feature = "ssr")]
pub mod tls;
#[cfg(feature = "ssr")]
mod traced;
#[cfg(feature = "ssr")]
pub mod verdict;
#[cfg(feature = "ssr")]
pub mod wake;
#[cfg(feature = "ssr")]
mod watch;

pub use model::SendState;

#[cfg(feature = "ssr")]
pub use engine::{Engine, TestSend};
#[cfg(feature = "ssr")]
pub use resolve::CountAs;
#[cfg(feature = "ssr")]
pub use sender::{Chunk, Planned, Recipient, Sender};
#[cfg(feature = "ssr")]
pub use store::NewSend;
#[cfg(all(test, feature = "ssr"))]
pub use supervise::STILL;
