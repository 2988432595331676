//! Two versions of a server side by side: which fields of their documents differ, and which tools of a REST API.
//!
//! Before: both were published. After: a reviewer, or somebody who wonders whether to upgrade, reads it.

use portreeve_core::caller::Caller;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::Entry;
use portreeve_core::server::Version;
use portreeve_inspect::{FieldChange, document_diff};

use crate::error::RegistryError;
use crate::import::openapi::Change;
use crate::publish::find;
use crate::registry::Registry;

/// What differs between two versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The version that is compared with; nothing when there is none before.
    pub from: Option<VersionText>,
    /// The version that is looked at.
    pub to: VersionText,
    /// The fields that differ, at most a hundred and a remark. Names and numbers of versions differ anyway.
    pub changes: Vec<FieldChange>,
    /// The tools, resources and prompts that differ between two versions of a REST API, for who manages the server.
    /// Nothing for others, and where one of the two is no REST API.
    pub tools: Option<Vec<Change>>,
}

// === impl Registry ===

impl Registry {
    /// Compares a version with another one, or with the one before it: the approved one that is latest, or else the one
    /// that was published before. Of what the caller may not see there is nothing to compare.
    pub async fn compare(
        &self,
        caller: &Caller,
        name: &ServerName,
        (from, to): (Option<&VersionText>, &VersionText),
    ) -> Result<Comparison, RegistryError> {
        let entry = self.entry(caller, name).await?;
        let to = find(&entry, to)?;
        let from = match from {
            Some(from) => Some(find(&entry, from)?),
            None => before(&entry, to),
        };
        let tools = match from {
            Some(from) if self.may_see(caller, name) => self.tool_changes(from, to).await?,
            _ => None,
        };
        Ok(Comparison {
            tools,
            changes: from
                .map(|from| document_diff(&from.document, &to.document))
                .unwrap_or_default(),
            from: from.map(|from| from.version.clone()),
            to: to.version.clone(),
        })
    }
}

/// What a version is compared with unless somebody says.
fn before<'a>(entry: &'a Entry, to: &Version) -> Option<&'a Version> {
    let is_other = |version: &&Version| version.version != to.version;
    let mut others = entry.versions.iter().filter(is_other);
    let latest = others.clone().find(|version| version.is_latest);
    // Versions stand newest first.
    latest.or_else(|| others.find(|version| version.is_listed() && version.published_at <= to.published_at))
}
