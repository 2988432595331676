//! Routes as their managers see and change them: access, policies, state, timeout.
//!
//! Before: `settle` made the route. After: the gateway serves it by the next snapshot.

use std::collections::BTreeSet;

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::{SecretName, Slug};
use portreeve_core::ports::{RouteChange, StoreError};
use portreeve_core::route::{
    Access, Credentials, PolicyDocument, Protocol, Route, RouteState, ServerRequests, SessionAffinity,
};
use portreeve_core::server::Version;
use portreeve_mcp::server_json::Problem;
use serde_json::json;

use crate::error::RegistryError;
use crate::registry::Registry;

/// The shortest upstream timeout: one second.
pub const SHORTEST_TIMEOUT_MS: u64 = 1_000;

/// The longest upstream timeout: one hour.
pub const LONGEST_TIMEOUT_MS: u64 = 3_600_000;

/// The longest time that lists are kept where the upstream does not say it: one hour, as in the gateway's limits.
const LONGEST_LIST_CACHE_MS: u64 = 3_600_000;

/// The kind of policies that let calls wait for a person.
const APPROVAL: &str = "approval";

/// What of a route shall change; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoutePatch {
    /// Who may use it without a credential.
    pub access: Option<Access>,
    /// Its policies, all of them.
    pub policies: Option<Vec<PolicyDocument>>,
    /// Whether it is served.
    pub state: Option<RouteState>,
    /// How long the gateway waits for the upstream, in milliseconds.
    pub upstream_timeout_ms: Option<u64>,
    /// In which era the gateway speaks with the upstream.
    pub protocol: Option<Protocol>,
    /// Which calls of modern hosts share a session with a legacy upstream.
    pub session_affinity: Option<SessionAffinity>,
    /// What becomes of what a legacy upstream asks of a modern host in the middle of a call.
    pub server_requests: Option<ServerRequests>,
    /// How long lists are kept where the upstream does not say it, in milliseconds.
    pub list_cache_ms: Option<u64>,
    /// Which credentials it takes.
    pub credentials: Option<Credentials>,
}

// === impl Registry ===

impl Registry {
    /// The routes of the servers that the caller sees the inside of.
    pub async fn routes(&self, caller: &Caller) -> Result<Vec<Route>, RegistryError> {
        let mut routes = self.parts.routes.routes().await?;
        routes.retain(|route| self.may_to(caller, Action::View, &route.server));
        if routes.is_empty() {
            // Who has no role learns nothing, not even that there is nothing.
            self.require_some_view(caller)?;
        }
        Ok(routes)
    }

    /// One route.
    pub async fn route(&self, caller: &Caller, slug: &Slug) -> Result<Route, RegistryError> {
        let route = self.parts.routes.route(slug).await?;
        match route {
            Some(route) if self.may_to(caller, Action::View, &route.server) => Ok(route),
            _ => {
                self.require_some_view(caller)?;
                Err(no_route(slug))
            }
        }
    }

    /// Changes a route. `expected` is the revision that the caller saw; without it, the last writer wins.
    pub async fn change_route(
        &self,
        caller: &Caller,
        slug: &Slug,
        patch: RoutePatch,
        expected: Option<i64>,
    ) -> Result<Route, RegistryError> {
        let mut tries_left = if expected.is_some() { 0 } else { 3 };
        loop {
            let route = self.route(caller, slug).await?;
            let what = format!("change route `{slug}`");
            self.require(caller, (Action::Operate, &Target::Server(&route.server)), &what)?;
            self.require_secrets(caller, &route, &patch)?;
            self.require_opener(caller, &route, &patch)?;
            if expected.is_some_and(|expected| expected != route.revision) {
                return Err(RegistryError::Conflict {
                    what: format!("route `{slug}`"),
                });
            }
            self.check_patch(&route, &patch).await?;
            let (route, events) = self.patched(caller, route, &patch);
            if events.is_empty() {
                return Ok(route);
            }
            match self.parts.routes.save_route(RouteChange { route, events }).await {
                Ok(route) => {
                    self.parts.refresh.refresh().await;
                    return Ok(route);
                }
                Err(StoreError::Conflict { .. }) if tries_left > 0 => tries_left -= 1,
                // The route was there a moment ago: it is a secret that its policies name.
                Err(StoreError::NotFound { what }) if patch.policies.is_some() => {
                    return Err(RegistryError::invalid(
                        "policies",
                        format!("{what} does not exist"),
                    ));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn require_some_view(&self, caller: &Caller) -> Result<(), RegistryError> {
        if self.parts.authorizer.views_some(caller) {
            return Ok(());
        }
        self.require_here(caller, Action::View, "see routes")
    }

    /// Refuses to name a secret that the route does not name yet to who operates some servers only: a secret is sent to
    /// where the route leads, and those of the vault belong to everybody.
    fn require_secrets(
        &self,
        caller: &Caller,
        route: &Route,
        patch: &RoutePatch,
    ) -> Result<(), RegistryError> {
        let named = |policies: &[PolicyDocument]| -> BTreeSet<SecretName> {
            policies.iter().flat_map(PolicyDocument::secrets).collect()
        };
        let known = named(&route.policies);
        let wanted = named(patch.policies.as_deref().unwrap_or_default());
        match wanted.difference(&known).next() {
            Some(secret) => {
                let what = format!("let route `{}` use secret `{secret}`", route.slug);
                self.require_here(caller, Action::Operate, &what)
            }
            None => Ok(()),
        }
    }

    /// Refuses to open the route further than it is to who does not manage its server: who may call, and whom a call waits
    /// for, was not decided by who operates.
    fn require_opener(
        &self,
        caller: &Caller,
        route: &Route,
        patch: &RoutePatch,
    ) -> Result<(), RegistryError> {
        let Some(what) = opens(route, patch) else {
            return Ok(());
        };
        let what = format!("{what} route `{}`", route.slug);
        self.require(caller, (Action::Manage, &Target::Server(&route.server)), &what)
    }

    async fn check_patch(&self, route: &Route, patch: &RoutePatch) -> Result<(), RegistryError> {
        let mut problems = Vec::new();
        if let Some(policies) = &patch.policies {
            let found = self.parts.policies.check(policies);
            problems.extend(found.into_iter().map(|found| Problem {
                path: format!("policies[{}]", found.index),
                message: found.problem,
            }));
        }
        if let Some(timeout) = patch.upstream_timeout_ms
            && !(SHORTEST_TIMEOUT_MS..=LONGEST_TIMEOUT_MS).contains(&timeout)
        {
            problems.push(Problem {
                path: "upstreamTimeoutMs".to_owned(),
                message: format!(
                    "it must be {SHORTEST_TIMEOUT_MS} to {LONGEST_TIMEOUT_MS}, and is `{timeout}`"
                ),
            });
        }
        if let Some(kept) = patch.list_cache_ms.filter(|kept| *kept > LONGEST_LIST_CACHE_MS) {
            problems.push(Problem {
                path: "listCacheMs".to_owned(),
                message: format!("it must be {LONGEST_LIST_CACHE_MS} at most, and is `{kept}`"),
            });
        }
        if let Some(credentials) = &patch.credentials {
            problems.extend(self.problems_of(credentials));
        }
        if !problems.is_empty() {
            return Err(RegistryError::Invalid(problems));
        }
        if patch.state == Some(RouteState::Active) && route.state == RouteState::Inactive {
            let entry = self.load(&route.server).await?;
            let served = entry.versions.iter().find(|v| v.version == route.version);
            if !served.is_some_and(Version::is_listed) {
                return Err(RegistryError::State {
                    what: format!(
                        "version `{}` of `{}` is not approved, or is retired",
                        route.version, route.server
                    ),
                    hint: "approve a version first; its route comes back with it",
                });
            }
        }
        Ok(())
    }

    /// What is wrong with what a route shall take.
    fn problems_of(&self, credentials: &Credentials) -> Vec<Problem> {
        let problem = |message: String| Problem {
            path: "credentials".to_owned(),
            message,
        };
        let known = &self.parts.issuers;
        let unknown = credentials.issuers.iter().filter(|name| !known.contains(name));
        let mut problems: Vec<Problem> = unknown
            .map(|name| problem(format!("`{name}` is no issuer of the configuration file")))
            .collect();
        if !credentials.is_any() {
            problems.push(problem("at least one sort must be taken".to_owned()));
        }
        problems
    }

    fn patched(&self, caller: &Caller, mut route: Route, patch: &RoutePatch) -> (Route, Vec<AuditEvent>) {
        let before = route.clone();
        let mut events = Vec::new();
        if let Some(access) = patch.access
            && access != before.access
        {
            // The one switch that opens a door gets an event of its own.
            let detail = json!({"from": before.access, "to": access});
            events.push(self.route_event(caller, "route.access", &route, detail));
            route.access = access;
        }
        if let Some(policies) = &patch.policies {
            route.policies.clone_from(policies);
        }
        route.state = patch.state.unwrap_or(route.state);
        route.upstream_timeout_ms = patch.upstream_timeout_ms.unwrap_or(route.upstream_timeout_ms);
        route.protocol = patch.protocol.unwrap_or(route.protocol);
        route.session_affinity = patch.session_affinity.unwrap_or(route.session_affinity);
        route.server_requests = patch.server_requests.unwrap_or(route.server_requests);
        route.list_cache_ms = patch.list_cache_ms.unwrap_or(route.list_cache_ms);
        if let Some(credentials) = &patch.credentials {
            route.credentials.clone_from(credentials);
        }
        let detail = differences(&before, &route);
        if !detail.is_empty() {
            events.push(self.route_event(caller, "route.change", &route, detail.into()));
        }
        if !events.is_empty() {
            route.updated_at = self.parts.clock.now();
        }
        (route, events)
    }

    fn route_event(
        &self,
        caller: &Caller,
        action: &str,
        route: &Route,
        detail: serde_json::Value,
    ) -> AuditEvent {
        let mut event = self.event(caller, action, &route.server);
        event.route = Some(route.slug.to_string());
        event.detail = Some(detail);
        event
    }
}

/// How a change would let calls through that the route stops now, as words. An approval that reads differently may ask
/// for less, so only what is kept as it is counts as kept.
fn opens(route: &Route, patch: &RoutePatch) -> Option<&'static str> {
    if patch.access == Some(Access::Anonymous) && route.access != Access::Anonymous {
        return Some("open to everybody");
    }
    let is_lost = |policies: &Vec<PolicyDocument>| {
        let mut approvals = route.policies.iter().filter(|policy| policy.kind == APPROVAL);
        approvals.any(|policy| !policies.contains(policy))
    };
    if patch.policies.as_ref().is_some_and(is_lost) {
        return Some("change or end the approvals that calls wait for on");
    }
    let before = &route.credentials;
    let is_wider = |after: &Credentials| {
        (after.tokens && !before.tokens)
            || (after.keys && !before.keys)
            || after.issuers.iter().any(|name| !before.issuers.contains(name))
    };
    if patch.credentials.as_ref().is_some_and(is_wider) {
        return Some("take more credentials on");
    }
    None
}

/// What of a route is not as it was, but for who may use it.
fn differences(before: &Route, route: &Route) -> serde_json::Map<String, serde_json::Value> {
    let mut all = serde_json::Map::new();
    let mut differ = |name: &str, from: serde_json::Value, to: serde_json::Value| {
        if from != to {
            all.insert(name.to_owned(), json!({"from": from, "to": to}));
        }
    };
    differ("policies", json!(before.policies), json!(route.policies));
    differ("state", json!(before.state), json!(route.state));
    let timeouts = (before.upstream_timeout_ms, route.upstream_timeout_ms);
    differ("upstreamTimeoutMs", json!(timeouts.0), json!(timeouts.1));
    differ("protocol", json!(before.protocol), json!(route.protocol));
    let affinities = (before.session_affinity, route.session_affinity);
    differ("sessionAffinity", json!(affinities.0), json!(affinities.1));
    let requests = (before.server_requests, route.server_requests);
    differ("serverRequests", json!(requests.0), json!(requests.1));
    differ(
        "listCacheMs",
        json!(before.list_cache_ms),
        json!(route.list_cache_ms),
    );
    differ("credentials", json!(before.credentials), json!(route.credentials));
    all
}

pub(crate) fn no_route(slug: &Slug) -> RegistryError {
    RegistryError::NotFound {
        what: format!("route `{slug}`"),
    }
}
