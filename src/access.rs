//! Who is at the other end and what they may do: sign-in, sessions, permissions.
//!
//! Every server function, download and upload starts with [`require`]; it gives the [`Ctx`] that the rest of the request
//! works with, its workspace included.

pub mod model;
pub mod person;
pub mod sign_in;
pub mod weakness;

#[cfg(feature = "ssr")]
pub mod address;
#[cfg(feature = "ssr")]
pub mod attempt;
#[cfg(feature = "ssr")]
mod context;
#[cfg(test)]
mod coverage;
#[cfg(feature = "ssr")]
pub mod password;
#[cfg(feature = "ssr")]
mod resource;
#[cfg(feature = "ssr")]
pub mod second_factor;
#[cfg(feature = "ssr")]
pub mod session;
#[cfg(feature = "ssr")]
pub mod store;
#[cfg(test)]
mod tests;
#[cfg(feature = "ssr")]
pub mod zones;

#[cfg(feature = "ssr")]
pub use context::{Caller, Ctx, Means, Signed, caller, require, signed};
#[cfg(feature = "ssr")]
pub use resource::Resource;

/// Whether the reader's roles hold a permission: pages hide what one may not do. The server decides by itself.
pub fn reader_may(permission: model::Permission) -> bool {
    leptos::prelude::use_context::<model::SessionInfo>().is_some_and(|session| session.may(permission))
}

/// Whether they hold one of two.
pub fn reader_may_either(either: model::Either) -> bool {
    reader_may(either.of(reader_may))
}

/// Who is signed in, inside the signed-in part of the application. The server knows; the browser reads what the
/// server wrote into the page (a `SharedValue`) and never gets here. `None` is a stranger, who reads what is public.
pub fn session_info() -> Option<model::SessionInfo> {
    #[cfg(feature = "ssr")]
    if let Some(signed) = signed().filter(|signed| signed.means != Means::ApiKey) {
        return Some(signed.info.clone());
    }
    None
}
