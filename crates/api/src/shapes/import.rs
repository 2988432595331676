//! Imports: what is asked for, how a run stands, what became of its records, and sources that are read again and again.

use portreeve_core::import::{
    Finding, ImportApproval, ImportCounts, ImportKind, ImportMode, ImportRun, ImportSchedule, ImportedRecord,
    Provenance,
};
use portreeve_core::login::Login;
use portreeve_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An import that shall begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewImport {
    /// The form of the source: `registry`, `dump`, `git`, `partners`, `docker` or `api-center`. A `registry` is read by
    /// this node; of the others the records are uploaded.
    #[schema(value_type = String)]
    pub(crate) kind: ImportKind,
    /// The source: the registry's URL, or a name for what is uploaded. Versions remember it.
    pub(crate) origin: String,
    /// Only say what would become of the records.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// What is approved at once.
    #[serde(default)]
    pub(crate) approval: Approval,
    /// Grant the private hosts of a registry's URL to this run.
    #[serde(default)]
    pub(crate) internal: bool,
}

/// Which imported versions are approved at once. What a person must look at first is not.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(as = ImportApproval)]
pub(crate) struct Approval {
    /// All of this source.
    all: bool,
    /// Those of these namespaces: `com.acme`, or `com.acme.*` with everything below.
    namespaces: Vec<String>,
    /// Of these, those whose assessment has at least this score, 0 to 100; each is approved once it was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 100)]
    minimum_score: Option<u8>,
}

/// Records of a source.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Upload {
    /// At most 1,000.
    pub(crate) records: Vec<UploadedRecord>,
}

/// A record as its source has it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UploadedRecord {
    /// Its place in the source: a file, or `servers[17]`.
    pub(crate) place: String,
    /// Its text: JSON or, of the Docker catalogue, YAML.
    pub(crate) text: String,
}

/// A run of an import.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Import)]
pub(crate) struct ImportShape {
    /// The run's identity.
    name: String,
    /// `registry`, `dump`, `git`, `partners`, `docker` or `api-center`.
    kind: &'static str,
    origin: String,
    dry_run: bool,
    approval: Approval,
    /// `open`, `done` or `failed`.
    state: &'static str,
    /// Why it failed. What was taken in stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    counts: CountsShape,
    started_by: String,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
}

/// What became of the records, in numbers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportCounts)]
pub(crate) struct CountsShape {
    /// Records that were read.
    records: u64,
    /// Versions that were not there before.
    added: u64,
    /// Waiting versions that have the source's new content, and versions of which the source says something else now.
    updated: u64,
    /// Versions that were there, just so.
    unchanged: u64,
    /// Versions that are there from another source, or approved, with other content, which stays.
    conflicts: u64,
    /// Versions that the source deleted: they are not listed any more.
    hidden: u64,
    /// Records that name no server and version.
    refused: u64,
    /// Records about which something was noticed, whatever became of them.
    flagged: u64,
    /// Versions that were approved at once.
    approved: u64,
}

/// What became of a record about which something is to be said.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportRecord)]
pub(crate) struct RecordShape {
    /// The server, or the record's place where it names none.
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// Its place in the source.
    place: String,
    /// Its place in the run, from 1.
    position: u64,
    /// `added`, `updated`, `unchanged`, `conflict`, `hidden` or `refused`.
    outcome: &'static str,
    findings: Vec<FindingShape>,
}

/// Something that was noticed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportFinding)]
pub(crate) struct FindingShape {
    /// Where: `remotes[0].url`; `$` is the record itself.
    path: String,
    message: String,
}

/// What became of an upload.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportTaken)]
pub(crate) struct TakenShape {
    import: ImportShape,
    /// Records of this upload about which something is to be said.
    records: Vec<RecordShape>,
}

/// Where a version came from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportOrigin)]
pub(crate) struct OriginShape {
    /// The server.
    name: String,
    version: String,
    /// `registry`, `dump`, `git`, `partners`, `docker` or `api-center`.
    kind: &'static str,
    origin: String,
    /// Its place in the source.
    place: String,
    /// The run that took it in.
    import: String,
    #[schema(value_type = String, format = DateTime)]
    imported_at: Timestamp,
    /// SHA-256 of the record as it came, hex.
    source_hash: String,
    /// What the source says of it: `active`, `deprecated` or `deleted`.
    source_status: String,
    findings: Vec<FindingShape>,
    /// The record as it came, where that is not the stored document.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<String>,
}

/// A registry that shall be read again and again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewSchedule {
    /// Its URL.
    pub(crate) origin: String,
    /// Seconds between the beginnings of two runs: 60 to 2,592,000; an hour unless given.
    #[serde(default = "hourly")]
    pub(crate) every_seconds: u64,
    /// What is approved at once.
    #[serde(default)]
    pub(crate) approval: Approval,
    /// Grant the private hosts of its URL to it.
    #[serde(default)]
    pub(crate) internal: bool,
    /// How the registry is logged in at, if it is not open to everybody.
    #[schema(value_type = Option<super::login::LoginShape>)]
    pub(crate) login: Option<Login>,
}

/// The registry that shall be read no more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EndedSchedule {
    /// Its URL.
    pub(crate) origin: String,
}

/// A registry that is read again and again.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportSchedule)]
pub(crate) struct ScheduleShape {
    /// Its URL.
    name: String,
    every_seconds: u64,
    approval: Approval,
    /// Private hosts that may be reached for it, as `host:port`.
    private_hosts: Vec<String>,
    /// How the registry is logged in at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<super::login::LoginShape>)]
    login: Option<Login>,
    created_by: String,
    /// The last run.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_import: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    next_at: Timestamp,
}

const fn hourly() -> u64 {
    3_600
}

// === impl Approval ===

impl From<Approval> for ImportApproval {
    fn from(shape: Approval) -> Self {
        Self {
            all: shape.all,
            namespaces: shape.namespaces,
            minimum_score: shape.minimum_score,
        }
    }
}

impl From<&ImportApproval> for Approval {
    fn from(approval: &ImportApproval) -> Self {
        Self {
            all: approval.all,
            namespaces: approval.namespaces.clone(),
            minimum_score: approval.minimum_score,
        }
    }
}

// === impl ImportShape ===

impl ImportShape {
    pub(crate) fn new(run: &ImportRun) -> Self {
        Self {
            name: run.id.to_string(),
            kind: run.kind.as_str(),
            origin: run.origin.clone(),
            dry_run: run.mode == ImportMode::DryRun,
            approval: Approval::from(&run.approval),
            state: run.state.as_str(),
            failure: run.failure.clone(),
            counts: CountsShape::new(run.counts),
            started_by: run.started_by.clone(),
            started_at: run.started_at,
            updated_at: run.updated_at,
            finished_at: run.finished_at,
        }
    }
}

impl CountsShape {
    const fn new(counts: ImportCounts) -> Self {
        Self {
            records: counts.records,
            added: counts.added,
            updated: counts.updated,
            unchanged: counts.unchanged,
            conflicts: counts.conflicts,
            hidden: counts.hidden,
            refused: counts.refused,
            flagged: counts.flagged,
            approved: counts.approved,
        }
    }
}

// === impl RecordShape ===

impl RecordShape {
    pub(crate) fn new(record: &ImportedRecord) -> Self {
        Self {
            name: record.server.clone().unwrap_or_else(|| record.place.clone()),
            version: record.version.clone(),
            place: record.place.clone(),
            position: record.position,
            outcome: record.outcome.as_str(),
            findings: record.findings.iter().map(FindingShape::new).collect(),
        }
    }
}

impl FindingShape {
    pub(crate) fn new(finding: &Finding) -> Self {
        Self::of(finding.path.clone(), finding.message.clone())
    }

    pub(crate) const fn of(path: String, message: String) -> Self {
        Self { path, message }
    }
}

// === impl OriginShape ===

impl OriginShape {
    pub(crate) fn new(origin: &Provenance) -> Self {
        Self {
            name: origin.server.to_string(),
            version: origin.version.to_string(),
            kind: origin.kind.as_str(),
            origin: origin.origin.clone(),
            place: origin.place.clone(),
            import: origin.import.to_string(),
            imported_at: origin.imported_at,
            source_hash: origin.source_hash.clone(),
            source_status: origin.source_status.clone(),
            findings: origin.findings.iter().map(FindingShape::new).collect(),
            raw: origin.raw.clone(),
        }
    }
}

// === impl TakenShape ===

impl TakenShape {
    pub(crate) fn new(taken: &portreeve_registry::import::Taken) -> Self {
        Self {
            import: ImportShape::new(&taken.run),
            records: taken.records.iter().map(RecordShape::new).collect(),
        }
    }
}

// === impl ScheduleShape ===

impl ScheduleShape {
    pub(crate) fn new(schedule: &ImportSchedule) -> Self {
        Self {
            name: schedule.origin.clone(),
            every_seconds: schedule.every_seconds,
            approval: Approval::from(&schedule.approval),
            private_hosts: super::labels(&schedule.private_hosts),
            login: schedule.login.clone(),
            created_by: schedule.created_by.clone(),
            last_import: schedule.last_import.map(|id| id.to_string()),
            next_at: schedule.next_at,
        }
    }
}
