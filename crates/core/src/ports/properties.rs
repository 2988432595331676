//! Custom properties: their definitions, and who has values of them.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::AuditEvent;
use crate::deployment::Deployment;
use crate::name::{PropertyName, ServerName, VersionText};
use crate::profile::Metadata;
use crate::property::PropertyRecord;

/// The values of one server.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerValues {
    /// The server.
    pub name: ServerName,
    /// Its own values.
    pub metadata: Metadata,
    /// Its deployments in force, with theirs.
    pub deployments: Vec<Deployment>,
    /// Its versions with values of their own, except those that are retired.
    pub versions: Vec<VersionValues>,
}

/// The values of one version.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionValues {
    /// The version.
    pub version: VersionText,
    /// Whether hosts get it for `latest`.
    pub is_latest: bool,
    /// Its own values, over those of its server.
    pub metadata: Metadata,
}

/// Custom properties, durable.
#[async_trait]
pub trait PropertyStore: Send + Sync {
    /// All of them, by name.
    async fn properties(&self) -> Result<Vec<PropertyRecord>, StoreError>;

    /// Stores a new property. [`StoreError::Conflict`] when there is one of its name, or when there are `most`.
    async fn add_property(
        &self,
        record: &PropertyRecord,
        most: usize,
        event: AuditEvent,
    ) -> Result<(), StoreError>;

    /// Saves a property whose stored revision equals the given one; returns the next revision.
    async fn save_property(&self, record: &PropertyRecord, event: AuditEvent) -> Result<i64, StoreError>;

    /// Removes a property that is at this revision.
    async fn remove_property(
        &self,
        name: &PropertyName,
        expected: i64,
        event: AuditEvent,
    ) -> Result<(), StoreError>;

    /// The values of servers, by name, after this one.
    async fn server_values(
        &self,
        after: Option<&ServerName>,
        limit: u32,
    ) -> Result<Vec<ServerValues>, StoreError>;
}
