//! What `doctor` answers: one line per thing that can be wrong with an installation.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// As it should be.
    Ok,
    /// Works, but somebody should look.
    Warning,
    /// Does not work.
    Failure,
}

/// One examined thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was examined: `data rights`, `store`, `migrations`, `disk`, `public URL`, `journal`, `upstream NAME`.
    pub name: String,
    /// How bad it is.
    pub status: CheckStatus,
    /// What was found.
    pub detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Examines the installation. Implemented by the roof, which knows everything.
#[async_trait]
pub trait Doctor: Send + Sync {
    /// Examines everything, at most ten seconds long.
    async fn examine(&self) -> Vec<Check>;
}
