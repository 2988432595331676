//! The feed of entries: which of them changed, and what a search must know of those. Searches are answered from
//! memory; this is how memory follows the store, on every engine and every node alike.

use async_trait::async_trait;

use super::{ListedVersion, StoreError, VersionQuery};
use crate::name::{Environment, ServerName};
use crate::page::PageOf;
use crate::profile::Profile;
use crate::server::Version;
use crate::tool::ToolAnnotations;
use crate::visibility::Visibility;

/// Where somebody who follows the feed stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedPosition {
    /// The count of the change.
    pub generation: i64,
    /// The entry that changed; several may change in one step.
    pub server: String,
}

/// What a search must know of an entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Searchable {
    /// Its name.
    pub name: ServerName,
    /// The version that is shown for it: the latest that is listed, else the one marked latest, else the newest.
    pub shown: Version,
    /// What people say about it, for who may discover it.
    pub profile: Profile,
    /// Titles and descriptions of all its versions, in lower case, each once.
    pub texts: Vec<String>,
    /// Its tools that are approved, not hidden and unchanged, each once, by name.
    pub tools: Vec<(String, ToolAnnotations)>,
    /// The environments in which a route of it is active, each once.
    pub environments: Vec<Environment>,
}

/// Entries as they change.
#[async_trait]
pub trait EntryFeed: Send + Sync {
    /// Counts every change of an entry, whether decisions depend on it or not.
    async fn entry_generation(&self) -> Result<i64, StoreError>;

    /// Entries that changed after a position, in the order of their last change, at most `limit`. A removed entry is
    /// among them.
    async fn changed_entries(
        &self,
        after: &FeedPosition,
        limit: u32,
    ) -> Result<Vec<FeedPosition>, StoreError>;

    /// Names of entries of which the latest version is listed, behind a name, in byte order, at most `limit`.
    async fn listed_names(&self, after: &str, limit: u32) -> Result<Vec<String>, StoreError>;

    /// What a search must know of these entries. Those that are gone, or have no version, are left out.
    async fn searchable(&self, names: &[String]) -> Result<Vec<Searchable>, StoreError>;

    /// As [`super::EntryStore::list`], but only of these entries.
    async fn list_among(
        &self,
        query: &VersionQuery,
        names: &[String],
    ) -> Result<PageOf<ListedVersion>, StoreError>;

    /// These versions, in no order, as far as they are visible.
    async fn listed(
        &self,
        visibility: &Visibility,
        versions: &[(String, String)],
    ) -> Result<Vec<ListedVersion>, StoreError>;
}
