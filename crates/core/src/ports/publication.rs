//! A change that comes over the registry API, with what it may not break. The rules that speak of other entries are
//! looked at in the transaction that saves the change: two nodes cannot break them together.

use super::EntryChange;
use crate::name::{ServerName, VersionText};

/// A change of an entry that somebody publishes.
#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    /// The change.
    pub change: EntryChange,
    /// The version that is published or edited.
    pub version: VersionText,
    /// The URLs of its remotes. None of them may belong to another name, unless its version is retired or was sent
    /// back.
    pub remotes: Vec<String>,
    /// How many versions the publisher may have waiting, this one included. `None`: as many as come.
    pub most_waiting: Option<u32>,
    /// Actor label of the publisher.
    pub publisher: String,
}

/// What became of a publication. Unless it was saved, nothing happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// It was saved; the entry has this revision now.
    Saved(i64),
    /// A remote belongs to another name.
    RemoteTaken {
        /// Its URL.
        url: String,
        /// The other name.
        by: ServerName,
    },
    /// The namespace exists in another spelling: letters differ in case alone.
    NamespaceTaken {
        /// A name in that spelling.
        by: ServerName,
    },
    /// As many versions of this publisher wait as may.
    TooManyWaiting,
}
