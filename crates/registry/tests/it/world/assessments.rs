//! Assessments in memory, with the promises of the port.

use std::collections::BTreeSet;

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::{AssessmentStore, Imported, Sought, StoreError, StoredAssessment, Unassessed};
use portreeve_core::server::{Approval, Lifecycle, Version};
use portreeve_core::time::Timestamp;

use super::store::Memory;

#[async_trait]
impl AssessmentStore for Memory {
    async fn assessment(
        &self,
        name: &ServerName,
        version: &VersionText,
    ) -> Result<Option<StoredAssessment>, StoreError> {
        Ok(self.assessments().get(&(name.clone(), version.clone())).cloned())
    }

    async fn save_assessment(
        &self,
        assessment: &StoredAssessment,
        events: &[AuditEvent],
    ) -> Result<(), StoreError> {
        let key = (assessment.name.clone(), assessment.version.clone());
        self.assessments().insert(key, assessment.clone());
        self.note(events);
        Ok(())
    }

    async fn unassessed(
        &self,
        since: Timestamp,
        sought: Sought,
        behind: Option<&ServerName>,
        among: u32,
    ) -> Result<Unassessed, StoreError> {
        let versions = self.versions();
        let tables = self.tables();
        let is_left = |version: &Version| {
            let key = (version.name.to_string(), version.version.to_string());
            let origin = tables.provenance.get(&key);
            sought == Sought::Waiting(Imported::Left)
                && origin.is_some_and(|origin| !origin.awaits_assessment)
        };
        let names: BTreeSet<_> = versions
            .iter()
            .map(|version| version.name.clone())
            .filter(|name| behind.is_none_or(|behind| name > behind))
            .collect();
        let last = names.iter().nth(among as usize - 1).cloned();
        let known = self.assessments();
        let waits = versions.into_iter().filter(|version| {
            let is_open = (version.approval == Approval::Approved) == (sought == Sought::Listed)
                && matches!(version.approval, Approval::Submitted | Approval::Approved)
                && version.lifecycle != Lifecycle::Retired;
            let stored = known.get(&(version.name.clone(), version.version.clone()));
            names.contains(&version.name)
                && last.as_ref().is_none_or(|last| version.name <= *last)
                && is_open
                && !is_left(version)
                && stored
                    .is_none_or(|stored| stored.at < since || stored.content_hash != version.content_hash)
        });
        let versions = waits.map(|version| (version.name, version.version)).collect();
        Ok(Unassessed { versions, last })
    }
}
