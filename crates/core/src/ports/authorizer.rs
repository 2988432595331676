//! One place decides; list, call, portal and explanation ask it.

use std::sync::Arc;

use crate::caller::Caller;
use crate::decision::{Action, Decision, Target};
use crate::name::Environment;
use crate::visibility::Visibility;

/// Decides. Implemented by `access`.
pub trait Authorizer: Send + Sync {
    /// Whether the caller may. Default deny; an error never permits.
    fn may(&self, caller: &Caller, action: Action, target: &Target<'_>) -> Arc<Decision>;

    /// The same of what a route serves: policies may tell environments apart.
    fn may_in(
        &self,
        caller: &Caller,
        action: Action,
        target: &Target<'_>,
        _environment: &Environment,
    ) -> Arc<Decision> {
        self.may(caller, action, target)
    }

    /// Which entries exist for the caller.
    fn visibility(&self, caller: &Caller) -> Visibility;

    /// Whether something lets the caller see what the management side knows of some server. Who has nothing is answered
    /// as a stranger; who has something is told about what lies beyond it that it does not exist.
    fn views_some(&self, caller: &Caller) -> bool;

    /// Whether a policy may hide the inside of some server from the caller although he sees that of the installation: then
    /// each server has to be asked about.
    fn hides_some(&self, _caller: &Caller) -> bool {
        false
    }

    /// Whether an answer about a call may depend on its arguments, so that it is worth saying them.
    fn reads_arguments(&self) -> bool {
        false
    }

    /// What decides, as sentences for people: which rules, and what they look at. Without a trace in any log.
    fn reasons(
        &self,
        _caller: &Caller,
        _action: Action,
        _target: &Target<'_>,
        _environment: Option<&Environment>,
    ) -> Vec<String> {
        Vec::new()
    }

    /// Changes whenever an answer may have changed; part of every cache key.
    fn policy_version(&self) -> u64;
}
