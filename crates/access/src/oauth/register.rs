//! Clients that register themselves (RFC 7591). Anybody may, so it costs little, is counted, and is forgotten when
//! nothing comes of it.

use std::net::IpAddr;
use std::time::Duration;

use portreeve_core::caller::Caller;
use portreeve_core::oauth::{Client, ClientAuth, ClientKeys, ClientKind};
use portreeve_core::ports::{RateLimit, StoreError};
use serde_json::{Value, json};

use super::error::{OauthCode, OauthError};
use super::metadata::{self, Taken};
use super::{AuthorizationServer, Registration};
use crate::login::network;
use crate::token;

/// Bytes of a registration.
const BYTES: usize = 16 * 1024;
/// Clients that registered themselves and are kept at once.
const MOST: u64 = 20_000;
/// Registrations from one address: at once, and then one more in this time.
const RATE: RateLimit = RateLimit {
    interval: Duration::from_secs(30),
    burst: 40,
};

impl AuthorizationServer {
    /// Registers a client; the answer is what RFC 7591 says.
    pub async fn register(&self, from: Option<IpAddr>, body: &[u8]) -> Result<Value, OauthError> {
        if self.parts.settings.registration == Registration::Off {
            return Err(OauthError::new(
                OauthCode::AccessDenied,
                "clients do not register here by themselves: ask an administrator to enter the client, or use a client \
                 with a metadata document",
            ));
        }
        if body.len() > BYTES {
            return Err(OauthError::new(
                OauthCode::InvalidClientMetadata,
                "the metadata has more than 16 KiB",
            ));
        }
        let from = from.map(network).unwrap_or_default();
        let key = format!("oauth_register/{from}");
        let decision = self.parts.counters.take(&key, RATE, 1).await?;
        if !decision.allowed {
            return Err(OauthError::too_often(decision.retry_after));
        }
        let taken = metadata::read(body)?.judge(ClientAuth::SecretBasic)?;
        let (client, secret) = self.made(taken)?;
        let mut event = self.event("oauth.client.register", &Caller::anonymous(), &client.id);
        event.detail = Some(json!({
            "name": client.name, "redirectUris": client.redirect_uris, "auth": client.auth.as_str(), "from": from,
        }));
        match self.parts.clients.add_client(&client, MOST, event).await {
            Ok(()) => Ok(shown(&client, secret.as_ref().map(|secret| secret.expose()))),
            Err(StoreError::Conflict { .. }) => Err(OauthError::too_often(Duration::from_secs(60 * 60))),
            Err(error) => Err(error.into()),
        }
    }

    fn made(&self, taken: Taken) -> Result<(Client, Option<portreeve_core::secret::Secret>), OauthError> {
        let (random, _) = token::mint(&*self.parts.rng);
        let random: String = random.expose().chars().take(22).collect();
        let id = format!("dcr_{random}")
            .parse()
            .map_err(|_| OauthError::request("no identity can be made"))?;
        let minted = matches!(taken.auth, ClientAuth::SecretBasic | ClientAuth::SecretPost)
            .then(|| token::mint(&*self.parts.rng));
        let (secret, secret_hash) = minted.unzip();
        let client = Client {
            snapshot: metadata::snapshot(&taken.name, &taken.redirect_uris),
            id,
            kind: ClientKind::Registered,
            name: taken.name,
            redirect_uris: taken.redirect_uris,
            grants: taken.grants,
            auth: taken.auth,
            secret_hash,
            keys: taken.keys,
            created_by: "anonymous".to_owned(),
            created_at: self.parts.clock.now(),
            used_at: None,
            fresh_until: None,
        };
        Ok((client, secret))
    }
}

/// A client as RFC 7591, section 3.2.1 shows it.
fn shown(client: &Client, secret: Option<&str>) -> Value {
    let mut answer = json!({
        "client_id": client.id,
        "client_id_issued_at": client.created_at.as_millis() / 1_000,
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "grant_types": client.grants.iter().map(|grant| grant.as_str()).collect::<Vec<_>>(),
        "response_types": ["code"],
        "token_endpoint_auth_method": client.auth.as_str(),
    });
    if let Some(fields) = answer.as_object_mut() {
        if let Some(secret) = secret {
            fields.insert("client_secret".to_owned(), secret.into());
            fields.insert("client_secret_expires_at".to_owned(), 0.into());
        }
        match &client.keys {
            Some(ClientKeys::At(place)) => {
                fields.insert("jwks_uri".to_owned(), place.as_str().into());
            }
            Some(ClientKeys::Inline(set)) => {
                let set = serde_json::from_str(set).unwrap_or(Value::Null);
                fields.insert("jwks".to_owned(), set);
            }
            None => {}
        }
    }
    answer
}
