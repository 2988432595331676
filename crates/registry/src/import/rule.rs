//! What the rule of a run approves: what it covers, unless a person must look first. A rule may wait for the assessment,
//! because findings stop approvals here or because it asks for a score; then it is asked again once that is there.
//!
//! Before: `desk` takes a version in, or `assess` judged one. After: it is approved as a person would have, or waits.

use portreeve_core::caller::Caller;
use portreeve_core::import::{Finding, ImportRun};
use portreeve_core::name::ServerName;
use portreeve_core::ports::Entry;
use portreeve_core::server::{Approval, Lifecycle, Version};

use super::desk::{Desk, folded};
use super::{Candidate, finding};
use crate::assess::Assessment;
use crate::error::RegistryError;
use crate::registry::Registry;
use crate::rules;

/// What a rule says about a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ruling {
    /// It does not speak of it.
    Nothing,
    /// It would approve it, but a person must decide; why.
    Person(String),
    /// It approves it when its assessment says nothing against that.
    AfterAssessment,
    /// It approves it, and how it is called.
    Approves(String),
}

// === impl Ruling ===

impl Ruling {
    /// What the report says.
    pub(super) fn said(&self) -> Vec<Finding> {
        match self {
            Self::Nothing | Self::Approves(_) => Vec::new(),
            Self::Person(reason) => vec![finding("$", format!("it was not approved by rule: {reason}"))],
            Self::AfterAssessment => {
                let said = "it was not approved by rule yet: its assessment comes first";
                vec![finding("$", said)]
            }
        }
    }

    /// What came before the rule did waits for a person, whatever becomes of its content; what waits for its assessment
    /// goes on doing so.
    pub(super) fn after_a_change(self) -> Self {
        match self {
            Self::Approves(_) => Self::Nothing,
            other => other,
        }
    }
}

// === impl Desk ===

impl Desk<'_> {
    /// What the rule of this run says about a version that is taken in.
    pub(super) fn ruling(&self, candidate: &Candidate, name: &ServerName) -> Ruling {
        let approval = &self.run.approval;
        let Some(rule) = approval.rule(name) else {
            return Ruling::Nothing;
        };
        if candidate.needs_eyes {
            return Ruling::Person("somebody must look at it first".to_owned());
        }
        if let Some(work) = self.works.get(&folded(name)) {
            if let Some(registry) = self.registry.four_eyes(&work.server) {
                return Ruling::Person(format!(
                    "registry `{}` wants another approver than who imports it",
                    registry.name
                ));
            }
            if !self.known.of_entry(&work.server, None).is_empty() {
                return Ruling::Person("it lacks a required property".to_owned());
            }
        }
        if self.registry.parts.assessment.block.is_some() || approval.minimum_score.is_some() {
            return Ruling::AfterAssessment;
        }
        Ruling::Approves(rule.to_owned())
    }
}

// === impl Registry ===

impl Registry {
    /// Approves a version that came with an import whose rule waited for this assessment, if it says nothing against that.
    pub(crate) async fn pass_imported(
        &self,
        entry: &Entry,
        version: &Version,
        assessment: &Assessment,
    ) -> Result<(), RegistryError> {
        if version.approval != Approval::Submitted
            || version.lifecycle == Lifecycle::Retired
            || assessment.blocked
            || assessment.content_hash != version.content_hash
        {
            return Ok(());
        }
        let Some(run) = self.waiting_rule(version).await? else {
            return Ok(());
        };
        let Some(rule) = run.approval.rule(&version.name) else {
            return Ok(());
        };
        let is_enough = |least: u8| assessment.score >= least;
        if !run.approval.minimum_score.is_none_or(is_enough) || self.four_eyes(&entry.server).is_some() {
            return Ok(());
        }
        let reason = format!("the rule `{rule}` of import `{}` approves it", run.id);
        let verdict = rules::by_rule(entry, version, &reason);
        let approved = self.approve_judged(&Caller::system(), verdict, None).await;
        rules::or_waits(approved, version, &reason).map(drop)
    }

    /// Whether a rule may approve a version once it was judged.
    pub(crate) async fn awaits_rule(&self, version: &Version) -> Result<bool, RegistryError> {
        Ok(self.waiting_rule(version).await?.is_some())
    }

    /// The run whose rule waited for the assessment of a version.
    async fn waiting_rule(&self, version: &Version) -> Result<Option<ImportRun>, RegistryError> {
        let names = std::slice::from_ref(&version.name);
        let origins = self.parts.imports.provenance(names).await?;
        let mut origins = origins.into_iter();
        let waits = origins.find(|origin| origin.version == version.version && origin.awaits_assessment);
        match waits {
            Some(origin) => Ok(self.parts.imports.import(origin.import).await?),
            None => Ok(None),
        }
    }
}
