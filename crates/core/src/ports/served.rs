//! Lists for hosts, as bytes that are ready: one question to the store for a page, however many versions are on it.

use async_trait::async_trait;

use super::{StoreError, VersionQuery};
use crate::served::RemotesText;

/// In which order versions come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServedOrder {
    /// By (name, version) in byte order, so that a page can continue where another ended.
    Name,
    /// Newest published first (ties: by version text, descending). There are no pages.
    Newest,
}

/// A question for versions as hosts read them. Only approved ones have that form, whatever the visibility says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedQuery {
    /// Which versions.
    pub versions: VersionQuery,
    /// Only of these entries.
    pub among: Option<Vec<String>>,
    /// In which order.
    pub order: ServedOrder,
    /// How their routes are written.
    pub remotes: RemotesText,
}

/// Versions as hosts read them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServedItems {
    /// JSON objects `{"server":{..},"_meta":{..}}` with commas between them.
    pub items: String,
    /// How many they are.
    pub count: usize,
    /// The (name, version) of the last one, if more follow.
    pub next: Option<(String, String)>,
}

/// Versions as hosts read them.
#[async_trait]
pub trait ServedStore: Send + Sync {
    /// One page. [`StoreError::Corrupt`] when a document on it is none.
    async fn served(&self, query: &ServedQuery) -> Result<ServedItems, StoreError>;
}
