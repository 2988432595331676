//! Learns which eras a server speaks, and the tools that it lists in each.

use std::collections::HashSet;

use portreeve_core::limits::Limits;
use portreeve_core::protocol::Era;
use portreeve_mcp::params::text;
use portreeve_mcp::result::ToolPage;
use portreeve_net::Egress;
use serde_json::{Map, Value};

use crate::connection::Connection;
use crate::error::ClientError;
use crate::exchange::Upstream;

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The eras that the server speaks, at least one.
    pub eras: Vec<Era>,
    /// Eras of which its answer settled nothing: it was away, wanted a credential, or took too long.
    pub uncertain: Vec<Era>,
    /// Every tool definition, as JSON, by era.
    pub tools: Vec<(Era, Vec<String>)>,
    /// What the server says about itself, as JSON; unverified.
    pub server_info: Option<String>,
}

/// Why a probe found nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The server could not be asked in either era.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The whole took too long.
    #[error("the server did not finish the handshake and its tool list within {0} s")]
    Timeout(u64),
    /// Its tool list has no end.
    #[error("the server's tool list does not end: {0}")]
    Endless(&'static str),
}

/// Probes a server, at most [`Limits::probe`] long.
pub async fn probe(egress: &Egress, upstream: &Upstream, limits: &Limits) -> Result<Probe, ProbeError> {
    let whole = both_eras(egress, upstream, limits);
    tokio::time::timeout(limits.probe, whole)
        .await
        .map_err(|_| ProbeError::Timeout(limits.probe.as_secs()))?
}

async fn both_eras(egress: &Egress, upstream: &Upstream, limits: &Limits) -> Result<Probe, ProbeError> {
    let mut found = Probe {
        eras: Vec::new(),
        uncertain: Vec::new(),
        tools: Vec::new(),
        server_info: None,
    };
    let modern = Connection::modern(egress, upstream, None, limits).await?;
    if let Some(connection) = modern {
        found.add(&connection, limits).await?;
    }
    match Connection::legacy(egress, upstream, None, limits).await {
        Ok(connection) => {
            let added = found.add(&connection, limits).await;
            connection.close().await;
            added?;
        }
        Err(error) if found.eras.is_empty() => return Err(error.into()),
        Err(error) if settles_nothing(&error) => {
            tracing::debug!(url = %upstream.url, error = %error, "whether the server speaks the legacy era is not certain");
            found.uncertain.push(Era::Legacy);
        }
        Err(error) => {
            tracing::debug!(url = %upstream.url, error = %error, "the server speaks the modern era only")
        }
    }
    Ok(found)
}

/// Whether a failure says nothing of what the server speaks.
fn settles_nothing(error: &ClientError) -> bool {
    match error {
        ClientError::Net(_) | ClientError::Timeout(_) => true,
        ClientError::Status { status, .. } => matches!(status, 401 | 403 | 407 | 408 | 429 | 500..),
        _ => false,
    }
}

impl Probe {
    /// The eras of a server that was seen to speak these before: what settles nothing changes nothing.
    pub fn eras_beside(&self, known: &[Era]) -> Vec<Era> {
        let mut eras = self.eras.clone();
        eras.extend(self.uncertain.iter().filter(|era| known.contains(era)));
        eras
    }

    async fn add(&mut self, connection: &Connection, limits: &Limits) -> Result<(), ProbeError> {
        let tools = all_tools(connection, limits).await?;
        self.eras.push(connection.era());
        self.tools.push((connection.era(), tools));
        if self.server_info.is_none() {
            self.server_info = connection.server_info().map(str::to_owned);
        }
        Ok(())
    }
}

/// Every page of the list. A server without tools answers "method not found": that is an empty list.
async fn all_tools(connection: &Connection, limits: &Limits) -> Result<Vec<String>, ProbeError> {
    let mut tools = Vec::new();
    let mut cursors = HashSet::new();
    let mut params = Map::new();
    let mut room = limits.tool_list_bytes;
    for _ in 0..limits.tool_list_pages {
        let page = match connection.request("tools/list", params, &mut |_, _| ()).await {
            Ok(page) => page,
            Err(ClientError::Rpc {
                code: portreeve_mcp::code::METHOD_NOT_FOUND,
                ..
            }) if tools.is_empty() => return Ok(tools),
            Err(error) => return Err(error.into()),
        };
        let page: ToolPage<'_> = serde_json::from_str(page.get())
            .map_err(|error| ClientError::NotMcp(format!("its tool list: {error}")))?;
        for tool in &page.tools {
            room = room
                .checked_sub(tool.get().len())
                .ok_or(ProbeError::Endless("too many bytes"))?;
            tools.push(tool.get().to_owned());
        }
        if tools.len() > limits.tools_per_server {
            return Err(ProbeError::Endless("too many tools"));
        }
        let Some(cursor) = page
            .next_cursor
            .and_then(|raw| text(raw.get()))
            .map(std::borrow::Cow::into_owned)
        else {
            return Ok(tools);
        };
        if !cursors.insert(cursor.clone()) {
            return Err(ProbeError::Endless("a cursor came twice"));
        }
        params = Map::from_iter([("cursor".to_owned(), Value::from(cursor))]);
    }
    Err(ProbeError::Endless("too many pages"))
}
