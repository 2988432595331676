//! Runs of imports as their faces hold them: begun, fed with records, finished, looked at.
//!
//! Before: `portreeve import` split a source into records. After: `apply` takes them in, batch by batch. Each upload is one
//! transaction, so a run that breaks off leaves no half entry, and the next run finds what is there.

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::id::{EventId, ImportId};
use portreeve_core::import::{
    ImportApproval, ImportCounts, ImportKind, ImportMode, ImportRun, ImportState, ImportedRecord, Provenance,
};
use portreeve_core::name::ServerName;
use serde_json::json;
use url::Url;

use super::{Candidate, Record, importer};
use crate::error::RegistryError;
use crate::paging;
use crate::registry::Registry;

/// Records of a report on one page, and runs of a list.
const PAGE: u32 = 100;
const MOST: u32 = 500;
/// Characters of an origin.
const ORIGIN: usize = 500;
/// Namespaces of one rule.
const MOST_NAMESPACES: usize = 100;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImport {
    /// The form of the source.
    pub kind: ImportKind,
    /// The source: a URL, or what the caller calls it.
    pub origin: String,
    /// Whether it changes anything.
    pub mode: ImportMode,
    /// What is approved at once.
    pub approval: ImportApproval,
}

/// What became of an upload.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// The run as it stands.
    pub run: ImportRun,
    /// Records of this upload about which something is to be said.
    pub records: Vec<ImportedRecord>,
}

/// A page of runs, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportsPage {
    /// The runs.
    pub items: Vec<ImportRun>,
    /// Continue after this run.
    pub next: Option<ImportId>,
}

/// A page of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordsPage {
    /// The records about which something is to be said.
    pub items: Vec<ImportedRecord>,
    /// Continue after this position.
    pub next: Option<u64>,
}

// === impl Registry ===

impl Registry {
    /// Begins a run.
    pub async fn begin_import(&self, caller: &Caller, new: NewImport) -> Result<ImportRun, RegistryError> {
        self.begin_at(caller, new, None).await
    }

    /// Begins one that stands behind what an earlier one read.
    pub(super) async fn begin_at(
        &self,
        caller: &Caller,
        new: NewImport,
        position: Option<String>,
    ) -> Result<ImportRun, RegistryError> {
        self.require_here(caller, Action::Operate, "import servers")?;
        self.require_rule(caller, &new.approval)?;
        let origin = checked_origin(&new.origin)?;
        let approval = checked_approval(new.approval)?;
        let (clock, rng) = (self.parts.clock.as_ref(), self.parts.rng.as_ref());
        let now = clock.now();
        let run = ImportRun {
            id: ImportId::new(clock, rng),
            kind: new.kind,
            origin,
            mode: new.mode,
            approval,
            state: ImportState::Open,
            failure: None,
            started_by: caller.label.to_string(),
            started_at: now,
            updated_at: now,
            finished_at: None,
            counts: ImportCounts::default(),
            position,
        };
        let event = self.import_event(caller, "import.begin", &run);
        self.parts.imports.begin_import(&run, event).await?;
        Ok(run)
    }

    /// Refuses to let a rule approve to who could not do so himself: it would be the way around the right to approve.
    /// That holds for records that go into a run of somebody else, too.
    pub(super) fn require_rule(
        &self,
        caller: &Caller,
        approval: &ImportApproval,
    ) -> Result<(), RegistryError> {
        if approval.covers_nothing() {
            return Ok(());
        }
        self.require_here(caller, Action::Approve, "let an import approve by a rule")
    }

    /// Takes records in.
    pub async fn take_records(
        &self,
        caller: &Caller,
        id: ImportId,
        records: Vec<Record>,
    ) -> Result<Taken, RegistryError> {
        self.require_here(caller, Action::Operate, "import servers")?;
        let limit = self.parts.limits.import_batch_records;
        if records.len() > limit {
            return Err(RegistryError::invalid(
                "records",
                format!("there are {}, and {limit} are taken at once", records.len()),
            ));
        }
        let _one_at_a_time = self.importing.lock().await;
        let mut run = self.open_run(id).await?;
        self.require_rule(caller, &run.approval)?;
        let mut candidates: Vec<Candidate> = Vec::new();
        for record in &records {
            candidates.extend(importer(run.kind).read(record, &self.parts.limits));
            if candidates.len() > limit {
                let said = format!("the lists in them hold more than the {limit} that are taken at once");
                return Err(RegistryError::invalid("records", said));
            }
        }
        let records = self.apply(caller, &mut run, &candidates).await?;
        Ok(Taken { run, records })
    }

    /// Ends a run to which everything was uploaded.
    pub async fn finish_import(&self, caller: &Caller, id: ImportId) -> Result<ImportRun, RegistryError> {
        self.require_here(caller, Action::Operate, "import servers")?;
        let _one_at_a_time = self.importing.lock().await;
        let run = self.open_run(id).await?;
        self.end_run(caller, run, None).await
    }

    /// One run.
    pub async fn import(&self, caller: &Caller, id: ImportId) -> Result<ImportRun, RegistryError> {
        self.require_here(caller, Action::View, "see imports")?;
        self.parts.imports.import(id).await?.ok_or_else(|| no_import(id))
    }

    /// A page of runs.
    pub async fn imports(
        &self,
        caller: &Caller,
        after: Option<ImportId>,
        limit: Option<u32>,
    ) -> Result<ImportsPage, RegistryError> {
        self.require_here(caller, Action::View, "see imports")?;
        let limit = paging::limit(limit, PAGE, MOST)?;
        let mut items = self.parts.imports.imports(after, limit + 1).await?;
        let is_last = items.len() <= limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| !is_last).map(|run| run.id);
        Ok(ImportsPage { items, next })
    }

    /// A page of what is to be said about the records of a run.
    pub async fn import_records(
        &self,
        caller: &Caller,
        id: ImportId,
        after: u64,
        limit: Option<u32>,
    ) -> Result<RecordsPage, RegistryError> {
        let run = self.import(caller, id).await?;
        let limit = paging::limit(limit, PAGE, MOST)?;
        let mut items = self
            .parts
            .imports
            .import_records(run.id, after, limit + 1)
            .await?;
        let is_last = items.len() <= limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| !is_last).map(|record| record.position);
        Ok(RecordsPage { items, next })
    }

    /// Where the versions of a server came from, as far as they were imported.
    pub async fn origins(
        &self,
        caller: &Caller,
        name: &ServerName,
    ) -> Result<Vec<Provenance>, RegistryError> {
        self.require_see(caller, name)?;
        let stored = self.load(name).await?.server.name;
        let mut origins = self.parts.imports.provenance(&[stored]).await?;
        origins.sort_unstable_by(|one, other| one.version.cmp(&other.version));
        Ok(origins)
    }

    async fn open_run(&self, id: ImportId) -> Result<ImportRun, RegistryError> {
        let run = self
            .parts
            .imports
            .import(id)
            .await?
            .ok_or_else(|| no_import(id))?;
        if run.state == ImportState::Open {
            return Ok(run);
        }
        Err(RegistryError::State {
            what: format!("import `{id}` has ended"),
            hint: "begin another one: what was taken in is found again, and stays",
        })
    }

    /// Ends a run, well or with a failure.
    pub(super) async fn end_run(
        &self,
        caller: &Caller,
        mut run: ImportRun,
        failure: Option<String>,
    ) -> Result<ImportRun, RegistryError> {
        let now = self.parts.clock.now();
        run.state = if failure.is_some() {
            ImportState::Failed
        } else {
            ImportState::Done
        };
        run.failure = failure;
        run.updated_at = now;
        run.finished_at = Some(now);
        let event = self.import_event(caller, "import.finish", &run);
        let batch = portreeve_core::ports::ImportBatch {
            run: run.clone(),
            entries: Vec::new(),
            provenance: Vec::new(),
            records: Vec::new(),
            events: vec![event],
        };
        self.parts.imports.save_import(batch).await?;
        Ok(run)
    }

    pub(super) fn import_event(&self, caller: &Caller, action: &str, run: &ImportRun) -> AuditEvent {
        let (clock, rng) = (self.parts.clock.as_ref(), self.parts.rng.as_ref());
        let mut event = AuditEvent::new(EventId::new(clock, rng), clock.now(), action, caller);
        event.target = Some(run.id.to_string());
        event.detail = Some(json!({
            "kind": run.kind, "origin": run.origin, "mode": run.mode, "approval": run.approval,
            "state": run.state, "failure": run.failure, "counts": run.counts,
        }));
        event
    }
}

pub(super) fn checked_origin(origin: &str) -> Result<String, RegistryError> {
    let origin = origin.trim();
    let is_fine =
        !origin.is_empty() && origin.chars().count() <= ORIGIN && !origin.chars().any(char::is_control);
    // It is shown, kept with every version and written to the audit log.
    let has_secret = Url::parse(origin)
        .is_ok_and(|url| url.password().is_some() || (url.has_host() && !url.username().is_empty()));
    if has_secret {
        let said = "it carries a user name or a password; leave them out: it is only a name here";
        return Err(RegistryError::invalid("origin", said));
    }
    if is_fine {
        return Ok(origin.to_owned());
    }
    Err(RegistryError::invalid(
        "origin",
        format!("it must have 1 to {ORIGIN} characters, none of them a control character"),
    ))
}

pub(super) fn checked_approval(approval: ImportApproval) -> Result<ImportApproval, RegistryError> {
    let is_pattern = |pattern: &String| {
        let namespace = pattern.strip_suffix(".*").unwrap_or(pattern);
        // A namespace is what stands before the slash of a name.
        format!("{namespace}/x").parse::<ServerName>().is_ok()
    };
    if approval.namespaces.len() > MOST_NAMESPACES {
        return Err(RegistryError::invalid(
            "approval.namespaces",
            format!("at most {MOST_NAMESPACES} are taken"),
        ));
    }
    if approval.minimum_score.is_some() && approval.covers_nothing() {
        return Err(RegistryError::invalid(
            "approval.minimumScore",
            "it is asked of what is approved: name `all` or `namespaces`",
        ));
    }
    if approval.minimum_score.is_some_and(|score| score > 100) {
        return Err(RegistryError::invalid(
            "approval.minimumScore",
            "it must be a number from 0 to 100",
        ));
    }
    for (index, pattern) in approval.namespaces.iter().enumerate() {
        if !is_pattern(pattern) {
            return Err(RegistryError::invalid(
                format!("approval.namespaces[{index}]"),
                "it must be a namespace as `com.acme`, or `com.acme.*` with everything below",
            ));
        }
    }
    Ok(approval)
}

fn no_import(id: ImportId) -> RegistryError {
    RegistryError::NotFound {
        what: format!("import `{id}`"),
    }
}
