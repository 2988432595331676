//! What is approved without a person: by a rule of the configuration file or of a registry, whichever way it came in. A rule
//! opens no door that is closed to people: what lacks a required property, or is stopped by its assessment, waits.
//!
//! Before: `publish`, `publishing` or `approve` saved a version that waits. After: what a person's approval would bring about.

use portreeve_core::caller::Caller;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::Entry;
use portreeve_core::server::{Approval, Version};

use crate::approve::Verdict;
use crate::error::RegistryError;
use crate::properties::Known;
use crate::publish::Outcome;
use crate::registry::Registry;
use crate::work::Work;

// === impl Registry ===

impl Registry {
    /// The rule that approves submissions of this server at once, by its name: `registry:partners`, or the pattern of the
    /// configuration file.
    pub(crate) fn approving_rule(&self, name: &ServerName) -> Option<String> {
        let registries = self.parts.views.registries();
        let of_registry = registries
            .iter()
            .find(|record| record.auto_approve.iter().any(|rule| rule.matches(name)));
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
        if self.parts.assessment.block.is_some() {
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
        let Some(rule) = self.approving_rule(&version.name) else {
            return Ok(None);
        };
        let reason = format!("the rule `{rule}` approves it");
        let verdict = Verdict {
            chosen: version,
            granted: &[],
            plan: None,
            before: &entry.routes,
            reason: Some(&reason),
        };
        match self.approve_version(&Caller::system(), verdict).await {
            Ok(outcome) => Ok(Some(outcome)),
            Err(error @ RegistryError::Store(_)) => Err(error),
            Err(refused) => {
                let (server, version) = (version.name.as_str(), version.version.as_str());
                tracing::info!(server, version, rule, %refused, "What a rule covers waits for a person.");
                Ok(None)
            }
        }
    }
}
