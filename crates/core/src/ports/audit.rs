//! The audit log: append before the answer, read and verify later.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::{AuditEvent, AuditReport, ChainedEvent};
use crate::page::PageOf;

/// Why an event could not be written. The answer must not leave then.
#[derive(Debug, thiserror::Error)]
#[error("the audit journal cannot be written")]
pub struct JournalError(#[from] pub std::io::Error);

/// The journal: one `write` before an answer leaves. Survives `kill -9`.
pub trait Journal: Send + Sync {
    /// Appends an event. When this returns, the event outlives the process.
    fn append(&self, event: &AuditEvent) -> Result<(), JournalError>;
}

/// What to read of the audit log; newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditQuery {
    /// Only events of this actor label.
    pub actor: Option<String>,
    /// Only events about this server.
    pub server: Option<String>,
    /// Only this action; a trailing `*` matches any rest.
    pub action: Option<String>,
    /// Only this outcome (`permitted`, `refused`, `done`, `failed`).
    pub outcome: Option<String>,
    /// Continue after this position, as the store wrote it into the last page.
    pub cursor: Option<String>,
    /// At most this many.
    pub limit: u32,
}

/// The audit log, durable.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// One page, newest first, with the cursor of the next. Events still in the journal are moved in first.
    async fn page(&self, query: &AuditQuery) -> Result<(PageOf<ChainedEvent>, Option<String>), StoreError>;

    /// Verifies journal and table: every hash, every sequence, every signed checkpoint.
    async fn verify(&self) -> Result<AuditReport, StoreError>;

    /// Bytes in the journal that are not in the table yet.
    async fn backlog(&self) -> Result<u64, StoreError>;
}

/// Signs and verifies the heads of the audit chains. Implemented by `inspect`.
pub trait CheckpointSigner: Send + Sync {
    /// Signs a statement.
    fn sign(&self, statement: &[u8]) -> Vec<u8>;

    /// Whether the signature over the statement was made with the private half of `public_key` (hex).
    fn verify(&self, public_key: &str, statement: &[u8], signature: &[u8]) -> bool;

    /// The public key, hex.
    fn public_key(&self) -> &str;
}
