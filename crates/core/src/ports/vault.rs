//! The vault's ports: where sealed secrets are kept, and how a room gets one that it must present to somebody outside.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::AuditEvent;
use crate::login::{Login, Presented};
use crate::name::SecretName;
use crate::secret::Secret;
use crate::vault::{SealedSecret, SecretFacts, SecretUse};

/// A secret that is new or replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct SecretChange {
    /// The secret as it shall be.
    pub secret: SealedSecret,
    /// The revision that is replaced; `None` when there must be none of the name yet.
    pub expected: Option<i64>,
    /// So many secrets there may be.
    pub most: usize,
    /// The audit event that belongs to it.
    pub event: AuditEvent,
}

/// What stops the removal of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Whoever names it.
    Unused,
    /// Nothing. Who names it says that it is missing.
    Forced,
}

/// Sealed secrets, durable. Nothing here can open one.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// Tells this installation from every other one. It never changes.
    async fn installation(&self) -> Result<String, StoreError>;

    /// All secrets, by name, without their values.
    async fn secrets(&self) -> Result<Vec<SecretFacts>, StoreError>;

    /// The secret of that name.
    async fn secret(&self, name: &SecretName) -> Result<Option<SealedSecret>, StoreError>;

    /// Stores a secret. [`StoreError::Conflict`] when the name is not at `expected`, or there are too many.
    async fn put_secret(&self, change: SecretChange) -> Result<(), StoreError>;

    /// Removes a secret. [`StoreError::NotFound`] when there is none. Unless it is forced, one that is named stays, and
    /// those who name it are returned; nobody, when it is gone.
    async fn remove_secret(
        &self,
        name: &SecretName,
        removal: Removal,
        event: AuditEvent,
    ) -> Result<Vec<SecretUse>, StoreError>;

    /// Who names a secret, by kind and name.
    async fn secret_uses(&self, name: &SecretName) -> Result<Vec<SecretUse>, StoreError>;
}

/// Why a secret cannot be presented.
#[derive(Debug, thiserror::Error)]
pub enum SecretUnavailable {
    /// There is no secret of that name.
    #[error("there is no secret `{0}`")]
    Unknown(SecretName),
    /// It was sealed under another master key, for another name or installation, or it was changed.
    #[error("the secret `{0}` cannot be opened with this master key")]
    Unreadable(SecretName),
    /// It holds characters that cannot be presented, a line break for example.
    #[error("the secret `{0}` cannot stand in a header: it holds more than printable ASCII")]
    Unpresentable(SecretName),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// For what Portreeve presents a secret to somebody outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To look at a server's tools.
    Assess,
    /// To call an API for somebody.
    Call,
    /// To read a registry that is imported.
    Import,
    /// To sign what a webhook is told.
    Deliver,
}

/// What Portreeve presents to somebody outside when it goes there itself. Implemented by `access`, taken by the rooms that
/// go out.
#[async_trait]
pub trait Outgoing: Send + Sync {
    /// Opens a secret of the vault. Who asks has decided that it may be presented where it is going.
    async fn open(&self, name: &SecretName, purpose: Purpose) -> Result<Secret, SecretUnavailable>;

    /// The header by which a login presents its secret.
    async fn login(&self, login: &Login, purpose: Purpose) -> Result<Presented, SecretUnavailable>;
}
