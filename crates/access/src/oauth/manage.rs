//! Clients that administrators enter and remove.

use portreeve_core::caller::Caller;
use portreeve_core::oauth::{Client, ClientAuth, ClientId, ClientKind, GrantKind};
use portreeve_core::ports::StoreError;
use portreeve_core::secret::Secret;
use serde_json::{Value, json};

use super::error::{OauthCode, OauthError};
use super::{AuthorizationServer, metadata};
use crate::{AccessError, token};

/// Clients that are entered.
const MOST: u64 = 10_000;
/// Clients that are listed at once.
const PAGE: u32 = 501;

/// A client to be entered.
#[derive(Debug, Clone, PartialEq)]
pub struct NewClient {
    /// Its identity; made if none is given.
    pub id: Option<ClientId>,
    /// What people know it by.
    pub name: String,
    /// Where codes may be sent.
    pub redirect_uris: Vec<String>,
    /// What it may hand in.
    pub grants: Vec<GrantKind>,
    /// How it authenticates.
    pub auth: ClientAuth,
    /// Its public keys, as a JWK set.
    pub jwks: Option<Value>,
    /// Where they are.
    pub jwks_uri: Option<String>,
}

impl AuthorizationServer {
    /// Clients behind an identity, in byte order.
    pub async fn clients(&self, caller: &Caller, after: &str) -> Result<Vec<Client>, AccessError> {
        self.parts.access.require_auditor(caller, "list clients")?;
        Ok(self.parts.clients.clients(after, PAGE).await?)
    }

    /// One client.
    pub async fn client_entry(&self, caller: &Caller, id: &str) -> Result<Client, AccessError> {
        self.parts.access.require_auditor(caller, "look at clients")?;
        let missing = || AccessError::not_found("client", id);
        let known = id.parse::<ClientId>().map_err(|_| missing())?;
        self.parts.clients.client(&known).await?.ok_or_else(missing)
    }

    /// Whether there is a client of that identity, for who is about to grant it something.
    pub async fn is_client(&self, id: &str) -> Result<bool, AccessError> {
        let Ok(known) = id.parse::<ClientId>() else {
            return Ok(false);
        };
        Ok(self.parts.clients.client(&known).await?.is_some())
    }

    /// Enters a client. A secret is shown this once.
    pub async fn create_client(
        &self,
        caller: &Caller,
        new: NewClient,
    ) -> Result<(Client, Option<Secret>), AccessError> {
        let policies = self.parts.access.require_manager(caller)?;
        let auth = new.auth;
        check(&new)?;
        let keys = metadata::keys(new.jwks, new.jwks_uri, auth).map_err(|error| invalid(&error))?;
        let id = match new.id {
            Some(id) => id,
            None => self.new_id()?,
        };
        let minted = matches!(auth, ClientAuth::SecretBasic | ClientAuth::SecretPost)
            .then(|| token::mint(&*self.parts.rng));
        let (secret, secret_hash) = minted.unzip();
        let name = metadata::name(Some(&new.name));
        let client = Client {
            snapshot: metadata::snapshot(&name, &new.redirect_uris),
            id,
            kind: ClientKind::Managed,
            name,
            redirect_uris: new.redirect_uris,
            grants: new.grants,
            auth,
            secret_hash,
            keys,
            created_by: caller.label.to_string(),
            created_at: self.parts.clock.now(),
            used_at: None,
            fresh_until: None,
        };
        let mut event = self.event("oauth.client.create", caller, &client.id);
        event.policies = policies;
        event.detail = Some(json!({
            "name": client.name, "redirectUris": client.redirect_uris, "auth": auth.as_str(),
            "grants": client.grants.iter().map(|grant| grant.as_str()).collect::<Vec<_>>(),
        }));
        match self.parts.clients.add_client(&client, MOST, event).await {
            Ok(()) => Ok((client, secret)),
            Err(StoreError::Conflict { .. }) => Err(AccessError::NameTaken {
                name: client.id.to_string(),
            }),
            Err(error) => Err(error.into()),
        }
    }

    fn new_id(&self) -> Result<ClientId, AccessError> {
        let (random, _) = token::mint(&*self.parts.rng);
        let random: String = random.expose().chars().take(22).collect();
        format!("app_{random}")
            .parse()
            .map_err(|_| AccessError::invalid("clientId", &random, "no identity can be made"))
    }

    /// Removes a client, and ends everything that it was allowed.
    pub async fn delete_client(&self, caller: &Caller, id: &str) -> Result<(), AccessError> {
        let policies = self.parts.access.require_manager(caller)?;
        let client = self.client_entry(caller, id).await?;
        let mut event = self.event("oauth.client.delete", caller, &client.id);
        event.policies = policies;
        event.detail = Some(json!({ "name": client.name, "kind": client.kind.as_str() }));
        let now = self.parts.clock.now();
        let ended = self.parts.clients.remove_client(&client.id, now, event).await?;
        for authorization in ended {
            self.parts.access.end_authorization(authorization).await?;
        }
        Ok(())
    }
}

fn check(new: &NewClient) -> Result<(), AccessError> {
    let fail = |field, value: &str, problem| Err(AccessError::invalid(field, value, problem));
    if new.name.trim().is_empty() {
        return fail("name", &new.name, "it must not be empty");
    }
    if new.id.as_ref().is_some_and(ClientId::is_document) {
        let id = new.id.as_ref().map(ToString::to_string).unwrap_or_default();
        return fail(
            "clientId",
            &id,
            "an https address stands for a document of the client",
        );
    }
    if new.grants.is_empty() {
        return fail("grants", "", "name at least one");
    }
    let asks = new.grants.contains(&GrantKind::AuthorizationCode);
    if asks == new.redirect_uris.is_empty() {
        return fail(
            "redirectUris",
            &new.redirect_uris.join(" "),
            "a client with `authorization_code` has at least one, and no other has any",
        );
    }
    if new.auth != ClientAuth::PrivateKeyJwt && (new.jwks.is_some() || new.jwks_uri.is_some()) {
        return fail(
            "auth",
            new.auth.as_str(),
            "keys are for `private_key_jwt` alone: name that, or leave the keys out",
        );
    }
    let itself = [GrantKind::ClientCredentials, GrantKind::JwtBearer];
    if new.auth == ClientAuth::None && itself.iter().any(|grant| new.grants.contains(grant)) {
        return fail(
            "auth",
            new.auth.as_str(),
            "who acts for itself, or with assertions, must authenticate: use a secret or `private_key_jwt`",
        );
    }
    metadata::check_redirects(&new.redirect_uris).map_err(|error| invalid(&error))
}

fn invalid(error: &OauthError) -> AccessError {
    let field = match error.code {
        OauthCode::InvalidRedirectUri => "redirectUris",
        _ => "jwks",
    };
    AccessError::Rejected {
        field,
        problem: error.description.clone(),
    }
}
