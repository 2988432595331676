//! Registries: stored, and in memory as they are in force.

use std::sync::Arc;

use async_trait::async_trait;

use super::StoreError;
use crate::audit::AuditEvent;
use crate::name::RegistryName;
use crate::view::RegistryRecord;

/// Registries, durable. Every change of them is a change of the catalogue.
#[async_trait]
pub trait ViewStore: Send + Sync {
    /// All of them, by name.
    async fn registries(&self) -> Result<Vec<RegistryRecord>, StoreError>;

    /// Stores a new registry. [`StoreError::Conflict`] when there is one of its name, or when there are `most`.
    async fn add_registry(
        &self,
        record: &RegistryRecord,
        most: usize,
        event: AuditEvent,
    ) -> Result<(), StoreError>;

    /// Saves a registry whose stored revision equals the given one; returns the next revision.
    async fn save_registry(&self, record: &RegistryRecord, event: AuditEvent) -> Result<i64, StoreError>;

    /// Removes a registry that is at this revision.
    async fn remove_registry(
        &self,
        name: &RegistryName,
        expected: i64,
        event: AuditEvent,
    ) -> Result<(), StoreError>;
}

/// The registries in force on this node: those of the snapshot that was loaded last.
pub trait Views: Send + Sync {
    /// All of them, by name.
    fn registries(&self) -> Arc<[RegistryRecord]>;
}
