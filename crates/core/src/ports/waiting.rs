//! What waits for somebody: versions for an approval, deployments for one, tools that read differently than what was
//! approved.

use async_trait::async_trait;

use super::StoreError;
use crate::id::ImportId;
use crate::import::Finding;
use crate::name::{ServerName, Slug, VersionText};
use crate::page::PageOf;
use crate::server::as_words;
use crate::time::Timestamp;

/// What of a server waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitingKind {
    /// Deployments that somebody proposed.
    Deployments,
    /// Tools that are new or read differently than what was approved.
    Tools,
    /// A submitted version.
    Version,
}

as_words!(WaitingKind { Deployments = "deployments", Tools = "tools", Version = "version" });

/// Something that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What.
    pub kind: WaitingKind,
    /// Of which server.
    pub server: ServerName,
    /// The version, or the one that the route of the tools serves.
    pub version: Option<VersionText>,
    /// The route of the tools.
    pub route: Option<Slug>,
    /// How many tools, or deployments.
    pub count: u64,
    /// Who submitted or proposed it. Nobody changed the tools.
    pub by: Option<String>,
    /// Since when: the version was submitted, the server changed last, the first of the tools was last seen.
    pub since: Timestamp,
    /// The hash of the version's content.
    pub content_hash: Option<String>,
    /// The findings of the assessment of exactly this content, as JSON text.
    pub assessed: Option<String>,
    /// The run that took the version in, and what was noticed about its record.
    pub import: Option<(ImportId, Vec<Finding>)>,
}

/// Where a page of what waits ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingPlace {
    /// See [`Waiting::since`].
    pub since: Timestamp,
    /// See [`Waiting::kind`].
    pub kind: WaitingKind,
    /// See [`Waiting::server`].
    pub server: String,
    /// The version, or the slug of the route; empty for deployments.
    pub part: String,
}

/// Which of what waits is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WaitingQuery {
    /// Only these; all of them when it is empty.
    pub kinds: Vec<WaitingKind>,
    /// Only versions that this run took in.
    pub import: Option<ImportId>,
    /// Only versions about whose record something was noticed when they were imported.
    pub flagged: bool,
    /// Continue after this place.
    pub after: Option<WaitingPlace>,
    /// At most this many.
    pub limit: u32,
}

/// How much waits. Each number is counted up to a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WaitingCounts {
    /// Versions.
    pub versions: u64,
    /// Servers with proposed deployments.
    pub deployments: u64,
    /// Routes with tools that wait.
    pub tools: u64,
}

/// What waits, as the store knows it.
#[async_trait]
pub trait WaitingStore: Send + Sync {
    /// One page, what waits longest first; ties by kind, server and part in byte order.
    async fn waiting(&self, query: &WaitingQuery) -> Result<PageOf<Waiting>, StoreError>;

    /// How much waits, each kind counted up to `most`.
    async fn waiting_counts(&self, most: u32) -> Result<WaitingCounts, StoreError>;
}

// === impl Waiting ===

impl Waiting {
    /// Where it stands in the order of the list.
    pub fn place(&self) -> WaitingPlace {
        let part = match (&self.route, &self.version) {
            (Some(route), _) => route.to_string(),
            (None, Some(version)) => version.to_string(),
            (None, None) => String::new(),
        };
        WaitingPlace {
            since: self.since,
            kind: self.kind,
            server: self.server.to_string(),
            part,
        }
    }
}

// === impl WaitingQuery ===

impl WaitingQuery {
    /// Whether things of this kind are wanted at all.
    pub fn wants(&self, kind: WaitingKind) -> bool {
        let is_named = self.kinds.is_empty() || self.kinds.contains(&kind);
        // Only versions are imported.
        let is_of_imports = self.import.is_some() || self.flagged;
        is_named && (kind == WaitingKind::Version || !is_of_imports)
    }
}

// === impl WaitingCounts ===

impl WaitingCounts {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.versions + self.deployments + self.tools
    }
}
