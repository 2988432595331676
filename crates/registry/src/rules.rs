//! What is approved without a person: by a rule of the configuration file or of a registry, whichever way it came in. A rule
//! opens no door that is closed to people: what lacks a required property, or is stopped by its assessment, waits. It
//! speaks of versions alone: deployments that somebody proposed wait on.
//!
//! Before: `publish`, `publishing` or `approve` saved a version that waits. After: what a person's approval would bring about.

use std::collections::BTreeSet;

use portreeve_core::caller::Caller;
use portreeve_core::name::{Environment, VersionText};
use portreeve_core::ports::Entry;
use portreeve_core::server::{Approval, Server, Version};
use portreeve_core::view::{RegistryRecord, Selection};

use crate::approve::{Verdict, Waiting};
use crate::destination::destinations;
use crate::error::RegistryError;
use crate::properties::Known;
use crate::publish::Outcome;
use crate::registry::Registry;
use crate::work::Work;

/// A version that waits, in its entry.
#[derive(Clone, Copy)]
pub(crate) struct Candidacy<'a> {
    pub(crate) server: &'a Server,
    pub(crate) versions: &'a [Version],
    pub(crate) version: &'a Version,
}

// === impl Candidacy ===

impl Candidacy<'_> {
    /// Whether a registry would hold it, if it were approved: a rule of a registry speaks of what is in there, and lets
    /// nothing pass into places that the registry does not show.
    fn is_for(self, selection: &Selection) -> bool {
        selection.concerns(self.server)
            && (selection.lifecycles.is_empty() || selection.lifecycles.contains(&self.version.lifecycle))
            && (selection.environments.is_empty() || self.stays_within(&selection.environments))
    }

    fn stays_within(self, environments: &BTreeSet<Environment>) -> bool {
        let approved = |version: &Version| {
            let mut version = version.clone();
            if version.version == self.version.version {
                version.approval = Approval::Approved;
            }
            version
        };
        let versions: Vec<Version> = self.versions.iter().map(approved).collect();
        let mut places = destinations(self.server, &versions);
        places.retain(|_, destination| destination.version == self.version.version);
        !places.is_empty()
            && places
                .keys()
                .all(|place| environments.contains(&place.environment))
    }
}

// === impl Registry ===

impl Registry {
    /// The rule that approves this submission at once, by its name: `registry:partners`, or the pattern of the
    /// configuration file.
    pub(crate) fn approving_rule(&self, of: Candidacy<'_>) -> Option<String> {
        let name = &of.server.name;
        let speaks = |record: &&RegistryRecord| {
            record.auto_approve.iter().any(|rule| rule.matches(name)) && of.is_for(&record.selection)
        };
        let registries = self.parts.views.registries();
        let of_registry = registries.iter().find(speaks);
        let of_registry = of_registry.map(|record| format!("registry:{}", record.name));
        of_registry.or_else(|| {
            let mut rules = self.parts.auto_approve.iter();
            rules.find(|rule| rule.covers(name)).map(ToString::to_string)
        })
    }

    /// Why no rule approves what is in an entry in the transaction that brings it in.
    pub(crate) fn held_back(
        &self,
        work: &Work,
        version: &VersionText,
        known: &Known,
    ) -> Option<&'static str> {
        if self.parts.assessment.is_strict() {
            return Some("its assessment comes first");
        }
        let lacks = self.require_complete(work, Some(version), known).is_err();
        lacks.then_some("it lacks a required property")
    }

    /// Approves a version that waits, if a rule covers it. `None`: none does, or a person could not approve it either.
    pub(crate) async fn pass_by_rule(
        &self,
        entry: &Entry,
        version: &Version,
    ) -> Result<Option<Outcome>, RegistryError> {
        if version.approval != Approval::Submitted {
            return Ok(None);
        }
        let candidacy = Candidacy {
            server: &entry.server,
            versions: &entry.versions,
            version,
        };
        let Some(rule) = self.approving_rule(candidacy) else {
            return Ok(None);
        };
        let reason = format!("the rule `{rule}` approves it");
        let approved = self
            .approve_version(&Caller::system(), by_rule(entry, version, &reason))
            .await;
        or_waits(approved, version, &reason)
    }
}

/// The verdict of a rule. Deployments that wait are left to a person.
pub(crate) fn by_rule<'a>(entry: &'a Entry, version: &'a Version, reason: &'a str) -> Verdict<'a> {
    Verdict {
        chosen: version,
        granted: &[],
        plan: None,
        before: &entry.routes,
        reason: Some(reason),
        waiting: Waiting::Left,
    }
}

/// What a rule approved; nothing if a person could not approve it either.
pub(crate) fn or_waits(
    approved: Result<Outcome, RegistryError>,
    version: &Version,
    reason: &str,
) -> Result<Option<Outcome>, RegistryError> {
    match approved {
        Ok(outcome) => Ok(Some(outcome)),
        Err(error @ RegistryError::Store(_)) => Err(error),
        Err(refused) => {
            let (server, version) = (version.name.as_str(), version.version.as_str());
            tracing::info!(server, version, reason, %refused, "What a rule covers waits for a person.");
            Ok(None)
        }
    }
}
