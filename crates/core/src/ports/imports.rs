//! The port of imports: runs, what became of their records, and many changed entries saved as one.

use async_trait::async_trait;

use super::{Entry, EntryChange, StoreError};
use crate::audit::AuditEvent;
use crate::id::ImportId;
use crate::import::{ImportRun, ImportSchedule, ImportedRecord, Provenance};
use crate::name::ServerName;
use crate::time::Timestamp;

/// A part of a run. Everything in it is saved in one transaction, or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportBatch {
    /// The run as it stands then.
    pub run: ImportRun,
    /// What becomes of entries.
    pub entries: Vec<EntryChange>,
    /// Where their versions came from.
    pub provenance: Vec<Provenance>,
    /// What became of records, as far as something is to be said about them.
    pub records: Vec<ImportedRecord>,
    /// Audit events of the batch, besides those of the entries.
    pub events: Vec<AuditEvent>,
}

/// Imports, durable.
#[async_trait]
pub trait ImportStore: Send + Sync {
    /// Begins a run.
    async fn begin_import(&self, run: &ImportRun, event: AuditEvent) -> Result<(), StoreError>;

    /// Saves a part of a run. [`StoreError::Conflict`] when an entry was changed meanwhile; then nothing is saved.
    async fn save_import(&self, batch: ImportBatch) -> Result<(), StoreError>;

    /// A run.
    async fn import(&self, id: ImportId) -> Result<Option<ImportRun>, StoreError>;

    /// Runs, newest first, after a run, at most `limit`.
    async fn imports(&self, after: Option<ImportId>, limit: u32) -> Result<Vec<ImportRun>, StoreError>;

    /// What became of records of a run, after a position, at most `limit`.
    async fn import_records(
        &self,
        id: ImportId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<ImportedRecord>, StoreError>;

    /// The entries of these names, in no order. Names differ in more than case.
    async fn entries_named(&self, names: &[ServerName]) -> Result<Vec<Entry>, StoreError>;

    /// Where versions of these servers came from.
    async fn provenance(&self, names: &[ServerName]) -> Result<Vec<Provenance>, StoreError>;

    /// Sources that are read again and again, by origin.
    async fn schedules(&self) -> Result<Vec<ImportSchedule>, StoreError>;

    /// Sets up such a source, or changes it.
    async fn save_schedule(
        &self,
        schedule: &ImportSchedule,
        event: Option<AuditEvent>,
    ) -> Result<(), StoreError>;

    /// Notes that a run over a source has begun, and when the next one shall. [`StoreError::Conflict`] when the source was
    /// changed or ended since it was read; then nothing is noted.
    async fn begin_scheduled(
        &self,
        seen: &ImportSchedule,
        run: ImportId,
        next_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Notes that a run took in everything that the source changed before a moment. [`StoreError::Conflict`] when it is
    /// not the source's last run any more, because that was changed, ended or set up anew.
    async fn note_synced(&self, origin: &str, run: ImportId, until: Timestamp) -> Result<(), StoreError>;

    /// Ends it.
    async fn remove_schedule(&self, origin: &str, event: AuditEvent) -> Result<(), StoreError>;
}
