//! Keys, users, grants, and the portal's sign-in links and sessions.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::AuditEvent;
use crate::caller::{ApiKey, User};
use crate::grant::Grant;
use crate::id::{GrantId, KeyId, UserId};
use crate::time::Timestamp;

/// Identities and rights, durable.
#[async_trait]
pub trait IdentityStore: Send + Sync {
    /// All keys, revoked ones included, oldest first.
    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Stores a key. [`StoreError::Conflict`] when a live key has its name.
    async fn add_key(&self, key: &ApiKey, event: AuditEvent) -> Result<(), StoreError>;

    /// Revokes a key at a moment. [`StoreError::NotFound`] when there is no live key with that identity.
    async fn revoke_key(&self, id: KeyId, at: Timestamp, event: AuditEvent) -> Result<(), StoreError>;

    /// All users, oldest first.
    async fn users(&self) -> Result<Vec<User>, StoreError>;

    /// Stores a user unless one with that identity exists; tells whether it was stored.
    async fn ensure_user(&self, user: &User, event: AuditEvent) -> Result<bool, StoreError>;

    /// All grants, oldest first.
    async fn grants(&self) -> Result<Vec<Grant>, StoreError>;

    /// Stores a grant.
    async fn add_grant(&self, grant: &Grant, event: AuditEvent) -> Result<(), StoreError>;

    /// Removes a grant. [`StoreError::NotFound`] when there is none.
    async fn remove_grant(&self, id: GrantId, event: AuditEvent) -> Result<(), StoreError>;
}

/// Portal sign-in, durable. Every secret is stored as the SHA-256 of itself, hex.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Stores a one-time sign-in link.
    async fn add_link(&self, hash: &str, user: UserId, expires_at: Timestamp) -> Result<(), StoreError>;

    /// Takes a link away and tells whose it was, if it is live.
    async fn take_link(&self, hash: &str, now: Timestamp) -> Result<Option<UserId>, StoreError>;

    /// Stores a session.
    async fn add_session(&self, hash: &str, user: UserId, expires_at: Timestamp) -> Result<(), StoreError>;

    /// Whose session it is, if it is live.
    async fn session(&self, hash: &str, now: Timestamp) -> Result<Option<UserId>, StoreError>;

    /// Ends a session.
    async fn end_session(&self, hash: &str) -> Result<(), StoreError>;

    /// Deletes links and sessions that expired.
    async fn purge_expired(&self, now: Timestamp) -> Result<(), StoreError>;
}
