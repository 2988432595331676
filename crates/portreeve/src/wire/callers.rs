//! Who is calling, joined to the store: keys, sessions, access tokens, and what publishers prove.

use std::sync::Arc;

use portreeve_access::{Access, AccessParts, Issuers, Publishing, PublishingParts, TokenParts};
use portreeve_net::DnsTexts;

use super::Ground;
use crate::cli::Failure;
use crate::config::Config;

impl Ground {
    /// Identities, rights and access tokens.
    pub(super) fn access(&self, config: &Config) -> Result<Arc<Access>, Failure> {
        let origin = self.public_url.origin().ascii_serialization();
        let issuers = config.oauth.issuers(&origin)?;
        Ok(Arc::new(Access::new(AccessParts {
            identity: self.store.clone(),
            policies: self.store.clone(),
            sessions: self.store.clone(),
            journal: self.audit.journal.clone(),
            tokens: TokenParts {
                store: self.store.clone(),
                sealing_key: self.keys.derive("token-signing-keys"),
                issuer: origin,
                issuers: Issuers::new(issuers, &self.egress, &self.limits, &self.clock),
                lifetime: config.oauth.access_lifetime(),
            },
            clock: Arc::clone(&self.clock),
            rng: Arc::clone(&self.rng),
        })))
    }

    /// The proofs by which publishers show that a namespace is theirs.
    pub(super) fn publishing(&self, config: &Config) -> Result<Arc<Publishing>, Failure> {
        let auth = &config.registry.auth;
        let texts = DnsTexts::new(auth.name_server).map_err(|error| Failure::new(error.to_string()))?;
        Ok(Arc::new(Publishing::new(PublishingParts {
            clock: Arc::clone(&self.clock),
            rng: Arc::clone(&self.rng),
            locks: Arc::clone(&self.shared.locks),
            counters: Arc::clone(&self.shared.counters),
            journal: self.audit.journal.clone(),
            egress: self.egress.clone(),
            texts: Arc::new(texts),
            limits: Arc::clone(&self.limits),
            signing_key: self.keys.derive("registry-tokens"),
            issuer: self.public_url.origin().ascii_serialization(),
            settings: auth.settings()?,
        })))
    }
}
