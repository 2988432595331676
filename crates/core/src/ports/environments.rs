//! Environments: where servers run.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::AuditEvent;
use crate::deployment::EnvironmentRecord;
use crate::name::Environment;

/// Environments, durable.
#[async_trait]
pub trait EnvironmentStore: Send + Sync {
    /// All of them, by position and name.
    async fn environments(&self) -> Result<Vec<EnvironmentRecord>, StoreError>;

    /// Stores a new environment. [`StoreError::Conflict`] when there is one of its name, or when there are `most`.
    async fn add_environment(
        &self,
        record: &EnvironmentRecord,
        most: usize,
        event: AuditEvent,
    ) -> Result<(), StoreError>;

    /// Saves an environment whose stored revision equals the given one; returns the next revision.
    async fn save_environment(
        &self,
        record: &EnvironmentRecord,
        event: AuditEvent,
    ) -> Result<i64, StoreError>;

    /// Removes an environment. [`StoreError::Conflict`] when it is not at `expected`, or a deployment or a route is
    /// in it.
    async fn remove_environment(
        &self,
        name: &Environment,
        expected: i64,
        event: AuditEvent,
    ) -> Result<(), StoreError>;
}
