//! The crash suite, on both databases: whatever ends the server, and whenever, at the end everybody is accounted for,
//! nobody is missing, and whoever got two POSTs got them with the same ids, from a batch that was in flight.
//!
//! Three books are compared ([`books`]): the database, what the receiver says it got, and the page that people read.
#![cfg(feature = "ssr")]

mod at_random;
mod books;
mod clock;
mod cluster;
mod connections;
#[path = "../crowd/mod.rs"]
mod crowd;
mod disk;
mod house;
mod migrations;
mod place;
#[cfg(debug_assertions)] // A release build has no steps to die at.
mod steps;
