//! OAuth clients, as they are shown and entered. Names of fields are those of RFC 7591 in our own spelling.

use portreeve_access::{Allowed, NewClient};
use portreeve_core::oauth::{Authorization, Client, ClientAuth, ClientId, ClientKeys, GrantKind};
use portreeve_core::secret::Secret;
use portreeve_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::content;
use crate::problem::Problem;

/// An OAuth client, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Client)]
pub(crate) struct ClientShape {
    client_id: String,
    /// What it calls itself.
    name: String,
    /// `registered` by itself, a `document` of its own, or `managed`: entered by an administrator.
    kind: &'static str,
    /// Where codes may be sent.
    redirect_uris: Vec<String>,
    /// What it may hand in at the token endpoint.
    grants: Vec<&'static str>,
    /// How it authenticates: `none`, `client_secret_basic`, `client_secret_post`, `private_key_jwt`.
    auth: &'static str,
    /// Where its public keys are.
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<String>,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it got a token last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    used_at: Option<Timestamp>,
}

/// An OAuth client that was just entered. The secret is not shown again.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreatedClient {
    #[serde(flatten)]
    client: ClientShape,
    /// Its secret, if it authenticates with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

/// An OAuth client to be entered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewClient)]
pub(crate) struct NewClientShape {
    /// What people know it by; it is shown when they are asked.
    name: String,
    /// Its identity; made if left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    client_id: Option<ClientId>,
    /// Where codes may be sent: exact addresses; the port of a loopback address does not count.
    #[serde(default)]
    redirect_uris: Vec<String>,
    /// `authorization_code`, `refresh_token`, `client_credentials`,
    /// `urn:ietf:params:oauth:grant-type:jwt-bearer`. Left out: the first two where there is a redirect, else the third.
    #[serde(default)]
    grants: Vec<String>,
    /// `none`, `client_secret_basic`, `client_secret_post` or `private_key_jwt`. Left out: `private_key_jwt` for who brings
    /// keys, else `client_secret_basic`.
    #[serde(default)]
    auth: Option<String>,
    /// Its public keys, as a JWK set.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    jwks: Option<Value>,
    /// Where they are.
    #[serde(default)]
    jwks_uri: Option<String>,
}

/// An OAuth client that you allowed something.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllowedClient)]
pub(crate) struct AllowedShape {
    client_id: String,
    /// What it calls itself; its identity, where it was removed meanwhile.
    name: String,
    /// When it got a token last.
    #[schema(value_type = String, format = DateTime)]
    used_at: Timestamp,
    /// What it may, newest first.
    allowed: Vec<AllowedThere>,
}

/// What a client may at one resource.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AllowedThere {
    /// The address of the MCP endpoint.
    resource: String,
    /// As in `billing:read billing:write`.
    scopes: String,
    #[schema(value_type = String, format = DateTime)]
    granted_at: Timestamp,
}

// === impl AllowedShape ===

impl AllowedShape {
    pub(crate) fn new(allowed: &Allowed) -> Self {
        let there = |one: &Authorization| AllowedThere {
            resource: one.resource.clone(),
            scopes: one.scopes.to_string(),
            granted_at: one.granted_at,
        };
        let name = allowed.client.as_ref().map(|client| client.name.clone());
        Self {
            client_id: allowed.id.to_string(),
            name: name.unwrap_or_else(|| allowed.id.to_string()),
            used_at: allowed.used_at,
            allowed: allowed.authorizations.iter().map(there).collect(),
        }
    }
}

// === impl ClientShape ===

impl ClientShape {
    pub(crate) fn new(client: &Client) -> Self {
        Self {
            client_id: client.id.to_string(),
            name: client.name.clone(),
            kind: client.kind.as_str(),
            redirect_uris: client.redirect_uris.clone(),
            grants: client.grants.iter().map(|grant| grant.as_str()).collect(),
            auth: client.auth.as_str(),
            jwks_uri: match &client.keys {
                Some(ClientKeys::At(place)) => Some(place.clone()),
                _ => None,
            },
            created_by: client.created_by.clone(),
            created_at: client.created_at,
            used_at: client.used_at,
        }
    }
}

// === impl CreatedClient ===

impl CreatedClient {
    pub(crate) fn new(client: ClientShape, secret: Option<&Secret>) -> Self {
        Self {
            client,
            client_secret: secret.map(|secret| secret.expose().to_owned()),
        }
    }
}

// === impl NewClientShape ===

impl NewClientShape {
    /// The client, its words read.
    pub(crate) fn read(self) -> Result<NewClient, Problem> {
        let auth = match self.auth.as_deref() {
            // Who brings keys means to sign with them.
            None if self.jwks.is_some() || self.jwks_uri.is_some() => ClientAuth::PrivateKeyJwt,
            None => ClientAuth::SecretBasic,
            Some(word) => ClientAuth::from_word(word)
                .ok_or_else(|| content::field("auth", format!("`{word}` is no way to authenticate")))?,
        };
        let read = |word: &String| {
            GrantKind::from_word(word)
                .ok_or_else(|| content::field("grants", format!("`{word}` is no grant that is taken here")))
        };
        let mut grants = self.grants.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if grants.is_empty() {
            grants = if self.redirect_uris.is_empty() {
                vec![GrantKind::ClientCredentials]
            } else {
                vec![GrantKind::AuthorizationCode, GrantKind::RefreshToken]
            };
        }
        Ok(NewClient {
            id: self.client_id,
            name: self.name,
            redirect_uris: self.redirect_uris,
            grants,
            auth,
            jwks: self.jwks,
            jwks_uri: self.jwks_uri,
        })
    }
}
