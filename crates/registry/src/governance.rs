//! Who may do which step: publishers hand in, managers approve, and where a registry says so, somebody else approves
//! than who submitted.

use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::ServerName;
use portreeve_core::ports::Entry;
use portreeve_core::server::{Server, Version};
use portreeve_core::view::RegistryRecord;

use crate::error::RegistryError;
use crate::registry::{Registry, forbidden};

// === impl Registry ===

impl Registry {
    /// Whether the caller may register versions of the server, describe it and hand it in. Managing includes it.
    pub(crate) fn may_publish(&self, caller: &Caller, name: &ServerName) -> bool {
        let decision = self
            .parts
            .authorizer
            .may(caller, Action::Publish, &Target::Server(name));
        decision.is_permit() || self.may_manage(caller, name)
    }

    /// Refuses who may not publish the server, whether it exists or not.
    pub(crate) fn require_publish(&self, caller: &Caller, name: &ServerName) -> Result<(), RegistryError> {
        if self.may_publish(caller, name) {
            return Ok(());
        }
        Err(forbidden(caller, format!("publish server `{name}`")))
    }

    /// The registry that wants what it holds approved by somebody else than who submitted it. Whether an entry is
    /// served, and how mature it is, decide nothing here: both may come of the very approval.
    pub(crate) fn four_eyes(&self, server: &Server) -> Option<RegistryRecord> {
        let registries = self.parts.views.registries();
        let wants = |record: &&RegistryRecord| record.approver_differs && record.selection.concerns(server);
        registries.iter().find(wants).cloned()
    }

    /// Refuses an approval by who submitted, where that matters.
    pub(crate) fn require_another(
        &self,
        caller: &Caller,
        server: &Server,
        submitted_by: &str,
    ) -> Result<(), RegistryError> {
        match self.four_eyes(server) {
            Some(record) if *caller.label == *submitted_by => Err(forbidden(
                caller,
                format!(
                    "approve what `{submitted_by}` submitted of `{}`: registry `{}` wants another approver",
                    server.name, record.name
                ),
            )),
            _ => Ok(()),
        }
    }

    /// The same for a version and the deployments that are approved with it.
    pub(crate) fn require_another_approver(
        &self,
        caller: &Caller,
        entry: &Entry,
        chosen: &Version,
    ) -> Result<(), RegistryError> {
        self.require_another(caller, &entry.server, &chosen.submitted_by)?;
        match &entry.server.deployments.proposed {
            Some(proposed) => self.require_another(caller, &entry.server, &proposed.by),
            None => Ok(()),
        }
    }
}
