//! An entry while it is being changed: what it was, what it shall be, and what is written down about that.
//!
//! Before: `publish`, `approve` or `deployments` open an entry. After: `settle` draws the conclusions, and everything is
//! saved as one.

use portreeve_core::audit::AuditEvent;
use portreeve_core::name::{Slug, VersionText};
use portreeve_core::ports::{Entry, EntryChange};
use portreeve_core::route::Route;
use portreeve_core::server::{Approval, PrivateHost, Server, Version};
use portreeve_core::time::Timestamp;

use crate::assess::submitted::Which;
use crate::error::RegistryError;
use crate::latest::latest_of;
use crate::plan::Agreed;

/// An entry while it is being changed.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) before: Option<Entry>,
    pub(crate) server: Server,
    pub(crate) versions: Vec<Version>,
    pub(crate) routes: Vec<Route>,
    pub(crate) granted: Vec<PrivateHost>,
    pub(crate) events: Vec<AuditEvent>,
    /// What may become of the routes and nothing else, if somebody agreed to something.
    pub(crate) agreed: Option<Agreed>,
    /// Slugs that entries beside this one are about to claim, in the same transaction.
    pub(crate) taken: Vec<Slug>,
}

// === impl Work ===

impl Work {
    /// Whether a version of the server is approved, listed or not.
    pub(crate) fn has_approved(&self) -> bool {
        let is_approved = |version: &Version| version.approval == Approval::Approved;
        self.versions.iter().any(is_approved)
    }

    /// The versions that this hands in for a review, new or with another content.
    pub(crate) fn submitted(&self) -> Vec<Which> {
        let before = self.before.iter().flat_map(|entry| &entry.versions);
        let known: Vec<_> = before
            .filter(|version| version.approval == Approval::Submitted)
            .map(|version| (&version.version, &version.content_hash))
            .collect();
        self.versions
            .iter()
            .filter(|version| version.approval == Approval::Submitted)
            .filter(|version| !known.contains(&(&version.version, &version.content_hash)))
            .map(|version| (version.name.clone(), version.version.clone()))
            .collect()
    }

    /// Begins an entry that does not exist yet.
    pub(crate) fn begin(server: Server) -> Self {
        Self {
            before: None,
            server,
            versions: Vec::new(),
            routes: Vec::new(),
            granted: Vec::new(),
            events: Vec::new(),
            agreed: None,
            taken: Vec::new(),
        }
    }

    /// Opens one that does.
    pub(crate) fn open(entry: Entry) -> Self {
        Self {
            server: entry.server.clone(),
            versions: entry.versions.clone(),
            routes: entry.routes.clone(),
            before: Some(entry),
            granted: Vec::new(),
            events: Vec::new(),
            agreed: None,
            taken: Vec::new(),
        }
    }

    /// Refuses when the entry is not at the revision that somebody saw.
    pub(crate) fn expect(&self, revision: Option<i64>) -> Result<(), RegistryError> {
        let is = self.before.as_ref().map(|entry| entry.revision);
        if revision.is_none() || revision == is {
            return Ok(());
        }
        Err(RegistryError::Conflict {
            what: format!("server `{}`", self.server.name),
        })
    }

    pub(crate) fn version(&self, version: &VersionText) -> Option<&Version> {
        self.versions
            .iter()
            .find(|candidate| candidate.version == *version)
    }

    pub(crate) fn version_mut(&mut self, version: &VersionText) -> Option<&mut Version> {
        self.versions
            .iter_mut()
            .find(|candidate| candidate.version == *version)
    }

    /// Adds a version, or replaces the one of that name.
    pub(crate) fn put(&mut self, version: Version) {
        match self.version_mut(&version.version) {
            Some(present) => *present = version,
            None => self.versions.insert(0, version),
        }
    }

    /// Whether anything of the entry is new or changed so far.
    pub(crate) fn is_touched(&self) -> bool {
        self.before
            .as_ref()
            .is_none_or(|entry| entry.server != self.server || entry.versions != self.versions)
    }

    /// Grants private hosts to the entry.
    pub(crate) fn grant(&mut self, hosts: &[PrivateHost], now: Timestamp) {
        for host in hosts {
            if !self.server.private_hosts.contains(host) {
                self.server.private_hosts.push(host.clone());
                self.server.updated_at = now;
                self.granted.push(host.clone());
            }
        }
    }

    /// Moves the mark. Both rows of a move are touched, so that mirrors that ask for what changed see both.
    pub(crate) fn mark_latest(&mut self, now: Timestamp) {
        let latest = latest_of(&self.versions);
        for (index, version) in self.versions.iter_mut().enumerate() {
            let is_latest = latest == Some(index);
            if version.is_latest != is_latest {
                version.is_latest = is_latest;
                version.updated_at = now;
            }
        }
    }

    /// The change that makes it so, if anything changed, and the entry as it is then.
    pub(crate) fn finish(self) -> (Option<EntryChange>, Entry) {
        let before = self.before.as_ref();
        let versions: Vec<Version> = self
            .versions
            .iter()
            .filter(|version| !before.is_some_and(|entry| entry.versions.contains(version)))
            .cloned()
            .collect();
        let routes: Vec<Route> = self
            .routes
            .iter()
            .filter(|route| !before.is_some_and(|entry| entry.routes.contains(route)))
            .cloned()
            .collect();
        let is_changed = before.is_none_or(|entry| entry.server != self.server)
            || !versions.is_empty()
            || !routes.is_empty();
        let entry = Entry {
            server: self.server.clone(),
            versions: self.versions,
            routes: self.routes,
            revision: before.map_or(0, |entry| entry.revision),
        };
        let change = is_changed.then(|| EntryChange {
            expected: before.map(|entry| entry.revision),
            server: self.server,
            versions,
            routes,
            events: self.events,
        });
        (change, entry)
    }
}
