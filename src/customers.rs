//! Customers: importing them from CSV files, finding them, and what is known of one.

pub mod api;
pub mod detail;
pub mod import_page;
pub mod list;
pub mod mapping;
pub mod model;
pub mod upload_page;
pub mod values;

#[cfg(feature = "ssr")]
pub mod files;
#[cfg(feature = "ssr")]
pub mod find;
#[cfg(feature = "ssr")]
pub mod import;
#[cfg(feature = "ssr")]
pub mod store;
#[cfg(feature = "ssr")]
pub mod upload;
#[cfg(feature = "hydrate")]
mod upload_send;
