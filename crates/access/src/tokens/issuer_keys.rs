//! The keys of an issuer: discovered when its first token comes, fresh for an hour, and used on while it is down or hangs,
//! for a day at most. A token that names a key which is not among them has them fetched again, at most once in five
//! minutes, however many such tokens come.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use jsonwebtoken::jwk::JwkSet;
use portreeve_core::limits::Limits;
use portreeve_core::time::Clock;
use portreeve_net::{Egress, Reach, read_body};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::issuers::IssuerSettings;
use crate::others_keys::{self, OthersKeys, Terms};

const TERMS: Terms = Terms {
    fresh: Duration::from_secs(60 * 60),
    longest: Duration::from_secs(24 * 60 * 60),
    pause: Duration::from_secs(5 * 60),
    retry: Duration::from_secs(5),
};

/// Keys of one issuer.
pub(super) struct IssuerKeys(OthersKeys<Source>);

/// Where they come from.
struct Source {
    issuer: String,
    jwks_uri: Option<Url>,
    egress: Egress,
    limits: Arc<Limits>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: Url,
}

// === impl IssuerKeys ===

impl IssuerKeys {
    pub(super) fn new(
        settings: &IssuerSettings,
        egress: Egress,
        limits: Arc<Limits>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let source = Source {
            issuer: settings.issuer.clone(),
            jwks_uri: settings.jwks_uri.clone(),
            egress,
            limits,
        };
        Self(OthersKeys::new(source, TERMS, clock))
    }

    /// The keys, with the one of that name among them if there is such a one; any, if there is no name.
    pub(super) async fn of(&self, kid: Option<&str>) -> Option<Arc<JwkSet>> {
        let serves = |keys: &JwkSet| kid.is_none_or(|kid| keys.find(kid).is_some());
        self.0.get(serves).await.ok()
    }
}

// === impl Source ===

#[async_trait]
impl others_keys::Source for Source {
    type Keys = JwkSet;
    type Problem = String;

    fn name(&self) -> &str {
        &self.issuer
    }

    async fn fetch(&self) -> Result<JwkSet, String> {
        if let Some(place) = &self.jwks_uri {
            return self.json(place, &Reach::Operator).await;
        }
        let base = self.issuer.trim_end_matches('/');
        let place = format!("{base}/.well-known/openid-configuration");
        let place = Url::parse(&place).map_err(|error| error.to_string())?;
        let document: Discovery = self.json(&place, &Reach::Operator).await?;
        if document.issuer != self.issuer {
            return Err(format!("its metadata are those of `{}`", document.issuer));
        }
        // The operator vouched for the issuer's own origin, not for wherever its document points.
        let reach = if document.jwks_uri.origin() == place.origin() {
            Reach::Operator
        } else {
            Reach::Public
        };
        self.json(&document.jwks_uri, &reach).await
    }
}

impl Source {
    async fn json<T: DeserializeOwned>(&self, place: &Url, reach: &Reach) -> Result<T, String> {
        let told = |cause: &dyn std::fmt::Display| format!("`{place}`: {cause}");
        let request = Request::get(place.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, "portreeve")
            .body(Bytes::new())
            .map_err(|error| told(&error))?;
        let answer = self.egress.send(request, reach, self.limits.proof).await;
        let answer = answer.map_err(|error| told(&error))?;
        if answer.status() != StatusCode::OK {
            return Err(told(&answer.status()));
        }
        let body = read_body(answer.into_body(), self.limits.proof_bytes, self.limits.proof).await;
        let body = body.map_err(|error| told(&error))?;
        serde_json::from_slice(&body).map_err(|error| told(&error))
    }
}
