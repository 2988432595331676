//! Approved to served: the official registry API v0.1 as typed values, for anyone who asks.
//!
//! Before: `approve`, and `settle` that led the route. After: `api` writes these values out; `install` makes snippets
//! of them. Only what is approved is here; what is retired only for who asks for it.

pub(crate) mod cursor;
pub(crate) mod document;
mod params;

use std::collections::BTreeSet;

use portreeve_core::name::{Environment, ServerName, Slug};
use portreeve_core::ports::{Entry, ListedVersion, StoreError, VersionFilter, VersionQuery};
use portreeve_core::route::{Access, Route, RouteState};
use portreeve_core::server::{Approval, Lifecycle, Version};
use portreeve_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::RegistryError;
use crate::registry::Registry;
use crate::views::{Face, View};
use cursor::Cursor;
pub use document::PublicDocument;
use params::Wanted;
pub(crate) use params::read_search;

/// The key of the registry's own part of `_meta`.
pub const OFFICIAL_META: &str = "io.modelcontextprotocol.registry/official";

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
#[derive(Debug, Clone, Serialize)]
pub struct Served {
    /// The document, with the gateway's own URL.
    pub server: PublicDocument,
    /// What the registry says about it.
    #[serde(rename = "_meta")]
    pub meta: ServedMeta,
}

/// What the registry says about a version, under the official key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServedMeta {
    /// The official part; nothing else may be in it.
    #[serde(rename = "io.modelcontextprotocol.registry/official")]
    pub official: OfficialMeta,
    /// Where the version stands on its way; for its publisher alone.
    #[serde(rename = "io.portreeve/review", skip_serializing_if = "Option::is_none")]
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
    /// A page of the default registry, ordered by name and version.
    pub async fn serve_list(&self, params: &ListParams) -> Result<ServedPage, RegistryError> {
        self.serve_list_in(&View::main(), params).await
    }

    /// A page of a registry, ordered by name and version.
    pub async fn serve_list_in(&self, view: &View, params: &ListParams) -> Result<ServedPage, RegistryError> {
        let wanted = Wanted::read(params, |text| {
            Cursor::open(view.cursors(), text, &self.cursor_mac)
        })?;
        let query = VersionQuery {
            visibility: view.visibility(),
            search: wanted.filters.search.clone(),
            versions: match wanted.filters.version.as_deref() {
                None => VersionFilter::Any,
                Some("latest") => VersionFilter::Latest,
                Some(version) => VersionFilter::Exact(version.to_owned()),
            },
            updated_since: wanted.filters.updated_since,
            include_retired: wanted.filters.include_deleted,
            after: wanted.after,
            limit: wanted.limit,
        };
        let page = self.page_of(&query).await?;
        let next_cursor = page.items.last().filter(|_| page.more).map(|last| {
            let cursor = Cursor {
                filters: wanted.filters,
                name: last.version.name.to_string(),
                version: last.version.version.to_string(),
            };
            cursor.seal(view.cursors(), &self.cursor_mac)
        });
        let servers = self.served_page(view, page.items).await?;
        let count = servers.len();
        Ok(ServedPage {
            servers,
            metadata: PageMetadata { next_cursor, count },
        })
    }

    /// The versions of a page with the addresses of the view's own environments.
    async fn served_page(
        &self,
        view: &View,
        items: Vec<ListedVersion>,
    ) -> Result<Vec<Served>, RegistryError> {
        if view.reads_production_alone() {
            return items.into_iter().map(|listed| self.served(listed)).collect();
        }
        let names: BTreeSet<ServerName> = items.iter().map(|item| item.version.name.clone()).collect();
        let names: Vec<ServerName> = names.into_iter().collect();
        let routes = self.parts.routes.routes_of(&names).await?;
        let shown = |item: ListedVersion| {
            let faces = view.faces(&routes, &item.version);
            self.served_as(item.version, &faces)
        };
        items.into_iter().map(shown).collect()
    }

    /// All versions of a server, newest first.
    pub async fn serve_versions(
        &self,
        name: &ServerName,
        include_deleted: bool,
    ) -> Result<ServedPage, RegistryError> {
        self.serve_versions_in(&View::main(), name, include_deleted).await
    }

    /// All versions of a server that a registry holds, newest first.
    pub async fn serve_versions_in(
        &self,
        view: &View,
        name: &ServerName,
        include_deleted: bool,
    ) -> Result<ServedPage, RegistryError> {
        let entry = self.viewed_entry(view, name).await?;
        let servers: Vec<Served> = entry
            .versions
            .iter()
            .filter(|version| is_served(version, include_deleted))
            .map(|version| self.served_as(version.clone(), &view.faces(&entry.routes, version)))
            .collect::<Result<_, _>>()?;
        if servers.is_empty() {
            return Err(RegistryError::no_server(name));
        }
        let metadata = PageMetadata {
            next_cursor: None,
            count: servers.len(),
        };
        Ok(ServedPage { servers, metadata })
    }

    /// One version of a server, or its latest.
    pub async fn serve_version(
        &self,
        name: &ServerName,
        version: &str,
        include_deleted: bool,
    ) -> Result<Served, RegistryError> {
        self.serve_version_in(&View::main(), (name, version), include_deleted)
            .await
    }

    /// One version of a server that a registry holds, or its latest.
    pub async fn serve_version_in(
        &self,
        view: &View,
        (name, version): (&ServerName, &str),
        include_deleted: bool,
    ) -> Result<Served, RegistryError> {
        if view.reads_production_alone() {
            return self.serve_one(view, (name, version), include_deleted).await;
        }
        let entry = self.viewed_entry(view, name).await?;
        let is_meant = |candidate: &&Version| match version {
            "latest" => candidate.is_latest,
            version => candidate.version.as_str() == version,
        };
        let found = entry
            .versions
            .iter()
            .filter(|candidate| is_served(candidate, include_deleted))
            .find(is_meant);
        // An unknown server and an unknown version look alike: nothing is said about what is not shown.
        let found = found.ok_or_else(|| RegistryError::no_server(name))?;
        self.served_as(found.clone(), &view.faces(&entry.routes, found))
    }

    /// The same by one question to the store: this is what hosts ask for most.
    async fn serve_one(
        &self,
        view: &View,
        (name, version): (&ServerName, &str),
        include_deleted: bool,
    ) -> Result<Served, RegistryError> {
        let query = VersionQuery {
            visibility: view.visibility(),
            search: None,
            versions: match version {
                "latest" => VersionFilter::Latest,
                version => VersionFilter::Exact(version.to_owned()),
            },
            updated_since: None,
            include_retired: include_deleted,
            after: None,
            limit: 1,
        };
        let names = [name.to_string()];
        let page = self.parts.feed.list_among(&query, &names).await?;
        let found = page.items.into_iter().next();
        self.served(found.ok_or_else(|| RegistryError::no_server(name))?)
    }

    /// A version as hosts read it.
    pub(crate) fn served(&self, listed: ListedVersion) -> Result<Served, RegistryError> {
        let ListedVersion { version, route } = listed;
        self.served_as(version, route.as_slice())
    }

    /// A version as hosts read it at these addresses.
    fn served_as(&self, version: Version, faces: &[Face]) -> Result<Served, RegistryError> {
        let server = PublicDocument::of(&version.document, faces, &self.parts.public_url)
            .map_err(|_| unreadable(&version))?;
        let status = match version.lifecycle {
            Lifecycle::Retired => "deleted",
            Lifecycle::Deprecated => "deprecated",
            _ => "active",
        };
        let official = OfficialMeta {
            status,
            status_changed_at: version.status_changed_at,
            status_message: version.status_message.filter(|_| status != "active"),
            published_at: version.published_at,
            updated_at: version.updated_at,
            is_latest: version.is_latest,
        };
        Ok(Served {
            server,
            meta: ServedMeta {
                official,
                review: None,
            },
        })
    }
}

fn is_served(version: &Version, include_deleted: bool) -> bool {
    version.approval == Approval::Approved && (include_deleted || version.is_listed())
}

/// A version with the face of the production route that serves exactly it, the one without a major version first.
pub(crate) fn listed(entry: &Entry, version: &Version) -> ListedVersion {
    let production = Environment::production();
    let serves = |route: &&Route| {
        route.environment == production
            && route.state == RouteState::Active
            && route.version == version.version
    };
    let route = entry.routes.iter().filter(serves).min_by_key(|route| route.major);
    let route = route
        .filter(|_| version.is_listed())
        .map(|route| -> (Slug, Access) { (route.slug.clone(), route.access) });
    ListedVersion {
        version: version.clone(),
        route,
    }
}

fn unreadable(version: &Version) -> RegistryError {
    RegistryError::Store(StoreError::Corrupt {
        what: format!("a document of server `{}`", version.name),
    })
}
