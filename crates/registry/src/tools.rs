//! The tools of a server: what was approved, what is live, and what somebody decides about the difference.
//!
//! Before: `observe` wrote down what was seen. After: the gateway serves exactly what was approved.

use std::collections::BTreeSet;

use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::members::VirtualServer;
use portreeve_core::name::{ServerName, Slug};
use portreeve_core::ports::{ToolDecision, ToolsApproved};
use portreeve_core::protocol::Era;
use portreeve_core::route::{PinState, Route, RouteState};
use portreeve_core::server::Version;
use portreeve_core::tool::{Tool, ToolState};
use portreeve_inspect::{FieldChange, tool_diff};
use portreeve_mcp::mirror::Mirrors;
use serde_json::json;

use crate::error::RegistryError;
use crate::observe::{Announce, Observer, Sighting, definitions};
use crate::registry::Registry;
use crate::settle::production;
use crate::source::ask;

/// A tool as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolView {
    /// The tool.
    pub tool: Tool,
    /// Where it stands.
    pub state: ToolState,
    /// What differs between the approved and the live definition.
    pub changes: Vec<FieldChange>,
    /// Why no host gets to know of it, although it is approved: what it asks of headers cannot be done.
    pub problem: Option<String>,
}

/// Whose tools: those of a server on its production route, or on another one of its routes.
#[derive(Debug, Clone, Copy)]
pub struct ToolsOf<'a> {
    /// The server.
    pub server: &'a ServerName,
    /// The route; the production one unless named.
    pub route: Option<&'a Slug>,
}

/// Which tools are approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// Everything that waits; what is hidden stays hidden.
    All,
    /// These, hidden or not.
    Named(Vec<String>),
}

/// What somebody decided about tools.
struct Verdict {
    action: &'static str,
    decisions: Vec<ToolDecision>,
    pin_state: PinState,
}

// === impl ToolsOf ===

impl<'a> From<&'a ServerName> for ToolsOf<'a> {
    fn from(server: &'a ServerName) -> Self {
        Self { server, route: None }
    }
}

impl ToolsOf<'_> {
    fn route<'a>(&self, routes: &'a [Route]) -> Option<&'a Route> {
        match self.route {
            Some(slug) => routes.iter().find(|route| route.slug == *slug),
            None => production(routes),
        }
    }
}

// === impl Registry ===

impl Registry {
    /// The tools of a server. Who sees its inside sees all of them; others those that they may call.
    pub async fn tools<'a>(
        &self,
        caller: &Caller,
        of: impl Into<ToolsOf<'a>>,
    ) -> Result<Vec<ToolView>, RegistryError> {
        let of = of.into();
        let name = of.server;
        let sees = self.may_to(caller, Action::View, name);
        if !sees && !self.may_discover(caller, name) {
            return Err(RegistryError::no_server(name));
        }
        let entry = self.load(name).await?;
        if !sees && !entry.versions.iter().any(Version::is_listed) {
            return Err(RegistryError::no_server(name));
        }
        let route = of.route(&entry.routes);
        let route = route.filter(|route| sees || route.state == RouteState::Active);
        let route = match (route, of.route) {
            (Some(route), _) => route,
            (None, Some(slug)) => return Err(no_route(name, slug)),
            (None, None) => return Ok(Vec::new()),
        };
        let tools = self.parts.routes.tools(route.id).await?;
        if sees {
            return Ok(tools.into_iter().map(view).collect());
        }
        let callable = |tool: &Tool| tool.is_callable() && self.may_call(caller, route, tool);
        let tools = tools.into_iter().filter(callable).collect();
        let tools = self.allowed_by_members(caller, route, tools).await?;
        Ok(tools
            .into_iter()
            .map(|tool| Tool {
                approved_by: None,
                ..tool
            })
            .map(view)
            .collect())
    }

    /// Approves live definitions exactly as they were last seen.
    pub async fn approve_tools<'a>(
        &self,
        caller: &Caller,
        of: impl Into<ToolsOf<'a>>,
        choice: ToolChoice,
    ) -> Result<Vec<ToolView>, RegistryError> {
        let route = self.route_for(caller, Action::Approve, of.into()).await?;
        let tools = self.parts.routes.tools(route.id).await?;
        let decisions = match &choice {
            ToolChoice::All => pending(&tools),
            ToolChoice::Named(names) => named(&route, &tools, names)?,
        };
        if decisions.is_empty() && route.pin_state == PinState::ToolsNotSeen && tools.is_empty() {
            return Err(RegistryError::State {
                what: format!("no tool of `{}` was ever seen", route.server),
                hint: "`portreeve server tools NAME --refresh` asks the server for them",
            });
        }
        let verdict = Verdict {
            action: "tools.approve",
            decisions,
            pin_state: PinState::Pinned,
        };
        self.decide(caller, &route, verdict).await
    }

    /// Hides a tool from everyone.
    pub async fn hide_tool<'a>(
        &self,
        caller: &Caller,
        of: impl Into<ToolsOf<'a>>,
        tool: &str,
    ) -> Result<Vec<ToolView>, RegistryError> {
        self.mark(caller, of.into(), tool, "tools.hide").await
    }

    /// Takes the hidden mark away.
    pub async fn unhide_tool<'a>(
        &self,
        caller: &Caller,
        of: impl Into<ToolsOf<'a>>,
        tool: &str,
    ) -> Result<Vec<ToolView>, RegistryError> {
        self.mark(caller, of.into(), tool, "tools.unhide").await
    }

    /// Asks the upstream for its tools now. Approves nothing.
    pub async fn refresh_tools<'a>(
        &self,
        caller: &Caller,
        of: impl Into<ToolsOf<'a>>,
    ) -> Result<Vec<ToolView>, RegistryError> {
        let route = self.route_for(caller, Action::Operate, of.into()).await?;
        self.look_again(&route).await?;
        self.parts.refresh.refresh().await;
        self.views(&route).await
    }

    /// Asks the upstream of a route, and writes down what it says.
    pub(crate) async fn look_again(&self, route: &Route) -> Result<(), RegistryError> {
        let unseen = |reason| RegistryError::Unseen {
            server: route.server.to_string(),
            reason,
        };
        let observer = Observer {
            routes: self.parts.routes.as_ref(),
            clock: self.parts.clock.as_ref(),
            rng: self.parts.rng.as_ref(),
            limits: &self.parts.limits,
        };
        let source = self.parts.source.as_ref();
        if VirtualServer::is_address(&route.upstream_url) {
            let followed = observer.follow(source, route, &Caller::system()).await;
            return followed.map(drop).map_err(unseen);
        }
        let probe = ask(source, route, self.parts.limits.probe)
            .await
            .map_err(unseen)?;
        for (era, texts) in &probe.tools {
            let sighting = Sighting {
                route,
                era: *era,
                tools: definitions(texts, &self.parts.limits),
            };
            observer.complete(sighting, Announce::Drift).await?;
        }
        observer
            .eras(route, &probe.eras_beside(&route.upstream_eras))
            .await?;
        Ok(())
    }

    pub(crate) fn may_call(&self, caller: &Caller, route: &Route, tool: &Tool) -> bool {
        let Some(approved) = &tool.approved else {
            return false;
        };
        let target = Target::Tool {
            server: &route.server,
            tool: &tool.name,
            annotations: &approved.annotations,
            arguments: None,
        };
        self.parts
            .authorizer
            .may_in(caller, Action::CallTool, &target, &route.environment)
            .is_permit()
    }

    async fn route_for(
        &self,
        caller: &Caller,
        action: Action,
        of: ToolsOf<'_>,
    ) -> Result<Route, RegistryError> {
        let what = format!("{} tools of `{}`", action.as_str(), of.server);
        self.require(caller, (action, &Target::Server(of.server)), &what)?;
        let entry = self.load(of.server).await?;
        match (of.route(&entry.routes), of.route) {
            (Some(route), _) => Ok(route.clone()),
            (None, Some(slug)) => Err(no_route(of.server, slug)),
            (None, None) => Err(RegistryError::State {
                what: format!("server `{}` has no route", entry.server.name),
                hint: "approve a version with a remote; that makes one",
            }),
        }
    }

    async fn views(&self, route: &Route) -> Result<Vec<ToolView>, RegistryError> {
        let tools = self.parts.routes.tools(route.id).await?;
        Ok(tools.into_iter().map(view).collect())
    }

    async fn mark(
        &self,
        caller: &Caller,
        of: ToolsOf<'_>,
        tool: &str,
        action: &'static str,
    ) -> Result<Vec<ToolView>, RegistryError> {
        let route = self.route_for(caller, Action::Approve, of).await?;
        let tools = self.parts.routes.tools(route.id).await?;
        let hide = action == "tools.hide";
        let known: Vec<&Tool> = tools.iter().filter(|known| known.name == tool).collect();
        if known.is_empty() {
            return Err(no_tool(&route, tool));
        }
        let decision = if hide {
            ToolDecision::Hide
        } else {
            ToolDecision::Unhide
        };
        let decisions = if known.iter().all(|known| known.hidden == hide) {
            Vec::new()
        } else {
            vec![decision(tool.to_owned())]
        };
        let verdict = Verdict {
            action,
            decisions,
            pin_state: route.pin_state,
        };
        self.decide(caller, &route, verdict).await
    }

    async fn decide(
        &self,
        caller: &Caller,
        route: &Route,
        verdict: Verdict,
    ) -> Result<Vec<ToolView>, RegistryError> {
        let Verdict {
            action,
            decisions,
            pin_state,
        } = verdict;
        if decisions.is_empty() && pin_state == route.pin_state {
            return self.views(route).await;
        }
        let names: BTreeSet<&str> = decisions.iter().map(name_of).collect();
        let mut event = self.event(caller, action, &route.server);
        event.route = Some(route.slug.to_string());
        if names.len() == 1 {
            event.target = names.first().map(|&name| name.to_owned());
        }
        let listed: Vec<serde_json::Value> = decisions.iter().take(100).map(described).collect();
        event.detail = Some(json!({"count": names.len(), "tools": listed}));
        let approved = ToolsApproved {
            route: route.id,
            decisions,
            pin_state,
            by: caller.label.to_string(),
            at: self.parts.clock.now(),
            events: vec![event],
        };
        self.parts.routes.tools_approved(approved).await?;
        self.let_follow(caller, route).await;
        self.parts.refresh.refresh().await;
        self.views(route).await
    }
}

fn view(tool: Tool) -> ToolView {
    let changes = match (&tool.approved, &tool.live) {
        (Some(approved), Some(live)) if approved.hash != live.hash => tool_diff(approved, live),
        _ => Vec::new(),
    };
    ToolView {
        state: tool.state(),
        changes,
        problem: problem(&tool),
        tool,
    }
}

/// Whether the rules for `x-mcp-header` (2026-07-28, schema extension) leave a tool out, and by what.
fn problem(tool: &Tool) -> Option<String> {
    let definition = tool.approved.as_ref().or(tool.live.as_ref());
    let definition = definition.filter(|_| tool.era == Era::Modern)?;
    let broken = Mirrors::of_tool(&definition.definition).err()?;
    Some(format!("left out of every list: {broken}"))
}

fn pending(tools: &[Tool]) -> Vec<ToolDecision> {
    tools
        .iter()
        .filter(|tool| matches!(tool.state(), ToolState::New | ToolState::Changed))
        .filter_map(|tool| Some(ToolDecision::Approve(tool.era, tool.live.clone()?)))
        .collect()
}

fn named(route: &Route, tools: &[Tool], names: &[String]) -> Result<Vec<ToolDecision>, RegistryError> {
    let mut decisions = Vec::new();
    for name in names {
        let known: Vec<&Tool> = tools.iter().filter(|tool| tool.name == *name).collect();
        if known.is_empty() {
            return Err(no_tool(route, name));
        }
        if known.iter().all(|tool| tool.live.is_none()) {
            return Err(RegistryError::State {
                what: format!("the last list of `{}` did not have tool `{name}`", route.server),
                hint: "`portreeve server tools NAME --refresh` asks the server again",
            });
        }
        let waiting = known
            .into_iter()
            .filter(|tool| tool.state() != ToolState::Approved);
        decisions
            .extend(waiting.filter_map(|tool| Some(ToolDecision::Approve(tool.era, tool.live.clone()?))));
    }
    Ok(decisions)
}

fn name_of(decision: &ToolDecision) -> &str {
    match decision {
        ToolDecision::Approve(_, tool) => &tool.name,
        ToolDecision::Hide(name) | ToolDecision::Unhide(name) => name,
    }
}

fn described(decision: &ToolDecision) -> serde_json::Value {
    match decision {
        ToolDecision::Approve(era, tool) => json!({"name": tool.name, "era": era, "hash": tool.hash}),
        ToolDecision::Hide(name) | ToolDecision::Unhide(name) => json!({ "name": name }),
    }
}

fn no_route(server: &ServerName, slug: &Slug) -> RegistryError {
    RegistryError::NotFound {
        what: format!("route `{slug}` of server `{server}`"),
    }
}

fn no_tool(route: &Route, tool: &str) -> RegistryError {
    RegistryError::NotFound {
        what: format!(
            "tool `{}` of server `{}`",
            tool.chars().take(256).collect::<String>(),
            route.server
        ),
    }
}
