//! Access policies, durable. Every change of one is a change of the catalogue.

use async_trait::async_trait;

use super::StoreError;
use crate::access_policy::AccessPolicy;
use crate::audit::AuditEvent;
use crate::name::PolicyName;

/// Access policies, durable.
#[async_trait]
pub trait AccessPolicyStore: Send + Sync {
    /// All of them, by name.
    async fn access_policies(&self) -> Result<Vec<AccessPolicy>, StoreError>;

    /// Stores a new one. [`StoreError::Conflict`] when there is one of its name, or when there are `most`.
    async fn add_access_policy(
        &self,
        policy: &AccessPolicy,
        most: usize,
        event: AuditEvent,
    ) -> Result<(), StoreError>;

    /// Saves one whose stored revision equals the given one; returns the next revision. [`StoreError::Conflict`] when it
    /// does not.
    async fn save_access_policy(&self, policy: &AccessPolicy, event: AuditEvent) -> Result<i64, StoreError>;

    /// Removes one. [`StoreError::Conflict`] when it is not at `expected`, or is gone.
    async fn remove_access_policy(
        &self,
        name: &PolicyName,
        expected: i64,
        event: AuditEvent,
    ) -> Result<(), StoreError>;
}
