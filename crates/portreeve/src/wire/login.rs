//! Who signs in, joined from what the configuration file says.

use std::sync::Arc;

use portreeve_access::{Access, Login, LoginParts, Vault};
use portreeve_core::ports::{Outgoing, Refresh};
use portreeve_gateway::snapshot::Loader;

use super::Ground;
use crate::cli::Failure;
use crate::config::Config;

impl Ground {
    pub(super) fn login(
        &self,
        config: &Config,
        (access, vault, loader): (&Arc<Access>, &Arc<Vault>, &Arc<Loader>),
    ) -> Result<Arc<Login>, Failure> {
        let parts = LoginParts {
            access: Arc::clone(access),
            credentials: self.store.clone(),
            counters: Arc::clone(&self.shared.counters),
            refresh: Arc::clone(loader) as Arc<dyn Refresh>,
            egress: self.egress.clone(),
            limits: Arc::clone(&self.limits),
            outgoing: Arc::clone(vault) as Arc<dyn Outgoing>,
            sealing_key: self.keys.derive("sign-in-codes"),
            public_url: self.public_url.clone(),
            settings: config.login.settings()?,
        };
        let login =
            Login::new(parts).map_err(|error| Failure::new(format!("a key cannot be used: {error}")))?;
        Ok(Arc::new(login))
    }
}
