//! What holds for every page and server function: headers, the origin of changes, real statuses.

use super::AppState;
use crate::error::AppError;
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use leptos::{nonce::Nonce, server_fn::error::SERVER_FN_ERROR_HEADER};

/// Mints the page's nonce, so that the policy and the scripts agree, and sets the security headers.
pub async fn headers(mut request: Request, next: Next) -> Response {
    let nonce = Nonce::new();
    request.extensions_mut().insert(nonce.clone());
    let immutable = request.uri().path().starts_with("/pkg/");
    let mut response = next.run(request).await;
    let ok = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("permissions-policy", HeaderValue::from_static("camera=(), geolocation=(), microphone=()"));
    // Built files have their hash in the name; everything else may change or is somebody's own.
    let cache = if immutable && ok { "public, max-age=31536000, immutable" } else { "no-store" };
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static(cache));
    response
}

/// Refuses a change that another site's page asks a signed-in browser for.
pub async fn same_origin(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || comes_from_here(request.headers(), &state.config.public_url()) {
        next.run(request).await
    } else {
        tracing::warn!(path = super::observe::shown_path(&request), "refused a change asked for by another site");
        AppError::Forbidden.into_response()
    }
}

/// No text of ours holds a NUL, and PostgreSQL keeps none: it is refused in addresses and forms before anything reads
/// it. Uploads and receipts are read by rules of their own.
pub async fn no_nul(request: Request, next: Next) -> Response {
    let refused = || AppError::invalid("", "Remove the NUL character.").into_response();
    if request.uri().path_and_query().is_some_and(|text| text.as_str().contains("%00")) {
        return refused();
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, super::BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    if bytes.contains(&0) || bytes.windows(3).any(|three| three == b"%00") {
        return refused();
    }
    next.run(Request::from_parts(parts, Body::from(bytes))).await
}

/// Browsers say where a request comes from; what says nothing is not a browser and carries no one's cookies.
fn comes_from_here(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = text("origin") else {
        return true;
    };
    let host = origin.split_once("://").map(|(_, host)| host);
    origin == public_url || (host.is_some() && host == text("host"))
}

/// Leptos 0.8 answers 500 to every error of a server function; this gives each its real status.
pub async fn server_function_status(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR
        || !response.headers().contains_key(SERVER_FN_ERROR_HEADER)
    {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, 1 << 20).await else {
        return AppError::Internal("body".into()).into_response();
    };
    if let Ok(error) = serde_json::from_slice::<AppError>(&bytes) {
        parts.status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    }
    Response::from_parts(parts, Body::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect::<HeaderMap>()
    }

    #[test]
    fn only_our_own_pages_may_ask_for_changes() {
        let here = |pairs: &[(&'static str, &str)]| comes_from_here(&headers(pairs), "https://reach.example.com");
        assert!(here(&[]), "a program without cookies");
        assert!(here(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(!here(&[("sec-fetch-site", "same-site")]));
        assert!(!here(&[("sec-fetch-site", "cross-site"), ("origin", "https://reach.example.com")]));
        assert!(here(&[("origin", "https://reach.example.com"), ("host", "internal:3000")]));
        assert!(here(&[("origin", "http://localhost:3000"), ("host", "localhost:3000")]));
        assert!(!here(&[("origin", "https://evil.example.com"), ("host", "reach.example.com")]));
        assert!(!here(&[("origin", "null"), ("host", "reach.example.com")]));
    }
}
