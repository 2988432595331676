//! Legacy sessions, joined to the store and to the other nodes.

use std::sync::Arc;

use portreeve_gateway::record::Sinks;
use portreeve_gateway::session::{SessionKeys, SessionParts, Sessions};
use portreeve_inspect::Sealer;
use tokio::runtime::Handle;

use super::Ground;
use crate::cli::Failure;

impl Ground {
    /// Seals what the gateway hands to hosts and wants back unchanged.
    pub(super) fn sealer(&self) -> Result<Arc<Sealer>, Failure> {
        Sealer::new(&self.keys.derive("kept-by-hosts"))
            .map(Arc::new)
            .map_err(|error| Failure::new(format!("a key cannot be used: {error}")))
    }

    /// The sessions of this node. The store is asked on this runtime.
    pub(super) fn sessions(&self, sinks: &Sinks) -> Result<Arc<Sessions>, Failure> {
        let parts = SessionParts {
            store: self.store.clone(),
            cache: Arc::clone(&self.shared.cache),
            signals: Arc::clone(&self.shared.signals),
            keys: SessionKeys {
                ids: self.keys.derive("host-session-ids"),
                rows: self.keys.derive("host-session-rows"),
            },
            clock: Arc::clone(&self.clock),
            rng: Arc::clone(&self.rng),
            limits: Arc::clone(&self.limits),
            metrics: sinks.metrics.clone(),
            runtime: Handle::current(),
        };
        Sessions::new(parts).map_err(|error| Failure::new(format!("sessions cannot be sealed: {error}")))
    }
}
