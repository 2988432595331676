//! One batch of candidates beside what is there: what becomes of each, decided without asking or saving anything.
//!
//! Before: `apply` read the entries that a batch concerns. After: it saves what was decided here. What is there already
//! stays: the first source wins, and an approved version never changes. What a source says of its versions is in `follow`,
//! what its rule approves in `rule`.

use std::collections::HashMap;

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::import::{Finding, ImportRun, Provenance, RecordOutcome};
use portreeve_core::name::ServerName;
use portreeve_core::server::{Approval, Lifecycle, Version};
use portreeve_core::time::Timestamp;
use serde_json::json;

use super::rule::Ruling;
use super::{Candidate, SourceStatus, finding};
use crate::assess::submitted::Which;
use crate::properties::Known;
use crate::registry::Registry;
use crate::work::Work;

/// What became of a candidate, and what is to be said about that.
pub(super) type Decided = (RecordOutcome, Vec<Finding>);

/// Entries while a batch goes over them, by name in lower case.
pub(super) struct Desk<'a> {
    pub(super) registry: &'a Registry,
    pub(super) caller: &'a Caller,
    pub(super) run: &'a ImportRun,
    pub(super) now: Timestamp,
    pub(super) works: HashMap<String, Work>,
    pub(super) origins: HashMap<Which, Provenance>,
    pub(super) provenance: HashMap<Which, Provenance>,
    /// What is required of a server.
    pub(super) known: Known,
    /// Name, version and content hash of what was added or changed, and whether it was approved.
    pub(super) told: Vec<serde_json::Value>,
    pub(super) approved: u64,
}

// === impl Desk ===

impl Desk<'_> {
    /// What becomes of a candidate.
    pub(super) fn decide(&mut self, candidate: &Candidate) -> Decided {
        let (Some(name), Some(version)) = (&candidate.name, &candidate.version) else {
            return (RecordOutcome::Refused, Vec::new());
        };
        let (registry, caller) = (self.registry, self.caller);
        let work = self
            .works
            .entry(folded(name))
            .or_insert_with(|| Work::begin(registry.new_server(caller, name)));
        if work.server.name != *name {
            let said = format!(
                "it is registered as `{}`: names may not differ in case alone",
                work.server.name
            );
            return (RecordOutcome::Conflict, vec![finding("name", said)]);
        }
        let which = (name.clone(), version.clone());
        match work.version(version) {
            None => self.add(candidate, &which),
            Some(present) if present.content_hash == candidate.content_hash => self.same(candidate, &which),
            Some(_) => self.differ(candidate, &which),
        }
    }

    fn add(&mut self, candidate: &Candidate, which: &Which) -> Decided {
        let now = self.now;
        let (name, version) = which;
        let new = Version {
            name: name.clone(),
            version: version.clone(),
            document: candidate.document.clone(),
            content_hash: candidate.content_hash.clone(),
            approval: Approval::Submitted,
            lifecycle: Lifecycle::Production,
            former_lifecycle: None,
            ended_by: None,
            status_message: None,
            submitted_by: self.caller.label.to_string(),
            decided_by: None,
            is_latest: false,
            metadata: Default::default(),
            published_at: candidate.published_at.unwrap_or(now),
            status_changed_at: now,
            updated_at: now,
        };
        if let Some(work) = self.works.get_mut(&folded(name)) {
            work.put(new);
        }
        let detail = json!({"contentHash": candidate.content_hash, "approval": Approval::Submitted});
        self.tell("server.add", which, detail);
        let ruling = self.ruling(candidate, name);
        let mut said = ruling.said();
        if let Ruling::Approves(rule) = &ruling {
            self.approve(which, rule);
        }
        self.note(candidate, which, &ruling);
        let followed = self.follow(which, candidate.status);
        self.told(candidate, which);
        if candidate.status == SourceStatus::Deleted {
            said.extend(followed);
            return (RecordOutcome::Hidden, said);
        }
        (RecordOutcome::Added, said)
    }

    /// The content is what is there. What its source says of it may have changed.
    fn same(&mut self, candidate: &Candidate, which: &Which) -> Decided {
        let is_ours = self
            .origin_of(which)
            .is_some_and(|origin| self.is_this_source(origin));
        if !is_ours || self.status_before(which) == candidate.status {
            return (RecordOutcome::Unchanged, Vec::new());
        }
        let said = self.follow(which, candidate.status);
        self.told(candidate, which);
        match candidate.status {
            SourceStatus::Deleted => (RecordOutcome::Hidden, said),
            SourceStatus::Active | SourceStatus::Deprecated => (RecordOutcome::Updated, said),
        }
    }

    /// The content differs from what is there.
    fn differ(&mut self, candidate: &Candidate, which: &Which) -> Decided {
        let conflict = |said: String| (RecordOutcome::Conflict, vec![finding("$", said)]);
        let Some(origin) = self.origin_of(which) else {
            return conflict("this version was registered here with other content, which stays".to_owned());
        };
        if !self.is_this_source(origin) {
            let said = format!(
                "this version came from {} `{}` with other content, which stays",
                origin.kind, origin.origin
            );
            return conflict(said);
        }
        let before = self.status_before(which);
        if candidate.status == SourceStatus::Deleted && before == SourceStatus::Deleted {
            // What a source says of a version that it took away is of no use to anybody.
            return (RecordOutcome::Unchanged, Vec::new());
        }
        let is_approved = self
            .version(which)
            .is_some_and(|present| present.approval == Approval::Approved);
        let mut said = Vec::new();
        if is_approved {
            let pinned = "its source changed it after it was approved here; the approved content stays";
            said.push(finding("$", pinned));
        } else {
            self.replace(candidate, which);
            let ruling = self.ruling(candidate, &which.0).after_a_change();
            said.push(finding("$", "its source changed it"));
            self.note(candidate, which, &ruling);
        }
        if before != candidate.status {
            said.extend(self.follow(which, candidate.status));
        }
        if !is_approved || before != candidate.status {
            self.told(candidate, which);
        }
        match (candidate.status, is_approved) {
            (SourceStatus::Deleted, _) => (RecordOutcome::Hidden, said),
            (_, true) => (RecordOutcome::Conflict, said),
            (_, false) => (RecordOutcome::Updated, said),
        }
    }

    /// A version that waits follows its source.
    fn replace(&mut self, candidate: &Candidate, which: &Which) {
        let now = self.now;
        let Some(present) = self.version_mut(which) else {
            return;
        };
        let (from, former) = (present.approval, present.content_hash.clone());
        present.document.clone_from(&candidate.document);
        present.content_hash.clone_from(&candidate.content_hash);
        present.approval = Approval::Submitted;
        present.decided_by = None;
        if from == Approval::Rejected {
            present.status_message = None;
        }
        present.status_changed_at = now;
        present.updated_at = now;
        let detail = json!({
            "from": from, "to": Approval::Submitted, "formerHash": former, "contentHash": candidate.content_hash,
            "approvalVoid": false,
        });
        self.tell("server.edit", which, detail);
    }

    /// Approves what was just taken in.
    fn approve(&mut self, which: &Which, rule: &str) {
        let by = self.caller.label.to_string();
        let Some(version) = self.version_mut(which) else {
            return;
        };
        version.approval = Approval::Approved;
        version.decided_by = Some(by);
        let hash = version.content_hash.clone();
        let mut event = self.event("server.approve", which);
        event.policies = vec![format!("import:{rule}")];
        event.detail = Some(json!({
            "from": Approval::Submitted, "to": Approval::Approved, "contentHash": hash,
        }));
        self.keep(which, event);
        self.approved += 1;
    }

    pub(super) fn version(&self, (name, version): &Which) -> Option<&Version> {
        self.works.get(&folded(name))?.version(version)
    }

    pub(super) fn version_mut(&mut self, (name, version): &Which) -> Option<&mut Version> {
        self.works.get_mut(&folded(name))?.version_mut(version)
    }

    pub(super) fn origin_of(&self, which: &Which) -> Option<&Provenance> {
        self.provenance.get(which).or_else(|| self.origins.get(which))
    }

    /// A dump and the registry that it was taken from are two sources: nobody can say that they are one.
    fn is_this_source(&self, origin: &Provenance) -> bool {
        origin.kind == self.run.kind && origin.origin == self.run.origin
    }

    /// Writes down where a version came from.
    fn note(&mut self, candidate: &Candidate, which: &Which, ruling: &Ruling) {
        let before = self.origin_of(which);
        let provenance = Provenance {
            server: which.0.clone(),
            version: which.1.clone(),
            kind: self.run.kind,
            origin: self.run.origin.clone(),
            place: candidate.place.chars().take(300).collect(),
            import: self.run.id,
            imported_at: self.now,
            source_hash: candidate.source_hash.clone(),
            source_status: self.status_before(which).as_str().to_owned(),
            findings: candidate.findings.clone(),
            raw: candidate.raw.clone(),
            stage_before: before.and_then(|origin| origin.stage_before.clone()),
            awaits_assessment: *ruling == Ruling::AfterAssessment,
        };
        self.provenance.insert(which.clone(), provenance);
    }

    /// A line of the batch's own event.
    fn told(&mut self, candidate: &Candidate, which: &Which) {
        let is_approved = |version: &Version| version.approval == Approval::Approved;
        let approved = self.version(which).is_some_and(is_approved);
        self.told.push(json!({
            "name": which.0,
            "version": which.1,
            "contentHash": candidate.content_hash,
            "approved": approved,
            "status": candidate.status.as_str(),
        }));
    }

    pub(super) fn event(&self, action: &str, which: &Which) -> AuditEvent {
        let mut event = self.registry.event(self.caller, action, &which.0);
        event.target = Some(which.1.to_string());
        event
    }

    /// An event of an entry, as any other way of changing it has it.
    pub(super) fn tell(&mut self, action: &str, which: &Which, detail: serde_json::Value) {
        let mut event = self.event(action, which);
        event.detail = Some(detail);
        self.keep(which, event);
    }

    pub(super) fn keep(&mut self, which: &Which, event: AuditEvent) {
        if let Some(work) = self.works.get_mut(&folded(&which.0)) {
            work.events.push(event);
        }
    }
}

pub(super) fn folded(name: &ServerName) -> String {
    name.as_str().to_ascii_lowercase()
}
