//! Imports: a run that takes entries over from somewhere else, what became of each record, and where an entry is from.

use serde::{Deserialize, Serialize};

use crate::id::ImportId;
use crate::login::Login;
use crate::name::{ServerName, VersionText};
use crate::server::{Lifecycle, PrivateHost, as_words};
use crate::time::Timestamp;

/// The form in which a source keeps its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportKind {
    /// A registry that speaks the official API, asked by URL.
    Registry,
    /// A dump of such a registry: its list, page after page.
    Dump,
    /// `server.json` documents, alone or as the files of a Git folder.
    Git,
    /// Partner files as Azure keeps them.
    Partners,
    /// `server.yaml` files as the Docker catalogue keeps them.
    Docker,
    /// An export of Azure API Center.
    ApiCenter,
}

/// Whether a run changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportMode {
    /// It does.
    Apply,
    /// It only says what it would do.
    DryRun,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportState {
    /// Records are coming in.
    Open,
    /// Everything was taken in.
    Done,
    /// It ended before that; what was taken in stays, and another run completes it.
    Failed,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordOutcome {
    /// A version that was not there before.
    Added,
    /// A version that waits for approval, with the source's new content.
    Updated,
    /// It was there already, just so.
    Unchanged,
    /// The version is there from another source, or with content that was approved: what is there stays.
    Conflict,
    /// The source deleted it: it is not listed any more.
    Hidden,
    /// It names no server and version, so it cannot become an entry.
    Refused,
}

as_words!(ImportKind {
    Registry = "registry",
    Dump = "dump",
    Git = "git",
    Partners = "partners",
    Docker = "docker",
    ApiCenter = "api-center",
});
as_words!(ImportMode { Apply = "apply", DryRun = "dry-run" });
as_words!(ImportState { Open = "open", Done = "done", Failed = "failed" });
as_words!(RecordOutcome {
    Added = "added",
    Updated = "updated",
    Unchanged = "unchanged",
    Conflict = "conflict",
    Hidden = "hidden",
    Refused = "refused",
});

/// Which imported versions are approved at once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ImportApproval {
    /// All of this source.
    pub all: bool,
    /// Those of these namespaces: `com.acme`, or `com.acme.*` with everything below.
    pub namespaces: Vec<String>,
    /// Of these, those whose assessment has at least this score, 0 to 100. Without it, the score does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_score: Option<u8>,
}

/// Something that was noticed about a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Where, as `remotes[0].url`; `$` is the record itself.
    pub path: String,
    /// What, as a sentence without its final stop.
    pub message: String,
}

/// What became of the records of a run, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ImportCounts {
    /// Records that were read.
    pub records: u64,
    /// See [`RecordOutcome::Added`].
    pub added: u64,
    /// See [`RecordOutcome::Updated`].
    pub updated: u64,
    /// See [`RecordOutcome::Unchanged`].
    pub unchanged: u64,
    /// See [`RecordOutcome::Conflict`].
    pub conflicts: u64,
    /// See [`RecordOutcome::Hidden`].
    pub hidden: u64,
    /// See [`RecordOutcome::Refused`].
    pub refused: u64,
    /// Records about which something was noticed, whatever became of them.
    pub flagged: u64,
    /// Versions that were approved at once.
    pub approved: u64,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRun {
    /// Identity.
    pub id: ImportId,
    /// The form of the source.
    pub kind: ImportKind,
    /// The source: a URL, or what the caller calls it.
    pub origin: String,
    /// Whether it changes anything.
    pub mode: ImportMode,
    /// What is approved at once.
    pub approval: ImportApproval,
    /// How far it has come.
    pub state: ImportState,
    /// Why it failed.
    pub failure: Option<String>,
    /// Actor label of who started it.
    pub started_by: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it took something in last.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What became of the records so far.
    pub counts: ImportCounts,
    /// Where a source that is read page by page goes on.
    pub position: Option<String>,
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedRecord {
    /// Its place in the run, from 1.
    pub position: u64,
    /// Its place in the source: a file, or `servers[17]`.
    pub place: String,
    /// The server it names.
    pub server: Option<String>,
    /// The version it names.
    pub version: Option<String>,
    /// What became of it.
    pub outcome: RecordOutcome,
    /// What was noticed.
    pub findings: Vec<Finding>,
}

/// Where a version came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The server.
    pub server: ServerName,
    /// The version.
    pub version: VersionText,
    /// The form of the source.
    pub kind: ImportKind,
    /// The source.
    pub origin: String,
    /// The place in the source.
    pub place: String,
    /// The run that took it in.
    pub import: ImportId,
    /// When that was.
    pub imported_at: Timestamp,
    /// SHA-256 of the record as it came, hex.
    pub source_hash: String,
    /// What the source says of it: `active`, `deprecated` or `deleted`.
    pub source_status: String,
    /// What was noticed about it.
    pub findings: Vec<Finding>,
    /// The record as it came, where that is not the stored document.
    pub raw: Option<String>,
    /// What the source changed when it said that the version is deprecated or deleted, so that it can take that back.
    pub stage_before: Option<StageBefore>,
    /// Whether the rule of its run approves it once it was judged.
    pub awaits_assessment: bool,
}

/// The stage that a version had before its source said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageBefore {
    /// The stage.
    pub lifecycle: Lifecycle,
    /// What was said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A source that is read again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportSchedule {
    /// The source, by URL.
    pub origin: String,
    /// Its form.
    pub kind: ImportKind,
    /// Seconds between the beginnings of two runs.
    pub every_seconds: u64,
    /// Private hosts that may be reached for it.
    pub private_hosts: Vec<PrivateHost>,
    /// What is approved at once.
    pub approval: ImportApproval,
    /// Actor label of who set it up.
    pub created_by: String,
    /// When that was.
    pub created_at: Timestamp,
    /// The last run.
    pub last_import: Option<ImportId>,
    /// When the next run begins.
    pub next_at: Timestamp,
    /// How the source is logged in at, if it is not open to everybody.
    pub login: Option<Login>,
    /// Everything that the source changed before this moment was taken in.
    pub synced_until: Option<Timestamp>,
}

// === impl ImportApproval ===

impl ImportApproval {
    /// Whether no version of any server is approved by it.
    pub fn covers_nothing(&self) -> bool {
        !self.all && self.namespaces.is_empty()
    }

    /// Whether a version of this server is approved at once.
    pub fn covers(&self, name: &ServerName) -> bool {
        self.rule(name).is_some()
    }

    /// The part of it that covers a server, as one word: `all`, or the namespace.
    pub fn rule(&self, name: &ServerName) -> Option<&str> {
        let namespace = name.namespace();
        let covers = |pattern: &String| match pattern.strip_suffix(".*") {
            Some(above) => namespace
                .strip_prefix(above)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
            None => namespace == pattern,
        };
        if self.all {
            return Some("all");
        }
        let mut namespaces = self.namespaces.iter();
        namespaces.find(|pattern| covers(pattern)).map(String::as_str)
    }
}

// === impl ImportCounts ===

impl ImportCounts {
    /// Counts one record.
    pub fn note(&mut self, outcome: RecordOutcome, findings: &[Finding]) {
        self.records += 1;
        self.flagged += u64::from(!findings.is_empty());
        let counter = match outcome {
            RecordOutcome::Added => &mut self.added,
            RecordOutcome::Updated => &mut self.updated,
            RecordOutcome::Unchanged => &mut self.unchanged,
            RecordOutcome::Conflict => &mut self.conflicts,
            RecordOutcome::Hidden => &mut self.hidden,
            RecordOutcome::Refused => &mut self.refused,
        };
        *counter += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::ImportApproval;

    #[test]
    fn a_namespace_covers_itself_and_with_a_star_what_is_below() {
        let covers = |pattern: &str, name: &str| {
            let approval = ImportApproval {
                all: false,
                namespaces: vec![pattern.to_owned()],
                minimum_score: None,
            };
            approval.covers(&name.parse().unwrap())
        };
        assert!(covers("com.acme", "com.acme/billing"));
        assert!(!covers("com.acme", "com.acme.eu/billing"));
        assert!(covers("com.acme.*", "com.acme.eu/billing") && covers("com.acme.*", "com.acme/billing"));
        assert!(!covers("com.acme.*", "com.acmeevil/billing"));
    }
}
