//! What members have, under the names that the virtual server gives it. Tools are named when they are approved; prompts, which
//! nobody approves, when they are seen first.

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::id::EventId;
use portreeve_core::members::{Given, Kind, Naming, give};
use portreeve_core::name::Slug;
use serde_json::json;

use super::Members;
use super::asking::Asking;
use super::lists::{Shown, item, text_of};
use super::pages::Item;

/// Names in one audit event.
const MOST_NAMES: usize = 100;

impl Members {
    /// The items of lists under their names.
    pub(super) async fn named(&self, asking: &Asking<'_>, kind: Kind, shown: &[Shown]) -> Vec<Item> {
        let own: Vec<Vec<String>> = shown
            .iter()
            .map(|shown| {
                let all = shown.items.iter();
                all.map(|item| text_of(item, "name").unwrap_or_default())
                    .collect()
            })
            .collect();
        let fresh = match kind {
            Kind::Prompt => self.name_prompts(asking, shown, &own).await,
            Kind::Tool => None,
        };
        let naming = fresh.as_ref().unwrap_or(&self.naming);
        let mut items = Vec::new();
        for (shown, own) in shown.iter().zip(&own) {
            let mut seen = std::collections::HashSet::new();
            for (raw, own) in shown.items.iter().zip(own) {
                let name = naming.name(kind, &shown.peer.slug, own);
                let name = name.filter(|_| kind != Kind::Tool || shown.peer.shows(asking, own));
                if let Some(name) = name.filter(|_| seen.insert(own.as_str())) {
                    items.extend(item(shown, own, raw, name));
                }
            }
        }
        items
    }

    /// Names prompts that have no name yet. `None`: all have one.
    async fn name_prompts(
        &self,
        asking: &Asking<'_>,
        shown: &[Shown],
        own: &[Vec<String>],
    ) -> Option<Naming> {
        let lists: Vec<(&Slug, Vec<&str>)> = shown
            .iter()
            .zip(own)
            .map(|(shown, own)| (&shown.peer.slug, own.iter().map(String::as_str).collect()))
            .collect();
        let new = give(&self.server, Kind::Prompt, &self.given, &lists);
        if new.is_empty() {
            return None;
        }
        let said = self.said(asking, &new);
        match self
            .commons
            .names
            .give(&self.route.server, &new, vec![said])
            .await
        {
            Ok(()) => {
                if let Err(error) = asking.gateway.loader.load().await {
                    tracing::warn!(%error, "names were given, but cannot be brought into force yet");
                }
                Some(Naming::of(self.given.iter().cloned().chain(new)))
            }
            Err(error) => {
                // Another node was faster, or there is no store: they are shown once they have names.
                tracing::info!(route = %self.route.slug, %error, "prompts of members could not be named");
                None
            }
        }
    }

    fn said(&self, asking: &Asking<'_>, new: &[Given]) -> AuditEvent {
        let (clock, rng) = (&*asking.gateway.sinks.clock, &*asking.gateway.sinks.rng);
        let mut event = AuditEvent::new(
            EventId::new(clock, rng),
            clock.now(),
            "names.give",
            &Caller::system(),
        );
        event.server = Some(self.route.server.to_string());
        event.route = Some(self.route.slug.to_string());
        let names = new.iter().take(MOST_NAMES);
        let names = names.map(|given| json!({"name": given.name, "member": given.member, "own": given.own}));
        event.detail = Some(json!({"count": new.len(), "names": names.collect::<Vec<_>>()}));
        event
    }
}
