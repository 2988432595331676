//! `/badges/install-vscode.svg`: the image of the badge that `registry::install` writes for a README. The same for everybody,
//! and shown by pages of any origin.
//!
//! Before it: a README somewhere else. After it: nothing; the image holds nothing of any entry.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use portreeve_registry::install::{BADGE_PATH, badge_image};

use crate::etag::{self, Caching};

const A_DAY: Caching = Caching("public, max-age=86400");

/// An SVG that is opened by itself is a page: this one does nothing at all.
const FIXED: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; sandbox",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "cross-origin",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// The router of the image.
pub(crate) fn router() -> Router {
    Router::new().route(BADGE_PATH, get(show))
}

async fn show(headers: HeaderMap) -> Response {
    let mut response = etag::tagged_bytes(&headers, badge_image().into(), "image/svg+xml", A_DAY);
    for (name, value) in FIXED {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
