//! Live tools against stored ones: writes down what was seen, and says when it is not what was approved.
//!
//! Before: a probe, a refresh, or a list that passed the gateway. After: whoever approves compares the two.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_core::caller::Caller;
use portreeve_core::limits::Limits;
use portreeve_core::ports::{RouteStore, StoreError, ToolsSeen};
use portreeve_core::protocol::Era;
use portreeve_core::random::Rng;
use portreeve_core::route::Route;
use portreeve_core::time::Clock;
use portreeve_core::tool::{Tool, ToolDefinition};
use portreeve_inspect::tool_definition;
use serde_json::json;

use crate::registry::event;

/// Names in one audit event.
const MOST_NAMES: usize = 100;

/// Whether a difference is written into the audit log by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announce {
    /// As `tools.drift`.
    Drift,
    /// It is not: an approval of the same tools follows and says more.
    Silent,
}

/// Whether anything was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noted {
    /// The store says something else than before.
    Changed,
    /// It was known already.
    Known,
}

/// A list as it was seen.
pub(crate) struct Sighting<'a> {
    pub(crate) route: &'a Route,
    /// The era of the hop.
    pub(crate) era: Era,
    pub(crate) tools: Vec<ToolDefinition>,
}

/// Writes down what is seen.
#[derive(Clone, Copy)]
pub(crate) struct Observer<'a> {
    pub(crate) routes: &'a dyn RouteStore,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) rng: &'a dyn Rng,
    pub(crate) limits: &'a Limits,
}

/// What differs between what was seen and what the store says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    /// Not what was seen last.
    fresh: Vec<ToolDefinition>,
    /// Of those: never approved.
    new: BTreeSet<String>,
    /// Of those: approved in other words.
    changed: BTreeSet<String>,
    /// Seen last, and not any more.
    gone: BTreeSet<String>,
}

/// Reads what an upstream sent. What is no tool definition is left out: it cannot be called through the gateway.
pub(crate) fn definitions(texts: &[String], limits: &Limits) -> Vec<ToolDefinition> {
    let mut names = BTreeSet::new();
    let mut found = Vec::new();
    for text in texts.iter().take(limits.tools_per_server) {
        if text.len() > limits.tool_definition_bytes {
            tracing::warn!(
                bytes = text.len(),
                "A tool list holds a definition that is too large."
            );
            continue;
        }
        match tool_definition(text) {
            Ok(tool) if names.insert(tool.name.clone()) => found.push(tool),
            Ok(tool) => tracing::warn!(
                tool = tool.name,
                "A tool list names a tool twice; the first counts."
            ),
            Err(error) => tracing::warn!(%error, "A tool list holds something that is not a tool."),
        }
    }
    found
}

/// A server that makes up new names for every list must not fill the store: beyond the limit only tools that are known
/// already are kept. A complete list has this limit of its own. Says whether all were kept.
fn keep_within(limit: usize, known: &[Tool], era: Era, tools: &mut Vec<ToolDefinition>) -> bool {
    let names: BTreeSet<&str> = known
        .iter()
        .filter(|tool| tool.era == era)
        .map(|tool| tool.name.as_str())
        .collect();
    let (mut room, before) = (limit.saturating_sub(names.len()), tools.len());
    tools.retain(|tool| {
        let is_known = names.contains(tool.name.as_str());
        let fits = is_known || room > 0;
        room = room.saturating_sub(usize::from(!is_known));
        fits
    });
    tools.len() == before
}

// === impl Observer ===

impl Observer<'_> {
    /// Notes a complete list: tools that are not in it are gone.
    pub(crate) async fn complete(
        &self,
        sighting: Sighting<'_>,
        announce: Announce,
    ) -> Result<Noted, StoreError> {
        let known = self.routes.tools(sighting.route.id).await?;
        let difference = Difference::between(&known, sighting.era, &sighting.tools, true);
        self.write(sighting, difference, announce).await
    }

    /// Notes tools that were seen, perhaps among others.
    pub(crate) async fn part(&self, mut sighting: Sighting<'_>) -> Result<Noted, StoreError> {
        let known = self.routes.tools(sighting.route.id).await?;
        if !keep_within(
            self.limits.tools_per_server,
            &known,
            sighting.era,
            &mut sighting.tools,
        ) {
            tracing::warn!(route = %sighting.route.slug, "A server shows more tools than are kept.");
        }
        let difference = Difference::between(&known, sighting.era, &sighting.tools, false);
        self.write(sighting, difference, Announce::Drift).await
    }

    /// Notes the eras that an upstream speaks.
    pub(crate) async fn eras(&self, route: &Route, eras: &[Era]) -> Result<Noted, StoreError> {
        let mut eras = eras.to_vec();
        eras.sort();
        eras.dedup();
        if eras.is_empty() || eras == route.upstream_eras {
            return Ok(Noted::Known);
        }
        self.routes.note_eras(route.id, &eras).await?;
        Ok(Noted::Changed)
    }

    async fn write(
        &self,
        sighting: Sighting<'_>,
        difference: Difference,
        announce: Announce,
    ) -> Result<Noted, StoreError> {
        let Sighting { route, era, tools } = sighting;
        if difference.fresh.is_empty() && difference.gone.is_empty() {
            return Ok(Noted::Known);
        }
        let mut events = Vec::new();
        if announce == Announce::Drift && difference.is_drift() {
            let mut drift = event(
                self.clock,
                self.rng,
                &Caller::system(),
                "tools.drift",
                &route.server,
            );
            drift.route = Some(route.slug.to_string());
            drift.detail = Some(difference.detail(era));
            events.push(drift);
        }
        // Only a list that took tools away needs to be written as a whole.
        let complete = !difference.gone.is_empty();
        let seen = ToolsSeen {
            route: route.id,
            era,
            tools: if complete { tools } else { difference.fresh },
            complete,
            at: self.clock.now(),
            events,
        };
        self.routes.tools_seen(seen).await?;
        Ok(Noted::Changed)
    }
}

// === impl Difference ===

impl Difference {
    fn between(known: &[Tool], era: Era, seen: &[ToolDefinition], complete: bool) -> Self {
        let known: BTreeMap<&str, &Tool> = known
            .iter()
            .filter(|tool| tool.era == era)
            .map(|tool| (tool.name.as_str(), tool))
            .collect();
        let mut difference = Self::default();
        for tool in seen {
            let stored = known.get(tool.name.as_str());
            let live = stored.and_then(|stored| stored.live.as_ref());
            if live.is_some_and(|live| live.hash == tool.hash) {
                continue;
            }
            difference.fresh.push(tool.clone());
            match stored.and_then(|stored| stored.approved.as_ref()) {
                None => drop(difference.new.insert(tool.name.clone())),
                Some(approved) if approved.hash != tool.hash => {
                    difference.changed.insert(tool.name.clone());
                }
                Some(_) => {}
            }
        }
        if complete {
            let names: BTreeSet<&str> = seen.iter().map(|tool| tool.name.as_str()).collect();
            let gone = known
                .values()
                .filter(|tool| tool.live.is_some() && !names.contains(tool.name.as_str()));
            difference.gone = gone.map(|tool| tool.name.clone()).collect();
        }
        difference
    }

    /// Whether this is more than a tool that came back as it was approved.
    fn is_drift(&self) -> bool {
        !(self.new.is_empty() && self.changed.is_empty() && self.gone.is_empty())
    }

    fn detail(&self, era: Era) -> serde_json::Value {
        let names = |set: &BTreeSet<String>| set.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>();
        json!({
            "era": era,
            "new": names(&self.new),
            "changed": names(&self.changed),
            "gone": names(&self.gone),
            "count": self.new.len() + self.changed.len() + self.gone.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str) -> ToolDefinition {
        tool_definition(&format!(r#"{{"name":"{name}"}}"#)).unwrap()
    }

    #[test]
    fn made_up_names_do_not_pile_up() {
        let known: Vec<Tool> = ["a", "b"]
            .map(|name| Tool {
                name: name.to_owned(),
                era: Era::Modern,
                approved: None,
                live: Some(seen(name)),
                hidden: false,
                approved_by: None,
                approved_at: None,
                seen_at: None,
            })
            .to_vec();
        let mut tools = ["x", "y", "a", "z"].map(seen).to_vec();
        assert!(!keep_within(3, &known, Era::Modern, &mut tools));
        let names: Vec<_> = tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, ["x", "a"]);
        let mut tools = ["x", "y", "z"].map(seen).to_vec();
        assert!(
            keep_within(3, &known, Era::Legacy, &mut tools),
            "each era has its own"
        );
    }

    #[test]
    fn a_definition_that_is_too_large_is_left_out() {
        let limits = Limits::default();
        let large = format!(
            r#"{{"name":"a","description":"{}"}}"#,
            "x".repeat(limits.tool_definition_bytes)
        );
        let found = definitions(&[large, r#"{"name":"b"}"#.to_owned()], &limits);
        assert_eq!(found.len(), 1);
    }
}
