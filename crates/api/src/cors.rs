//! Cross-origin headers of the registry API: hosts read it from a browser's page.
//!
//! Every origin may read it, may have a document checked, and may publish with a token: no cookie counts here. What
//! changes a version that exists is for programs, not for pages. The management API has no such headers.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

/// What a host may ask with, whether or not its preflight names it.
const HEADERS: &str = "Authorization, Content-Type";
/// Longest list of asked-for headers that is repeated.
const ASKED_BYTES: usize = 1_024;

/// What may be done at a path from other origins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Methods {
    /// `GET`.
    Read,
    /// `POST`.
    Send,
}

impl Methods {
    /// Of a path of the registry API.
    pub(crate) fn of(path: &str) -> Self {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let tail = match parts.as_slice() {
            [_, "servers", "v0.1" | "v0", tail @ ..] | [_, "v0.1" | "v0", tail @ ..] | [_, tail @ ..] => tail,
            [] => &[],
        };
        match tail {
            ["publish" | "validate"] | ["auth", _] => Self::Send,
            _ => Self::Read,
        }
    }

    const fn allowed(self) -> &'static str {
        match self {
            Self::Read => "GET, OPTIONS",
            Self::Send => "POST, OPTIONS",
        }
    }
}

/// The answer to `OPTIONS`, asked by a browser or not.
pub(crate) fn preflight(methods: Methods, request: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let allow = match methods {
        Methods::Read => "GET, HEAD, OPTIONS",
        Methods::Send => "OPTIONS, POST",
    };
    headers.insert(header::ALLOW, HeaderValue::from_static(allow));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    headers.insert(
        header::VARY,
        HeaderValue::from_static("Access-Control-Request-Headers"),
    );
    self::allow(methods, headers);
    if let Ok(value) = HeaderValue::try_from(allowed_headers(request)) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, value);
    }
    response
}

/// The headers of every other answer.
pub(crate) fn allow(methods: Methods, headers: &mut HeaderMap) {
    let fixed = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods.allowed()),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "ETag, Retry-After, Warning, Deprecation, Link",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// The usual headers, and those that the preflight asks for.
fn allowed_headers(request: &HeaderMap) -> String {
    let mut allowed = HEADERS.to_owned();
    let asked = request
        .get(header::ACCESS_CONTROL_REQUEST_HEADERS)
        .and_then(|value| value.to_str().ok())
        .filter(|value| value.len() <= ASKED_BYTES)
        .unwrap_or_default();
    for name in asked.split(',').map(str::trim) {
        let usual = HEADERS.split(", ").any(|usual| usual.eq_ignore_ascii_case(name));
        if !usual && name.parse::<HeaderName>().is_ok() {
            allowed.push_str(", ");
            allowed.push_str(name);
        }
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preflight_gets_what_it_asks_for_once() {
        let mut request = HeaderMap::new();
        let asked = HeaderValue::from_static("authorization, x-client, bad name, X-Other");
        request.insert(header::ACCESS_CONTROL_REQUEST_HEADERS, asked);
        assert_eq!(
            allowed_headers(&request),
            "Authorization, Content-Type, x-client, X-Other"
        );
        assert_eq!(allowed_headers(&HeaderMap::new()), HEADERS);
    }
}
