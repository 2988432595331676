//! Lists for hosts, as bytes that are ready: one question to the store for a page, however many versions are on it; and
//! whole entries, for who keeps lists in memory.

use std::collections::BTreeSet;
use std::ops::Range;

use async_trait::async_trait;

use super::{StoreError, VersionQuery};
use crate::name::{Environment, Slug};
use crate::route::Entrance;
use crate::served::{RemotesText, ServedText};
use crate::server::Lifecycle;
use crate::time::Timestamp;

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
    /// Where each of them stands.
    pub cuts: Vec<ServedCut>,
    /// The (name, version) of the last one, if more follow.
    pub next: Option<(String, String)>,
}

/// Where a version stands among the items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedCut {
    /// The whole of it.
    pub whole: Range<usize>,
    /// Its `remotes` in it, with the comma before them; empty where there are none.
    pub remotes: Range<usize>,
}

/// An entry with everything that lists for hosts are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedEntry {
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// The stage of the version that is marked latest, whether that is approved or not.
    pub stage: Option<Lifecycle>,
    /// Where it is served: the environments of its active routes.
    pub environments: BTreeSet<Environment>,
    /// Its approved versions, by version in byte order.
    pub versions: Vec<ServedVersion>,
}

/// An approved version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedVersion {
    /// Its version.
    pub version: String,
    /// How mature it is.
    pub lifecycle: Lifecycle,
    /// Whether `latest` means this one.
    pub is_latest: bool,
    /// When it was registered.
    pub published_at: Timestamp,
    /// When anything changed last.
    pub updated_at: Timestamp,
    /// How hosts read it.
    pub text: ServedText,
    /// The active routes that serve it, in the order of `remotes`. One that is retired has none.
    pub routes: Vec<ServedRoute>,
}

/// A route, as far as hosts read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedRoute {
    /// Where it leads.
    pub environment: Environment,
    /// How one gets in.
    pub entrance: Entrance,
    /// Its name.
    pub slug: Slug,
}

// === impl ServedItems ===

impl ServedItems {
    /// Adds a version, whose `remotes` are written between the two parts of its text.
    pub fn push<E>(
        &mut self,
        (head, tail): (&str, &str),
        remotes: impl FnOnce(&mut String) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.count > 0 {
            self.items.push(',');
        }
        let begin = self.items.len();
        self.items.push_str(head);
        let from = self.items.len();
        remotes(&mut self.items)?;
        let to = self.items.len();
        self.items.push_str(tail);
        self.count += 1;
        self.cuts.push(ServedCut {
            whole: begin..self.items.len(),
            remotes: from..to,
        });
        Ok(())
    }

    /// Adds those that follow.
    pub fn append(&mut self, other: Self) {
        self.next = other.next;
        if other.count == 0 {
            return;
        }
        if self.count > 0 {
            self.items.push(',');
        }
        let by = self.items.len();
        let moved = |range: Range<usize>| range.start + by..range.end + by;
        self.items.push_str(&other.items);
        self.count += other.count;
        self.cuts.extend(other.cuts.into_iter().map(|cut| ServedCut {
            whole: moved(cut.whole),
            remotes: moved(cut.remotes),
        }));
    }
}

/// Versions as hosts read them.
#[async_trait]
pub trait ServedStore: Send + Sync {
    /// One page. [`StoreError::Corrupt`] when a document on it is none.
    async fn served(&self, query: &ServedQuery) -> Result<ServedItems, StoreError>;

    /// These entries as a whole, each once, in no order. Those without an approved version are left out.
    async fn served_entries(&self, names: &[String]) -> Result<Vec<ServedEntry>, StoreError>;
}
