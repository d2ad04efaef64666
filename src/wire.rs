//! What goes over the wire, byte for byte: pure, no I/O. The browser's previews and the engine's POSTs come from the
//! same functions.

pub mod environment;
pub mod interface;
pub mod message;
pub mod receipt;
pub mod signature;
pub mod text;
