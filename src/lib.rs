//! Reachwire: webhook marketing that loses nothing and sends nothing twice in silence.
//!
//! One line per room; server-only rooms are gated here and nowhere else. A room holds `model` (types and
//! validation, compiled for both sides), `api` (its server functions), its pages, and `store` (its SQL).

#[cfg(all(feature = "ssr", feature = "hydrate"))]
compile_error!("the features `ssr` (server) and `hydrate` (browser) exclude each other");

pub mod access;
pub mod account;
pub mod api_keys;
pub mod app;
pub mod audiences;
pub mod audit;
pub mod campaigns;
pub mod customers;
pub mod delivery;
pub mod error;
pub mod format;
pub mod grants;
pub mod guide;
pub mod hidden;
pub mod id_types;
pub mod invitations;
pub mod member_groups;
pub mod members;
pub mod organization;
pub mod parameters;
pub mod receipts;
pub mod roles;
pub mod tasks;
pub mod ui;
pub mod webhooks;
pub mod wire;

#[cfg(feature = "ssr")]
pub mod clock;
#[cfg(feature = "ssr")]
pub mod commands;
#[cfg(feature = "ssr")]
pub mod config;
#[cfg(feature = "ssr")]
pub mod crm;
#[cfg(feature = "ssr")]
pub mod db;
#[cfg(feature = "ssr")]
pub mod mail;
#[cfg(feature = "ssr")]
pub mod secrets;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(feature = "ssr")]
pub mod steps;
#[cfg(feature = "ssr")]
pub mod traces;

/// The browser's entry: takes over the page that the server rendered.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    use leptos::{mount::hydrate_from_async, prelude::document, tachys::dom::body};
    console_error_panic_hook::set_once();
    wasm_bindgen_futures::spawn_local(async {
        // As `hydrate_lazy`, and then says that the wasm has taken over: the end-to-end tests wait for it.
        hydrate_from_async(body(), app::App).await.forget();
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-hydrated", "");
        }
    });
}
