//! The probe at approval: what is seen now is what was approved.
//!
//! Before: the approval is saved. After: the route's tools are pinned, or stay unseen with a reason.

use std::collections::BTreeSet;

use portreeve_core::caller::Caller;
use portreeve_core::ports::{StoreError, ToolDecision, ToolsApproved};
use portreeve_core::route::{PinState, Route};
use portreeve_core::server::Version;
use serde_json::json;

use crate::observe::{Announce, Observer, Sighting, definitions};
use crate::publish::ToolsOutcome;
use crate::registry::Registry;
use crate::source::{Probe, ask};

impl Registry {
    /// Asks the upstream for its tools and approves exactly what it answers. Never fails: the approval stands.
    pub(crate) async fn pin_as_seen(
        &self,
        caller: &Caller,
        route: &Route,
        version: &Version,
    ) -> ToolsOutcome {
        let probe = match ask(self.parts.source.as_ref(), route, self.parts.limits.probe).await {
            Ok(probe) => probe,
            Err(reason) => {
                tracing::info!(route = %route.slug, reason, "The tools could not be seen at approval.");
                return ToolsOutcome::NotSeen { reason };
            }
        };
        if let Some(reason) = self.stops(route, &probe).await {
            tracing::info!(route = %route.slug, reason, "The tools seen at approval wait for a review.");
            return ToolsOutcome::NotSeen { reason };
        }
        match self.pin(caller, route, version, probe).await {
            Ok(count) => {
                self.let_follow(caller, route).await;
                self.parts.refresh.refresh().await;
                ToolsOutcome::Pinned(count)
            }
            Err(error) => {
                tracing::warn!(route = %route.slug, %error, "The tools seen at approval could not be stored.");
                ToolsOutcome::NotSeen {
                    reason: error.to_string(),
                }
            }
        }
    }

    async fn pin(
        &self,
        caller: &Caller,
        route: &Route,
        version: &Version,
        probe: Probe,
    ) -> Result<usize, StoreError> {
        let observer = Observer {
            routes: self.parts.routes.as_ref(),
            clock: self.parts.clock.as_ref(),
            rng: self.parts.rng.as_ref(),
            limits: &self.parts.limits,
        };
        let hidden = self.hidden_tools(route).await?;
        let mut decisions = Vec::new();
        let mut names = BTreeSet::new();
        for (era, texts) in &probe.tools {
            let seen = definitions(texts, &self.parts.limits);
            let sighting = Sighting {
                route,
                era: *era,
                tools: seen.clone(),
            };
            observer.complete(sighting, Announce::Silent).await?;
            for tool in seen {
                // An approval takes the hidden mark away; what an admin hid stays hidden.
                if !hidden.contains(&tool.name) {
                    names.insert(tool.name.clone());
                    decisions.push(ToolDecision::Approve(*era, tool));
                }
            }
        }
        observer
            .eras(route, &probe.eras_beside(&route.upstream_eras))
            .await?;
        let mut event = self.event(caller, "tools.approve", &route.server);
        event.route = Some(route.slug.to_string());
        event.detail = Some(json!({
            "version": version.version,
            "contentHash": version.content_hash,
            "count": names.len(),
            "tools": names.iter().take(100).collect::<Vec<_>>(),
        }));
        let approved = ToolsApproved {
            route: route.id,
            decisions,
            pin_state: PinState::Pinned,
            by: caller.label.to_string(),
            at: self.parts.clock.now(),
            events: vec![event],
        };
        self.parts.routes.tools_approved(approved).await?;
        Ok(names.len())
    }

    async fn hidden_tools(&self, route: &Route) -> Result<BTreeSet<String>, StoreError> {
        let tools = self.parts.routes.tools(route.id).await?;
        Ok(tools
            .into_iter()
            .filter(|tool| tool.hidden)
            .map(|tool| tool.name)
            .collect())
    }
}
