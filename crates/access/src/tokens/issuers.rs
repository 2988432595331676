//! Direct mode: access tokens of issuers that the configuration file names, Entra or Keycloak for example, taken by the
//! routes that say so.
//!
//! Before: a token says that it is of one of them. After: its claims are a principal, a label and groups. The audience
//! is never "any": a token that was made out for something else is refused.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Header, decode, decode_header};
use portreeve_core::caller::Principal;
use portreeve_core::id::UserId;
use portreeve_core::limits::Limits;
use portreeve_core::name::{GroupName, IssuerName};
use portreeve_core::oauth::{ClientId, Scopes, TokenGrant};
use portreeve_core::time::{Clock, Timestamp};
use portreeve_net::Egress;
use url::Url;

use super::issue::TYPE;
use super::issuer_keys::IssuerKeys;
use super::verify::{Known, Other, is_type, signature_only};
use crate::claims::{self, Claims};
use crate::{Access, Unauthenticated};

/// How far an issuer's clock may be from ours.
const LEEWAY: Duration = Duration::from_secs(60);

/// Characters of a label.
const LABEL_CHARS: usize = 120;

/// Claims that only ID tokens have (OpenID Connect Core, sections 2 and 3.3.2.11).
const OF_ID_TOKENS: [&str; 4] = ["nonce", "at_hash", "c_hash", "s_hash"];

/// An issuer, as the configuration file says it.
#[derive(Debug, Clone)]
pub struct IssuerSettings {
    /// Its name here.
    pub name: IssuerName,
    /// Its identifier, exactly as it writes it.
    pub issuer: String,
    /// For whom its tokens must be made out: one of these.
    pub audiences: Vec<String>,
    /// Where its keys are; without it, its metadata say so.
    pub jwks_uri: Option<Url>,
    /// How its tokens may be signed.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// Which tokens are access tokens.
    pub types: TokenTypes,
    /// The claim that names the subject.
    pub subject: String,
    /// The claim that people know the subject by.
    pub label: String,
    /// Which groups follow from which claims.
    pub groups: Vec<GroupRule>,
}

/// How a token may be signed: with a key pair. A shared secret is none: whoever can check it can make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureAlgorithm(Algorithm);

/// No algorithm that signs with a key pair.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA")]
pub struct NoSignature(String);

impl std::str::FromStr for SignatureAlgorithm {
    type Err = NoSignature;

    fn from_str(text: &str) -> Result<Self, NoSignature> {
        let algorithm = match text {
            "RS256" => Algorithm::RS256,
            "RS384" => Algorithm::RS384,
            "RS512" => Algorithm::RS512,
            "PS256" => Algorithm::PS256,
            "PS384" => Algorithm::PS384,
            "PS512" => Algorithm::PS512,
            "ES256" => Algorithm::ES256,
            "ES384" => Algorithm::ES384,
            "EdDSA" => Algorithm::EdDSA,
            _ => return Err(NoSignature(text.chars().take(40).collect())),
        };
        Ok(Self(algorithm))
    }
}

/// How access tokens are told from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenTypes {
    /// By their header, `typ: at+jwt` (RFC 9068).
    Marked,
    /// The issuer does not mark them (Entra, Keycloak): whatever is no ID token and no refresh token.
    Unmarked,
}

/// A group that follows from a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRule {
    /// The claim; dots lead into objects, as in `realm_access.roles`.
    pub claim: String,
    /// What it must be, or hold; `*` is anything.
    pub value: String,
    /// The group; without it, the value is its name.
    pub group: Option<GroupName>,
}

/// The issuers of this installation.
#[derive(Clone, Default)]
pub struct Issuers(Arc<[Issuer]>);

struct Issuer {
    settings: IssuerSettings,
    keys: IssuerKeys,
}

// === impl Issuers ===

impl Issuers {
    /// These. Their keys are fetched when the first token of each comes. Called on the runtime where connections live.
    pub fn new(
        settings: Vec<IssuerSettings>,
        egress: &Egress,
        limits: &Arc<Limits>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let issuer = |settings: IssuerSettings| Issuer {
            keys: IssuerKeys::new(&settings, egress.clone(), Arc::clone(limits), Arc::clone(clock)),
            settings,
        };
        Self(settings.into_iter().map(issuer).collect())
    }

    /// Their names and identifiers.
    pub fn all(&self) -> impl Iterator<Item = (&IssuerName, &str)> {
        self.0
            .iter()
            .map(|issuer| (&issuer.settings.name, issuer.settings.issuer.as_str()))
    }

    /// What a token says of one of these issuers, if the route takes its tokens.
    pub(super) async fn verified(
        &self,
        token: &str,
        issuer: &str,
        taken: &[IssuerName],
        now: Timestamp,
    ) -> Result<Known, Unauthenticated> {
        let mut all = self.0.iter();
        let found = all.find(|one| one.settings.issuer == issuer && taken.contains(&one.settings.name));
        found.ok_or(Unauthenticated::Unknown)?.verified(token, now).await
    }
}

// === impl Issuer ===

impl Issuer {
    async fn verified(&self, token: &str, now: Timestamp) -> Result<Known, Unauthenticated> {
        let header = decode_header(token).map_err(|_| Unauthenticated::Malformed)?;
        self.check_header(&header)?;
        let claims = self.signed(token, &header).await?;
        self.check_claims(&claims)?;
        let expires_at = in_time(&claims, now)?;
        let subject = text(&claims, &self.settings.subject).ok_or(Unauthenticated::Unknown)?;
        let label = text(&claims, &self.settings.label).unwrap_or(subject);
        let label: String = label
            .chars()
            .filter(|c| !c.is_control() && !c.is_whitespace())
            .take(LABEL_CHARS)
            .collect();
        Ok(Known {
            principal: Principal::User(UserId::of_subject(&self.settings.issuer, subject)),
            audiences: Vec::new(),
            expires_at,
            grant: Arc::new(TokenGrant {
                client: self.client(&claims)?,
                scopes: scopes(&claims),
                authorization: None,
            }),
            other: Some(Other {
                issuer: self.settings.name.clone(),
                label: format!("user:{}:{label}", self.settings.name).into(),
                groups: claims::groups(&self.settings.groups, &claims)
                    .into_iter()
                    .collect(),
            }),
        })
    }

    fn check_header(&self, header: &Header) -> Result<(), Unauthenticated> {
        let is_access = match self.settings.types {
            TokenTypes::Marked => is_type(header, TYPE),
            TokenTypes::Unmarked => header.typ.is_none() || is_type(header, TYPE) || is_type(header, "jwt"),
        };
        // A header that chooses another algorithm than the settings do is refused before any key is looked at.
        let is_signed = self.settings.algorithms.contains(&SignatureAlgorithm(header.alg));
        if is_access && is_signed && header.crit.is_none() {
            Ok(())
        } else {
            Err(Unauthenticated::Unknown)
        }
    }

    async fn signed(&self, token: &str, header: &Header) -> Result<Claims, Unauthenticated> {
        let kid = header.kid.as_deref();
        let keys = self.keys.of(kid).await.ok_or(Unauthenticated::Unknown)?;
        let validation = signature_only(header.alg);
        let fits = keys
            .keys
            .iter()
            .filter(|key| kid.is_none() || key.common.key_id.as_deref() == kid)
            .filter(|key| {
                let algorithm = key.common.key_algorithm.map(|algorithm| algorithm.to_string());
                // Where the key says what it is for, it is for nothing else.
                algorithm.is_none_or(|algorithm| algorithm == format!("{:?}", header.alg))
            });
        let mut claims = fits
            .filter_map(|key| DecodingKey::from_jwk(key).ok())
            .filter_map(|key| decode::<Claims>(token, &key, &validation).ok());
        let verified = claims.next().ok_or(Unauthenticated::Unknown)?;
        Ok(verified.claims)
    }

    fn check_claims(&self, claims: &Claims) -> Result<(), Unauthenticated> {
        let settings = &self.settings;
        if text(claims, "iss") != Some(settings.issuer.as_str()) {
            return Err(Unauthenticated::Unknown);
        }
        let audiences = claims::values(claims, "aud");
        if !audiences
            .iter()
            .any(|audience| settings.audiences.contains(audience))
        {
            return Err(Unauthenticated::OtherResource);
        }
        // Keycloak says it in a claim: `Bearer`, `ID`, `Refresh`.
        let is_other = text(claims, "typ").is_some_and(|typ| !typ.eq_ignore_ascii_case("bearer"));
        let is_id = OF_ID_TOKENS.iter().any(|claim| claims.contains_key(*claim));
        if settings.types == TokenTypes::Unmarked && (is_other || is_id) {
            return Err(Unauthenticated::Unknown);
        }
        Ok(())
    }

    /// The client that acts, by whichever claim the issuer names it.
    fn client(&self, claims: &Claims) -> Result<ClientId, Unauthenticated> {
        let named = ["client_id", "azp", "appid", "cid"];
        let client = named.iter().find_map(|claim| text(claims, claim));
        let client = client.unwrap_or(self.settings.name.as_str());
        client.parse().map_err(|_| Unauthenticated::Unknown)
    }
}

// === impl Access ===

impl Access {
    /// The issuers whose tokens routes may take: names and identifiers.
    pub fn issuers(&self) -> impl Iterator<Item = (&IssuerName, &str)> {
        self.tokens.issuers.all()
    }
}

/// When the token ends. One without an end, or before its time, is none.
fn in_time(claims: &Claims, now: Timestamp) -> Result<Timestamp, Unauthenticated> {
    let at = |name: &str| {
        let value = claims.get(name)?;
        let seconds = value
            .as_i64()
            .or_else(|| value.as_f64().map(|value| value.trunc() as i64))?;
        Some(Timestamp::from_millis(seconds.saturating_mul(1_000)))
    };
    let ends = at("exp").ok_or(Unauthenticated::Unknown)?.plus(LEEWAY);
    if at("nbf").is_some_and(|begins| begins.minus(LEEWAY) > now) {
        return Err(Unauthenticated::Unknown);
    }
    if ends <= now {
        Err(Unauthenticated::Expired)
    } else {
        Ok(ends)
    }
}

/// Our own scopes, where the issuer knows them: `scope` (RFC 9068) or `scp` (Entra, Okta). Without one of ours the token
/// is not narrowed, and what its user may do is for policies to say.
fn scopes(claims: &Claims) -> Scopes {
    let words = ["scope", "scp"].map(|name| claims::values(claims, name).join(" "));
    Scopes::known_in(&words.join(" "))
}

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    let text = claims::find(claims, name)?.as_str()?;
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn scopes_of_ours_are_found_in_either_claim() {
        let of = |claims: Value| scopes(claims.as_object().unwrap()).to_string();
        assert_eq!(of(json!({"scope": "openid billing:read"})), "billing:read");
        assert_eq!(of(json!({"scp": ["billing:write", "x"]})), "billing:write");
        assert_eq!(of(json!({"scp": "user_impersonation"})), "");
    }
}
