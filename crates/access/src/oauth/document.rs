//! Clients whose identity is the address of a document (draft-ietf-oauth-client-id-metadata-document), and keys of clients
//! that are kept elsewhere.
//!
//! Both are fetched through the egress guard, public addresses only, without redirects, within narrow limits. Why a
//! fetch failed is logged and never told: an address inside would look like one that does not exist.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use jsonwebtoken::jwk::JwkSet;
use portreeve_core::caller::Caller;
use portreeve_core::oauth::{Client, ClientAuth, ClientId, ClientKeys, ClientKind};
use portreeve_core::ports::StoreError;
use portreeve_core::time::Clock;
use portreeve_net::{Egress, Reach, read_body};
use quick_cache::sync::Cache;
use serde_json::{Value, json};
use url::Url;

use super::error::{OauthCode, OauthError};
use super::fetching::Asker;
use super::{AuthorizationServer, OauthParts, metadata};
use crate::others_keys::{self, OthersKeys, Terms};

/// Bytes of a document.
const DOCUMENT_BYTES: usize = 5 * 1024;
/// Bytes of a set of keys.
const KEYS_BYTES: usize = 64 * 1024;
/// Documents that are kept at once.
const MOST: u64 = 20_000;
/// Time for either.
const TIME: Duration = Duration::from_secs(5);
/// How long a document is good that does not say.
const USUAL: Duration = Duration::from_secs(5 * 60);
/// How long any document is good at most.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// How long fetched keys are used.
const TERMS: Terms = Terms {
    fresh: Duration::from_secs(5 * 60),
    longest: Duration::from_secs(60 * 60),
    pause: Duration::from_secs(30),
    retry: Duration::from_secs(5),
};
/// Sets of keys that are kept.
const SETS: usize = 256;

/// What is said of every document that could not be fetched, whatever the reason.
const UNREADABLE: &str = "the document that `client_id` points to cannot be fetched: it must be JSON of at most 5 KiB at \
    a public https address, answered with 200 and without a redirect";

/// Sets of keys that were fetched, by their place.
pub(super) struct KeptKeys {
    sets: Cache<String, Arc<OthersKeys<Source>>>,
    egress: Egress,
    clock: Arc<dyn Clock>,
}

/// Where keys are.
enum Source {
    /// A client's, at that address.
    Client(Url, Egress),
    /// A trusted issuer's, where its discovery document says.
    Issuer(Url, Egress),
}

// === impl AuthorizationServer ===

impl AuthorizationServer {
    /// The client of an identity, its document fetched if the copy is old. Nobody waits for a fetch to be told that
    /// something is no address of a document.
    pub(super) async fn client(&self, id: &ClientId, from: Option<IpAddr>) -> Result<Client, OauthError> {
        let known = self.parts.clients.client(id).await?;
        if !id.is_document() {
            return known.ok_or_else(|| OauthError::client(unknown(id)));
        }
        match known {
            // A managed client may have such an identity, too; then what was entered counts.
            Some(client) if client.kind != ClientKind::Document || self.is_fresh(&client) => Ok(client),
            known => self.fetched(id, known, from).await,
        }
    }

    /// The same for the token endpoint. A host that is away must not sign its users out, so the former copy serves where
    /// it says nothing about keys.
    pub(super) async fn client_of_token(
        &self,
        id: &ClientId,
        from: Option<IpAddr>,
    ) -> Result<Client, OauthError> {
        match self.client(id, from).await {
            Ok(client) => Ok(client),
            Err(error) => match self.parts.clients.client(id).await? {
                Some(copy) if copy.auth == ClientAuth::None => Ok(copy),
                _ => Err(error),
            },
        }
    }

    fn is_fresh(&self, client: &Client) -> bool {
        let now = self.parts.clock.now();
        client.fresh_until.is_some_and(|until| now < until)
    }

    /// Whether a copy serves on where nobody may ask just now: somebody has used it, it says nothing about keys, and it has
    /// not been old for long, or a document that took a redirect back would be of no use.
    fn serves_on(&self, copy: &Client) -> bool {
        let now = self.parts.clock.now();
        let is_recent = copy.fresh_until.is_some_and(|until| now < until.plus(LONGEST));
        copy.used_at.is_some() && copy.auth == ClientAuth::None && is_recent
    }

    async fn fetched(
        &self,
        id: &ClientId,
        former: Option<Client>,
        from: Option<IpAddr>,
    ) -> Result<Client, OauthError> {
        let url = address(id)?;
        let is_used = former.as_ref().is_some_and(|former| former.used_at.is_some());
        let (headers, body) = {
            let _turn = match self.may_fetch(&url, from, Asker::new(is_used)).await {
                Ok(turn) => turn,
                // Whoever wears out the limit must not shut out who is known already.
                Err(error) => {
                    let is_limit = error.code == OauthCode::SlowDown;
                    let copy = former.filter(|copy| is_limit && self.serves_on(copy));
                    return copy.ok_or(error);
                }
            };
            fetch(&self.parts.egress, &url, DOCUMENT_BYTES)
                .await
                .ok_or_else(|| OauthError::client(UNREADABLE))?
        };
        let said = metadata::read(&body).map_err(|error| OauthError::client(error.description))?;
        if said.client_id.as_deref() != Some(id.as_str()) {
            return Err(OauthError::client(
                "the document that `client_id` points to names another `client_id`: both must be the same text",
            ));
        }
        let taken = said
            .judge(ClientAuth::None)
            .map_err(|error| OauthError::client(format!("in the client's document: {error}")))?;
        if matches!(taken.auth, ClientAuth::SecretBasic | ClientAuth::SecretPost) {
            return Err(OauthError::client(
                "a client with a document cannot have a secret: use `none` or `private_key_jwt`",
            ));
        }
        let now = self.parts.clock.now();
        let client = Client {
            snapshot: metadata::snapshot(&taken.name, &taken.redirect_uris),
            id: id.clone(),
            kind: ClientKind::Document,
            name: taken.name,
            redirect_uris: taken.redirect_uris,
            grants: taken.grants,
            auth: taken.auth,
            secret_hash: None,
            keys: taken.keys,
            created_by: "document".to_owned(),
            created_at: former.as_ref().map_or(now, |former| former.created_at),
            used_at: former.as_ref().and_then(|former| former.used_at),
            fresh_until: Some(now.plus(good_for(&headers))),
        };
        let event = is_news(former.as_ref(), &client).then(|| {
            let mut event = self.event("oauth.client.document", &Caller::system(), id);
            let is_known = former.is_some();
            event.detail = Some(
                json!({ "name": client.name, "redirectUris": client.redirect_uris, "changed": is_known }),
            );
            event
        });
        match self.parts.clients.keep_document(&client, MOST, event).await {
            Ok(()) => Ok(client),
            Err(StoreError::Conflict { .. }) => Err(OauthError::too_often(Duration::from_secs(60 * 60))),
            Err(error) => Err(error.into()),
        }
    }

    /// The public keys of a client that signs, with the one of that name if there is such a one.
    pub(super) async fn keys_of(
        &self,
        client: &Client,
        kid: Option<&str>,
        from: Option<IpAddr>,
    ) -> Result<Arc<JwkSet>, OauthError> {
        let refused = || OauthError::client("the keys of the client cannot be read: look at its `jwks`");
        match &client.keys {
            None => Err(refused()),
            Some(ClientKeys::Inline(text)) => serde_json::from_str(text).map(Arc::new).map_err(|_| refused()),
            Some(ClientKeys::At(place)) => {
                let url = Url::parse(place).map_err(|_| refused())?;
                let kept = self.keys.at(&url, Source::Client);
                let serves = |keys: &JwkSet| kid.is_none_or(|kid| keys.find(kid).is_some());
                let _turn = if kept.must_ask(serves) {
                    Some(
                        self.may_fetch(&url, from, Asker::new(client.used_at.is_some()))
                            .await?,
                    )
                } else {
                    None
                };
                kept.get(serves).await.map_err(|_| refused())
            }
        }
    }

    /// The public keys of a trusted issuer, where its discovery document says.
    pub(super) async fn keys_of_issuer(&self, issuer: &Url, kid: Option<&str>) -> Option<Arc<JwkSet>> {
        let serves = |keys: &JwkSet| kid.is_none_or(|kid| keys.find(kid).is_some());
        self.keys.at(issuer, Source::Issuer).get(serves).await.ok()
    }
}

// === impl KeptKeys ===

impl KeptKeys {
    pub(super) fn new(parts: &OauthParts) -> Self {
        Self {
            sets: Cache::new(SETS),
            egress: parts.egress.clone(),
            clock: Arc::clone(&parts.clock),
        }
    }

    fn at(&self, place: &Url, kind: fn(Url, Egress) -> Source) -> Arc<OthersKeys<Source>> {
        let source = kind(place.clone(), self.egress.clone());
        let key = source.key();
        if let Some(kept) = self.sets.get(&key) {
            return kept;
        }
        let kept = Arc::new(OthersKeys::new(source, TERMS, Arc::clone(&self.clock)));
        self.sets.insert(key, Arc::clone(&kept));
        kept
    }
}

// === impl Source ===

impl Source {
    /// An issuer is believed more than a client at the same address: they share nothing.
    fn key(&self) -> String {
        match self {
            Self::Client(place, _) => format!("client {place}"),
            Self::Issuer(place, _) => format!("issuer {place}"),
        }
    }
}

#[async_trait]
impl others_keys::Source for Source {
    type Keys = JwkSet;
    type Problem = String;

    fn name(&self) -> &str {
        match self {
            Self::Client(place, _) | Self::Issuer(place, _) => place.as_str(),
        }
    }

    async fn fetch(&self) -> Result<JwkSet, String> {
        let read = |text: &[u8]| serde_json::from_slice::<Value>(text).map_err(|error| error.to_string());
        let (place, reach, egress) = match self {
            Self::Client(place, egress) => (place.clone(), Reach::Public, egress),
            Self::Issuer(issuer, egress) => {
                let base = issuer.as_str().trim_end_matches('/');
                let discovery = Url::parse(&format!("{base}/.well-known/openid-configuration"));
                let discovery = discovery.map_err(|error| error.to_string())?;
                let (_, body) = reached(egress, &discovery, &Reach::Operator, KEYS_BYTES).await?;
                let document = read(&body)?;
                let place = document.get("jwks_uri").and_then(Value::as_str);
                let place = place.and_then(|place| Url::parse(place).ok());
                let place = place.ok_or("its discovery document names no `jwks_uri`")?;
                // The operator vouched for the issuer's own origin, not for wherever its document points.
                let is_own = place.origin() == issuer.origin();
                (
                    place,
                    if is_own { Reach::Operator } else { Reach::Public },
                    egress,
                )
            }
        };
        let (_, body) = reached(egress, &place, &reach, KEYS_BYTES).await?;
        serde_json::from_slice(&body).map_err(|error| error.to_string())
    }
}

/// Whether what a document says is another thing than before. When it is read again is no news.
fn is_news(former: Option<&Client>, client: &Client) -> bool {
    former.is_none_or(|former| {
        let said = |client: &Client| {
            (
                client.snapshot.clone(),
                client.grants.clone(),
                client.auth,
                client.keys.clone(),
            )
        };
        said(former) != said(client)
    })
}

fn unknown(id: &ClientId) -> String {
    let id: String = id.as_str().chars().take(100).collect();
    format!("there is no client `{id}`, or not any more: register again, or ask an administrator")
}

/// The address behind an identity. It must be written in its plain form: two texts for one document would be two clients.
fn address(id: &ClientId) -> Result<Url, OauthError> {
    let text = id.as_str();
    let refused = |why: &str| Err(OauthError::client(format!("`client_id` {why}")));
    let Ok(url) = Url::parse(text) else {
        return refused("is not an address");
    };
    if url.scheme() != "https" {
        return refused("must be an https address");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refused("has a user name");
    }
    if url.fragment().is_some() {
        return refused("has a fragment");
    }
    if url.path() == "/" {
        return refused("has no path");
    }
    if url.as_str() != text || url.path().to_ascii_lowercase().contains("%2e") {
        return refused("is not written in its plain form");
    }
    Ok(url)
}

async fn fetch(egress: &Egress, url: &Url, bytes: usize) -> Option<(HeaderMap, Bytes)> {
    let reached = reached(egress, url, &Reach::Public, bytes).await;
    let (headers, body) = reached
        .inspect_err(|cause| tracing::info!(%url, cause, "A client's document could not be fetched."))
        .ok()?;
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    (kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json")))
        .then_some((headers, body))
}

async fn reached(
    egress: &Egress,
    url: &Url,
    reach: &Reach,
    bytes: usize,
) -> Result<(HeaderMap, Bytes), String> {
    let request = Request::get(url.as_str())
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, "portreeve")
        .body(Bytes::new())
        .map_err(|error| error.to_string())?;
    let answer = egress.send(request, reach, TIME).await;
    let answer = answer.map_err(|error| error.to_string())?;
    if answer.status() != StatusCode::OK {
        return Err(answer.status().to_string());
    }
    let (head, body) = answer.into_parts();
    let body = read_body(body, bytes, TIME)
        .await
        .map_err(|error| error.to_string())?;
    Ok((head.headers, body))
}

/// How long a document is good, as its answer says.
fn good_for(headers: &HeaderMap) -> Duration {
    let values = headers.get_all(header::CACHE_CONTROL).iter();
    let text: Vec<String> = values
        .filter_map(|value| value.to_str().ok())
        .map(str::to_ascii_lowercase)
        .collect();
    let text = text.join(",");
    let mut directives = text.split(',').map(str::trim);
    if directives
        .clone()
        .any(|word| word == "no-store" || word == "no-cache")
    {
        return Duration::ZERO;
    }
    let seconds = directives.find_map(|word| word.strip_prefix("max-age=")?.parse().ok());
    seconds.map_or(USUAL, Duration::from_secs).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_as_11_an_identity_is_an_address_in_its_plain_form() {
        let read = |text: &str| address(&text.parse().unwrap()).is_ok();
        assert!(read("https://host.example/client.json"));
        assert!(read("https://host.example:8443/oauth/client?v=2"));
        for wrong in [
            "https://host.example",
            "https://host.example/",
            "https://host.example/a#b",
            "https://u@host.example/a",
            "https://u:p@host.example/a",
            "https://host.example/a/../b",
            "https://host.example/%2e%2e/b",
            "https://HOST.example/a",
            "https://host.example:443/a",
            "https://0x7f.1/a",
            "https://host.example/\\a",
            "https://",
        ] {
            assert!(!read(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_document_is_good_as_long_as_its_answer_says() {
        let of = |text: &'static str| {
            let value = (header::CACHE_CONTROL, HeaderValue::from_static(text));
            good_for(&HeaderMap::from_iter([value])).as_secs()
        };
        assert_eq!(of("public, max-age=60"), 60);
        assert_eq!(of("max-age=31536000"), LONGEST.as_secs());
        assert_eq!(of("No-Store"), 0);
        assert_eq!(of("max-age=x"), USUAL.as_secs());
        assert_eq!(good_for(&HeaderMap::new()), USUAL);
    }
}
