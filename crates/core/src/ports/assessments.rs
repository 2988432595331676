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

/// Which versions are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought {
    /// Those that wait for a review. Of those that came with an import only what a rule approves once it was judged, unless
    /// they are all asked for.
    Waiting(Imported),
    /// Those that are approved.
    Listed,
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

    /// Looks through so many entries behind this name, in the order of names, for versions whose content was never judged,
    /// or not since that moment; those that wait longest first.
    async fn unassessed(
        &self,
        since: Timestamp,
        sought: Sought,
        behind: Option<&ServerName>,
        among: u32,
    ) -> Result<Unassessed, StoreError>;
}
