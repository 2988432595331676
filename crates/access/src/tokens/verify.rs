//! Whose token it is. A token that was seen before costs a look-up; a new one its signature.
//!
//! Before: the gateway or a face cut a credential out of a request, and knows the resource that it came to. After: the
//! caller is known, with the client that acts and its scopes.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::id::ClientIdentity;
use portreeve_core::name::{GroupName, IssuerName, Slug};
use portreeve_core::oauth::{Scopes, TokenGrant};
use portreeve_core::route::Credentials;
use portreeve_core::time::Timestamp;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::Deserialize;

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
    /// What only a token of another issuer says.
    pub(super) other: Option<Other>,
}

/// What a token of another issuer says of its subject.
pub(super) struct Other {
    pub(super) issuer: IssuerName,
    /// What people know the subject by, unless it is a user who is stored.
    pub(super) label: Arc<str>,
    pub(super) groups: Arc<[GroupName]>,
}

/// Where a credential is shown.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The canonical address of the resource.
    pub resource: &'a str,
    /// The route.
    pub route: &'a Slug,
    /// What it takes.
    pub takes: &'a Credentials,
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
    fn own(&self, token: &str) -> Result<Known, Unauthenticated> {
        let header = decode_header(token).map_err(|_| Unauthenticated::Malformed)?;
        let keys = self.keys.load();
        let key = check_header(&header, &keys)?;
        let claims = decode::<Claims>(token, key, &signature_only(Algorithm::ES256));
        let claims = claims.map_err(|_| Unauthenticated::Unknown)?.claims;
        if claims.iss != *self.issuer {
            return Err(Unauthenticated::Unknown);
        }
        Ok(Known {
            principal: principal(&claims)?,
            expires_at: Timestamp::from_millis(claims.exp.saturating_mul(1_000)),
            grant: Arc::new(TokenGrant {
                client: claims.client_id,
                scopes: Scopes::known_in(&claims.scope),
                authorization: Some(claims.sid),
            }),
            audiences: claims.aud,
            other: None,
        })
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
    /// Who presents this credential at a place: an API key, or an access token that was made out for it. A token that was
    /// seen before, and every one of our own, is told from memory; for the first token of another issuer that issuer may be
    /// asked for its keys.
    pub async fn authenticate_at(
        &self,
        credential: &str,
        place: &Place<'_>,
    ) -> Result<Caller, Unauthenticated> {
        if !is_token(credential) {
            let caller = self.authenticate(credential)?;
            return if place.takes.keys {
                Ok(caller)
            } else {
                Err(Unauthenticated::NotTaken)
            };
        }
        let known = match self.tokens.verified.kept.get(credential) {
            Some(known) => known,
            None => self.new_token(credential, place).await?,
        };
        self.shown(&known, place)
    }

    /// A token that was not seen before.
    async fn new_token(&self, token: &str, place: &Place<'_>) -> Result<Arc<Known>, Unauthenticated> {
        if token.len() > TOKEN_BYTES {
            return Err(Unauthenticated::Malformed);
        }
        let tokens = &self.tokens;
        let issuer = said_issuer(token).ok_or(Unauthenticated::Malformed)?;
        let known = if issuer == *tokens.issuer {
            tokens.own(token)?
        } else {
            let now = self.parts.clock.now();
            tokens
                .issuers
                .verified(token, &issuer, &place.takes.issuers, now)
                .await?
        };
        let known = Arc::new(known);
        tokens.verified.kept.insert(token.into(), Arc::clone(&known));
        Ok(known)
    }

    fn shown(&self, known: &Known, place: &Place<'_>) -> Result<Caller, Unauthenticated> {
        if known.expires_at <= self.parts.clock.now() {
            return Err(Unauthenticated::Expired);
        }
        match &known.other {
            // Its audience was compared when it was verified: it is the same for every route that takes its issuer.
            Some(other) if !place.takes.issuers.contains(&other.issuer) => {
                return Err(Unauthenticated::NotTaken);
            }
            Some(_) => {}
            None if !known.audiences.iter().any(|audience| audience == place.resource) => {
                return Err(Unauthenticated::OtherResource);
            }
            None if !place.takes.tokens => return Err(Unauthenticated::NotTaken),
            None => {}
        }
        let caller = self.caller_of(known, place)?;
        if self.has_ended(&caller) {
            return Err(Unauthenticated::Unknown);
        }
        Ok(caller)
    }

    /// The caller as it is known now: a token outlives what is said about its user.
    fn caller_of(&self, known: &Known, place: &Place<'_>) -> Result<Caller, Unauthenticated> {
        let token = Some(Arc::clone(&known.grant));
        let state = self.state.load();
        match (known.principal, &known.other) {
            (Principal::User(id), None) => {
                let user = state.user(id).ok_or(Unauthenticated::Unknown)?;
                Ok(Caller {
                    token,
                    ..user.clone()
                })
            }
            (Principal::User(id), Some(other)) => {
                let token = Some(other.grant_at(&known.grant, place.route));
                match state.user(id) {
                    Some(user) => Ok(Caller {
                        token,
                        groups: joined(&user.groups, &other.groups),
                        ..user.clone()
                    }),
                    // Somebody who is known here and not let in any more is not let in by another way.
                    None if state.knows(id) => Err(Unauthenticated::Unknown),
                    None => Ok(Caller {
                        principal: known.principal,
                        key: None,
                        label: Arc::clone(&other.label),
                        groups: Arc::clone(&other.groups),
                        token,
                    }),
                }
            }
            (principal, _) => Ok(Caller {
                principal,
                key: None,
                label: format!("client:{}", known.grant.client).into(),
                groups: Arc::from([]),
                token,
            }),
        }
    }
}

/// Who a token says that it is of, before anything is verified: whose keys to look for.
fn said_issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Said {
        iss: String,
    }
    let body = token.split('.').nth(1)?;
    let bytes = URL_SAFE_NO_PAD.decode(body).ok()?;
    serde_json::from_slice::<Said>(&bytes).ok().map(|said| said.iss)
}

fn joined(stored: &Arc<[GroupName]>, said: &Arc<[GroupName]>) -> Arc<[GroupName]> {
    if stored.is_empty() {
        return Arc::clone(said);
    }
    let more = said.iter().filter(|group| !stored.contains(group));
    stored.iter().chain(more).cloned().collect()
}

// === impl Other ===

impl Other {
    /// Where the issuer knows none of our scopes, a token of it is not narrowed.
    fn grant_at(&self, grant: &Arc<TokenGrant>, route: &Slug) -> Arc<TokenGrant> {
        if !grant.scopes.is_empty() {
            return Arc::clone(grant);
        }
        Arc::new(TokenGrant {
            scopes: Scopes::all_of(route),
            ..TokenGrant::clone(grant)
        })
    }
}
