//! The management API: one file per noun, each a thin way from HTTP to one use case of a room.
//!
//! Every handler takes the caller first. A change is in force before its answer leaves, so that whoever made it sees
//! it at once: the registry sees to that itself, for keys and grants it is done here.

pub(crate) mod approvals;
pub(crate) mod assess;
pub(crate) mod compare;
pub(crate) mod logins;
pub(crate) mod members;
pub(crate) mod profile;
pub(crate) mod servers;
pub(crate) mod steps;
pub(crate) mod tools;
pub(crate) mod waiting;

pub(crate) mod deployments;
pub(crate) mod environments;
pub(crate) mod icons;
pub(crate) mod imports;
pub(crate) mod install;
pub(crate) mod partners;
pub(crate) mod properties;
pub(crate) mod registries;
pub(crate) mod rest;
pub(crate) mod search;

pub(crate) mod exports;
pub(crate) mod routes;

pub(crate) mod access_policies;
pub(crate) mod access_requests;
pub(crate) mod clients;
pub(crate) mod grants;
pub(crate) mod keys;
pub(crate) mod secrets;
pub(crate) mod users;
pub(crate) mod whoami;

pub(crate) mod audit;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod usage;

pub(crate) mod webhooks;

use portreeve_access::AccessError;
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_registry::RegistryError;

use crate::problem::Problem;
use crate::{ApiParts, etag};

/// The outcome of a change of identities or rights that was saved, once this node follows it.
async fn in_force<T>(api: &ApiParts, saved: Result<T, AccessError>) -> Result<T, Problem> {
    let saved = saved?;
    api.refresh.refresh().await;
    Ok(saved)
}

/// A change of a thing that is not as `If-Match` says any more.
fn stale_if_conflict(error: RegistryError) -> Problem {
    match error {
        RegistryError::Conflict { .. } => etag::stale().hint(error.hint()),
        error => error.into(),
    }
}

/// Refuses who may not audit. For answers about the inside whose room knows no callers.
fn require_audit(api: &ApiParts, caller: &Caller, what: &str) -> Result<(), Problem> {
    let asked = (Action::Audit, &Target::Installation);
    api.access.require(caller, asked, what)?;
    Ok(())
}
