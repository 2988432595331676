//! Why the audit log cannot be opened or verified.

use std::path::{Path, PathBuf};

use portreeve_core::ports::StoreError;

/// Why the audit log cannot be opened or verified.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A file or directory refused.
    #[error("`{path}` cannot be used: {source}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process writes this journal.
    #[error("the journal `{path}` is used by another process")]
    InUse {
        /// The journal's directory.
        path: PathBuf,
    },
    /// The file with the node's identity holds something else.
    #[error("`{path}` does not hold a node's identity")]
    Node {
        /// The file.
        path: PathBuf,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuditError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File { .. } => {
                "check that the data directory exists, belongs to this user and has space left"
            }
            Self::InUse { .. } => "stop the other process, or give each one its own data directory",
            Self::Node { .. } => {
                "restore the file from a backup; a new identity would begin a new audit chain"
            }
            Self::Store(_) => "run `portreeve doctor`",
        }
    }

    /// For `map_err`, with the path that was touched.
    pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

/// A failure of the journal's files, seen by those who ask the store.
pub(crate) fn as_store_error(error: AuditError) -> StoreError {
    match error {
        AuditError::Store(error) => error,
        error => StoreError::Unavailable(Box::new(error)),
    }
}
