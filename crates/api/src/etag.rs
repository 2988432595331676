//! Entity tags: of what is read often (`If-None-Match`), and of what is changed carefully (`If-Match`).

use aws_lc_rs::digest;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use portreeve_registry::{ServedJson, View};
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

/// How long a copy of an answer may be used, as `Cache-Control` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caching(pub(crate) &'static str);

const FOR_ALL: Caching = Caching("public, no-cache");
const FOR_ONE: Caching = Caching("private, no-cache");

/// A JSON answer with a strong tag over its bytes, or 304 when the caller has them already. Everybody gets the same.
pub(crate) fn tagged(headers: &HeaderMap, value: &impl Serialize) -> Result<Response, Problem> {
    tagged_as(headers, value, "application/json", FOR_ALL)
}

/// The same for an answer that only this caller gets.
pub(crate) fn tagged_for_one(headers: &HeaderMap, value: &impl Serialize) -> Result<Response, Problem> {
    tagged_as(headers, value, "application/json", FOR_ONE)
}

/// The same, of what a registry shows, which is written only for who does not have it: nobody between keeps what is for
/// its reader alone.
pub(crate) fn viewed(view: &View, headers: &HeaderMap, json: ServedJson) -> Result<Response, Problem> {
    let caching = if view.is_personal() { FOR_ONE } else { FOR_ALL };
    let tag = format!("\"{}\"", json.tag()?);
    if has(headers, &tag) {
        return Ok(labelled(StatusCode::NOT_MODIFIED.into_response(), &tag, caching));
    }
    Ok(content(json.into_bytes()?, &tag, "application/json", caching))
}

/// The same as another kind of JSON, kept as long as that says.
pub(crate) fn tagged_as(
    headers: &HeaderMap,
    value: &impl Serialize,
    kind: &'static str,
    caching: Caching,
) -> Result<Response, Problem> {
    let bytes = serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "An answer cannot be written as JSON.");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the answer cannot be written")
    })?;
    Ok(tagged_bytes(headers, bytes, kind, caching))
}

/// The same with bytes as they are.
pub(crate) fn tagged_bytes(
    headers: &HeaderMap,
    bytes: Vec<u8>,
    kind: &'static str,
    Caching(caching): Caching,
) -> Response {
    let tag = tag(&bytes);
    if has(headers, &tag) {
        return labelled(StatusCode::NOT_MODIFIED.into_response(), &tag, Caching(caching));
    }
    content(bytes, &tag, kind, Caching(caching))
}

/// Whether the caller has what this is the tag of.
fn has(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|given| matches!(given.trim(), "*") || given.trim().trim_start_matches("W/") == tag)
}

fn content(bytes: Vec<u8>, tag: &str, kind: &'static str, caching: Caching) -> Response {
    let mut response = Response::new(Body::from(bytes));
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    labelled(response, tag, caching)
}

fn labelled(mut response: Response, tag: &str, Caching(caching): Caching) -> Response {
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    let caching = HeaderValue::from_static(caching);
    response.headers_mut().insert(header::CACHE_CONTROL, caching);
    response
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
