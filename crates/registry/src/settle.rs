//! What follows from a change of an entry: which version is the latest, and where each of its routes leads.
//!
//! Before: `publish`, `approve` or `deployments` changed versions or deployments (`work.rs`); `destination.rs` says
//! where the routes shall lead. After: everything is saved as one. A route is never given to another place: it is made,
//! moved, stopped and started again, and keeps its slug.

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::deployment::Place;
use portreeve_core::id::RouteId;
use portreeve_core::name::Slug;
use portreeve_core::route::{Access, DEFAULT_UPSTREAM_TIMEOUT_MS, PinState, Route, RouteState};
use serde_json::json;
use url::Url;

use crate::destination::{Destination, destinations};
use crate::error::RegistryError;
use crate::registry::Registry;
use crate::slug;
use crate::work::Work;

/// The production route of an entry.
pub(crate) fn production(routes: &[Route]) -> Option<&Route> {
    let production = Place::production();
    routes.iter().find(|route| route.place() == production)
}

// === impl Registry ===

impl Registry {
    /// Draws the conclusions from what was changed.
    pub(crate) async fn settle(&self, caller: &Caller, work: &mut Work) -> Result<(), RegistryError> {
        let now = self.parts.clock.now();
        work.mark_latest(now);
        self.note_grants(caller, work);
        let mut wanted = destinations(&work.server, &work.versions);
        for route in work.routes.clone() {
            match wanted.remove(&route.place()) {
                Some(destination) => self.lead(caller, work, route, &destination),
                None => self.stop(caller, work, route),
            }
        }
        // Places are in order, so production comes first and the others take its slug as their base.
        let mut places: Vec<_> = wanted.into_iter().collect();
        places.sort_by_key(|(place, _)| *place != Place::production());
        for (place, destination) in places {
            let slug = slug::choose(
                self.parts.entries.as_ref(),
                &work.server.name,
                &place,
                (&work.routes, &work.taken),
            )
            .await?;
            let route = self.new_route(work, (slug, place), &destination);
            let event = self.moved_event(caller, "route.create", &route, None);
            work.events.push(event);
            work.routes.push(route);
        }
        match work.agreed.clone() {
            Some(agreed) => agreed.check(work),
            None => Ok(()),
        }
    }

    fn new_route(&self, work: &Work, (slug, place): (Slug, Place), destination: &Destination) -> Route {
        let (clock, rng) = (self.parts.clock.as_ref(), self.parts.rng.as_ref());
        let now = clock.now();
        Route {
            id: RouteId::new(clock, rng),
            slug,
            server: work.server.name.clone(),
            environment: place.environment,
            major: place.major,
            version: destination.version.clone(),
            upstream_url: destination.url.to_string(),
            upstream_eras: Vec::new(),
            private_hosts: work.server.private_hosts.clone(),
            access: Access::Credential,
            state: RouteState::Active,
            pin_state: PinState::ToolsNotSeen,
            policies: Vec::new(),
            upstream_timeout_ms: DEFAULT_UPSTREAM_TIMEOUT_MS,
            protocol: Default::default(),
            session_affinity: Default::default(),
            server_requests: Default::default(),
            list_cache_ms: 0,
            credentials: Default::default(),
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
            .is_some_and(|entry| !destinations(&entry.server, &entry.versions).contains_key(&route.place()));
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
            "place": route.place().to_string(),
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
