//! The members of a virtual server, for those who manage it.

use std::collections::BTreeSet;

use portreeve_core::caller::Caller;
use portreeve_core::members::{Given, Kind, Naming, VirtualServer};
use portreeve_core::name::{ServerName, Slug};
use portreeve_core::route::{Route, RouteState};
use portreeve_core::tool::Tool;

use super::gather::is_member;
use crate::error::RegistryError;
use crate::registry::Registry;
use crate::settle::production;

/// A member as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberView {
    /// Its route.
    pub route: Slug,
    /// What stands before those of its names that another member has.
    pub prefix: String,
    /// The server that the route belongs to; nothing where there is no such route for the caller.
    pub server: Option<ServerName>,
    /// `active`, `inactive`, or `gone`, where it cannot be a member.
    pub state: &'static str,
    /// The names that were given to what it has.
    pub names: Vec<Given>,
}

impl Registry {
    /// Those of a route's tools that the members of a virtual server let the caller call. Any other route has none.
    pub(crate) async fn allowed_by_members(
        &self,
        caller: &Caller,
        route: &Route,
        tools: Vec<Tool>,
    ) -> Result<Vec<Tool>, RegistryError> {
        let Some(server) = VirtualServer::at(&route.upstream_url) else {
            return Ok(tools);
        };
        let naming = Naming::of(self.parts.names.given(&route.server).await?);
        let mut allowed = BTreeSet::new();
        for member in &server.members {
            let found = self.parts.routes.route(&member.route).await?;
            let Some(found) = found.filter(is_member) else {
                continue;
            };
            let own = self.parts.routes.tools(found.id).await?;
            let own = own
                .iter()
                .filter(|tool| tool.is_callable() && self.may_call(caller, &found, tool));
            let names = own.filter_map(|tool| naming.name(Kind::Tool, &member.route, &tool.name));
            allowed.extend(names.map(str::to_owned));
        }
        let mut tools = tools;
        tools.retain(|tool| allowed.contains(&tool.name));
        Ok(tools)
    }

    /// The members of a virtual server: those that its route leads to, or else those of its newest version.
    pub async fn members(
        &self,
        caller: &Caller,
        name: &ServerName,
    ) -> Result<Vec<MemberView>, RegistryError> {
        self.require_see(caller, name)?;
        let entry = self.load(name).await?;
        let served = production(&entry.routes).and_then(|route| VirtualServer::at(&route.upstream_url));
        let mut versions = entry.versions.iter();
        let server = served.or_else(|| versions.find_map(|version| VirtualServer::of(&version.document)));
        let Some(server) = server else {
            return Err(RegistryError::State {
                what: format!("`{name}` is no virtual server"),
                hint: "`portreeve server add NAME --member ROUTE` makes one",
            });
        };
        let given = self.parts.names.given(&entry.server.name).await?;
        let mut shown = Vec::new();
        for member in server.members {
            let route = self.parts.routes.route(&member.route).await?;
            let route = route.filter(|route| self.may_discover(caller, &route.server));
            let state = match &route {
                Some(route) if is_member(route) => "active",
                Some(route) if route.state == RouteState::Inactive => "inactive",
                _ => "gone",
            };
            let names = given.iter().filter(|given| given.member == member.route);
            shown.push(MemberView {
                names: names.cloned().collect(),
                server: route.map(|route| route.server),
                prefix: member.prefix.to_string(),
                route: member.route,
                state,
            });
        }
        Ok(shown)
    }
}
