//! Clients and authorizations, durable. Every secret is stored as the SHA-256 of itself, hex.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::AuditEvent;
use crate::id::{AuthorizationId, UserId};
use crate::oauth::{
    Authorization, AuthorizationCode, Client, ClientId, ClientKind, Consent, PendingAuthorization,
    RefreshToken,
};
use crate::time::Timestamp;

/// Clients of the authorization server.
#[async_trait]
pub trait ClientStore: Send + Sync {
    /// One client.
    async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError>;

    /// Clients behind an identity, in byte order, at most `limit`.
    async fn clients(&self, after: &str, limit: u32) -> Result<Vec<Client>, StoreError>;

    /// Stores a new client. [`StoreError::Conflict`] when there is one with its identity, or when there are `most` of
    /// its kind, and none that made itself known and was never used: the oldest of those makes room.
    async fn add_client(&self, client: &Client, most: u64, event: AuditEvent) -> Result<(), StoreError>;

    /// Stores a copy of a client's document, or another one in place of it. A new one needs room, as in
    /// [`ClientStore::add_client`].
    async fn keep_document(
        &self,
        client: &Client,
        most: u64,
        event: Option<AuditEvent>,
    ) -> Result<(), StoreError>;

    /// Removes a client with its consents, and ends its authorizations, which are returned. [`StoreError::NotFound`]
    /// when there is none.
    async fn remove_client(
        &self,
        id: &ClientId,
        at: Timestamp,
        event: AuditEvent,
    ) -> Result<Vec<AuthorizationId>, StoreError>;

    /// Notes that a client got a token.
    async fn note_client_used(&self, id: &ClientId, at: Timestamp) -> Result<(), StoreError>;

    /// Removes clients of a kind that were made and used last before a moment and have no live authorization, at most
    /// `limit`; tells how many.
    async fn purge_clients(
        &self,
        kind: ClientKind,
        unused_since: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;

    /// Notes that the assertion `jti` of an issuer was seen; false when it was before.
    async fn note_assertion(
        &self,
        issuer: &str,
        jti: &str,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError>;
}

/// What somebody decided about a pending request.
#[derive(Debug, Clone, PartialEq)]
pub struct Approval {
    /// The request, which must still wait for this session; none where an earlier consent stands for the decision.
    pub pending: Option<(String, String)>,
    /// What is remembered of it.
    pub consent: Option<Consent>,
    /// What came of it.
    pub authorization: Authorization,
    /// The code that is sent to the client.
    pub code: AuthorizationCode,
}

/// Authorizations, from the request to the last refresh token.
#[async_trait]
pub trait AuthorizationStore: Send + Sync {
    /// Stores a request that waits.
    async fn add_pending(&self, pending: &PendingAuthorization) -> Result<(), StoreError>;

    /// A request that waits, if it does at this moment.
    async fn pending(&self, hash: &str, now: Timestamp) -> Result<Option<PendingAuthorization>, StoreError>;

    /// Takes a request away without anything coming of it; false when it does not wait for that session.
    async fn refuse(&self, hash: &str, session: &str, event: AuditEvent) -> Result<bool, StoreError>;

    /// Takes the request away and stores what came of it, in one step; false when it does not wait any more.
    async fn approve(
        &self,
        approval: &Approval,
        now: Timestamp,
        event: AuditEvent,
    ) -> Result<bool, StoreError>;

    /// What a user allowed a client at a resource.
    async fn consents(
        &self,
        user: UserId,
        client: &ClientId,
        resource: &str,
    ) -> Result<Vec<Consent>, StoreError>;

    /// A code, redeemed or not, and its authorization.
    async fn code(&self, hash: &str) -> Result<Option<(AuthorizationCode, Authorization)>, StoreError>;

    /// Redeems a code, which works once, and stores the first refresh token, if there is to be one; false when the code
    /// was redeemed, has expired, or its authorization ended.
    async fn redeem(
        &self,
        hash: &str,
        refresh: Option<&RefreshToken>,
        now: Timestamp,
        event: AuditEvent,
    ) -> Result<bool, StoreError>;

    /// A refresh token, spent or not, and its authorization.
    async fn refresh_token(&self, hash: &str) -> Result<Option<(RefreshToken, Authorization)>, StoreError>;

    /// Exchanges a refresh token, which works once, for the next one, and keeps the sealed answer; false when it was exchanged, has expired, or its
    /// authorization ended.
    async fn rotate(
        &self,
        hash: &str,
        followed_by: (&str, &RefreshToken),
        now: Timestamp,
        event: AuditEvent,
    ) -> Result<bool, StoreError>;

    /// Ends an authorization; false when it had ended.
    async fn end(&self, id: AuthorizationId, now: Timestamp, event: AuditEvent) -> Result<bool, StoreError>;

    /// The live authorizations of a user, newest first.
    async fn authorizations(&self, user: UserId) -> Result<Vec<Authorization>, StoreError>;

    /// Ends what a user allowed a client, and forgets the consents; the authorizations that ended.
    async fn withdraw(
        &self,
        user: UserId,
        client: &ClientId,
        now: Timestamp,
        event: AuditEvent,
    ) -> Result<Vec<AuthorizationId>, StoreError>;
}

/// What of the above is over.
#[async_trait]
pub trait AuthorizationSweep: Send + Sync {
    /// Deletes requests, codes, refresh tokens and noted assertions whose time is over, and authorizations that ended
    /// or that nothing rests on any more.
    async fn sweep_authorizations(&self, now: Timestamp) -> Result<(), StoreError>;
}
