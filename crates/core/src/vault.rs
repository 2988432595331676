//! A secret in the vault, sealed: what is stored of it, and what may be told of it.

use crate::name::SecretName;
use crate::time::Timestamp;

/// What may be told of a secret. Its value is never told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFacts {
    /// Its name.
    pub name: SecretName,
    /// Actor label of who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Actor label of who replaced it last.
    pub updated_by: String,
    /// When.
    pub updated_at: Timestamp,
    /// Counts the replacements.
    pub revision: i64,
}

/// A secret as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// What may be told.
    pub facts: SecretFacts,
    /// The value, sealed for this name in this installation, as text.
    pub sealed: String,
}

impl std::fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedSecret")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}
