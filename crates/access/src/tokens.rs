//! Access tokens (RFC 9068): issued by this Portreeve for one resource, signed with ES256, and told from others in memory.
//!
//! Before: the authorization server knows whom to give a token, or a request brings one. After: hosts carry tokens to the
//! gateway, which learns from here who is calling.

mod ended;
mod issue;
mod issuer_keys;
mod issuers;
mod keys;
mod verify;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use portreeve_core::ports::{Snapshot, TokenStore};
use portreeve_core::secret::SecretKey;
use portreeve_inspect::Sealer;

pub use self::issue::{IssuedToken, NewToken};
pub use self::issuers::{GroupRule, IssuerSettings, Issuers, NoSignature, SignatureAlgorithm, TokenTypes};
pub use self::verify::Place;

use self::ended::Ended;
use self::keys::Keys;
use self::verify::Verified;

/// How long an access token works at most, and if nothing else is said.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// What tokens are made of.
#[derive(Clone)]
pub struct TokenParts {
    /// Signing keys and ended authorizations.
    pub store: Arc<dyn TokenStore>,
    /// Seals the private halves of signing keys.
    pub sealing_key: SecretKey,
    /// Who issues them: the public origin, as everybody writes it.
    pub issuer: String,
    /// Whose tokens are taken besides our own, by routes that say so.
    pub issuers: Issuers,
    /// How long tokens work: [`TOKEN_LIFETIME`] at most, which is how long it is remembered that an authorization ended.
    pub lifetime: Duration,
}

/// Makes tokens and tells whose they are.
pub(crate) struct Tokens {
    store: Arc<dyn TokenStore>,
    /// None where the cryptography library refused the key: nothing can be sealed or opened then.
    sealer: Option<Sealer>,
    issuer: Arc<str>,
    issuers: Issuers,
    lifetime: Duration,
    keys: ArcSwap<Keys>,
    ended: Ended,
    verified: Verified,
}

// === impl Tokens ===

impl Tokens {
    pub(crate) fn new(parts: &TokenParts) -> Self {
        Self {
            store: Arc::clone(&parts.store),
            sealer: Sealer::new(&parts.sealing_key).ok(),
            issuer: parts.issuer.as_str().into(),
            issuers: parts.issuers.clone(),
            lifetime: parts.lifetime.min(TOKEN_LIFETIME),
            keys: ArcSwap::default(),
            ended: Ended::default(),
            verified: Verified::new(),
        }
    }

    /// Brings what a snapshot says into force.
    pub(crate) fn load(&self, snapshot: &Snapshot) {
        self.take(&snapshot.signing_keys);
        self.ended.load(&snapshot.ended);
    }
}

impl fmt::Debug for TokenParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenParts({})", self.issuer)
    }
}
