//! Calls that wait for a person, durable.

use async_trait::async_trait;

use super::StoreError;
use crate::approval::{ApprovalDecision, CallApproval};
use crate::audit::AuditEvent;
use crate::id::ApprovalId;
use crate::time::Timestamp;

/// Approvals of single calls. Decisions about routes do not depend on them, so they count as no change of the catalogue.
#[async_trait]
pub trait ApprovalStore: Send + Sync {
    /// Asks, unless the same call was asked for and that is neither used nor expired: then that one is returned.
    /// [`StoreError::Conflict`] when the caller has `most` that wait.
    async fn ask_approval(
        &self,
        approval: &CallApproval,
        most: usize,
        event: AuditEvent,
    ) -> Result<CallApproval, StoreError>;

    /// Uses up an approval of the call behind a digest, if there is one. Of several nodes that ask at once, one gets it.
    async fn use_approval(&self, digest: &str, now: Timestamp) -> Result<Option<CallApproval>, StoreError>;

    /// One of them.
    async fn approval(&self, id: ApprovalId) -> Result<Option<CallApproval>, StoreError>;

    /// Those that were not used and count at `now`, oldest first, after one of them, at most so many.
    async fn approvals(
        &self,
        now: Timestamp,
        after: Option<ApprovalId>,
        most: usize,
    ) -> Result<Vec<CallApproval>, StoreError>;

    /// Decides about one that waits. [`StoreError::Conflict`] when it was decided, used or expired meanwhile.
    async fn decide_approval(
        &self,
        id: ApprovalId,
        decision: &ApprovalDecision,
        event: AuditEvent,
    ) -> Result<(), StoreError>;

    /// Removes those that expired before a moment.
    async fn purge_approvals(&self, before: Timestamp) -> Result<u64, StoreError>;
}
