//! API keys as callers present them: `prv_<id>_<secret>`. Before: a face or the gateway read a header. After: the
//! caller is known.
//!
//! The identity is in clear, so that one lookup finds the key, logs can name it, and scanners can find leaked keys.

use portreeve_core::caller::Caller;
use portreeve_core::id::KeyId;
use portreeve_core::secret::Secret;
use subtle::ConstantTimeEq as _;

use crate::{Access, token};

const PREFIX: &str = "prv_";

/// 32 hexadecimal digits: a UUID without its dashes.
const ID_LENGTH: usize = 32;

/// Why a credential names no caller. The text is public; it never tells whether a key exists to someone who does not
/// hold its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// Not a key of this form at all, and no token.
    #[error("the credential is neither an API key nor an access token of this Portreeve")]
    Malformed,
    /// An unknown or revoked key or token, a wrong secret, a wrong signature.
    #[error("the credential is not valid")]
    Unknown,
    /// A key or a token whose time is over.
    #[error("the credential has expired")]
    Expired,
    /// One of a sort that is not taken there.
    #[error("a credential of this sort is not taken here")]
    NotTaken,
    /// A token for another resource.
    #[error("the access token was made out for another server")]
    OtherResource,
}

impl Unauthenticated {
    /// What to do about it.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Malformed => "send the whole key, `prv_...`, as `Authorization: Bearer` or `X-Api-Key`",
            Self::Unknown => "it may have been revoked: ask for a new one",
            Self::Expired => "ask for a new one",
            Self::NotTaken => "the metadata of this server say whose tokens it takes",
            Self::OtherResource => "ask for a token with the address of this server as its `resource`",
        }
    }

    /// The word for it in the audit log.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "malformed-credential",
            Self::Unknown => "unknown-credential",
            Self::Expired => "expired-credential",
            Self::NotTaken => "credential-not-taken",
            Self::OtherResource => "credential-of-another-resource",
        }
    }
}

/// A key's text: identity and secret.
pub(crate) fn compose(id: KeyId, secret: &Secret) -> Secret {
    let id = id.to_string().replace('-', "");
    Secret::new(format!("{PREFIX}{id}_{}", secret.expose()))
}

/// Identity and hashed secret of a key's text.
fn parse(credential: &str) -> Option<(KeyId, [u8; 32])> {
    let (id, rest) = credential.strip_prefix(PREFIX)?.split_at_checked(ID_LENGTH)?;
    let secret = rest.strip_prefix('_')?;
    // One text per key: upper-case digits would be a second one.
    if !id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    Some((id.parse().ok()?, token::hash(secret)?))
}

impl Access {
    /// Who presents this credential. Reads only memory; a key that was revoked or expired names nobody.
    pub fn authenticate(&self, credential: &str) -> Result<Caller, Unauthenticated> {
        let (id, hash) = parse(credential).ok_or(Unauthenticated::Malformed)?;
        let state = self.state.load();
        let key = state.key(id).ok_or(Unauthenticated::Unknown)?;
        if !bool::from(key.secret_hash.ct_eq(&hash)) {
            return Err(Unauthenticated::Unknown);
        }
        if !key.is_live(self.parts.clock.now()) {
            return Err(Unauthenticated::Expired);
        }
        Ok(key.caller.clone())
    }
}
