//! Usage events: written behind, never in the way.

use async_trait::async_trait;

use super::StoreError;
use crate::time::Timestamp;
use crate::usage::{UsageEvent, UsageQuery, UsageRow};

/// Takes finished requests. Implemented by `insight` as a ring that drops under overload and counts what it dropped.
pub trait UsageSink: Send + Sync {
    /// Hands an event over. Never blocks.
    fn push(&self, event: UsageEvent);
}

/// Usage, durable.
#[async_trait]
pub trait UsageStore: Send + Sync {
    /// Adds a batch to the rollups of the minute in which each event began, in one transaction.
    async fn add_usage(&self, events: &[UsageEvent]) -> Result<(), StoreError>;

    /// One row for each (server, method, tool), most calls first.
    async fn usage(&self, query: &UsageQuery) -> Result<Vec<UsageRow>, StoreError>;

    /// Forgets minutes before this moment.
    async fn purge_usage(&self, before: Timestamp) -> Result<(), StoreError>;
}
