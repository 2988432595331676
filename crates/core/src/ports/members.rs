//! What virtual servers remember: the names that they gave to what their members have.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::AuditEvent;
use crate::members::Given;
use crate::name::ServerName;
use crate::route::Route;

/// Given names, durable. A name is never given twice, nor taken back: it outlives its member and its server.
#[async_trait]
pub trait GivenNames: Send + Sync {
    /// The names that a virtual server gave, by kind and name.
    async fn given(&self, server: &ServerName) -> Result<Vec<Given>, StoreError>;

    /// Gives names, all of them or none. [`StoreError::Conflict`] when one is taken, or what it names has one.
    async fn give(
        &self,
        server: &ServerName,
        names: &[Given],
        events: Vec<AuditEvent>,
    ) -> Result<(), StoreError>;

    /// The routes of virtual servers, by slug.
    async fn virtual_routes(&self) -> Result<Vec<Route>, StoreError>;
}
