//! Cursors: where a page ended, and what was asked. Authenticated, so that nobody can make one up, and URL-safe as they
//! are, since hosts paste them unencoded.
//!
//! Before: the last item of a page. After: the next page, even from a host that forgot its filters.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_core::time::Timestamp;
use portreeve_inspect::Mac;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::RegistryError;

/// No cursor of ours is longer: name, version and two filters, each at its longest.
const LONGEST: usize = 8_192;

/// Bytes of an authentication tag.
const TAG: usize = 32;

/// Which list a cursor belongs to. One list's cursor means nothing to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CursorKind<'a> {
    /// The official API of a registry, for one reader where it is not for everybody.
    Served { registry: &'a str, reader: &'a str },
    /// What was looked for in a registry, by the same.
    Found { registry: &'a str, reader: &'a str },
    /// The managers' list.
    Entries,
    /// Results of a search.
    Search,
    /// What waits for somebody.
    Waiting,
    /// Where servers run.
    Deployments,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Filters {
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) search: Option<String>,
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub(crate) updated_since: Option<Timestamp>,
    #[serde(rename = "d", default, skip_serializing_if = "is_false")]
    pub(crate) include_deleted: bool,
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    #[serde(flatten)]
    pub(crate) filters: Filters,
    #[serde(rename = "n")]
    pub(crate) name: String,
    #[serde(rename = "v")]
    pub(crate) version: String,
}

// === impl Cursor ===

impl Cursor {
    /// The cursor as a host gets it.
    pub(crate) fn seal(&self, kind: CursorKind<'_>, mac: &Mac) -> String {
        sealed(self, kind, mac)
    }

    /// Reads a cursor that was made here for this kind of list.
    pub(crate) fn open(kind: CursorKind<'_>, text: &str, mac: &Mac) -> Result<Self, RegistryError> {
        opened(text, kind, mac)
    }
}

/// Any place in a list, as its reader gets it. Texts, numbers and flags always become JSON.
pub(crate) fn sealed(place: &impl Serialize, kind: CursorKind<'_>, mac: &Mac) -> String {
    let mut bytes = serde_json::to_vec(place).unwrap_or_default();
    let tag = mac.tag(&kind.framed(&bytes));
    bytes.extend_from_slice(&tag);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a place that was sealed here for this kind of list.
pub(crate) fn opened<T: DeserializeOwned>(
    text: &str,
    kind: CursorKind<'_>,
    mac: &Mac,
) -> Result<T, RegistryError> {
    if text.len() > LONGEST {
        return Err(RegistryError::BadCursor);
    }
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| RegistryError::BadCursor)?;
    let (body, tag) = bytes.split_last_chunk::<TAG>().ok_or(RegistryError::BadCursor)?;
    if !mac.verify(&kind.framed(body), tag) {
        return Err(RegistryError::BadCursor);
    }
    serde_json::from_slice(body).map_err(|_| RegistryError::BadCursor)
}

// === impl CursorKind ===

impl CursorKind<'_> {
    fn framed(self, body: &[u8]) -> Vec<u8> {
        match self {
            Self::Served { registry, reader } => read_by("served", registry, reader, body),
            Self::Found { registry, reader } => read_by("found", registry, reader, body),
            Self::Entries => [b"entries\0", body].concat(),
            Self::Search => [b"search\0", body].concat(),
            Self::Waiting => [b"waiting\0", body].concat(),
            Self::Deployments => [b"deployments\0", body].concat(),
        }
    }
}

/// Neither a registry's name nor a principal holds a NUL.
fn read_by(list: &str, registry: &str, reader: &str, body: &[u8]) -> Vec<u8> {
    let mut framed = format!("{list}\0{registry}\0{reader}\0").into_bytes();
    framed.extend_from_slice(body);
    framed
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands the field over by reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}
