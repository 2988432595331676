//! The keys of an issuer: discovered when its first token comes, kept for an hour, and kept on while it is down. A token
//! that names a key which is not among them has them fetched again, at most once in five minutes, however many such
//! tokens come.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use jsonwebtoken::jwk::JwkSet;
use portreeve_core::limits::Limits;
use portreeve_core::time::{Clock, Timestamp};
use portreeve_net::{Egress, Reach, read_body};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use url::Url;

use super::issuers::IssuerSettings;

/// How long keys are taken for the issuer's present ones.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// How soon they are fetched again for a token that names another one.
const PAUSE: Duration = Duration::from_secs(5 * 60);

/// How soon they are asked for again while there are none.
const RETRY: Duration = Duration::from_secs(5);

/// Keys, fetched by one at a time.
pub(super) struct IssuerKeys {
    source: Arc<Source>,
    clock: Arc<dyn Clock>,
    kept: ArcSwapOption<Kept>,
    /// When they were asked for last; held while asking, so that one request is enough for all who wait.
    tried: Mutex<Option<Timestamp>>,
    /// Where connections live. Requests are served on threads with runtimes of their own.
    runtime: Option<Handle>,
}

struct Kept {
    keys: Arc<JwkSet>,
    at: Timestamp,
}

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
        Self {
            source: Arc::new(Source {
                issuer: settings.issuer.clone(),
                jwks_uri: settings.jwks_uri.clone(),
                egress,
                limits,
            }),
            clock,
            kept: ArcSwapOption::empty(),
            tried: Mutex::new(None),
            runtime: Handle::try_current().ok(),
        }
    }

    /// The keys, with the one of that name among them; any, if there is no name.
    pub(super) async fn of(&self, kid: Option<&str>) -> Option<Arc<JwkSet>> {
        let serves = |kept: &Kept| kid.is_none_or(|kid| kept.keys.find(kid).is_some());
        let is_fresh = |kept: &Kept| self.clock.now().since(kept.at) < FRESH;
        let present = self.kept.load_full();
        if let Some(kept) = present.filter(|kept| serves(kept) && is_fresh(kept)) {
            return Some(Arc::clone(&kept.keys));
        }
        let mut tried = self.tried.lock().await;
        let present = self.kept.load_full();
        if let Some(kept) = present.as_ref().filter(|kept| serves(kept) && is_fresh(kept)) {
            return Some(Arc::clone(&kept.keys));
        }
        let now = self.clock.now();
        let pause = if present.is_some() { PAUSE } else { RETRY };
        if tried.is_none_or(|tried| now.since(tried) >= pause) {
            *tried = Some(now);
            match self.fetched().await {
                Ok(keys) => self.kept.store(Some(Arc::new(Kept {
                    keys: Arc::new(keys),
                    at: now,
                }))),
                Err(problem) => tracing::warn!(
                    issuer = self.source.issuer,
                    problem,
                    "The keys of an issuer of access tokens could not be read; those that are known stay in force"
                ),
            }
        }
        let kept = self.kept.load_full().filter(|kept| serves(kept));
        kept.map(|kept| Arc::clone(&kept.keys))
    }

    async fn fetched(&self) -> Result<JwkSet, String> {
        let source = Arc::clone(&self.source);
        match &self.runtime {
            Some(runtime) => {
                let fetching = runtime.spawn(async move { source.fetch().await });
                fetching.await.unwrap_or_else(|error| Err(error.to_string()))
            }
            None => source.fetch().await,
        }
    }
}

// === impl Source ===

impl Source {
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
