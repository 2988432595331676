//! Many approvals at once: of what somebody looked at as a list. Each one is an approval of its own, with the same
//! refusals, and only of the content that the list showed.
//!
//! Before: `waiting` lists what an import took in. After: `passing`, once for each.

use futures_util::StreamExt as _;
use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::name::{ServerName, VersionText};

use super::{Approving, Step, choose};
use crate::error::RegistryError;
use crate::publish::{Internal, Outcome};
use crate::registry::Registry;

/// Approvals of one request that are under way at once: each may ask a server for its tools.
const AT_ONCE: usize = 4;

/// A version with the content that somebody saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The server.
    pub name: ServerName,
    /// The version.
    pub version: VersionText,
    /// The hash of its content.
    pub content_hash: String,
    /// The hash of the plan, if somebody looked at it: what brings deployments of others into force needs one.
    pub plan: Option<String>,
}

/// What became of one of them.
#[derive(Debug)]
pub struct Decision {
    /// The version.
    pub proposal: Proposal,
    /// Its approval, or why it was refused.
    pub outcome: Result<Outcome, RegistryError>,
}

// === impl Registry ===

impl Registry {
    /// Approves versions one by one. What is refused does not hold the others up.
    pub async fn approve_many(
        &self,
        caller: &Caller,
        proposals: Vec<Proposal>,
    ) -> Result<Vec<Decision>, RegistryError> {
        let most = self.parts.limits.approvals_at_once;
        if proposals.is_empty() || proposals.len() > most {
            return Err(RegistryError::invalid(
                "items",
                format!(
                    "there are {}, and 1 to {most} are approved at once",
                    proposals.len()
                ),
            ));
        }
        let decide = |proposal: Proposal| async move {
            let outcome = self.approve_seen(caller, &proposal).await;
            Decision { proposal, outcome }
        };
        let decisions = futures_util::stream::iter(proposals)
            .map(decide)
            .buffered(AT_ONCE);
        Ok(decisions.collect().await)
    }

    async fn approve_seen(&self, caller: &Caller, seen: &Proposal) -> Result<Outcome, RegistryError> {
        self.require_to(caller, Action::Approve, &seen.name)?;
        let entry = self.load(&seen.name).await?;
        let chosen = choose(&entry, Some(&seen.version), Step::Approve)?;
        if chosen.content_hash != seen.content_hash {
            return Err(RegistryError::Conflict {
                what: format!("version `{}` of server `{}`", seen.version, seen.name),
            });
        }
        let approving = Approving {
            internal: Internal::No,
            plan: seen.plan.clone(),
        };
        self.approve_chosen(caller, &entry, &chosen, approving).await
    }
}
