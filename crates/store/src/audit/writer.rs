//! The writer: moves the journal into the table, pulls the outbox into the journal, signs checkpoints, deletes what
//! was moved. It is also the face on which the audit log is read and verified.

mod drain;

use std::path::PathBuf;
use std::sync::{Arc, Mutex as BriefMutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use portreeve_core::audit::{AuditReport, ChainedEvent};
use portreeve_core::page::PageOf;
use portreeve_core::ports::{AuditLog, AuditQuery, CheckpointSigner, StoreError};
use portreeve_core::time::Clock;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use super::checkpoint::{self, Checkpoint};
use super::error::{AuditError, as_store_error};
use super::journal::{FileJournal, JournalSync};
use super::reader::Position;
use super::{mover, page, verify};
use crate::store::Store;

/// How the audit log is kept.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    /// The data directory: `journal/` and `audit-checkpoints.log` are in it.
    pub data: PathBuf,
    /// When an event counts as written.
    pub sync: JournalSync,
    /// Bytes after which the journal begins a new segment.
    pub segment_bytes: u64,
    /// How often the journal is moved into the table. While there is traffic, ten times as often.
    pub every: Duration,
    /// How often a moved head is signed.
    pub checkpoint_every: Duration,
}

/// The audit log of this node: where events go in, and who moves and reads them.
#[derive(Debug)]
pub struct Audit {
    /// Where the gateway appends.
    pub journal: Arc<FileJournal>,
    /// The writer, to be run; its clones are the audit log.
    pub writer: AuditWriter,
}

/// Moves, signs, reads and verifies. Cheap to clone; one clone is [`AuditWriter::run`], the others are the port
/// [`AuditLog`].
#[derive(Clone)]
pub struct AuditWriter {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    node: String,
    journal: Arc<FileJournal>,
    signer: Arc<dyn CheckpointSigner>,
    clock: Arc<dyn Clock>,
    options: AuditOptions,
    /// The work; held over a whole drain, so that nothing is moved twice.
    work: Mutex<Work>,
    /// A copy of [`Work::position`] for who must not wait.
    position: BriefMutex<Position>,
}

/// What a look into the journal found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Records,
    Nothing,
}

/// Where the writer stands.
#[derive(Debug)]
struct Work {
    /// How far the journal was moved.
    position: Position,
    /// The last sequence that is in the table.
    moved: i64,
    /// The last sequence that was in the table when the writer was made.
    found: i64,
    /// Segments that are evidence: set aside instead of deleted.
    damaged: Vec<i64>,
    /// The last sequence that was signed.
    signed: i64,
    /// Signed, not yet in the table.
    unsaved: Vec<Checkpoint>,
}

// === impl AuditOptions ===

impl AuditOptions {
    /// The defaults, for a data directory.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            sync: JournalSync::Os,
            segment_bytes: 8 * 1024 * 1024,
            every: Duration::from_secs(1),
            checkpoint_every: Duration::from_secs(60),
        }
    }
}

// === impl Audit ===

impl Audit {
    /// Opens the journal behind what the table holds, and makes the writer. Nothing is moved before the writer runs
    /// or is drained.
    pub async fn open(
        store: &Store,
        options: AuditOptions,
        signer: Arc<dyn CheckpointSigner>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AuditError> {
        let node = store.node().to_string();
        let stored = mover::stored_head(store, &node).await?;
        let journal = Arc::new(FileJournal::open(&options.data, options.sync, stored)?);
        let path = checkpoint::file(&options.data);
        let contents = checkpoint::read(&path).map_err(AuditError::at(&path))?;
        checkpoint::repair(&path, &contents).map_err(AuditError::at(&path))?;
        // A crash may have come between file and table.
        let last = contents
            .checkpoints
            .into_iter()
            .rev()
            .find(|checkpoint| checkpoint.node == node);
        let work = Work {
            position: Position::default(),
            moved: stored.sequence,
            found: stored.sequence,
            damaged: Vec::new(),
            signed: last.as_ref().map_or(0, |checkpoint| checkpoint.head.sequence),
            unsaved: Vec::from_iter(last),
        };
        let inner = Inner {
            store: store.clone(),
            node,
            journal: Arc::clone(&journal),
            signer,
            clock,
            options,
            work: Mutex::new(work),
            position: BriefMutex::new(Position::default()),
        };
        let writer = AuditWriter {
            inner: Arc::new(inner),
        };
        Ok(Self { journal, writer })
    }
}

// === impl AuditWriter ===

impl AuditWriter {
    /// Works until `shutdown` says true, then once more. Failures are logged once and tried again: the journal holds
    /// everything meanwhile.
    pub async fn run(self, mut shutdown: watch::Receiver<bool>) {
        let mut failing = false;
        let mut checkpoint_at = Instant::now();
        let every = self.inner.options.every;
        let mut rest = Duration::ZERO;
        loop {
            tokio::select! {
                // A sender that is gone means the same as one that says true.
                _ = shutdown.wait_for(|stop| *stop) => break,
                () = tokio::time::sleep(rest) => {}
            }
            let result = if Instant::now() >= checkpoint_at {
                checkpoint_at = Instant::now() + self.inner.options.checkpoint_every;
                self.sign_and_drain().await
            } else {
                self.look().await
            };
            // Where there is traffic, often and little: a second's worth at once would hold up requests.
            rest = match &result {
                Ok(Found::Records) => every / 10,
                Ok(Found::Nothing) | Err(_) => every,
            };
            tell(&mut failing, result);
        }
        tell(&mut failing, self.sign_and_drain().await);
    }

    /// Moves everything that is in the journal and in this node's outbox into the table.
    pub async fn drain(&self) -> Result<(), StoreError> {
        self.look().await.map(drop)
    }

    /// Drains, and signs the head if it moved. The signature is in the file even when the database is away.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        self.sign_and_drain().await.map(drop)
    }

    async fn look(&self) -> Result<Found, StoreError> {
        let mut work = self.inner.work.lock().await;
        self.inner.drain(&mut work).await
    }

    async fn sign_and_drain(&self) -> Result<Found, StoreError> {
        let mut work = self.inner.work.lock().await;
        let drained = self.inner.drain(&mut work).await;
        self.inner.sign(&mut work).await?;
        let found = drained?;
        self.inner.save_checkpoints(&mut work).await?;
        Ok(found)
    }
}

impl std::fmt::Debug for AuditWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditWriter")
            .field("node", &self.inner.node)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl AuditLog for AuditWriter {
    async fn page(&self, query: &AuditQuery) -> Result<(PageOf<ChainedEvent>, Option<String>), StoreError> {
        self.drain().await?;
        page::page(&self.inner.store, query).await
    }

    async fn verify(&self) -> Result<AuditReport, StoreError> {
        let evidence = {
            let mut work = self.inner.work.lock().await;
            self.inner.drain(&mut work).await?;
            self.inner.evidence(&work).await.map_err(as_store_error)?
        };
        verify::verify(Some(&self.inner.store), evidence, &*self.inner.signer).await
    }

    async fn backlog(&self) -> Result<u64, StoreError> {
        let position = *self.inner.position.lock().unwrap_or_else(PoisonError::into_inner);
        let view = self
            .inner
            .journal
            .view()
            .map_err(AuditError::at(&self.inner.options.data))
            .map_err(as_store_error)?;
        let unread = view.segments.iter().map(|segment| {
            if segment.first == position.segment {
                segment.length.saturating_sub(position.offset)
            } else if segment.first > position.segment {
                segment.length
            } else {
                0
            }
        });
        Ok(unread.sum())
    }
}

/// Logs the first failure of a row and the recovery from it.
fn tell(failing: &mut bool, result: Result<Found, StoreError>) {
    match result {
        Ok(_) if *failing => {
            *failing = false;
            tracing::info!("The audit journal is moved into the store again.");
        }
        Err(error) if !*failing => {
            *failing = true;
            let source = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, source, "The audit journal cannot be moved into the store. It keeps everything.");
        }
        Ok(_) | Err(_) => {}
    }
}
