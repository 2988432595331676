//! What is approved at a member is approved at the virtual servers that it is a member of: who approved those said yes to
//! the member, and whoever looks after the member has looked at the tool.
//!
//! Before: somebody approved tools of a route, or its turn to be looked at has come. After: the gateway offers them.

use std::collections::BTreeSet;

use portreeve_core::caller::Caller;
use portreeve_core::members::VirtualServer;
use portreeve_core::ports::{ToolDecision, ToolsApproved};
use portreeve_core::route::{PinState, Route, RouteState};
use portreeve_core::tool::ToolState;
use serde_json::json;

use crate::observe::{Announce, Noted, Observer, Sighting, definitions};
use crate::registry::{Registry, event};
use crate::source::{ToolSource, ask};

impl Observer<'_> {
    /// Brings the pins of a virtual server to where those of its members are. What somebody hid stays hidden.
    pub(crate) async fn follow(
        &self,
        source: &dyn ToolSource,
        route: &Route,
        by: &Caller,
    ) -> Result<Noted, String> {
        let probe = ask(source, route, self.limits.probe).await?;
        let failed = |error: portreeve_core::ports::StoreError| error.to_string();
        let mut noted = self.eras(route, &probe.eras).await.map_err(failed)?;
        for (era, texts) in &probe.tools {
            let sighting = Sighting {
                route,
                era: *era,
                tools: definitions(texts, self.limits),
            };
            if self.complete(sighting, Announce::Silent).await.map_err(failed)? == Noted::Changed {
                noted = Noted::Changed;
            }
        }
        let tools = self.routes.tools(route.id).await.map_err(failed)?;
        let waiting = tools
            .into_iter()
            .filter(|tool| matches!(tool.state(), ToolState::New | ToolState::Changed))
            .filter_map(|tool| Some((tool.era, tool.live?)));
        let waiting: Vec<_> = waiting.collect();
        if waiting.is_empty() && route.pin_state == PinState::Pinned {
            return Ok(noted);
        }
        let names: BTreeSet<String> = waiting.iter().map(|(_, tool)| tool.name.clone()).collect();
        let mut said = event(self.clock, self.rng, by, "tools.follow", &route.server);
        said.route = Some(route.slug.to_string());
        said.detail = Some(json!({
            "count": names.len(),
            "tools": names.iter().take(100).collect::<Vec<_>>(),
        }));
        let decisions = waiting.into_iter();
        let approved = ToolsApproved {
            route: route.id,
            decisions: decisions
                .map(|(era, tool)| ToolDecision::Approve(era, tool))
                .collect(),
            pin_state: PinState::Pinned,
            by: by.label.to_string(),
            at: self.clock.now(),
            events: vec![said],
        };
        self.routes.tools_approved(approved).await.map_err(failed)?;
        Ok(Noted::Changed)
    }
}

impl Registry {
    /// Lets the virtual servers follow that a route is a member of. Never fails: what was decided stands, and the watch over
    /// the pins brings it there later.
    pub(crate) async fn let_follow(&self, caller: &Caller, member: &Route) {
        let all = match self.parts.names.virtual_routes().await {
            Ok(all) => all,
            Err(error) => {
                tracing::warn!(member = %member.slug, %error, "The virtual servers of a member follow later.");
                return;
            }
        };
        let observer = Observer {
            routes: self.parts.routes.as_ref(),
            clock: self.parts.clock.as_ref(),
            rng: self.parts.rng.as_ref(),
            limits: &self.parts.limits,
        };
        for route in all.iter().filter(|route| route.state == RouteState::Active) {
            let server = VirtualServer::at(&route.upstream_url);
            if server.is_none_or(|server| server.member(&member.slug).is_none()) {
                continue;
            }
            if let Err(reason) = observer.follow(self.parts.source.as_ref(), route, caller).await {
                tracing::warn!(route = %route.slug, reason, "A virtual server follows its member later.");
            }
        }
    }
}
