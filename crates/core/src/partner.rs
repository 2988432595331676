//! Partners as a registry keeps them: the catalogue that was pulled last, what was registered from it, how its servers were
//! found when they were looked at again, and what was withdrawn.

use serde::{Deserialize, Serialize};

use crate::name::{ServerName, VersionText};
use crate::server::as_words;
use crate::time::Timestamp;

/// A server of a partner: the partner's short name, and what the server's file is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartnerPlace {
    /// The partner.
    pub partner: String,
    /// The server among those of the partner.
    pub name: String,
}

/// The newest catalogue that was pulled and believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCatalogue {
    /// Its version. Never goes back.
    pub version: u64,
    /// Its hash.
    pub hash: String,
    /// The file as it came, with its signature: it is verified again wherever it is read.
    pub body: String,
    /// What its place called this content.
    pub etag: Option<String>,
    /// When it was pulled.
    pub pulled_at: Timestamp,
    /// The key that signed it, base64. What is believed is decided by the file.
    pub signed_by: String,
}

/// How the last pull ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PullOutcome {
    /// When it was made.
    pub at: Timestamp,
    /// From where.
    pub url: String,
    /// `taken`, `unchanged`, `unreachable`, or the word of a refusal such as `forged`.
    pub code: String,
    /// The same as a sentence without its final stop.
    pub message: String,
}

/// A server that was registered out of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredPartner {
    /// Its entry here.
    pub server: ServerName,
    /// Whose it is.
    pub place: PartnerPlace,
    /// The version of the entry that was made of it.
    pub version: VersionText,
    /// The version of the catalogue; 0: the one that the program carries.
    pub catalogue_version: u64,
    /// SHA-256 of what the partner said then.
    pub content_hash: String,
    /// SHA-256 of the server's document as the catalogue has it, before its variables were filled in.
    pub document_hash: String,
    /// The key that signed the catalogue; none: it came with the program.
    pub signed_by: Option<String>,
    /// What was filled in.
    pub variables: Vec<(String, String)>,
    /// Actor label.
    pub registered_by: String,
    /// When.
    pub registered_at: Timestamp,
}

/// What became of a partner, or of one of its servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Withdrawal {
    /// It is not shown to who does not have it; who has it keeps it.
    Delisted,
    /// Nobody may call it any more.
    Revoked,
}

as_words!(Withdrawal { Delisted = "delisted", Revoked = "revoked" });

/// Who withdrew it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WithdrawnBy {
    /// The keepers of the catalogue: the next catalogue may take it back.
    Catalogue,
    /// An administrator here.
    Admin,
}

as_words!(WithdrawnBy { Catalogue = "catalogue", Admin = "admin" });

/// A partner, or one of its servers, that was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    /// The partner.
    pub partner: String,
    /// The server; `None`: all of the partner's.
    pub name: Option<String>,
    /// What became of it.
    pub what: Withdrawal,
    /// Who said so.
    pub by: WithdrawnBy,
    /// Why, as people read it.
    pub reason: String,
    /// Actor label, or the version of the catalogue.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// How a server was found when it was looked at last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HealthState {
    /// It is as it says.
    Healthy,
    /// It cannot be reached, or something must be mended.
    Failing,
    /// Its tools are others than those that were checked.
    ToolsChanged,
}

as_words!(HealthState { Healthy = "healthy", Failing = "failing", ToolsChanged = "tools-changed" });

/// What the last look at a server found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerHealth {
    /// Which one.
    pub place: PartnerPlace,
    /// How it was.
    pub state: HealthState,
    /// Since when it is so.
    pub since: Timestamp,
    /// When it was looked at last.
    pub checked_at: Timestamp,
    /// What was found, as a sentence without its final stop; empty where it is healthy.
    pub detail: String,
    /// The content that was looked at.
    pub content_hash: String,
    /// The tools that were seen first of this content; another hash means that they changed.
    pub tools_hash: Option<String>,
    /// All that was found, as the registry writes it.
    pub evidence: String,
}

/// A server whose routes are closed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedServer {
    /// The entry.
    pub server: ServerName,
    /// What whoever calls it is told.
    pub reason: String,
}
