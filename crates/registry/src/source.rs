//! Where tool lists come from: a small port over the MCP client, so that the registry's own rules need no network.

use std::sync::Arc;

use async_trait::async_trait;
use portreeve_client::{Lines, Upstream, probe};
use portreeve_core::limits::Limits;
use portreeve_core::login::Presented;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::{LoginStore, Outgoing, Purpose};
use portreeve_core::random::Rng;
use portreeve_core::route::Route;
use portreeve_net::{Egress, Reach};
use url::Url;

pub use portreeve_client::Probe;

/// Asks an upstream for its tools.
#[async_trait]
pub trait ToolSource: Send + Sync {
    /// The complete lists, or a sentence about why there are none.
    async fn tools(&self, server: &ServerName, url: &Url, reach: &Reach) -> Result<Probe, String>;

    /// The digest of the tools of a version that is a REST API; `None` when it is a server to be asked.
    async fn toolset_of(
        &self,
        _server: &ServerName,
        _version: &VersionText,
    ) -> Result<Option<String>, String> {
        Ok(None)
    }

    /// The tools that were kept under a digest.
    async fn kept(&self, digest: &str) -> Result<Probe, String> {
        Err(format!("no tools are kept here, nor those of `{digest}`"))
    }
}

/// Asks over the network, as an MCP client of either era.
#[derive(Clone)]
pub struct ClientSource {
    /// The way out.
    pub egress: Egress,
    /// Limits on what comes back.
    pub limits: Arc<Limits>,
    /// Names the streams of servers that speak HTTP+SSE.
    pub rng: Arc<dyn Rng>,
    /// How to log in at protected servers.
    pub logins: Arc<dyn LoginStore>,
    /// The vault, which has the secrets for it.
    pub outgoing: Arc<dyn Outgoing>,
}

#[async_trait]
impl ToolSource for ClientSource {
    async fn tools(&self, server: &ServerName, url: &Url, reach: &Reach) -> Result<Probe, String> {
        // Kept for this question alone: whatever becomes of it, no stream stays open.
        let lines = Lines::new(Arc::clone(&self.rng), &self.limits);
        let mut upstream = Upstream::new(url.clone(), reach, self.limits.probe).over(&lines);
        if let Some(presented) = self.presented(server, url).await? {
            upstream = upstream
                .presenting(&presented)
                .map_err(|error| error.to_string())?;
        }
        probe(&self.egress, &upstream, &self.limits)
            .await
            .map_err(|error| error.to_string())
    }
}

impl ClientSource {
    /// What is presented at this URL of a server, and nowhere else; an error says what is missing.
    async fn presented(&self, server: &ServerName, url: &Url) -> Result<Option<Presented>, String> {
        let logins = self.logins.logins(server).await;
        let logins = logins.map_err(|error| error.to_string())?;
        let Some(login) = logins.into_iter().find(|login| login.url == url.as_str()) else {
            return Ok(None);
        };
        let presented = self.outgoing.login(&login.login, Purpose::Assess).await;
        presented.map(Some).map_err(|error| error.to_string())
    }
}

impl std::fmt::Debug for ClientSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientSource")
    }
}

/// Asks the upstream of a route, for no longer than `limit`.
pub(crate) async fn ask(
    source: &dyn ToolSource,
    route: &Route,
    limit: std::time::Duration,
) -> Result<Probe, String> {
    if let Some(digest) = source.toolset_of(&route.server, &route.version).await? {
        return source.kept(&digest).await;
    }
    let url: Url = route
        .upstream_url
        .parse()
        .map_err(|error| format!("its URL cannot be read: {error}"))?;
    let reach = Reach::granted(&route.private_hosts);
    match tokio::time::timeout(limit, source.tools(&route.server, &url, &reach)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("it did not answer within {limit:?}")),
    }
}
