//! An edit: the document of a version is replaced under the same name and version.
//!
//! Before: a version was published. After: an approval of it is void, because it was given to other content; what the
//! version served is served no more until somebody approves the new content.

use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::publishing::{NameAction, Publisher};
use portreeve_core::server::{Approval, Lifecycle};
use serde_json::json;

use super::{Accepted, view};
use crate::error::RegistryError;
use crate::publish::find;
use crate::registry::Registry;
use crate::serve::Served;
use crate::validate::Draft;
use crate::work::Work;

impl Registry {
    /// Replaces the document of a version.
    pub async fn edit(
        &self,
        publisher: &Publisher,
        name: &ServerName,
        version: &VersionText,
        document: &str,
    ) -> Result<Served, RegistryError> {
        let policy = self.take_turn(publisher, &[NameAction::Edit], name).await?;
        let draft = Draft::read(document, &self.parts.limits)?;
        let entry = self.load(name).await?;
        view::require_spelling(&entry, name)?;
        require_present(find(&entry, version)?.lifecycle, name, version)?;
        same("name", draft.name().map(ServerName::as_str), name.as_str())?;
        same(
            "version",
            draft.version().map(VersionText::as_str),
            version.as_str(),
        )?;
        let accepted = self.accept(publisher, policy, draft).await?;
        self.check_upstream(&accepted).await?;
        let mut tries = 0;
        let entry = loop {
            let mut work = Work::open(self.load(name).await?);
            self.replace(&accepted, &mut work)?;
            if let Some(entry) = self.save_publication(&accepted, work, &mut tries).await? {
                break entry;
            }
        };
        self.published(&accepted, &entry).await
    }

    /// Puts the new document in the place of the old one, unless they say the same.
    fn replace(&self, accepted: &Accepted<'_>, work: &mut Work) -> Result<(), RegistryError> {
        let (valid, caller) = (&accepted.valid, &accepted.publisher.caller);
        let now = self.parts.clock.now();
        let Some(version) = work.version_mut(&valid.version) else {
            return Err(gone(&valid.name, &valid.version));
        };
        require_present(version.lifecycle, &valid.name, &valid.version)?;
        if version.content_hash == valid.content_hash {
            return Ok(());
        }
        let (from, former) = (version.approval, version.content_hash.clone());
        version.document.clone_from(&valid.document);
        version.content_hash.clone_from(&valid.content_hash);
        version.approval = Approval::Submitted;
        version.submitted_by = caller.label.to_string();
        version.decided_by = None;
        if from == Approval::Rejected {
            version.status_message = None;
        }
        version.status_changed_at = now;
        version.updated_at = now;
        let mut event = self.event(caller, "server.edit", &valid.name);
        event.target = Some(valid.version.to_string());
        event.policies = vec![accepted.policy.clone()];
        event.detail = Some(json!({
            "from": from, "to": Approval::Submitted, "formerHash": former, "contentHash": valid.content_hash,
            "approvalVoid": from == Approval::Approved,
        }));
        work.events.push(event);
        self.require_values(work, accepted)?;
        self.approve_by_rule(work, accepted);
        Ok(())
    }
}

/// A deleted version is not edited; it is restored first.
fn require_present(
    lifecycle: Lifecycle,
    name: &ServerName,
    version: &VersionText,
) -> Result<(), RegistryError> {
    if lifecycle == Lifecycle::Retired {
        return Err(gone(name, version));
    }
    Ok(())
}

fn gone(name: &ServerName, version: &VersionText) -> RegistryError {
    RegistryError::NotFound {
        what: format!("version `{version}` of server `{name}`, or it is deleted and must be restored first,"),
    }
}

/// What the document says of itself must be what the address says. A text that is none is told by the rules.
fn same(what: &'static str, claimed: Option<&str>, expected: &str) -> Result<(), RegistryError> {
    match claimed {
        Some(claimed) if claimed != expected => Err(RegistryError::State {
            what: format!(
                "the {what} cannot be changed: the document says `{claimed}`, the address `{expected}`"
            ),
            hint: "an edit keeps name and version; publish a new version for anything else",
        }),
        _ => Ok(()),
    }
}
