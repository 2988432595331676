//! Calls that a person must allow first, and requests for access, joined to the store.

use std::sync::Arc;

use portreeve_access::{Access, AccessRequests, Approvals};
use portreeve_core::ports::SeenServers;
use portreeve_gateway::policy::Tools;
use portreeve_registry::Registry;

use super::Ground;
use crate::cli::Failure;

impl Ground {
    /// What policies work with.
    pub(super) fn tools(&self, access: &Arc<Access>) -> Result<Tools, Failure> {
        Ok(Tools {
            counters: Arc::clone(&self.shared.counters),
            approvals: self.approvals(access)?,
        })
    }

    /// Requests for access, about what the registry shows to who asks.
    pub(super) fn access_requests(
        &self,
        access: &Arc<Access>,
        registry: &Arc<Registry>,
    ) -> Arc<AccessRequests> {
        Arc::new(AccessRequests::new(
            Arc::clone(access),
            self.store.clone(),
            Arc::clone(registry) as Arc<dyn SeenServers>,
        ))
    }

    fn approvals(&self, access: &Arc<Access>) -> Result<Arc<Approvals>, Failure> {
        let (digests, seals) = (
            self.keys.derive("approval-digests"),
            self.keys.derive("approval-arguments"),
        );
        let origin = self.public_url.origin().ascii_serialization();
        Approvals::new(Arc::clone(access), self.store.clone(), (&digests, &seals), origin)
            .map(Arc::new)
            .map_err(|error| Failure::new(format!("a key cannot be used: {error}")))
    }
}
