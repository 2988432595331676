//! One batch of candidates beside what is there: what becomes of each, decided without asking or saving anything.
//!
//! Before: `apply` read the entries that a batch concerns. After: it saves what was decided here. What is there already
//! stays: the first source wins, and an approved version never changes.

use std::collections::HashMap;

use portreeve_core::caller::Caller;
use portreeve_core::deployment::Deployments;
use portreeve_core::import::{Finding, ImportRun, Provenance, RecordOutcome};
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::profile::Profile;
use portreeve_core::server::{Approval, Lifecycle, Server, Version};
use portreeve_core::time::Timestamp;
use serde_json::json;

use super::{Candidate, SourceStatus, finding};
use crate::properties::Known;
use crate::work::Work;

/// Entries while a batch goes over them, by name in lower case.
pub(super) struct Desk<'a> {
    pub(super) caller: &'a Caller,
    pub(super) run: &'a ImportRun,
    pub(super) now: Timestamp,
    pub(super) works: HashMap<String, Work>,
    pub(super) origins: HashMap<(ServerName, VersionText), Provenance>,
    pub(super) provenance: HashMap<(ServerName, VersionText), Provenance>,
    /// What is required of a server.
    pub(super) known: Known,
    /// Whether an assessment may stop an approval, so that it comes first.
    pub(super) assessed_first: bool,
    /// Name, version and content hash of what was added or changed, and whether it was approved.
    pub(super) told: Vec<serde_json::Value>,
    pub(super) approved: u64,
}

// === impl Desk ===

impl Desk<'_> {
    /// What becomes of a candidate, and what is to be said about that.
    pub(super) fn decide(&mut self, candidate: &Candidate) -> (RecordOutcome, Vec<Finding>) {
        let (Some(name), Some(version)) = (&candidate.name, &candidate.version) else {
            return (RecordOutcome::Refused, Vec::new());
        };
        let now = self.now;
        let work = self.works.entry(folded(name)).or_insert_with(|| {
            Work::begin(Server {
                name: name.clone(),
                registered_by: self.caller.label.to_string(),
                private_hosts: Vec::new(),
                profile: Profile::default(),
                deployments: Deployments::default(),
                created_at: now,
                updated_at: now,
            })
        });
        if work.server.name != *name {
            let said = format!(
                "it is registered as `{}`: names may not differ in case alone",
                work.server.name
            );
            return (RecordOutcome::Conflict, vec![finding("name", said)]);
        }
        match work.version(version) {
            None => self.add(candidate, name, version),
            Some(present) if present.content_hash == candidate.content_hash => {
                self.follow_status(candidate, name, version)
            }
            Some(_) => self.differ(candidate, name, version),
        }
    }

    fn add(
        &mut self,
        candidate: &Candidate,
        name: &ServerName,
        version: &VersionText,
    ) -> (RecordOutcome, Vec<Finding>) {
        let now = self.now;
        let mut said = Vec::new();
        let covered = self.run.approval.covers(name);
        let held_back = self.held_back(candidate, name).filter(|_| covered);
        if let Some(reason) = held_back {
            said.push(finding("$", format!("it was not approved by rule: {reason}")));
        }
        let approves = covered && held_back.is_none();
        let gone = candidate.status == SourceStatus::Deleted;
        let new = Version {
            name: name.clone(),
            version: version.clone(),
            document: candidate.document.clone(),
            content_hash: candidate.content_hash.clone(),
            approval: if approves {
                Approval::Approved
            } else {
                Approval::Submitted
            },
            lifecycle: lifecycle(candidate.status),
            former_lifecycle: None,
            status_message: gone.then(|| deleted_at(&self.run.origin)),
            submitted_by: self.caller.label.to_string(),
            decided_by: approves.then(|| self.caller.label.to_string()),
            is_latest: false,
            metadata: Default::default(),
            published_at: candidate.published_at.unwrap_or(now),
            status_changed_at: now,
            updated_at: now,
        };
        if let Some(work) = self.works.get_mut(&folded(name)) {
            work.put(new);
        }
        self.approved += u64::from(approves);
        self.note(candidate, name, version, approves);
        if gone {
            said.push(finding("$", "its source deleted it"));
            return (RecordOutcome::Hidden, said);
        }
        (RecordOutcome::Added, said)
    }

    /// Why the rule of the run does not approve it.
    fn held_back(&self, candidate: &Candidate, name: &ServerName) -> Option<&'static str> {
        let lacks = |work: &Work| !self.known.of_entry(&work.server, None).is_empty();
        if candidate.needs_eyes {
            return Some("somebody must look at it first");
        }
        if self.assessed_first {
            return Some("its assessment comes first");
        }
        let work = self.works.get(&folded(name));
        work.is_some_and(lacks).then_some("it lacks a required property")
    }

    /// The content is what is there. What its source says of it may have changed.
    fn follow_status(
        &mut self,
        candidate: &Candidate,
        name: &ServerName,
        version: &VersionText,
    ) -> (RecordOutcome, Vec<Finding>) {
        let key = (name.clone(), version.clone());
        let is_ours = self
            .origin_of(&key)
            .is_some_and(|origin| self.is_this_source(origin));
        let before = self.origin_of(&key).map(|origin| origin.source_status.clone());
        if !is_ours || before.as_deref() == Some(candidate.status.as_str()) {
            return (RecordOutcome::Unchanged, Vec::new());
        }
        let now = self.now;
        let message = match candidate.status {
            SourceStatus::Deleted => Some(deleted_at(&self.run.origin)),
            SourceStatus::Deprecated => Some(format!("deprecated at {}", self.run.origin)),
            SourceStatus::Active => None,
        };
        let work = self.works.get_mut(&folded(name));
        if let Some(present) = work.and_then(|work| work.version_mut(version)) {
            present.lifecycle = lifecycle(candidate.status);
            present.status_message = message.map(|text| text.chars().take(500).collect());
            present.status_changed_at = now;
            present.updated_at = now;
        }
        self.note(candidate, name, version, false);
        if candidate.status == SourceStatus::Deleted {
            return (RecordOutcome::Hidden, vec![finding("$", "its source deleted it")]);
        }
        let said = format!("its source says `{}` of it now", candidate.status.as_str());
        (RecordOutcome::Updated, vec![finding("$", said)])
    }

    /// The content differs from what is there.
    fn differ(
        &mut self,
        candidate: &Candidate,
        name: &ServerName,
        version: &VersionText,
    ) -> (RecordOutcome, Vec<Finding>) {
        let key = (name.clone(), version.clone());
        let conflict = |said: String| (RecordOutcome::Conflict, vec![finding("$", said)]);
        let Some(origin) = self.origin_of(&key) else {
            return conflict("this version was registered here with other content, which stays".to_owned());
        };
        if !self.is_this_source(origin) {
            let said = format!(
                "this version came from {} `{}` with other content, which stays",
                origin.kind, origin.origin
            );
            return conflict(said);
        }
        let now = self.now;
        let work = self.works.get_mut(&folded(name));
        let Some(present) = work.and_then(|work| work.version_mut(version)) else {
            return conflict("it was removed meanwhile".to_owned());
        };
        if present.approval == Approval::Approved {
            let said = "its source changed it after it was approved here; the approved content stays";
            return conflict(said.to_owned());
        }
        present.document.clone_from(&candidate.document);
        present.content_hash.clone_from(&candidate.content_hash);
        present.approval = Approval::Submitted;
        present.decided_by = None;
        present.status_changed_at = now;
        present.updated_at = now;
        self.note(candidate, name, version, false);
        (
            RecordOutcome::Updated,
            vec![finding("$", "its source changed it")],
        )
    }

    fn origin_of(&self, key: &(ServerName, VersionText)) -> Option<&Provenance> {
        self.provenance.get(key).or_else(|| self.origins.get(key))
    }

    /// A dump and the registry that it was taken from are two sources: nobody can say that they are one.
    fn is_this_source(&self, origin: &Provenance) -> bool {
        origin.kind == self.run.kind && origin.origin == self.run.origin
    }

    fn note(&mut self, candidate: &Candidate, name: &ServerName, version: &VersionText, approved: bool) {
        self.told.push(json!({
            "name": name,
            "version": version,
            "contentHash": candidate.content_hash,
            "approved": approved,
            "status": candidate.status.as_str(),
        }));
        let provenance = Provenance {
            server: name.clone(),
            version: version.clone(),
            kind: self.run.kind,
            origin: self.run.origin.clone(),
            place: candidate.place.chars().take(300).collect(),
            import: self.run.id,
            imported_at: self.now,
            source_hash: candidate.source_hash.clone(),
            source_status: candidate.status.as_str().to_owned(),
            findings: candidate.findings.clone(),
            raw: candidate.raw.clone(),
        };
        self.provenance
            .insert((name.clone(), version.clone()), provenance);
    }
}

pub(super) fn folded(name: &ServerName) -> String {
    name.as_str().to_ascii_lowercase()
}

const fn lifecycle(status: SourceStatus) -> Lifecycle {
    match status {
        SourceStatus::Active => Lifecycle::Production,
        SourceStatus::Deprecated => Lifecycle::Deprecated,
        SourceStatus::Deleted => Lifecycle::Retired,
    }
}

fn deleted_at(origin: &str) -> String {
    format!("deleted at {origin}").chars().take(500).collect()
}
