//! Names to addresses. A port of its own, so that a test can decide what a name means, and change its mind.
//!
//! Asked by the connector for each new connection; the guard judges every address of the answer.

use std::io;
use std::net::IpAddr;

use async_trait::async_trait;

/// Resolves host names.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// Every address of a name, in the order in which they should be tried.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        // The port plays no part in the question.
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}
