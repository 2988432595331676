//! What access tokens stand on, durable. Readers get all of it with the snapshot of the catalogue.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::AuditEvent;
use crate::time::Timestamp;
use crate::token::{EndedAuthorization, SigningKey};

/// Signing keys and ended authorizations. Every change of them is a change of the catalogue, so every node hears of it.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// The keys that are kept, in their order.
    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError>;

    /// Stores a key, and forgets those before number `keep_from`. Tells whether it was stored: not where another node
    /// stored one of that number first.
    async fn add_signing_key(
        &self,
        key: &SigningKey,
        keep_from: i64,
        event: AuditEvent,
    ) -> Result<bool, StoreError>;

    /// Notes that an authorization ended, and forgets those of which no token can be about any more.
    async fn end_authorization(&self, ended: EndedAuthorization, now: Timestamp) -> Result<(), StoreError>;
}
