//! Requests for access, durable; and what of servers a caller knows.

use async_trait::async_trait;

use super::StoreError;
use crate::access_request::{AccessDecision, AccessRequest, AskedAccess};
use crate::audit::AuditEvent;
use crate::caller::{Caller, Principal};
use crate::grant::Grant;
use crate::id::AccessRequestId;
use crate::name::ServerName;
use crate::time::Timestamp;

/// Requests for access. Decisions about calls depend on the grants that come of them, and on nothing else of them.
#[async_trait]
pub trait AccessRequestStore: Send + Sync {
    /// Asks, unless the same principal has an open request for the server, or `most` open requests in all.
    async fn ask_access(
        &self,
        request: &AccessRequest,
        most: usize,
        event: AuditEvent,
    ) -> Result<AskedAccess, StoreError>;

    /// One of them.
    async fn access_request(&self, id: AccessRequestId) -> Result<Option<AccessRequest>, StoreError>;

    /// Those that are open at `now`, oldest first, after one of them, at most so many.
    async fn open_access_requests(
        &self,
        now: Timestamp,
        after: Option<AccessRequestId>,
        most: usize,
    ) -> Result<Vec<AccessRequest>, StoreError>;

    /// Those of a principal in any state, newest first, at most so many; of one server, if one is named.
    async fn access_requests_of(
        &self,
        principal: Principal,
        server: Option<&ServerName>,
        most: usize,
    ) -> Result<Vec<AccessRequest>, StoreError>;

    /// Ends an open request without a grant. [`StoreError::Conflict`] when it is not open any more.
    async fn close_access_request(
        &self,
        id: AccessRequestId,
        decision: &AccessDecision,
        event: AuditEvent,
    ) -> Result<(), StoreError>;

    /// Ends an open request with a grant, which is stored with it. [`StoreError::Conflict`] when it is not open any more: of
    /// two who decide at once, one does.
    async fn grant_access_request(
        &self,
        id: AccessRequestId,
        decision: &AccessDecision,
        grant: &Grant,
        events: [AuditEvent; 2],
    ) -> Result<(), StoreError>;

    /// Removes those that were decided about, or waited too long, before a moment.
    async fn purge_access_requests(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// What exists for a caller: the registry says so, and who hands out rights asks.
#[async_trait]
pub trait SeenServers: Send + Sync {
    /// The server as it is written, if it exists for the caller and something of it is listed.
    async fn seen(&self, caller: &Caller, server: &ServerName) -> Result<Option<ServerName>, StoreError>;
}
