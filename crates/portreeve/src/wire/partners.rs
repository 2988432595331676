//! Partners in the registry, joined to the store, the locks and the way out.

use std::sync::Arc;

use portreeve_net::DnsTexts;
use portreeve_registry::Registry;
use portreeve_registry::partners::{Outlook, Partners, PartnersParts};

use super::Ground;
use crate::cli::Failure;
use crate::config::Config;

impl Ground {
    /// Partners, as far as the program carries them; the job reads the rest.
    pub(super) fn partners(
        &self,
        config: &Config,
        registry: &Arc<Registry>,
    ) -> Result<Arc<Partners>, Failure> {
        let texts = DnsTexts::new(config.registry.auth.name_server)
            .map_err(|error| Failure::new(error.to_string()))?;
        let outlook = Outlook {
            egress: self.egress.clone(),
            // What a stranger lists leads to the public internet, and to what the configuration file names.
            reach: config.partners.reach()?,
            texts: Arc::new(texts),
            limits: Arc::clone(&self.limits),
            rng: Arc::clone(&self.rng),
        };
        Ok(Arc::new(Partners::new(PartnersParts {
            registry: Arc::clone(registry),
            store: self.store.clone(),
            locks: Arc::clone(&self.shared.locks),
            examiner: Arc::new(outlook),
            settings: config.partners.settings()?,
            holder: self.store.node().to_string(),
        })))
    }
}
