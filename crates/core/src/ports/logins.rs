//! How Portreeve logs in at servers, durable.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::AuditEvent;
use crate::login::ServerLogin;
use crate::name::ServerName;

/// Logins, durable. They go with their server.
#[async_trait]
pub trait LoginStore: Send + Sync {
    /// The logins of a server, by URL.
    async fn logins(&self, server: &ServerName) -> Result<Vec<ServerLogin>, StoreError>;

    /// Sets one in place of that for the same URL. [`StoreError::Conflict`] when the server has `most` for other URLs;
    /// [`StoreError::NotFound`] when there is no such server or secret.
    async fn set_login(&self, login: &ServerLogin, most: usize, event: AuditEvent) -> Result<(), StoreError>;

    /// Removes one. [`StoreError::NotFound`] when there is none.
    async fn remove_login(&self, server: &ServerName, url: &str, event: AuditEvent)
    -> Result<(), StoreError>;
}
