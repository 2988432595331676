//! What a virtual server has: the tools of its members as they are approved there, under the names that it gives them.
//!
//! Before: a virtual server was approved, or a tool of a member. After: `approve/pinning` or `follow` pins them.

use std::sync::Arc;

use async_trait::async_trait;
use portreeve_core::caller::Caller;
use portreeve_core::members::{Given, Kind, Member, Naming, VirtualServer, give};
use portreeve_core::name::{ServerName, Slug, VersionText};
use portreeve_core::ports::{GivenNames, RouteStore, StoreError};
use portreeve_core::protocol::Era;
use portreeve_core::random::Rng;
use portreeve_core::route::{Protocol, Route, RouteState};
use portreeve_core::time::Clock;
use portreeve_core::tool::ToolDefinition;
use portreeve_mcp::rename::renamed;
use portreeve_net::Reach;
use serde_json::json;
use url::Url;

use crate::registry::event;
use crate::source::{Probe, ToolSource};

/// How often names are chosen anew because another node was faster.
const TRIES: u32 = 5;

/// Names in one audit event.
const MOST_NAMES: usize = 100;

/// Asks the members of a virtual server first, and something else about every other one.
pub struct VirtualSource {
    /// The members' tools.
    pub routes: Arc<dyn RouteStore>,
    /// The names that were given.
    pub names: Arc<dyn GivenNames>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Where other tools come from.
    pub others: Arc<dyn ToolSource>,
}

/// What the members have.
pub(crate) struct Gathered {
    /// The definitions, with the names that they are offered under.
    pub(crate) tools: Vec<String>,
    /// Those of the names that were not given before.
    pub(crate) new: Vec<Given>,
}

#[async_trait]
impl ToolSource for VirtualSource {
    async fn tools(&self, server: &ServerName, url: &Url, reach: &Reach) -> Result<Probe, String> {
        match VirtualServer::at(url.as_str()) {
            Some(members) => self
                .of_members(server, &members)
                .await
                .map_err(|error| error.to_string()),
            None => self.others.tools(server, url, reach).await,
        }
    }

    async fn toolset_of(&self, server: &ServerName, version: &VersionText) -> Result<Option<String>, String> {
        self.others.toolset_of(server, version).await
    }

    async fn kept(&self, digest: &str) -> Result<Probe, String> {
        self.others.kept(digest).await
    }
}

impl VirtualSource {
    async fn of_members(&self, server: &ServerName, members: &VirtualServer) -> Result<Probe, StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let gathered = gather((&*self.routes, &*self.names), server, members).await?;
            if !gathered.new.is_empty() {
                match self
                    .names
                    .give(server, &gathered.new, self.said(server, &gathered.new))
                    .await
                {
                    Ok(()) => {}
                    Err(StoreError::Conflict { .. }) if tries < TRIES => continue,
                    Err(error) => return Err(error),
                }
            }
            return Ok(probe(gathered.tools));
        }
    }

    fn said(&self, server: &ServerName, new: &[Given]) -> Vec<portreeve_core::audit::AuditEvent> {
        let mut said = event(&*self.clock, &*self.rng, &Caller::system(), "names.give", server);
        let names = new.iter().take(MOST_NAMES);
        let names = names.map(|given| json!({"name": given.name, "member": given.member, "own": given.own}));
        said.detail = Some(json!({"count": new.len(), "names": names.collect::<Vec<_>>()}));
        vec![said]
    }
}

/// The tools of a virtual server, which speaks the modern era to its members; the gateway puts it into the other one.
pub(crate) fn probe(tools: Vec<String>) -> Probe {
    Probe {
        eras: vec![Era::Modern],
        uncertain: Vec::new(),
        tools: vec![(Era::Modern, tools)],
        server_info: None,
    }
}

/// What the members have now. Nothing is written: names that are new are proposals.
pub(crate) async fn gather(
    (routes, names): (&dyn RouteStore, &dyn GivenNames),
    server: &ServerName,
    members: &VirtualServer,
) -> Result<Gathered, StoreError> {
    let mut lists: Vec<(&Slug, Vec<ToolDefinition>)> = Vec::new();
    for Member { route, .. } in &members.members {
        lists.push((route, approved(routes, route).await?));
    }
    let known = names.given(server).await?;
    let own: Vec<(&Slug, Vec<&str>)> = lists
        .iter()
        .map(|(route, tools)| (*route, tools.iter().map(|tool| tool.name.as_str()).collect()))
        .collect();
    let new = give(members, Kind::Tool, &known, &own);
    let naming = Naming::of(known.into_iter().chain(new.iter().cloned()));
    let mut tools = Vec::new();
    for (route, definitions) in lists {
        for tool in definitions {
            match naming.name(Kind::Tool, route, &tool.name) {
                Some(name) => tools.extend(renamed(&tool.definition, name)),
                None => tracing::warn!(
                    server = %server,
                    member = %route,
                    tool = tool.name,
                    "A tool of a member is not offered: its name cannot be told from others."
                ),
            }
        }
    }
    Ok(Gathered { tools, new })
}

/// What may be called on a member's route, as it was approved.
async fn approved(routes: &dyn RouteStore, slug: &Slug) -> Result<Vec<ToolDefinition>, StoreError> {
    let Some(route) = routes.route(slug).await?.filter(is_member) else {
        return Ok(Vec::new());
    };
    let era = era_of(&route);
    let tools = routes.tools(route.id).await?;
    Ok(tools
        .into_iter()
        .filter(|tool| tool.era == era && tool.is_callable())
        .filter_map(|tool| tool.approved)
        .collect())
}

/// Whether a route can be a member now.
pub(super) fn is_member(route: &Route) -> bool {
    route.state == RouteState::Active && !VirtualServer::is_address(&route.upstream_url)
}

/// The era of the hop to a member, for a request of the modern era: as the gateway chooses it.
fn era_of(route: &Route) -> Era {
    let seen = &route.upstream_eras;
    match route.protocol {
        Protocol::Modern => Era::Modern,
        Protocol::Legacy => Era::Legacy,
        Protocol::Auto if seen.is_empty() || seen.contains(&Era::Modern) => Era::Modern,
        Protocol::Auto => Era::Legacy,
    }
}

impl std::fmt::Debug for VirtualSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VirtualSource")
    }
}
