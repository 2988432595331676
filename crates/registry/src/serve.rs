//! Approved to served: the official registry API v0.1 as typed values, for anyone who asks.
//!
//! Before: `approve`, and `settle` that led the route. After: `lists` has the same as bytes, which `api` sends, from the
//! `shelf` that `keeper` keeps near the store; `install` makes snippets of the values. Only what is approved is here; what is retired only for who asks for it.

pub(crate) mod cursor;
pub(crate) mod document;
mod items;
pub(crate) mod keeper;
mod lists;
mod params;
mod shelf;
#[cfg(test)]
mod tests;

use portreeve_core::ports::{ListedVersion, StoreError};
use portreeve_core::served::{OfficialMeta, PublicDocument};
use portreeve_core::server::Version;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::RegistryError;
use crate::registry::Registry;
use crate::views::Face;
pub use items::ServedJson;
pub(crate) use params::read_search;

/// A question as it stands in a query string: every part is text, and judged here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ListParams {
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// At most this many; 30 unless told, never more than 100.
    pub limit: Option<String>,
    /// Case-insensitive substring of name, title or description.
    pub search: Option<String>,
    /// Only what changed after this RFC 3339 moment; shows retired versions too.
    pub updated_since: Option<String>,
    /// `latest`, or exactly this version.
    pub version: Option<String>,
    /// `true` shows retired versions too.
    pub include_deleted: Option<String>,
}

/// One version as hosts read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Served {
    /// The document, with the gateway's own URL.
    pub server: PublicDocument,
    /// What the registry says about it.
    #[serde(rename = "_meta")]
    pub meta: ServedMeta,
}

/// What the registry says about a version, under the official key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedMeta {
    /// The official part; nothing else may be in it.
    #[serde(rename = "io.modelcontextprotocol.registry/official")]
    pub official: OfficialMeta,
    /// Where the version stands on its way; for its publisher alone.
    #[serde(
        rename = "io.portreeve/review",
        skip_serializing_if = "Option::is_none",
        skip_deserializing
    )]
    pub review: Option<Review>,
}

/// Where a version stands on its way to being approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Review {
    /// `draft`, `submitted`, `approved` or `rejected`.
    pub approval: &'static str,
    /// Why it was sent back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A page of versions.
#[derive(Debug, Clone, Serialize)]
pub struct ServedPage {
    /// The versions.
    pub servers: Vec<Served>,
    /// Where it ends.
    pub metadata: PageMetadata,
}

/// About a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PageMetadata {
    /// Continue with this; absent on the last page. URL-safe as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Versions on this page.
    pub count: usize,
}

// === impl Registry ===

impl Registry {
    /// A version as hosts read it.
    pub(crate) fn served(&self, listed: ListedVersion) -> Result<Served, RegistryError> {
        let ListedVersion { version, route } = listed;
        self.served_at(&version, route.as_slice())
    }

    /// A version as hosts read it at these addresses.
    pub(crate) fn served_at(&self, version: &Version, faces: &[Face]) -> Result<Served, RegistryError> {
        served(version, faces, &self.parts.public_url)
    }
}

fn served(version: &Version, faces: &[Face], public_url: &Url) -> Result<Served, RegistryError> {
    let server = document::public(&version.document, faces, public_url).map_err(|_| unreadable(version))?;
    Ok(Served {
        server,
        meta: ServedMeta {
            official: OfficialMeta::of(version),
            review: None,
        },
    })
}

pub(crate) fn unreadable(version: &Version) -> RegistryError {
    RegistryError::Store(StoreError::Corrupt {
        what: format!("a document of server `{}`", version.name),
    })
}
