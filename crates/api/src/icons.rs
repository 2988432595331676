//! `/icons/{icon}`: the pictures that were fetched and checked, from this origin. Whoever knows the address may see one; it is
//! never guessed, and what it shows never changes.
//!
//! Before it: a page that names the address. After it: `registry::icons`.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use portreeve_core::id::IconId;

use crate::Api;
use crate::etag::{self, Caching};
use crate::problem::Problem;

const FOR_EVER: Caching = Caching("public, max-age=31536000, immutable");

/// An SVG that is opened by itself is a page: it may style itself, and do nothing else.
const FIXED: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// The router of the icons.
pub(crate) fn router(api: Api) -> Router {
    Router::new().route("/icons/{icon}", get(show)).with_state(api)
}

async fn show(State(api): State<Api>, Path(icon): Path<String>, headers: HeaderMap) -> Response {
    match find(&api, &icon, &headers).await {
        Ok(mut response) => {
            for (name, value) in FIXED {
                response
                    .headers_mut()
                    .insert(name, HeaderValue::from_static(value));
            }
            response
        }
        Err(problem) => problem.into_response(),
    }
}

async fn find(api: &Api, icon: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let id: IconId = icon
        .parse()
        .map_err(|_| Problem::not_found(format!("icon `{}`", icon.chars().take(60).collect::<String>())))?;
    let icon = api.registry.icon(id).await?;
    let kind = icon.kind.media_type();
    Ok(etag::tagged_bytes(headers, icon.bytes, kind, FOR_EVER))
}
