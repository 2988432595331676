//! One place decides; list, call, portal and explanation ask it.

use std::sync::Arc;

use crate::caller::Caller;
use crate::decision::{Action, Decision, Target};
use crate::visibility::Visibility;

/// Decides. Implemented by `access`.
pub trait Authorizer: Send + Sync {
    /// Whether the caller may. Default deny; an error never permits.
    fn may(&self, caller: &Caller, action: Action, target: &Target<'_>) -> Arc<Decision>;

    /// Which entries exist for the caller.
    fn visibility(&self, caller: &Caller) -> Visibility;

    /// Changes whenever an answer may have changed; part of every cache key.
    fn policy_version(&self) -> u64;
}
