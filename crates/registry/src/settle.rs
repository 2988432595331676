//! What follows from a change of an entry: which version is the latest, and where its production route leads.
//!
//! Before: `publish` or `approve` changed versions. After: everything is saved as one. The route serves the highest
//! listed version that has a remote, so a package-only version never takes a running route away.

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::id::RouteId;
use portreeve_core::name::{Environment, Slug, VersionText};
use portreeve_core::ports::{Entry, EntryChange};
use portreeve_core::route::{Access, DEFAULT_UPSTREAM_TIMEOUT_MS, PinState, Route, RouteState};
use portreeve_core::server::{PrivateHost, Server, Version};
use portreeve_core::time::Timestamp;
use serde_json::json;
use url::Url;

use crate::error::RegistryError;
use crate::latest::{latest_of, ranked};
use crate::registry::Registry;
use crate::slug;
use crate::validate::upstream_of;

/// An entry while it is being changed.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    before: Option<Entry>,
    pub(crate) server: Server,
    pub(crate) versions: Vec<Version>,
    routes: Vec<Route>,
    pub(crate) granted: Vec<PrivateHost>,
    pub(crate) events: Vec<AuditEvent>,
    /// Slugs that entries beside this one are about to claim, in the same transaction.
    pub(crate) taken: Vec<Slug>,
}

/// Where the production route shall lead.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Destination {
    version: VersionText,
    url: Url,
}

// === impl Work ===

impl Work {
    /// Begins an entry that does not exist yet.
    pub(crate) fn begin(server: Server) -> Self {
        Self {
            before: None,
            server,
            versions: Vec::new(),
            routes: Vec::new(),
            granted: Vec::new(),
            events: Vec::new(),
            taken: Vec::new(),
        }
    }

    /// Opens one that does.
    pub(crate) fn open(entry: Entry) -> Self {
        Self {
            server: entry.server.clone(),
            versions: entry.versions.clone(),
            routes: entry.routes.clone(),
            before: Some(entry),
            granted: Vec::new(),
            events: Vec::new(),
            taken: Vec::new(),
        }
    }

    pub(crate) fn version(&self, version: &VersionText) -> Option<&Version> {
        self.versions
            .iter()
            .find(|candidate| candidate.version == *version)
    }

    pub(crate) fn version_mut(&mut self, version: &VersionText) -> Option<&mut Version> {
        self.versions
            .iter_mut()
            .find(|candidate| candidate.version == *version)
    }

    /// Adds a version, or replaces the one of that name.
    pub(crate) fn put(&mut self, version: Version) {
        match self.version_mut(&version.version) {
            Some(present) => *present = version,
            None => self.versions.insert(0, version),
        }
    }

    /// Whether anything of the entry is new or changed so far.
    pub(crate) fn is_touched(&self) -> bool {
        self.before
            .as_ref()
            .is_none_or(|entry| entry.server != self.server || entry.versions != self.versions)
    }

    /// Grants private hosts to the entry.
    pub(crate) fn grant(&mut self, hosts: &[PrivateHost], now: Timestamp) {
        for host in hosts {
            if !self.server.private_hosts.contains(host) {
                self.server.private_hosts.push(host.clone());
                self.server.updated_at = now;
                self.granted.push(host.clone());
            }
        }
    }

    /// Moves the mark. Both rows of a move are touched, so that mirrors that ask for what changed see both.
    fn mark_latest(&mut self, now: Timestamp) {
        let latest = latest_of(&self.versions);
        for (index, version) in self.versions.iter_mut().enumerate() {
            let is_latest = latest == Some(index);
            if version.is_latest != is_latest {
                version.is_latest = is_latest;
                version.updated_at = now;
            }
        }
    }

    /// The change that makes it so, if anything changed, and the entry as it is then.
    pub(crate) fn finish(self) -> (Option<EntryChange>, Entry) {
        let before = self.before.as_ref();
        let versions: Vec<Version> = self
            .versions
            .iter()
            .filter(|version| !before.is_some_and(|entry| entry.versions.contains(version)))
            .cloned()
            .collect();
        let routes: Vec<Route> = self
            .routes
            .iter()
            .filter(|route| !before.is_some_and(|entry| entry.routes.contains(route)))
            .cloned()
            .collect();
        let is_changed = before.is_none_or(|entry| entry.server != self.server)
            || !versions.is_empty()
            || !routes.is_empty();
        let entry = Entry {
            server: self.server.clone(),
            versions: self.versions,
            routes: self.routes,
            revision: before.map_or(0, |entry| entry.revision),
        };
        let change = is_changed.then(|| EntryChange {
            expected: before.map(|entry| entry.revision),
            server: self.server,
            versions,
            routes,
            events: self.events,
        });
        (change, entry)
    }
}

/// The production route of an entry.
pub(crate) fn production(routes: &[Route]) -> Option<&Route> {
    let production = Environment::production();
    routes.iter().find(|route| route.environment == production)
}

fn destination(versions: &[Version]) -> Option<Destination> {
    ranked(versions)
        .into_iter()
        .filter_map(|index| versions.get(index))
        .filter(|version| version.is_listed())
        .find_map(|version| {
            Some(Destination {
                version: version.version.clone(),
                url: upstream_of(&version.document)?,
            })
        })
}

// === impl Registry ===

impl Registry {
    /// Draws the conclusions from what was changed.
    pub(crate) async fn settle(&self, caller: &Caller, work: &mut Work) -> Result<(), RegistryError> {
        let now = self.parts.clock.now();
        work.mark_latest(now);
        self.note_grants(caller, work);
        let wanted = destination(&work.versions);
        let production = production(&work.routes).cloned();
        match (production, wanted) {
            (None, None) => {}
            (None, Some(destination)) => {
                let slug = slug::choose(self.parts.entries.as_ref(), &work.server.name, &work.taken).await?;
                let route = self.new_route(work, slug, &destination);
                let event = self.moved_event(caller, "route.create", &route, None);
                work.events.push(event);
                work.routes.push(route);
            }
            (Some(route), None) => self.stop(caller, work, route),
            (Some(route), Some(destination)) => self.lead(caller, work, route, &destination),
        }
        Ok(())
    }

    fn new_route(&self, work: &Work, slug: Slug, destination: &Destination) -> Route {
        let (clock, rng) = (self.parts.clock.as_ref(), self.parts.rng.as_ref());
        let now = clock.now();
        Route {
            id: RouteId::new(clock, rng),
            slug,
            server: work.server.name.clone(),
            environment: Environment::production(),
            version: destination.version.clone(),
            upstream_url: destination.url.to_string(),
            upstream_eras: Vec::new(),
            private_hosts: work.server.private_hosts.clone(),
            access: Access::Credential,
            state: RouteState::Active,
            pin_state: PinState::ToolsNotSeen,
            policies: Vec::new(),
            upstream_timeout_ms: DEFAULT_UPSTREAM_TIMEOUT_MS,
            revision: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// Nothing is left to serve.
    fn stop(&self, caller: &Caller, work: &mut Work, mut route: Route) {
        if route.state == RouteState::Inactive {
            return;
        }
        route.state = RouteState::Inactive;
        route.updated_at = self.parts.clock.now();
        let event = self.moved_event(caller, "route.stop", &route, None);
        work.events.push(event);
        replace(&mut work.routes, route);
    }

    /// Leads the route to where it shall go. A route that an admin switched off stays off; one that was off because
    /// nothing was left to serve comes back.
    fn lead(&self, caller: &Caller, work: &mut Work, mut route: Route, destination: &Destination) {
        let before = route.clone();
        let had_nothing = work
            .before
            .as_ref()
            .is_some_and(|entry| self::destination(&entry.versions).is_none());
        let url = destination.url.to_string();
        if route.upstream_url != url {
            route.upstream_eras = Vec::new();
            route.upstream_url = url;
        }
        route.version = destination.version.clone();
        route.private_hosts.clone_from(&work.server.private_hosts);
        if had_nothing {
            route.state = RouteState::Active;
        }
        if route == before {
            return;
        }
        route.updated_at = self.parts.clock.now();
        let action = if before.state == route.state {
            "route.move"
        } else {
            "route.start"
        };
        let event = self.moved_event(caller, action, &route, Some(&before));
        work.events.push(event);
        replace(&mut work.routes, route);
    }

    fn moved_event(
        &self,
        caller: &Caller,
        action: &str,
        route: &Route,
        before: Option<&Route>,
    ) -> AuditEvent {
        let mut event = self.event(caller, action, &route.server);
        event.route = Some(route.slug.to_string());
        event.detail = Some(json!({
            "version": route.version,
            "from": before.map(|route| route.version.as_str()),
            "upstream": origin(&route.upstream_url),
            "state": route.state,
        }));
        event
    }

    fn note_grants(&self, caller: &Caller, work: &mut Work) {
        if work.granted.is_empty() {
            return;
        }
        let hosts: Vec<String> = work.granted.iter().map(ToString::to_string).collect();
        let mut event = self.event(caller, "server.grant-private-hosts", &work.server.name);
        event.detail = Some(json!({ "privateHosts": hosts }));
        work.events.push(event);
    }
}

fn replace(routes: &mut [Route], route: Route) {
    if let Some(present) = routes.iter_mut().find(|present| present.id == route.id) {
        *present = route;
    }
}

/// The audit log names the place, not the path and the query, which may hold what is nobody's business.
fn origin(url: &str) -> Option<String> {
    Url::parse(url).ok().map(|url| url.origin().ascii_serialization())
}
