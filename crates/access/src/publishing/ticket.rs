//! Registry tokens: JSON Web Tokens of one form only, signed with Ed25519 by this installation.
//!
//! Before: a proof showed what a publisher may. After: every request that writes carries the token. There is one
//! header, so nobody chooses an algorithm; and a token is a credential for the registry API, nowhere else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_core::ports::CheckpointSigner as _;
use portreeve_core::publishing::{Permission, Publisher};
use portreeve_core::secret::{Secret, SecretKey};
use portreeve_core::time::Timestamp;
use portreeve_inspect::Ed25519Signer;
use serde::{Deserialize, Serialize};

/// `{"alg":"EdDSA","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9";

/// No token of ours is longer: a label and the patterns of a hundred organizations.
const LONGEST: usize = 32 * 1024;

/// Why a token is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// It was not made here, or was changed.
    #[error("the credential is neither a registry token nor an API key of this Portreeve")]
    Unknown,
    /// Its time is over.
    #[error("the registry token has expired")]
    Expired,
}

/// Makes and reads tokens.
pub(super) struct Tickets {
    signer: Ed25519Signer,
    issuer: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    iat: i64,
    exp: i64,
    permissions: Vec<Permission>,
}

// === impl Tickets ===

impl Tickets {
    pub(super) fn new(key: &SecretKey, issuer: String) -> Self {
        Self {
            signer: Ed25519Signer::from_seed(key),
            issuer,
        }
    }

    pub(super) fn issue(&self, publisher: &Publisher, now: Timestamp, expires_at: Timestamp) -> Secret {
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: publisher.caller.label.to_string(),
            iat: now.as_millis() / 1_000,
            exp: expires_at.as_millis() / 1_000,
            permissions: publisher.permissions.clone(),
        };
        // Texts and numbers always become JSON.
        let body = serde_json::to_vec(&claims).unwrap_or_default();
        let signed = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(body));
        let signature = URL_SAFE_NO_PAD.encode(self.signer.sign(signed.as_bytes()));
        Secret::new(format!("{signed}.{signature}"))
    }

    pub(super) fn read(&self, token: &str, now: Timestamp) -> Result<Publisher, BadToken> {
        let claims = self.verified(token).ok_or(BadToken::Unknown)?;
        if now.as_millis() / 1_000 >= claims.exp {
            return Err(BadToken::Expired);
        }
        Ok(Publisher::proven(&claims.sub, claims.permissions))
    }

    fn verified(&self, token: &str) -> Option<Claims> {
        if token.len() > LONGEST {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let body = signed.strip_prefix(HEADER)?.strip_prefix('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let is_ours = self
            .signer
            .verify(self.signer.public_key(), signed.as_bytes(), &signature);
        if !is_ours {
            return None;
        }
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
        (claims.iss == self.issuer).then_some(claims)
    }
}
