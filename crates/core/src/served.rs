//! A version as hosts read it, as bytes: what is the same for every reader is written once, when the version is saved.
//!
//! Before: the store saves a version, and its [`ServedText`] beside it. After: a page is these texts with commas between
//! them. Only the `remotes` depend on who reads and where; they belong between the two parts of a text.

mod document;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::name::{Environment, Slug};
use crate::route::Entrance;
use crate::server::{Lifecycle, Version};
use crate::time::Timestamp;

pub use document::{PUBLISHER_META, PublicDocument, put_in_publisher_meta};

/// The key of the registry's own part of `_meta`.
pub const OFFICIAL_META: &str = "io.modelcontextprotocol.registry/official";

/// The official metadata of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OfficialMeta {
    /// `active`, `deprecated` or `deleted`.
    pub status: &'static str,
    /// When approval or lifecycle changed last.
    pub status_changed_at: Timestamp,
    /// Why it is not active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// When it was registered.
    pub published_at: Timestamp,
    /// When anything changed last.
    pub updated_at: Timestamp,
    /// Whether `latest` means this one.
    pub is_latest: bool,
}

/// A version in the form of the official API: `{"server":{..},"_meta":{..}}`, cut where the `remotes` belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedText {
    /// The document up to its last field.
    pub head: String,
    /// The end of the document and what the registry says about it.
    pub tail: String,
}

/// How a route is written as one of the `remotes`, around its slug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteText {
    /// The text before the slug.
    pub before: String,
    /// The text after it.
    pub after: String,
}

/// What the `remotes` of a reader are: active routes that serve exactly the version, those of production first, then
/// those without a major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotesText {
    /// The environments whose routes are shown.
    pub environments: BTreeSet<Environment>,
    /// A route that anybody may call.
    pub anonymous: RemoteText,
    /// A route that takes a key.
    pub key: RemoteText,
    /// A route that takes none, and signs people in.
    pub sign_in: RemoteText,
}

// === impl OfficialMeta ===

impl OfficialMeta {
    /// What the registry says about this version.
    pub fn of(version: &Version) -> Self {
        let status = match version.lifecycle {
            Lifecycle::Retired => "deleted",
            Lifecycle::Deprecated => "deprecated",
            _ => "active",
        };
        Self {
            status,
            status_changed_at: version.status_changed_at,
            status_message: version.status_message.clone().filter(|_| status != "active"),
            published_at: version.published_at,
            updated_at: version.updated_at,
            is_latest: version.is_latest,
        }
    }
}

impl<'de> Deserialize<'de> for OfficialMeta {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// The same with a status that is not known yet.
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Read {
            status: String,
            status_changed_at: Timestamp,
            status_message: Option<String>,
            published_at: Timestamp,
            updated_at: Timestamp,
            is_latest: bool,
        }
        let read = Read::deserialize(deserializer)?;
        let status = ["active", "deprecated", "deleted"]
            .into_iter()
            .find(|known| *known == read.status);
        Ok(Self {
            status: status.ok_or_else(|| serde::de::Error::custom("an unknown status"))?,
            status_changed_at: read.status_changed_at,
            status_message: read.status_message,
            published_at: read.published_at,
            updated_at: read.updated_at,
            is_latest: read.is_latest,
        })
    }
}

// === impl ServedText ===

impl ServedText {
    /// The text of a version. `None` when its document is no JSON object with a field that is shown.
    pub fn of(version: &Version) -> Option<Self> {
        let document = PublicDocument::without_remotes(&version.document).ok()?;
        if document.is_empty() {
            return None;
        }
        let document = serde_json::to_string(&document).ok()?;
        let official = serde_json::to_string(&OfficialMeta::of(version)).ok()?;
        Some(Self {
            head: format!("{{\"server\":{}", document.strip_suffix('}')?),
            tail: format!("}},\"_meta\":{{\"{OFFICIAL_META}\":{official}}}}}"),
        })
    }

    /// The whole, with these `remotes`.
    pub fn joined<'a>(
        &self,
        routes: impl IntoIterator<Item = &'a (Slug, Entrance)>,
        remotes: &RemotesText,
    ) -> String {
        let shown: Vec<String> = routes
            .into_iter()
            .map(|(slug, entrance)| {
                let RemoteText { before, after } = remotes.of(*entrance);
                format!("{before}{slug}{after}")
            })
            .collect();
        let Self { head, tail } = self;
        if shown.is_empty() {
            format!("{head}{tail}")
        } else {
            format!("{head},\"remotes\":[{}]{tail}", shown.join(","))
        }
    }
}

// === impl RemotesText ===

impl RemotesText {
    /// How a route with this entrance is written.
    pub const fn of(&self, entrance: Entrance) -> &RemoteText {
        match entrance {
            Entrance::Anonymous => &self.anonymous,
            Entrance::Key => &self.key,
            Entrance::SignIn => &self.sign_in,
        }
    }
}
