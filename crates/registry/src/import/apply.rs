//! Candidates against what is there: what becomes of each, and everything of a batch saved as one.
//!
//! Before: an importer read the records. After: the catalogue is brought into force once, and `search` follows. What is
//! there already stays: the first source wins, an approved version never changes, and a second run finds nothing to do.

use std::collections::HashMap;

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::id::EventId;
use portreeve_core::import::{ImportMode, ImportRun, ImportedRecord, RecordOutcome};
use portreeve_core::name::ServerName;
use portreeve_core::ports::{EntryChange, ImportBatch, StoreError};
use serde_json::json;

use super::Candidate;
use super::desk::{Desk, folded};
use crate::error::RegistryError;
use crate::registry::Registry;
use crate::work::Work;

/// How often a batch is tried again after somebody changed one of its entries.
const RETRIES: u32 = 3;
/// Versions that one audit event names.
const NAMED: usize = 100;

// === impl Registry ===

impl Registry {
    /// Takes candidates in, and returns what became of those about which something is to be said. Counts are kept in
    /// the run, which is saved with them.
    pub(super) async fn apply(
        &self,
        caller: &Caller,
        run: &mut ImportRun,
        candidates: &[Candidate],
    ) -> Result<Vec<ImportedRecord>, RegistryError> {
        let mut tries = 0;
        loop {
            let mut after = run.clone();
            let (batch, records) = self.prepare(caller, &mut after, candidates).await?;
            let moves = batch.entries.iter().any(|entry| !entry.routes.is_empty());
            let awaited = batch.provenance.iter().filter(|origin| origin.awaits_assessment);
            let awaited = awaited
                .map(|origin| (origin.server.clone(), origin.version.clone()))
                .collect();
            match self.parts.imports.save_import(batch).await {
                Ok(()) => {
                    *run = after;
                    self.submitted.put_imported(awaited);
                    if moves {
                        self.parts.refresh.refresh().await;
                    }
                    return Ok(records);
                }
                Err(StoreError::Conflict { .. }) if tries < RETRIES => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn prepare(
        &self,
        caller: &Caller,
        run: &mut ImportRun,
        candidates: &[Candidate],
    ) -> Result<(ImportBatch, Vec<ImportedRecord>), RegistryError> {
        let mut desk = self.desk(caller, run, candidates).await?;
        let mut counts = run.counts;
        let mut records = Vec::new();
        for candidate in candidates {
            let (outcome, said) = desk.decide(candidate);
            let findings = [candidate.findings.clone(), said].concat();
            counts.note(outcome, &findings);
            if findings.is_empty() && matches!(outcome, RecordOutcome::Added | RecordOutcome::Unchanged) {
                continue;
            }
            records.push(ImportedRecord {
                position: counts.records,
                place: candidate.place.chars().take(300).collect(),
                server: candidate.name.as_ref().map(ToString::to_string),
                version: candidate.version.as_ref().map(ToString::to_string),
                outcome,
                findings,
            });
        }
        counts.approved += desk.approved;
        let Desk {
            works,
            provenance,
            told,
            ..
        } = desk;
        run.counts = counts;
        run.updated_at = self.parts.clock.now();
        let mut batch = ImportBatch {
            run: run.clone(),
            entries: Vec::new(),
            provenance: Vec::new(),
            records: records.clone(),
            events: Vec::new(),
        };
        if run.mode == ImportMode::Apply {
            batch.entries = self.changes(caller, works).await?;
            batch.provenance = provenance.into_values().collect();
            batch.events = self.told(caller, run, &told);
        }
        Ok((batch, records))
    }

    /// Everything that the candidates concern, as it is now.
    async fn desk<'a>(
        &'a self,
        caller: &'a Caller,
        run: &'a ImportRun,
        candidates: &[Candidate],
    ) -> Result<Desk<'a>, RegistryError> {
        let mut names: Vec<ServerName> = candidates.iter().filter_map(|one| one.name.clone()).collect();
        names.sort_unstable_by_key(|name| name.as_str().to_ascii_lowercase());
        names.dedup_by_key(|name| name.as_str().to_ascii_lowercase());
        let entries = self.parts.imports.entries_named(&names).await?;
        let stored: Vec<ServerName> = entries.iter().map(|entry| entry.server.name.clone()).collect();
        let origins = self.parts.imports.provenance(&stored).await?;
        Ok(Desk {
            registry: self,
            caller,
            run,
            now: self.parts.clock.now(),
            works: entries
                .into_iter()
                .map(|entry| (folded(&entry.server.name), Work::open(entry)))
                .collect(),
            origins: origins
                .into_iter()
                .map(|origin| ((origin.server.clone(), origin.version.clone()), origin))
                .collect(),
            provenance: HashMap::new(),
            known: self.known_properties().await?,
            told: Vec::new(),
            approved: 0,
        })
    }

    /// Draws the conclusions for every entry that changed.
    async fn changes(
        &self,
        caller: &Caller,
        works: HashMap<String, Work>,
    ) -> Result<Vec<EntryChange>, RegistryError> {
        let mut works: Vec<(String, Work)> = works.into_iter().collect();
        works.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let mut changes = Vec::new();
        let mut taken = Vec::new();
        for (_, mut work) in works {
            if work.versions.is_empty() || !work.is_touched() {
                continue;
            }
            work.taken = std::mem::take(&mut taken);
            self.settle(caller, &mut work).await?;
            taken = std::mem::take(&mut work.taken);
            let (change, _) = work.finish();
            if let Some(change) = change {
                taken.extend(change.routes.iter().map(|route| route.slug.clone()));
                changes.push(change);
            }
        }
        Ok(changes)
    }

    /// One event for each hundred versions of a batch.
    fn told(&self, caller: &Caller, run: &ImportRun, told: &[serde_json::Value]) -> Vec<AuditEvent> {
        told.chunks(NAMED)
            .map(|versions| {
                let (clock, rng) = (self.parts.clock.as_ref(), self.parts.rng.as_ref());
                let id = EventId::new(clock, rng);
                let mut event = AuditEvent::new(id, clock.now(), "import.batch", caller);
                event.target = Some(run.id.to_string());
                event.detail = Some(json!({
                    "kind": run.kind, "origin": run.origin, "versions": versions,
                }));
                event
            })
            .collect()
    }
}
