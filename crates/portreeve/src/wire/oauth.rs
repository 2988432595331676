//! The authorization server, joined to the store, to the routes of the gateway, and to the way out.

use std::sync::Arc;

use portreeve_access::{Access, AuthorizationServer, OauthJob, OauthParts};
use portreeve_core::ports::Resources;

use super::Ground;
use crate::cli::Failure;
use crate::config::Config;

impl Ground {
    /// The authorization server.
    pub(super) fn oauth(
        &self,
        config: &Config,
        access: &Arc<Access>,
        resources: Arc<dyn Resources>,
    ) -> Result<Arc<AuthorizationServer>, Failure> {
        let parts = OauthParts {
            access: Arc::clone(access),
            clients: self.store.clone(),
            authorizations: self.store.clone(),
            sweep: self.store.clone(),
            resources,
            journal: self.audit.journal.clone(),
            counters: Arc::clone(&self.shared.counters),
            locks: Arc::clone(&self.shared.locks),
            egress: self.egress.clone(),
            clock: Arc::clone(&self.clock),
            rng: Arc::clone(&self.rng),
            limits: Arc::clone(&self.limits),
            issuer: self.public_url.origin().ascii_serialization(),
            settings: config.oauth.authorization(),
        };
        AuthorizationServer::new(parts, &self.keys.derive("oauth-answers"))
            .map(Arc::new)
            .map_err(|error| Failure::new(format!("tokens cannot be sealed: {error}")))
    }

    /// The job that forgets what is over.
    pub(super) fn oauth_job(&self, oauth: &Arc<AuthorizationServer>) -> OauthJob {
        OauthJob::new(Arc::clone(oauth), self.store.node().to_string())
    }
}
