//! What may go wrong, as a page or a client may see it.
//!
//! Inside, rooms use narrow error types or pass `sqlx::Error` up; at the boundary they become [`AppError`], and
//! causes that are nobody else's business are logged once under an id that the user sees.

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

/// One thing wrong with one field of a form. `field` is the input's `name` (`parameters[2][name]`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    pub field: String,
    pub message: String,
}

impl FieldError {
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AppError {
    /// Nobody is signed in, or the session has ended.
    Unauthenticated,
    /// Signed in, but this is not theirs to do.
    Forbidden,
    /// The role would allow it, but no grant of the webhook is valid now.
    NotGranted,
    /// No such thing in this workspace; things of other workspaces do not exist either.
    NotFound,
    /// The state of things does not allow it; the text says why and what to do.
    Conflict(String),
    /// What was typed is wrong, field by field.
    Invalid(Vec<FieldError>),
    /// Too many tries; the number is the seconds to wait.
    RateLimited(u32),
    /// Our fault. The cause is in the log under this id.
    Internal(String),
    /// The request did not reach the server or its answer was not understood (browser side).
    Unreachable(String),
}

pub type AppResult<T> = Result<T, AppError>;

impl AppError {
    /// A single field that is wrong.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }

    pub fn conflict(reason: impl Into<String>) -> Self {
        Self::Conflict(reason.into())
    }

    /// `Ok` when nothing is wrong.
    pub fn check(errors: Vec<FieldError>) -> AppResult<()> {
        if errors.is_empty() { Ok(()) } else { Err(Self::Invalid(errors)) }
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotGranted => "NOT_GRANTED",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict(_) => "CONFLICT",
            Self::Invalid(_) => "INVALID",
            Self::RateLimited(_) => "RATE_LIMITED",
            Self::Internal(_) => "INTERNAL",
            Self::Unreachable(_) => "UNREACHABLE",
        }
    }

    /// The HTTP status it answers with.
    pub fn status(&self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::Forbidden | Self::NotGranted => 403,
            Self::NotFound => 404,
            Self::Conflict(_) => 409,
            Self::Invalid(_) => 422,
            Self::RateLimited(_) => 429,
            Self::Internal(_) | Self::Unreachable(_) => 500,
        }
    }

    /// The field errors, when that is what it is.
    pub fn fields(&self) -> &[FieldError] {
        match self {
            Self::Invalid(fields) => fields,
            _ => &[],
        }
    }
}

impl std::fmt::Display for AppError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unauthenticated => f.write_str("Your session has ended. Sign in again; what you typed here stays."),
            Self::Forbidden => f.write_str("Your role does not allow this. Ask an administrator of the workspace."),
            Self::NotGranted => {
                f.write_str("No grant of this webhook is valid for you now. Ask an administrator for one.")
            }
            Self::NotFound => f.write_str("There is no such thing in this workspace."),
            Self::Conflict(reason) => f.write_str(reason),
            Self::Invalid(fields) => match fields.as_slice() {
                [one] => f.write_str(&one.message),
                many => write!(f, "{} fields need a correction.", many.len()),
            },
            Self::RateLimited(seconds) => {
                write!(f, "Too many tries. Wait {seconds} s and try again.")
            }
            Self::Internal(id) => write!(f, "Something went wrong on our side. Nothing was saved. Error id: {id}"),
            Self::Unreachable(_) => f.write_str("The server could not be reached. Check the connection and try again."),
        }
    }
}

impl std::error::Error for AppError {}

/// For `<Suspense>` and forms: a page's resource and action results.
impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            // Deserialization errors on the server are the caller's malformed arguments.
            ServerFnErrorErr::Args(text) | ServerFnErrorErr::MissingArg(text) => Self::invalid("", text),
            other => Self::Unreachable(other.to_string()),
        }
    }
}

#[cfg(feature = "ssr")]
mod server_side {
    use super::AppError;
    use axum::response::{IntoResponse, Response};

    /// Logs the cause and gives the error that the user sees instead of it.
    pub fn internal(cause: impl std::fmt::Display) -> AppError {
        let id = uuid::Uuid::now_v7().simple().to_string()[20..].to_string();
        tracing::error!(error.id = %id, cause = %cause, "internal error");
        AppError::Internal(id)
    }

    impl From<sqlx::Error> for AppError {
        fn from(error: sqlx::Error) -> Self {
            match error {
                sqlx::Error::RowNotFound => Self::NotFound,
                other => internal(other),
            }
        }
    }

    impl From<serde_json::Error> for AppError {
        fn from(error: serde_json::Error) -> Self {
            internal(error)
        }
    }

    impl IntoResponse for AppError {
        fn into_response(self) -> Response {
            let status = http::StatusCode::from_u16(self.status()).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
            (status, axum::Json(serde_json::json!({"code": self.code(), "message": self.to_string()}))).into_response()
        }
    }
}
#[cfg(feature = "ssr")]
pub use server_side::internal;
