//! The registry's port: entries with their versions and routes, saved as one.

use async_trait::async_trait;

use super::{Publication, Published, StoreError};
use crate::audit::AuditEvent;
use crate::deployment::Place;
use crate::name::{Environment, ServerName, Slug};
use crate::page::PageOf;
use crate::route::{Entrance, Route};
use crate::server::{Server, Version};
use crate::time::Timestamp;
use crate::visibility::Visibility;

/// An entry as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What its versions share.
    pub server: Server,
    /// Its versions, newest published first (ties: by version text, descending).
    pub versions: Vec<Version>,
    /// Its routes, by environment.
    pub routes: Vec<Route>,
    /// Counts the changes of the entry.
    pub revision: i64,
}

/// What becomes of an entry. Everything in it is saved in one transaction, events included.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryChange {
    /// The revision that the change was made from; `None` when the entry must not exist yet.
    pub expected: Option<i64>,
    /// What the versions share.
    pub server: Server,
    /// The versions that are new or changed. Others stay.
    pub versions: Vec<Version>,
    /// The routes that are new or changed. Others stay. A new route claims its slug for (server, place).
    pub routes: Vec<Route>,
    /// Audit events that belong to the change.
    pub events: Vec<AuditEvent>,
}

/// Which versions of each server a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionFilter {
    /// All of them.
    Any,
    /// Those marked latest.
    Latest,
    /// Those with exactly this version.
    Exact(String),
}

impl VersionFilter {
    /// What a reader asked for: `latest`, a version, or nothing in particular.
    pub fn asked(version: Option<&str>) -> Self {
        match version {
            None => Self::Any,
            Some("latest") => Self::Latest,
            Some(version) => Self::Exact(version.to_owned()),
        }
    }
}

/// A question to the registry. Ordered by (name, version) in byte order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionQuery {
    /// What the caller may know of.
    pub visibility: Visibility,
    /// Case-insensitive substring of name, title or description.
    pub search: Option<String>,
    /// Which versions.
    pub versions: VersionFilter,
    /// Only what changed after this moment.
    pub updated_since: Option<Timestamp>,
    /// Show retired versions too (official status `deleted`), if they were approved.
    pub include_retired: bool,
    /// Continue after this (name, version).
    pub after: Option<(String, String)>,
    /// At most this many.
    pub limit: u32,
}

/// A version in a list, with the face of the route that serves it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedVersion {
    /// The version.
    pub version: Version,
    /// The active production route, if it serves exactly this version.
    pub route: Option<(Slug, Entrance)>,
}

/// Entries, durable.
#[async_trait]
pub trait EntryStore: Send + Sync {
    /// The entry of that name; names differ in nothing but case are the same entry.
    async fn entry(&self, name: &ServerName) -> Result<Option<Entry>, StoreError>;

    /// Saves a change and returns the new revision. [`StoreError::Conflict`] when the entry is not at `expected`,
    /// or when a slug belongs to another (server, environment).
    async fn save(&self, change: EntryChange) -> Result<i64, StoreError>;

    /// [`EntryStore::save`], unless it breaks a rule of publishing.
    async fn publish(&self, publication: Publication) -> Result<Published, StoreError>;

    /// Removes an entry with its versions, routes and tools. Its slugs stay claimed for its name.
    async fn remove(&self, name: &ServerName, expected: i64, event: AuditEvent) -> Result<(), StoreError>;

    /// One page of versions.
    async fn list(&self, query: &VersionQuery) -> Result<PageOf<ListedVersion>, StoreError>;

    /// To whom a slug was given, now or ever.
    async fn slug_owner(&self, slug: &Slug) -> Result<Option<(ServerName, Environment)>, StoreError>;

    /// The slug that (server, place) was given, now or ever.
    async fn slug_of(&self, name: &ServerName, place: &Place) -> Result<Option<Slug>, StoreError>;

    /// Whose slugs begin with this one and two dashes, or are this one: `billing` speaks for `billing--test` as well.
    /// Without regard to case, and at most two of them: more than one is a collision anyway.
    async fn slug_family(&self, base: &Slug) -> Result<Vec<ServerName>, StoreError>;
}
