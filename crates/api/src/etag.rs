//! Entity tags: of what is read often (`If-None-Match`), and of what is changed carefully (`If-Match`).

use aws_lc_rs::digest;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use portreeve_registry::View;
use serde::Serialize;

use crate::problem::Problem;

/// The revision that a caller read before changing something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// This one.
    Revision(i64),
    /// Whichever is there (`If-Match: *`).
    Any,
}

impl Expected {
    /// Reads `If-Match`, which every change of an existing thing needs.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Self, Problem> {
        let hint = "read the thing first, and send its `ETag` back as `If-Match`";
        let Some(value) = headers.get(header::IF_MATCH) else {
            let missing = "this change needs the header `If-Match`";
            return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, missing).hint(hint));
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self::Any);
        }
        let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        // A tag that is not ours cannot be the tag of anything here: the precondition fails, the request is not wrong.
        match inner.and_then(|revision| revision.parse().ok()) {
            Some(revision) => Ok(Self::Revision(revision)),
            None => Err(stale().hint(hint)),
        }
    }

    /// The revision, if there is one to compare.
    pub(crate) fn revision(self) -> Option<i64> {
        match self {
            Self::Revision(revision) => Some(revision),
            Self::Any => None,
        }
    }
}

/// The thing is not what `If-Match` says any more.
pub(crate) fn stale() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "the thing was changed since you read it",
    )
}

/// The header with the tag of a revision.
pub(crate) fn of_revision(revision: i64) -> [(HeaderName, String); 1] {
    [(header::ETAG, format!("\"{revision}\""))]
}

/// A JSON answer with a strong tag over its bytes, or 304 when the caller has them already. Everybody gets the same.
pub(crate) fn tagged(headers: &HeaderMap, value: &impl Serialize) -> Result<Response, Problem> {
    tagged_with(headers, value, "public, no-cache")
}

/// The same for an answer that only this caller gets.
pub(crate) fn tagged_for_one(headers: &HeaderMap, value: &impl Serialize) -> Result<Response, Problem> {
    tagged_with(headers, value, "private, no-cache")
}

fn tagged_with(
    headers: &HeaderMap,
    value: &impl Serialize,
    caching: &'static str,
) -> Result<Response, Problem> {
    let bytes = serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "An answer cannot be written as JSON.");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the answer cannot be written")
    })?;
    let tag = tag(&bytes);
    let fresh = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|given| matches!(given.trim(), "*") || given.trim().trim_start_matches("W/") == tag);
    let mut response = if fresh {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(bytes));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    };
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    let caching = HeaderValue::from_static(caching);
    response.headers_mut().insert(header::CACHE_CONTROL, caching);
    Ok(response)
}

/// The same, of what a registry shows: nobody between keeps what is for its reader alone.
pub(crate) fn viewed(view: &View, headers: &HeaderMap, value: &impl Serialize) -> Result<Response, Problem> {
    let mut response = tagged(headers, value)?;
    if view.is_personal() {
        let private = HeaderValue::from_static("private, no-cache");
        response.headers_mut().insert(header::CACHE_CONTROL, private);
    }
    Ok(response)
}

fn tag(bytes: &[u8]) -> String {
    // 128 bits of SHA-256 tell any two answers apart, and keep the header short.
    let digest = digest::digest(&digest::SHA256, bytes);
    let hex: String = digest
        .as_ref()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}
