//! Assessments of versions, and which versions wait for one.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::AuditEvent;
use crate::name::{ServerName, VersionText};
use crate::time::Timestamp;

/// What was found about a version, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAssessment {
    /// The server.
    pub name: ServerName,
    /// The version.
    pub version: VersionText,
    /// The content that was judged.
    pub content_hash: String,
    /// When.
    pub at: Timestamp,
    /// How many tools were looked at.
    pub tools: u64,
    /// The findings, as JSON text.
    pub findings: String,
}

/// Whether proposals that came with an import are judged without being asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// They are.
    Judged,
    /// They are left alone: looking at them asks the servers of a whole catalogue.
    Left,
}

/// What is to be judged of the entries that were looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unassessed {
    /// The versions.
    pub versions: Vec<(ServerName, VersionText)>,
    /// The last entry that was looked through, if there may be more behind it.
    pub last: Option<ServerName>,
}

/// Assessments, durable: the last one of each version.
#[async_trait]
pub trait AssessmentStore: Send + Sync {
    /// The assessment of a version.
    async fn assessment(
        &self,
        name: &ServerName,
        version: &VersionText,
    ) -> Result<Option<StoredAssessment>, StoreError>;

    /// Stores an assessment in place of an older one. [`StoreError::NotFound`] when there is no such version any more.
    async fn save_assessment(
        &self,
        assessment: &StoredAssessment,
        events: &[AuditEvent],
    ) -> Result<(), StoreError>;

    /// Looks through so many entries behind this name, in the order of names, for versions that wait or are listed, and
    /// whose content was never judged, or not since that moment; those that wait longest first. What waits because it was
    /// imported is left out, unless it is asked for or a rule approves it once it was judged.
    async fn unassessed(
        &self,
        since: Timestamp,
        imported: Imported,
        behind: Option<&ServerName>,
        among: u32,
    ) -> Result<Unassessed, StoreError>;
}
