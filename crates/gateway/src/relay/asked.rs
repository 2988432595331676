//! Which request an answer belongs to, and what is read of it.

use bytes::Bytes;
use portreeve_core::protocol::Revision;
use portreeve_core::usage::UsageOutcome;
use portreeve_mcp::envelope::{Message, Outcome};
use portreeve_mcp::method::Method;
use portreeve_mcp::result::{CallEnd, DiscoveredVersions};
use portreeve_mcp::splice::Splice;
use serde_json::value::RawValue;

/// Whether two ids are one. Some servers read an id and write it again: an escape may be gone, and a large number may
/// have become the nearest one that JavaScript knows.
pub(super) fn is_same_id(one: &RawValue, other: &RawValue) -> bool {
    let value = |id: &RawValue| serde_json::from_str::<serde_json::Value>(id.get()).ok();
    one.get() == other.get()
        || match (value(one), value(other)) {
            (Some(one), Some(other)) => {
                one == other || (one.is_number() && other.is_number() && one.as_f64() == other.as_f64())
            }
            _ => false,
        }
}

/// What a response answers.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) host_id: Box<RawValue>,
}

pub(super) fn end_of(method: Method, result: &RawValue) -> UsageOutcome {
    // Large results are seldom failures, and reading them once more costs as much as everything else about them.
    let failed = method == Method::CallTool
        && memchr::memmem::find(result.get().as_bytes(), b"isError").is_some()
        && serde_json::from_str::<CallEnd>(result.get()).is_ok_and(|end| end.is_error);
    if failed {
        UsageOutcome::ToolError
    } else {
        UsageOutcome::Ok
    }
}

/// A result with what its revision wants it to say, where the server did not say it.
pub(super) fn completed(body: &[u8], members: &str) -> Option<Bytes> {
    let Message::Response {
        outcome: Outcome::Result(result),
        ..
    } = Message::parse(body).ok()?
    else {
        return None;
    };
    let mut splice = Splice::new(body);
    splice
        .replace(result.get().get(..1)?, format!("{{{members}"))
        .ok()?;
    Some(splice.finish().into())
}

/// What is advertised is what Portreeve serves too: versions it does not know are left out.
pub(super) fn served_versions(bytes: &Bytes, result: &RawValue) -> Option<Bytes> {
    let place: DiscoveredVersions<'_> = serde_json::from_str(result.get()).ok()?;
    let versions: Vec<String> = serde_json::from_str(place.supported_versions.get()).ok()?;
    let served = |version: &String| {
        version
            .parse::<Revision>()
            .is_ok_and(|revision| revision > Revision::V2024_11_05)
    };
    if versions.iter().all(served) {
        return Some(bytes.clone());
    }
    let known: Vec<_> = versions.into_iter().filter(served).collect();
    let mut splice = Splice::new(bytes);
    splice
        .replace(place.supported_versions.get(), serde_json::to_vec(&known).ok()?)
        .ok()?;
    Some(splice.finish().into())
}
