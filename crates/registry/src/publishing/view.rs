//! What a publisher sees of names that are his: every version, also those that wait or were sent back. For everybody
//! else these do not exist.
//!
//! Before: `serve` says what everybody sees. After: `api` asks here first when a publisher asks.

use portreeve_core::name::ServerName;
use portreeve_core::ports::Entry;
use portreeve_core::publishing::{NameAction, Publisher};
use portreeve_core::served::PublicDocument;
use portreeve_core::server::{Approval, Lifecycle, Version};

use crate::error::RegistryError;
use crate::registry::Registry;
use crate::serve::{PageMetadata, Review, Served, ServedPage, unreadable};
use crate::views::View;

impl Registry {
    /// Whether names like this are the publisher's, so that he sees all of them. What a policy hides from him is shown to
    /// him as to everybody.
    pub fn is_publisher_of(&self, publisher: &Publisher, name: &ServerName) -> bool {
        let actions = [NameAction::Publish, NameAction::Edit];
        self.require_right(publisher, &actions, name).is_ok() && !self.is_hidden(&publisher.caller, name)
    }

    /// All versions of a server that is the publisher's, newest first.
    pub async fn publisher_versions(
        &self,
        publisher: &Publisher,
        name: &ServerName,
        include_deleted: bool,
    ) -> Result<ServedPage, RegistryError> {
        let entry = self.own_entry(publisher, name).await?;
        let servers: Vec<Served> = entry
            .versions
            .iter()
            .filter(|version| include_deleted || version.lifecycle != Lifecycle::Retired)
            .map(|version| self.served_to_publisher(&entry, version))
            .collect::<Result<_, _>>()?;
        if servers.is_empty() {
            return Err(RegistryError::no_server(name));
        }
        let metadata = PageMetadata {
            next_cursor: None,
            count: servers.len(),
        };
        Ok(ServedPage { servers, metadata })
    }

    /// One version of a server that is the publisher's. `latest` is what everybody gets for it.
    pub async fn publisher_version(
        &self,
        publisher: &Publisher,
        name: &ServerName,
        version: &str,
        include_deleted: bool,
    ) -> Result<Served, RegistryError> {
        if self.is_publisher_of(publisher, name)
            && let Some(served) = self.approved_version(name, version, include_deleted).await?
        {
            return Ok(served);
        }
        let entry = self.own_entry(publisher, name).await?;
        let is_meant = |candidate: &&Version| match version {
            "latest" => candidate.is_latest,
            version => candidate.version.as_str() == version,
        };
        let found = entry
            .versions
            .iter()
            .filter(|candidate| include_deleted || candidate.lifecycle != Lifecycle::Retired)
            .find(is_meant);
        let found = found.ok_or_else(|| RegistryError::no_server(name))?;
        self.served_to_publisher(&entry, found)
    }

    /// What everybody may read is read as everybody reads it. It is asked for most.
    async fn approved_version(
        &self,
        name: &ServerName,
        version: &str,
        include_deleted: bool,
    ) -> Result<Option<Served>, RegistryError> {
        let view = View::main();
        match self
            .serve_version_in(&view, (name, version), include_deleted)
            .await
        {
            Ok(mut served) => {
                served.meta.review = Some(Review {
                    approval: Approval::Approved.as_str(),
                    reason: None,
                });
                Ok(Some(served))
            }
            Err(RegistryError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn own_entry(&self, publisher: &Publisher, name: &ServerName) -> Result<Entry, RegistryError> {
        if !self.is_publisher_of(publisher, name) {
            return Err(RegistryError::no_server(name));
        }
        let entry = self.load(name).await?;
        require_spelling(&entry, name)?;
        Ok(entry)
    }

    /// A version as everybody reads it once it is approved; until then as it was sent.
    pub(super) fn served_to_publisher(
        &self,
        entry: &Entry,
        version: &Version,
    ) -> Result<Served, RegistryError> {
        let mut served = self.served_at(version, &View::main().faces(&entry.routes, version))?;
        if version.approval != Approval::Approved {
            served.server = PublicDocument::as_sent(&version.document).map_err(|_| unreadable(version))?;
        }
        let reason = version.status_message.clone();
        served.meta.review = Some(Review {
            approval: version.approval.as_str(),
            reason: reason.filter(|_| version.approval == Approval::Rejected),
        });
        Ok(served)
    }
}

/// The official API takes names as they are written.
pub(super) fn require_spelling(entry: &Entry, name: &ServerName) -> Result<(), RegistryError> {
    if entry.server.name == *name {
        Ok(())
    } else {
        Err(RegistryError::no_server(name))
    }
}
