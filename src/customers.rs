//! Customers: importing them from CSV files, finding them, and what is known of one.

pub mod api;
pub mod detail;
pub mod import_page;
mod import_result;
pub mod list;
pub mod mapping;
mod mapping_form;
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
pub mod rest;
#[cfg(feature = "ssr")]
pub mod store;
#[cfg(feature = "ssr")]
pub mod upload;
#[cfg(feature = "hydrate")]
mod upload_send;

/// The page of a customer, whatever characters the id has.
pub fn customer_href(customer_id: &str) -> String {
    format!("/customers/view/{}", leptos_router::location::Url::escape(customer_id))
}
