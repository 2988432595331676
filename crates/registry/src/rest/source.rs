//! Where the tools of a REST API come from: from what was kept when its description was imported, never from the network.

use std::sync::Arc;

use async_trait::async_trait;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::ToolsetStore;
use portreeve_core::protocol::Era;
use portreeve_net::Reach;
use url::Url;

use super::details;
use crate::source::{Probe, ToolSource};

/// Asks what was kept first, and the network for everything else.
pub struct RestSource {
    /// What was kept.
    pub toolsets: Arc<dyn ToolsetStore>,
    /// Where other tools come from.
    pub others: Arc<dyn ToolSource>,
}

#[async_trait]
impl ToolSource for RestSource {
    async fn tools(&self, server: &ServerName, url: &Url, reach: &Reach) -> Result<Probe, String> {
        self.others.tools(server, url, reach).await
    }

    async fn toolset_of(&self, server: &ServerName, version: &VersionText) -> Result<Option<String>, String> {
        let digest = self.toolsets.toolset_of(server, version).await;
        digest.map_err(|error| error.to_string())
    }

    async fn kept(&self, digest: &str) -> Result<Probe, String> {
        let toolset = self
            .toolsets
            .toolset(digest)
            .await
            .map_err(|error| error.to_string())?;
        let toolset =
            toolset.ok_or("its tools were never imported here: import the description of its API")?;
        let kept = details(&toolset).map_err(|error| error.to_string())?;
        let is_there = |name: &str| !toolset.vanished.iter().any(|gone| gone == name);
        let tools: Vec<String> = kept
            .tools
            .into_iter()
            .filter(|tool| is_there(&tool.definition.name))
            .map(|tool| tool.definition.definition)
            .collect();
        let eras = vec![Era::Legacy, Era::Modern];
        Ok(Probe {
            uncertain: Vec::new(),
            tools: eras.iter().map(|era| (*era, tools.clone())).collect(),
            eras,
            server_info: None,
        })
    }
}
