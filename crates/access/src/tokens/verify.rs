//! Whose token it is. A token that was seen before costs a look-up; a new one its signature.
//!
//! Before: the gateway or a face cut a credential out of a request, and knows the resource that it came to. After: the
//! caller is known, with the client that acts and its scopes.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::id::ClientIdentity;
use portreeve_core::oauth::{Scopes, TokenGrant};
use portreeve_core::time::Timestamp;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::issue::{Claims, TYPE};
use super::{Tokens, keys};
use crate::{Access, Unauthenticated};

/// The longest token that is looked at.
const TOKEN_BYTES: usize = 16 * 1024;

/// Tokens whose signature is not checked again, about.
const KEPT: usize = 16_384;

/// What they may take together, in bytes.
const KEPT_BYTES: u64 = 32 * 1024 * 1024;

/// Tokens that were verified, by their whole text: two that differ in one character are two.
pub(super) struct Verified {
    kept: Cache<Box<str>, Arc<Known>, Weight>,
}

/// What a verified token says, whenever it is shown.
pub(super) struct Known {
    pub(super) principal: Principal,
    pub(super) audiences: Vec<String>,
    pub(super) expires_at: Timestamp,
    pub(super) grant: Arc<TokenGrant>,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Box<str>, Arc<Known>> for Weight {
    fn weight(&self, token: &Box<str>, _known: &Arc<Known>) -> u64 {
        token.len() as u64 + 512
    }
}

// === impl Verified ===

impl Verified {
    pub(super) fn new() -> Self {
        Self {
            kept: Cache::with_weighter(KEPT, KEPT_BYTES, Weight),
        }
    }
}

/// Whether a credential has the form of a JSON Web Token.
pub(crate) fn is_token(credential: &str) -> bool {
    credential.starts_with("eyJ") && credential.bytes().filter(|byte| *byte == b'.').count() == 2
}

// === impl Tokens ===

impl Tokens {
    /// What one of our own tokens says. Its time and its audience are not looked at yet.
    fn own(&self, token: &str) -> Result<Arc<Known>, Unauthenticated> {
        if let Some(known) = self.verified.kept.get(token) {
            return Ok(known);
        }
        if token.len() > TOKEN_BYTES {
            return Err(Unauthenticated::Malformed);
        }
        let header = decode_header(token).map_err(|_| Unauthenticated::Malformed)?;
        let keys = self.keys.load();
        let key = check_header(&header, &keys)?;
        let claims = decode::<Claims>(token, key, &signature_only(Algorithm::ES256));
        let claims = claims.map_err(|_| Unauthenticated::Unknown)?.claims;
        if claims.iss != *self.issuer {
            return Err(Unauthenticated::Unknown);
        }
        let known = Arc::new(Known {
            principal: principal(&claims)?,
            expires_at: Timestamp::from_millis(claims.exp.saturating_mul(1_000)),
            grant: Arc::new(TokenGrant {
                client: claims.client_id,
                scopes: Scopes::known_in(&claims.scope),
                authorization: Some(claims.sid),
            }),
            audiences: claims.aud,
        });
        self.verified.kept.insert(token.into(), Arc::clone(&known));
        Ok(known)
    }
}

/// The key that a token names, if it claims to be an access token that is signed as that key signs.
fn check_header<'a>(header: &Header, keys: &'a keys::Keys) -> Result<&'a DecodingKey, Unauthenticated> {
    let is_access = is_type(header, TYPE);
    // What a header declares critical must be understood (RFC 7515, section 4.1.11), and nothing of that kind is.
    if !is_access || header.alg != Algorithm::ES256 || header.crit.is_some() {
        return Err(Unauthenticated::Unknown);
    }
    let kid = header.kid.as_deref().ok_or(Unauthenticated::Unknown)?;
    keys.public(kid).ok_or(Unauthenticated::Unknown)
}

/// Whether a token is of a type, with the prefix that may be left out (RFC 7515, section 4.1.9) or without.
pub(super) fn is_type(header: &Header, wanted: &str) -> bool {
    let is = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.strip_prefix("application/").unwrap_or(&text) == wanted
    };
    header.typ.as_deref().is_some_and(is)
}

/// The signature alone. Everything else is compared here: times with our own clock.
pub(super) fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

fn principal(claims: &Claims) -> Result<Principal, Unauthenticated> {
    if claims.sub == claims.client_id.as_str() {
        return Ok(Principal::Client(ClientIdentity::of(&claims.client_id)));
    }
    match claims.sub.parse() {
        Ok(Principal::User(id)) => Ok(Principal::User(id)),
        _ => Err(Unauthenticated::Unknown),
    }
}

// === impl Access ===

impl Access {
    /// Who presents this credential to a resource: an API key, or an access token that was made out for it. Reads only
    /// memory.
    pub fn authenticate_at(&self, credential: &str, resource: &str) -> Result<Caller, Unauthenticated> {
        if !is_token(credential) {
            return self.authenticate(credential);
        }
        let known = self.tokens.own(credential)?;
        if known.expires_at <= self.parts.clock.now() {
            return Err(Unauthenticated::Expired);
        }
        if !known.audiences.iter().any(|audience| audience == resource) {
            return Err(Unauthenticated::OtherResource);
        }
        let caller = self.caller_of(&known)?;
        if self.has_ended(&caller) {
            return Err(Unauthenticated::Unknown);
        }
        Ok(caller)
    }

    /// The caller as it is known now: a token outlives what is said about its user.
    fn caller_of(&self, known: &Known) -> Result<Caller, Unauthenticated> {
        let token = Some(Arc::clone(&known.grant));
        match known.principal {
            Principal::User(id) => {
                let state = self.state.load();
                let user = state.user(id).ok_or(Unauthenticated::Unknown)?;
                Ok(Caller {
                    token,
                    ..user.clone()
                })
            }
            principal => Ok(Caller {
                principal,
                key: None,
                label: format!("client:{}", known.grant.client).into(),
                groups: Arc::from([]),
                token,
            }),
        }
    }
}
