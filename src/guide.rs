//! The webhook integration guide: what the engineers of a receiving system need, with a calculator of signatures and
//! receivers to copy. `docs/samples` holds the receivers; `tests/samples.rs` runs them.

pub mod api;
mod calculator;
pub mod model;
pub mod page;
mod sections;

#[cfg(feature = "ssr")]
mod examples;
#[cfg(feature = "ssr")]
pub mod files;

#[cfg(all(test, feature = "ssr"))]
mod tests;

/// Whether a path belongs to the guide, which strangers may read when `public_guide` is set.
#[cfg(feature = "ssr")]
pub fn is_guide(path: &str) -> bool {
    path == "/guide" || path.starts_with("/guide/")
}
