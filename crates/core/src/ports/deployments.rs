//! Deployments of all servers as one list. They are written with their entry.

use async_trait::async_trait;

use super::StoreError;
use crate::deployment::{Deployment, DeploymentState};
use crate::name::{Environment, ServerName, Slug, VersionText};
use crate::page::PageOf;

/// A deployment of a server.
#[derive(Debug, Clone, PartialEq)]
pub struct DeployedServer {
    /// The server.
    pub server: ServerName,
    /// Where it runs.
    pub deployment: Deployment,
    /// Whether it waits for an approval instead of being in force.
    pub is_proposed: bool,
    /// The route of the place, and the version that it leads to, as far as there is one.
    pub route: Option<(Slug, VersionText)>,
}

/// Where a page of deployments ended: a server, an environment, a major version or nothing, and whether it waits.
pub type DeploymentPlace = (String, String, String, bool);

/// A question about deployments. Ordered by server, environment and major version in byte order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeploymentQuery {
    /// Only of this server.
    pub server: Option<ServerName>,
    /// Only in this environment.
    pub environment: Option<Environment>,
    /// Only in this state.
    pub state: Option<DeploymentState>,
    /// Only those that wait, or only those in force.
    pub proposed: Option<bool>,
    /// Continue after this one.
    pub after: Option<DeploymentPlace>,
    /// At most this many.
    pub limit: u32,
}

/// Deployments, to be read.
#[async_trait]
pub trait DeploymentStore: Send + Sync {
    /// One page of deployments.
    async fn deployed(&self, query: &DeploymentQuery) -> Result<PageOf<DeployedServer>, StoreError>;
}

// === impl DeployedServer ===

impl DeployedServer {
    /// Where it stands in the list.
    pub fn place(&self) -> DeploymentPlace {
        (
            self.server.to_string(),
            self.deployment.environment.to_string(),
            self.deployment
                .major
                .map(|major| major.to_string())
                .unwrap_or_default(),
            self.is_proposed,
        )
    }
}
