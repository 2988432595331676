//! What a caller may do here, and the refusal where he may not: each use case asks for the least action that fits it.
//!
//! Before: a face knows who asks. After: the use case goes on, and its audit event names the grant that allowed it.

use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::ServerName;

use crate::error::RegistryError;
use crate::registry::{Registry, forbidden};

// === impl Registry ===

impl Registry {
    /// Whether the caller may.
    pub(crate) fn may(&self, caller: &Caller, action: Action, target: &Target<'_>) -> bool {
        self.parts.authorizer.may(caller, action, target).is_permit()
    }

    /// Whether the caller may do something of the management side to a server.
    pub(crate) fn may_to(&self, caller: &Caller, action: Action, name: &ServerName) -> bool {
        self.may(caller, action, &Target::Server(name))
    }

    /// Whether the caller may see what the management side knows of the server. Who publishes it sees it, too, unless a
    /// policy forbids that.
    pub(crate) fn may_see(&self, caller: &Caller, name: &ServerName) -> bool {
        let target = Target::Server(name);
        let view = self.parts.authorizer.may(caller, Action::View, &target);
        view.is_permit() || (!view.is_forbidden() && self.may_publish(caller, name))
    }

    /// Whether a policy forbids the caller to see what the management side knows of the server.
    pub(crate) fn is_hidden(&self, caller: &Caller, name: &ServerName) -> bool {
        let target = Target::Server(name);
        self.parts
            .authorizer
            .may(caller, Action::View, &target)
            .is_forbidden()
    }

    pub(crate) fn may_discover(&self, caller: &Caller, name: &ServerName) -> bool {
        self.may_to(caller, Action::Discover, name)
    }

    /// Refuses who may not, whether the server exists or not.
    pub(crate) fn require_to(
        &self,
        caller: &Caller,
        action: Action,
        name: &ServerName,
    ) -> Result<(), RegistryError> {
        let what = format!("{} server `{name}`", action.as_str());
        self.require(caller, (action, &Target::Server(name)), &what)
    }

    /// Refuses who may not see what the management side knows of the server. For who has a role elsewhere it does not
    /// exist, unless it is listed for everybody.
    pub(crate) fn require_see(&self, caller: &Caller, name: &ServerName) -> Result<(), RegistryError> {
        if self.may_see(caller, name) {
            return Ok(());
        }
        self.require_to(caller, Action::View, name)
    }

    /// Refuses who may not: `what` are words for the refusal.
    pub(crate) fn require(
        &self,
        caller: &Caller,
        (action, target): (Action, &Target<'_>),
        what: &str,
    ) -> Result<(), RegistryError> {
        if self.may(caller, action, target) {
            return Ok(());
        }
        Err(forbidden(caller, action.lacking(target, what)))
    }

    /// Refuses who may not do this to the installation as a whole: what reaches beyond one entry.
    pub(crate) fn require_here(
        &self,
        caller: &Caller,
        action: Action,
        what: &str,
    ) -> Result<(), RegistryError> {
        self.require(caller, (action, &Target::Installation), what)
    }

    /// Whether everything of the installation is for the caller to see, without a look at each server.
    pub(crate) fn sees_all(&self, caller: &Caller) -> bool {
        self.may(caller, Action::View, &Target::Installation) && !self.parts.authorizer.hides_some(caller)
    }

    /// What allowed a step, for its audit event. Portreeve itself needs no grant, and says so by its name.
    pub(crate) fn allowed_by(&self, caller: &Caller, step: &str, name: &ServerName) -> Vec<String> {
        if caller.principal == Principal::System {
            return Vec::new();
        }
        let target = Target::Server(name);
        let decision = self.parts.authorizer.may(caller, needed_for(step), &target);
        decision.policies.iter().map(ToString::to_string).collect()
    }
}

/// The right that a step needs, by the name of its audit event.
fn needed_for(step: &str) -> Action {
    match step {
        "server.remove" => Action::Manage,
        "server.approve" | "server.reject" | "server.lifecycle" | "deployments.approve" => Action::Approve,
        step if step.starts_with("tools.") => Action::Approve,
        step if step.starts_with("route.") || step.starts_with("login.") => Action::Operate,
        _ => Action::Publish,
    }
}
