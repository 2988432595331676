//! The tools of REST APIs as they were made from a description: written once, named by a digest.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::AuditEvent;
use crate::name::{ServerName, VersionText};
use crate::time::Timestamp;

/// What a description of an API was made into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolset {
    /// Its name: SHA-256 over what the tools are and how they are called, in hexadecimal.
    pub digest: String,
    /// How the tools are called: the text of [`crate::rest::Bindings`].
    pub bindings: String,
    /// What the registry knows of it besides: definitions, choices, report. JSON.
    pub details: String,
    /// The description that it was made from.
    pub document: String,
    /// Tools whose operations a newer description does not have any more.
    pub vanished: Vec<String>,
    /// When it was kept first.
    pub created_at: Timestamp,
}

impl Toolset {
    /// How the name of a draft begins: a toolset that somebody looks at, and that no version names.
    pub const DRAFT: &'static str = "draft-";
}

/// Toolsets, durable. Keeping one has no effect by itself: it counts once a version's document names it.
#[async_trait]
pub trait ToolsetStore: Send + Sync {
    /// Keeps a toolset. One that is there already stays as it is, and counts as kept at this toolset's moment.
    async fn keep_toolset(&self, toolset: &Toolset) -> Result<(), StoreError>;

    /// The toolset of that digest.
    async fn toolset(&self, digest: &str) -> Result<Option<Toolset>, StoreError>;

    /// The digest that a version's document names, whether the toolset is here or not.
    async fn toolset_of(
        &self,
        server: &ServerName,
        version: &VersionText,
    ) -> Result<Option<String>, StoreError>;

    /// Forgets drafts that were made before a moment, and the oldest ones beyond so many. Says how many those were.
    async fn sweep_drafts(&self, before: Timestamp, most: usize) -> Result<u64, StoreError>;

    /// Notes which of its tools have no operation any more.
    async fn note_vanished(
        &self,
        digest: &str,
        vanished: &[String],
        event: AuditEvent,
    ) -> Result<(), StoreError>;

    /// Removes toolsets that no version names and nobody kept since `before`. The event is recorded, with their count, if
    /// there were any; the count is returned.
    async fn purge_toolsets(&self, before: Timestamp, event: AuditEvent) -> Result<u64, StoreError>;
}
