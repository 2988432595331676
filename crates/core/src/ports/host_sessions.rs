//! Legacy sessions of hosts, durable: any node serves any of them, and a restart ends none.

use async_trait::async_trait;

use super::StoreError;
use crate::host_session::{HostSession, HostSessionBounds, HostSessionChange};
use crate::id::HostSessionId;
use crate::time::Timestamp;

/// Sessions of hosts. Decisions do not depend on them, so they count as no change of the catalogue.
#[async_trait]
pub trait HostSessionStore: Send + Sync {
    /// The session of that identity. One that was ended is not there.
    async fn host_session(&self, id: HostSessionId) -> Result<Option<HostSession>, StoreError>;

    /// Makes changes in their order, all or none, durable when it returns. Says of each whether it took.
    async fn save_host_sessions(&self, changes: &[HostSessionChange]) -> Result<Vec<bool>, StoreError>;

    /// Notes when these were used. Where a later use is known, that one stays.
    async fn touch_host_sessions(&self, used: &[(HostSessionId, Timestamp)]) -> Result<(), StoreError>;

    /// The revisions of those of these sessions that there still are.
    async fn host_session_revisions(
        &self,
        ids: &[HostSessionId],
    ) -> Result<Vec<(HostSessionId, i64)>, StoreError>;

    /// Removes sessions that are over, and returns them: their servers have not been told. Of several nodes that ask at
    /// once, one is given a session.
    async fn purge_host_sessions(&self, bounds: HostSessionBounds) -> Result<Vec<HostSession>, StoreError>;
}
