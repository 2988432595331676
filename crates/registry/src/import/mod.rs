//! Imports: records of other registries and catalogues become entries that wait for approval. Tolerant: what is wrong
//! with a record is written down and shown, and stops only what cannot be an entry at all.
//!
//! Before: somebody uploads records, or names a registry. After: `approve`, now by a rule or later by a person. A new form
//! of source is a file here and a line in [`importer`].

mod api_center;
mod docker;
mod git_tree;
mod official_registry;
pub(crate) mod partner_files;

pub mod openapi;

mod server_json;

mod apply;
mod desk;
mod fetch;
mod follow;
mod intake;
mod page;
mod position;
mod rule;
mod runs;
mod schedule;
mod split;

use portreeve_core::import::{Finding, ImportKind};
use portreeve_core::limits::Limits;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::time::Timestamp;

pub use fetch::Fetch;
pub use intake::Intake;
pub use runs::{ImportsPage, NewImport, RecordsPage, Taken};
pub use schedule::{ImportJob, NewSchedule};
pub use split::{is_of_source, record, records_of};

/// A record as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the source: a file, or `servers[17]`.
    pub place: String,
    /// Its text.
    pub text: String,
}

/// What a record says, brought into the form of a `server.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its place in the source.
    pub place: String,
    /// The server, if it names one.
    pub name: Option<ServerName>,
    /// The version, if it names one.
    pub version: Option<VersionText>,
    /// The document that is stored.
    pub document: String,
    /// SHA-256 over the canonical form of the document, hex.
    pub content_hash: String,
    /// SHA-256 of the record as it came, hex.
    pub source_hash: String,
    /// The record as it came, where that is not the document.
    pub raw: Option<String>,
    /// What the source says of it.
    pub status: SourceStatus,
    /// When the source published it.
    pub published_at: Option<Timestamp>,
    /// What was noticed.
    pub findings: Vec<Finding>,
    /// Whether something was noticed that a person must look at before it is served.
    pub needs_eyes: bool,
}

/// What a source says of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceStatus {
    /// It is there for everyone.
    #[default]
    Active,
    /// It should not be taken up any more.
    Deprecated,
    /// It is gone.
    Deleted,
}

/// Reads the records of one form of source. Pure: nothing is asked, nothing is saved.
pub trait Importer: Send + Sync {
    /// The form.
    fn kind(&self) -> ImportKind;

    /// What a record says. Usually one thing, of a list each of its items.
    fn read(&self, record: &Record, limits: &Limits) -> Vec<Candidate>;
}

/// The importer of a form.
pub fn importer(kind: ImportKind) -> &'static dyn Importer {
    match kind {
        ImportKind::Registry => &official_registry::OfficialRegistry(ImportKind::Registry),
        ImportKind::Dump => &official_registry::OfficialRegistry(ImportKind::Dump),
        ImportKind::Git => &git_tree::GitTree,
        ImportKind::Partners => &partner_files::PartnerFiles,
        ImportKind::Docker => &docker::Docker,
        ImportKind::ApiCenter => &api_center::ApiCenter,
    }
}

// === impl SourceStatus ===

impl SourceStatus {
    /// The official word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deprecated => "deprecated",
            Self::Deleted => "deleted",
        }
    }

    fn from_word(word: &str) -> Self {
        match word {
            "deprecated" => Self::Deprecated,
            "deleted" => Self::Deleted,
            _ => Self::Active,
        }
    }
}

// === impl Candidate ===

impl Candidate {
    /// A record that cannot become an entry.
    fn refused(record: &Record, path: &str, message: impl Into<String>) -> Self {
        Self {
            place: record.place.clone(),
            name: None,
            version: None,
            document: String::new(),
            content_hash: String::new(),
            source_hash: portreeve_inspect::sha256_hex(record.text.as_bytes()),
            raw: None,
            status: SourceStatus::Active,
            published_at: None,
            findings: vec![finding(path, message)],
            needs_eyes: true,
        }
    }
}

fn finding(path: &str, message: impl Into<String>) -> Finding {
    Finding {
        path: path.to_owned(),
        message: message.into(),
    }
}
