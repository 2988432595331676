//! An issuer's keys, and the ID tokens that they sign: discovered, kept for a while, and fetched again when a token
//! names a key that is not among them.
//!
//! Before: `github_oidc` or `oidc` has a token. After: its claims, verified.

use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use async_trait::async_trait;
use bytes::Bytes;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use portreeve_core::limits::Limits;
use portreeve_core::time::{Clock, Timestamp};
use portreeve_net::{Egress, Reach, read_body};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

use super::{ProofError, PublishingParts};
use crate::others_keys::{self, Missing, OthersKeys, Terms};

const TERMS: Terms = Terms {
    fresh: Duration::from_secs(10 * 60),
    longest: Duration::from_secs(60 * 60),
    pause: Duration::from_secs(30),
    retry: Duration::from_secs(2),
};

/// How far the issuer's clock may be from ours.
const LEEWAY: Duration = Duration::from_secs(60);

/// Bytes of a token.
const TOKEN_BYTES: usize = 16 * 1024;

/// Fetches JSON from places that the configuration file names.
#[derive(Clone)]
pub(super) struct Fetch {
    egress: Egress,
    limits: Arc<Limits>,
}

/// The keys of one issuer.
pub(super) struct IssuerKeys {
    issuer: Url,
    audience: String,
    algorithms: &'static [Algorithm],
    clock: Arc<dyn Clock>,
    kept: OthersKeys<Source>,
}

/// Where they come from.
struct Source {
    issuer: Url,
    fetch: Fetch,
}

// === impl Fetch ===

impl Fetch {
    pub(super) fn new(parts: &PublishingParts) -> Self {
        Self {
            egress: parts.egress.clone(),
            limits: Arc::clone(&parts.limits),
        }
    }

    /// The JSON at a URL; `None` when the answer says that the credential does not work.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        url: &Url,
        reach: &Reach,
        headers: HeaderMap,
    ) -> Result<Option<T>, ProofError> {
        let place = url.host_str().unwrap_or_default();
        let what = format!("`{place}` could not be asked");
        let unreachable = |cause: &dyn std::fmt::Display| ProofError::unreachable(&what, cause);
        let mut request = Request::get(url.as_str())
            .body(Bytes::new())
            .map_err(|error| unreachable(&error))?;
        *request.headers_mut() = headers;
        let fixed = [
            (header::ACCEPT, "application/json"),
            (header::USER_AGENT, "portreeve"),
        ];
        for (name, value) in fixed {
            request
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        let answer = self
            .egress
            .send(request, reach, self.limits.proof)
            .await
            .map_err(|error| unreachable(&error))?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => return Ok(None),
            other => return Err(unreachable(&other)),
        }
        let bytes = read_body(answer.into_body(), self.limits.proof_bytes, self.limits.proof)
            .await
            .map_err(|error| unreachable(&error))?;
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| unreachable(&error))
    }
}

// === impl IssuerKeys ===

impl IssuerKeys {
    pub(super) fn new(
        issuer: &Url,
        audience: &str,
        algorithms: &'static [Algorithm],
        parts: &PublishingParts,
    ) -> Self {
        Self {
            issuer: issuer.clone(),
            audience: audience.to_owned(),
            algorithms,
            clock: Arc::clone(&parts.clock),
            kept: OthersKeys::new(
                Source {
                    issuer: issuer.clone(),
                    fetch: Fetch::new(parts),
                },
                TERMS,
                Arc::clone(&parts.clock),
            ),
        }
    }

    /// The claims of a token that this issuer made out for us, and whose time is now.
    pub(super) async fn verified(&self, token: &str) -> Result<Map<String, Value>, ProofError> {
        if token.len() > TOKEN_BYTES {
            return Err(ProofError::malformed("oidc_token", "it is too long"));
        }
        let head = decode_header(token)
            .map_err(|_| ProofError::malformed("oidc_token", "it is not a JSON Web Token"))?;
        if !self.algorithms.contains(&head.alg) {
            return Err(ProofError::refused(
                "the ID token is signed in a way that is not taken here",
            ));
        }
        let key_id = head.kid.as_deref();
        let keys = self.keys(key_id).await?;
        let mut candidates = keys
            .keys
            .iter()
            .filter(|key| key_id.is_none() || key.common.key_id.as_deref() == key_id)
            .filter_map(|key| DecodingKey::from_jwk(key).ok());
        let mut validation = Validation::new(head.alg);
        validation.set_audience(&[&self.audience]);
        validation.set_issuer(&self.issuers());
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        // The time is looked at below, with our own clock.
        validation.validate_exp = false;
        let claims = candidates.find_map(|key| decode::<Map<String, Value>>(token, &key, &validation).ok());
        let Some(claims) = claims.map(|token| token.claims) else {
            return Err(ProofError::refused(
                "the ID token was not made out by the issuer for this registry",
            ));
        };
        self.check_time(&claims)?;
        Ok(claims)
    }

    /// With and without the slash at its end: issuers write themselves either way, a URL has it.
    fn issuers(&self) -> [String; 2] {
        let with = self.issuer.to_string();
        [with.trim_end_matches('/').to_owned(), with]
    }

    fn check_time(&self, claims: &Map<String, Value>) -> Result<(), ProofError> {
        let seconds = |name: &str| {
            let value = claims.get(name)?;
            value.as_i64().or_else(|| Some(value.as_f64()?.trunc() as i64))
        };
        let at = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1_000));
        let now = self.clock.now();
        let is_over = seconds("exp").is_none_or(|end| at(end).plus(LEEWAY) <= now);
        let is_early = seconds("nbf").is_some_and(|begin| at(begin).minus(LEEWAY) > now);
        if is_over || is_early {
            return Err(ProofError::refused(
                "the time of the ID token is over, or has not come",
            ));
        }
        Ok(())
    }

    /// The issuer's keys, fetched when there are none, or when the one that is named is missing.
    async fn keys(&self, key_id: Option<&str>) -> Result<Arc<JwkSet>, ProofError> {
        let has_it = |keys: &JwkSet| key_id.is_none_or(|id| keys.find(id).is_some());
        self.kept.get(has_it).await.map_err(|missing| match missing {
            Missing::Problem(problem) => problem,
            Missing::JustTried => ProofError::unreachable(
                "the issuer of the ID token could not be asked",
                "it was tried a moment ago",
            ),
        })
    }
}

// === impl Source ===

#[async_trait]
impl others_keys::Source for Source {
    type Keys = JwkSet;
    type Problem = ProofError;

    fn name(&self) -> &str {
        self.issuer.as_str()
    }

    async fn fetch(&self) -> Result<JwkSet, ProofError> {
        let base = self.issuer.as_str().trim_end_matches('/');
        let discovery = format!("{base}/.well-known/openid-configuration");
        let refused = || ProofError::refused("the issuer does not show its keys");
        let discovery = Url::parse(&discovery).map_err(|_| refused())?;
        let document: Map<String, Value> = self
            .fetch
            .json(&discovery, &Reach::Operator, HeaderMap::new())
            .await?
            .ok_or_else(refused)?;
        let place = document.get("jwks_uri").and_then(Value::as_str);
        let place = place
            .and_then(|place| Url::parse(place).ok())
            .ok_or_else(refused)?;
        // The operator vouched for the issuer's own origin, not for wherever its document points.
        let reach = if place.origin() == self.issuer.origin() {
            Reach::Operator
        } else {
            Reach::Public
        };
        let keys = self.fetch.json(&place, &reach, HeaderMap::new()).await?;
        keys.ok_or_else(refused)
    }
}
